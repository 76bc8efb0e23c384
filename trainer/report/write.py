"""Put the report together and write it."""

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

from migrations.study.database import foveate_version
from migrations.study.folder import Study
from migrations.study.schema import utc_now
from migrations.study.unwritable import unwritable_text
from trainer.errors import Cancelled, ReportError
from trainer.report.answer_sections import answers_section
from trainer.report.cohort_sections import cohort_section, folder_section, quality_section
from trainer.report.data import ReportData
from trainer.report.figures import write_figures
from trainer.report.gather import gather
from trainer.report.gaze_sections import readings_section, similarity_section
from trainer.report.methods_text import methods_section
from trainer.report.neighbour_sections import neighbour_section
from trainer.report.page import Section, page, paragraph
from trainer.report.participation import participation_section
from trainer.report.probe_sections import probe_section
from trainer.report.reader_sections import (
    checklist_section,
    looked_section,
    performed_section,
)
from trainer.report.run_sections import runs_section, settings_section, versions_section

FILE_NAME = "report.html"
_Maker = Callable[[ReportData, Callable[[], bool]], Section]


def write_report(
    study: Study,
    run_ids: Sequence[str] | None = None,
    out: Path | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    *,
    share: bool = False,
    probes: Sequence[Path] | None = None,
    figures: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Path:
    """Write one HTML file that needs nothing else; what is missing is said in it.

    Parameters
    ----------
    study
        What is reported on.
    run_ids
        Training runs to show, by row id or folder name; None for all.
    out
        The file; None for `exports/report.html` of the study.
    cancelled
        Asked between readings and between sections.
    share
        Leave out images, notes and figures of single readers.
    probes
        Folders of probe results; None for those in the study's exports.
    figures
        Folder for the figures and tables as files of their own; None for none.
    progress
        Called after each section with how many are done, of how many.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    ReportError
        If a named run does not exist, or the file cannot be written.
    Cancelled
        If the user asked to stop; an older file stays as it was.
    """
    path = out or study.exports / FILE_NAME
    data = gather(study, run_ids, cancelled, probes=probes, share=share)
    return write_data(data, path, cancelled, figures=figures, progress=progress)


def write_data(
    data: ReportData,
    path: Path,
    cancelled: Callable[[], bool] = lambda: False,
    *,
    figures: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Path:
    """Write what was gathered from a study or a folder, whole or not at all."""
    text = render(data, cancelled, progress)
    partial = path.with_name(f"{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise ReportError(unwritable_text(path, error)) from error
    if figures is not None:
        write_figures(figures, text, data)
    return path


def _probes(data: ReportData, cancelled: Callable[[], bool]) -> Section:
    return probe_section(data.probes, data.hint)


def _plain(section: Callable[[ReportData], Section]) -> _Maker:
    return lambda data, cancelled: section(data)


_OF_RUNS: tuple[_Maker, ...] = (
    _plain(runs_section),
    _probes,
    neighbour_section,
    _plain(methods_section),
    _plain(settings_section),
    _plain(versions_section),
)


_OF_STUDY: tuple[_Maker, ...] = (
    _plain(cohort_section),
    _plain(participation_section),
    _plain(quality_section),
    _plain(answers_section),
    _plain(readings_section),
    _plain(looked_section),
    _plain(performed_section),
    _plain(checklist_section),
    _plain(similarity_section),
    *_OF_RUNS,
)
_OF_FOLDER: tuple[_Maker, ...] = (
    _plain(folder_section),
    _plain(participation_section),
    _plain(similarity_section),
    *_OF_RUNS,
)


def render(
    data: ReportData,
    cancelled: Callable[[], bool] = lambda: False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> str:
    """Return the report as HTML; see `write_report`."""
    name = data.name
    sections = []
    makers = _OF_FOLDER if data.schema is None else _OF_STUDY
    for number, section in enumerate(makers, start=1):
        if cancelled():
            raise Cancelled("Stopped while writing the report.")
        sections.append(section(data, cancelled))
        progress(number, len(makers))
    return page(f"{name}: Foveate report", _head(data, name), sections)


def _head(data: ReportData, name: str) -> str:
    when = utc_now()[:16].replace("T", " ")
    shared = "For sharing: images, notes and figures of individual readers are left out."
    return (
        f"<h1>{escape(name)}</h1>"
        + paragraph(data.question, "lead")
        + paragraph(f"Report of {when} UTC, Foveate {foveate_version()}.", "note")
        + paragraph("For research, not for diagnosis.", "research")
        + (paragraph(shared, "research") if data.share else "")
    )
