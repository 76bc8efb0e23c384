"""How readers looked and performed, and the reporting guideline as a checklist."""

from collections.abc import Sequence

from migrations.study.processes import as_typed
from trainer.report.answer_figures import DrawnFigure
from trainer.report.data import ReportData
from trainer.report.page import Section, figure, missing, paragraph, table


def looked_section(data: ReportData) -> Section:
    """Return the figures of `analyse`."""
    nothing = missing(
        as_typed(
            f"No analysis has been run yet. Run python main.py analyse {data.hint}, or use the "
            "Analysis page."
        )
    )
    return Section("looked", "How readers looked", _figures(data.looked, data.share) or nothing)


def performed_section(data: ReportData) -> Section:
    """Return the figures of `performance`."""
    nothing = missing(
        as_typed(
            f"Performance has not been computed yet. Run python main.py performance {data.hint} "
            "--positive VALUE --out exports/performance in the study, or use the Performance page."
        )
    )
    html = _figures(data.performed, data.share) or nothing
    return Section("performed", "How readers performed", html)


def checklist_section(data: ReportData) -> Section:
    """Return the guideline's items, each filled from the study or not recorded."""
    filled = sum(item.is_filled for item in data.checklist)
    rows = [[item.number, item.title, item.said] for item in data.checklist]
    source = (
        "Minimal reporting guideline for research involving eye tracking, 2023 edition (Dunn and "
        f"others, Behavior Research Methods 56, 2024). {filled} of {len(rows)} items are filled "
        "in from the study; complete the others by hand."
    )
    html = paragraph(source) + table("Reporting guideline", ["item", "what", "this study"], rows)
    return Section("checklist", "Reporting checklist", html)


def _figures(drawn: Sequence[DrawnFigure], share: bool) -> str:
    """Return figures; of a report to be shared those from which no reader can be told."""
    kept = [f for f in drawn if not (share and f.tells_readers)]
    html = "".join(figure(f.svg, f"{f.title}. {f.caption}") for f in kept)
    left_out = len(drawn) - len(kept)
    note = (
        paragraph(f"Left out: figures that show individual readers ({left_out}).")
        if left_out
        else ""
    )
    return (f'<div class="charts">{html}</div>' if html else "") + note
