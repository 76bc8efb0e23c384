"""Put the report together and write it."""

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

from migrations.database import foveate_version
from migrations.schema import utc_now
from migrations.study import Study
from trainer.errors import Cancelled, ReportError
from trainer.report.cohort_sections import cohort_section, quality_section
from trainer.report.data import ReportData, gather
from trainer.report.gaze_sections import readings_section, similarity_section
from trainer.report.page import page, paragraph
from trainer.report.run_sections import runs_section, settings_section, versions_section

FILE_NAME = "report.html"


def write_report(
    study: Study,
    run_ids: Sequence[str] | None = None,
    out: Path | None = None,
    cancelled: Callable[[], bool] = lambda: False,
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
    text = render(gather(study, run_ids, cancelled), cancelled)
    partial = path.with_name(f"{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise ReportError(f"The report cannot be written to {path}: {error.strerror}.") from error
    return path


_SECTIONS = (
    cohort_section,
    quality_section,
    readings_section,
    similarity_section,
    runs_section,
    settings_section,
    versions_section,
)


def render(data: ReportData, cancelled: Callable[[], bool] = lambda: False) -> str:
    """Return the report as HTML; see `write_report`."""
    name = data.study.settings.name
    sections = []
    for section in _SECTIONS:
        if cancelled():
            raise Cancelled("Stopped while the report was being written.")
        sections.append(section(data))
    return page(f"{name}: Foveate report", _head(data, name), sections)


def _head(data: ReportData, name: str) -> str:
    when = utc_now()[:16].replace("T", " ")
    return (
        f"<h1>{escape(name)}</h1>"
        + paragraph(data.study.settings.question, "lead")
        + paragraph(f"Report of {when} UTC, Foveate {foveate_version()}.", "note")
        + paragraph("For research, not for diagnosis.", "research")
    )
