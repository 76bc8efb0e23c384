"""Put the report together and write it."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from migrations.database import foveate_version
from migrations.schema import utc_now
from migrations.study import Study
from trainer.errors import ReportError
from trainer.report.cohort_sections import cohort_section, quality_section
from trainer.report.data import ReportData, gather
from trainer.report.gaze_sections import readings_section, similarity_section
from trainer.report.page import page, paragraph
from trainer.report.run_sections import runs_section, settings_section, versions_section

FILE_NAME = "report.html"


def write_report(
    study: Study, run_ids: Sequence[str] | None = None, out: Path | None = None
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

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    ReportError
        If a named run does not exist, or the file cannot be written.
    """
    path = out or study.exports / FILE_NAME
    text = render(gather(study, run_ids))
    partial = path.with_name(f"{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise ReportError(f"The report cannot be written to {path}: {error.strerror}.") from error
    return path


def render(data: ReportData) -> str:
    """Return the report as HTML."""
    name = data.study.settings.name
    sections = [
        cohort_section(data),
        quality_section(data),
        readings_section(data),
        similarity_section(data),
        runs_section(data),
        settings_section(data),
        versions_section(data),
    ]
    return page(f"{name}: Foveate report", _head(data, name), sections)


def _head(data: ReportData, name: str) -> str:
    when = utc_now()[:16].replace("T", " ")
    return (
        f"<h1>{escape(name)}</h1>"
        + paragraph(data.study.settings.question, "lead")
        + paragraph(f"Report of {when} UTC, Foveate {foveate_version()}.", "note")
        + paragraph("For research, not for diagnosis.", "research")
    )
