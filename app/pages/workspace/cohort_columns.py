"""What the cohort page says of a reading: its columns, and what each is ordered by."""

from app.ui import theme
from app.ui.table_model import Column
from app.workspace.cohort import CohortRow


def _number(value: float | None, form: str, unit: str) -> str:
    return "–" if value is None else f"{value:{form}}{unit}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _counts(row: CohortRow) -> str:
    by_hand = " by hand" if row.chosen and row.counts else ""
    return f"Kept{by_hand}" if row.counts else f"Left out: {row.left_out}"


def _known(value: float | None) -> float:
    return -1.0 if value is None else value


def reasons_of(row: CohortRow) -> str:
    """Return the tool tip of a reading: why its verdict, and why it is left out."""
    return "\n".join((*row.reasons, row.left_out)).strip()


def _verdict_colour(row: CohortRow) -> str:
    return theme.AMBER if row.verdict == "bad" else ""


def _sign(row: CohortRow) -> tuple[str, str]:
    return ("check", theme.ACCENT) if row.counts else ("ring", theme.MUTED)


COLUMNS: tuple[Column[CohortRow], ...] = (
    Column("Case", lambda r: r.case),
    Column("Reader", lambda r: r.reader),
    Column(
        "Gaze",
        lambda r: r.verdict.capitalize() or "–",
        lambda r: r.verdict,
        colour=_verdict_colour,
    ),
    Column("Cohort", _counts, lambda r: (r.counts, r.left_out), sign=_sign),
    Column("Lost", lambda r: _share(r.loss), lambda r: _known(r.loss)),
    Column(
        "Accuracy",
        lambda r: _number(r.accuracy_deg, ".2f", "°"),
        lambda r: _known(r.accuracy_deg),
    ),
    Column(
        "Time",
        lambda r: _number(r.duration_s, ".1f", " s"),
        lambda r: _known(r.duration_s),
    ),
    Column("Fixations", lambda r: str(r.fixations), lambda r: r.fixations),
    Column("Reading", lambda r: r.name),
)
