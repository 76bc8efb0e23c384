"""What the cohort page shows of a reading: its columns, and their sort keys."""

from datetime import datetime

from app.ui import theme
from app.ui.table_model import Column
from app.ui.text import tr
from app.workspace.cohort import VERDICTS, CohortRow


def _number(value: float | None, form: str, unit: str) -> str:
    return "–" if value is None else f"{value:{form}}{unit}"


def _percent(value: float | None) -> float | None:
    return None if value is None else 100 * value


def _counts(row: CohortRow) -> str:
    if not row.counts:
        return tr("Excluded")
    return tr("Included by hand") if row.chosen else tr("Included")


def _known(value: float | None) -> float:
    return -1.0 if value is None else value


def why(row: CohortRow) -> str:
    """Return why a reading has its rating, and why it is excluded or included."""
    own = "" if row.counts else row.left_out
    if row.chosen and row.counts:
        own = row.why_chosen
    reasons = () if row.reasons and ", ".join(row.reasons) in own else row.reasons
    return "; ".join(part for part in (*reasons, own) if part)


def local_time(utc: str) -> str:
    """Return an instant in this station's local time; "–" without one."""
    if not utc:
        return "–"
    return f"{datetime.fromisoformat(utc).astimezone():%Y-%m-%d %H:%M}"


def _tracker(row: CohortRow) -> str:
    return f"{tr(row.badge)} ({row.tracker})" if row.badge else row.tracker


def told(words: tuple[str, ...]) -> str:
    """Return labels or splits of a case's images: one word if they are equal."""
    return words[0] if len(set(words)) == 1 else "; ".join(words)


def _verdict_colour(row: CohortRow) -> str:
    return theme.AMBER if row.verdict == "bad" else ""


def _tracker_colour(row: CohortRow) -> str:
    return theme.AMBER if row.badge else ""


def _sign(row: CohortRow) -> tuple[str, str]:
    return ("check", theme.ACCENT) if row.counts else ("ring", theme.MUTED)


def cohort_columns() -> tuple[Column[CohortRow], ...]:
    """Return the columns, titled in the language of the window."""
    return (
        Column(tr("Case"), lambda r: r.case),
        Column(tr("Reader"), lambda r: r.reader),
        Column(tr("Read on"), lambda r: local_time(r.started_utc), lambda r: r.started_utc),
        Column(
            tr("Gaze"),
            lambda r: tr(VERDICTS.get(r.verdict, "–")),
            lambda r: r.verdict,
            colour=_verdict_colour,
        ),
        Column(tr("Cohort"), _counts, lambda r: (r.counts, r.left_out), sign=_sign),
        Column(tr("Answers"), lambda r: r.answers or "–", lambda r: r.answers),
        Column(tr("Label"), lambda r: told(r.labels), edited="label", tip=_edit_tip),
        Column(tr("Split"), lambda r: told(r.splits), edited="split", tip=_edit_tip),
        Column(
            tr("Lost"),
            lambda r: _number(_percent(r.loss), ".0f", " %"),
            lambda r: _known(r.loss),
            number=lambda r: _percent(r.loss),
        ),
        Column(
            tr("Accuracy"),
            lambda r: _number(r.accuracy_deg, ".2f", "°"),
            lambda r: _known(r.accuracy_deg),
            number=lambda r: r.accuracy_deg,
        ),
        Column(
            tr("Time"),
            lambda r: _number(r.duration_s, ".1f", " s"),
            lambda r: _known(r.duration_s),
            number=lambda r: r.duration_s,
        ),
        Column(
            tr("Fixations"),
            lambda r: str(r.fixations),
            lambda r: r.fixations,
            number=lambda r: r.fixations,
        ),
        Column(tr("Arm"), lambda r: r.arm),
        Column(tr("Tracker"), _tracker, lambda r: (bool(r.badge), r.tracker),
               colour=_tracker_colour),
        Column(tr("Why"), lambda r: why(r) or "–", why),
        Column(tr("Session"), lambda r: r.session),
        Column(tr("Reading"), lambda r: r.name),
    )  # fmt: skip


def _edit_tip(row: CohortRow) -> str:
    if len(row.image_ids) > 1:
        return tr(
            "Double-click to edit. Type one word for all {count} images of the case, or one word "
            "for each, separated by semicolons.",
            count=len(row.image_ids),
        )
    return tr("Double-click to edit. The change is recorded in the audit trail.")
