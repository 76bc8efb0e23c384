"""How readers looked and performed, and the reporting guideline as a checklist."""

from collections.abc import Sequence

from trainer.report.answer_figures import DrawnFigure
from trainer.report.data import ReportData
from trainer.report.page import Section, figure, missing, paragraph, table


def looked_section(data: ReportData) -> Section:
    """Return the figures of `analyse`."""
    nothing = missing(
        f"Nothing was analysed yet: python main.py analyse {data.hint}, or the page Analysis."
    )
    return Section("looked", "How readers looked", _figures(data.looked, data.share) or nothing)


def performed_section(data: ReportData) -> Section:
    """Return the figures of `performance`."""
    nothing = missing(
        f"Nothing was computed yet: python main.py performance {data.hint} --positive VALUE "
        f"--out exports/performance of the study, or the page Performance."
    )
    html = _figures(data.performed, data.share) or nothing
    return Section("performed", "How readers performed", html)


def checklist_section(data: ReportData) -> Section:
    """Return the guideline's items, each filled from the study or not recorded."""
    filled = sum(item.is_filled for item in data.checklist)
    rows = [[item.number, item.title, item.said] for item in data.checklist]
    source = (
        "Minimal reporting guideline for research involving eye tracking, 2023 edition (Dunn and "
        "others, Behavior Research Methods 56, 2024). "
        f"{filled} of {len(rows)} items are told by the study; say the others by hand."
    )
    html = paragraph(source) + table("Reporting guideline", ["item", "what", "this study"], rows)
    return Section("checklist", "Reporting checklist", html)


def _figures(drawn: Sequence[DrawnFigure], share: bool) -> str:
    """Return figures; of a report to be shared those from which no reader can be told."""
    kept = [f for f in drawn if not (share and f.tells_readers)]
    html = "".join(figure(f.svg, f"{f.title}. {f.caption}") for f in kept)
    left_out = len(drawn) - len(kept)
    note = (
        paragraph(f"Left out: figures that tell single readers ({left_out}).") if left_out else ""
    )
    return (f'<div class="charts">{html}</div>' if html else "") + note
