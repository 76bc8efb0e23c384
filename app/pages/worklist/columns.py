"""What the worklist says of a case: its columns, and how each state is shown."""

from collections.abc import Callable
from dataclasses import dataclass

from app.recording.rereads import PLANNED
from app.recording.worklist import WorklistRow
from app.ui import theme
from app.ui.table_model import Column
from app.ui.text import tr


@dataclass(frozen=True, slots=True)
class StateLook:
    """How a state is told: words, a sign, a colour; never by colour alone."""

    words: str
    sign: str
    colour: str


STATES = {
    "to read": StateLook("To read", "ring", theme.MUTED),
    "open": StateLook("Being read", "half", theme.ACCENT),
    "interrupted": StateLook("Interrupted", "half", theme.AMBER),
    "abandoned": StateLook("Abandoned", "half", theme.AMBER),
    "finished": StateLook("Read", "check", theme.ACCENT),
    "again": StateLook("To read again", "refresh", theme.ACCENT),
    "second look": StateLook("Second look", "refresh", theme.ACCENT),
    "waiting": StateLook("Read; due again later", "check", theme.MUTED),
}
_UNKNOWN = StateLook("–", "ring", theme.MUTED)
VERDICTS = {"good": "Good", "doubtful": "Doubtful", "bad": "Bad"}


def state_look(state: str) -> StateLook:
    """Return how a state of a case is told."""
    return STATES.get(state, _UNKNOWN)


def _verdict(row: WorklistRow) -> str:
    if not row.verdict:
        return "–"
    words = tr(VERDICTS.get(row.verdict, row.verdict.capitalize()))
    why = f": {row.reasons[0]}" if row.reasons else ""
    return f"⚠ {words}{why}" if row.verdict == "bad" else f"{words}{why}"


def _state(row: WorklistRow) -> str:
    if row.to_clear:
        return tr("Needs clearing")
    words = tr(state_look(row.state).words)
    if row.state == "waiting" and row.reread is not None and row.reread.not_before is not None:
        words = tr("Read; due again on {date}", date=f"{row.reread.not_before:%d %b %Y}")
    if row.state == "again" and row.reread is not None and row.reread.why != PLANNED:
        words = f"{words} ({tr(row.reread.why)})"
    return tr("{state}, practice", state=words) if row.practice else words


def _verdict_colour(row: WorklistRow) -> str:
    return theme.AMBER if row.verdict == "bad" else ""


def _sign(row: WorklistRow) -> tuple[str, str]:
    shown = state_look(row.state)
    return shown.sign, shown.colour


def _state_order(row: WorklistRow) -> tuple[int, str]:
    """Order what is to be done before what is done."""
    return (-1 if row.to_clear else list(STATES).index(row.state)), row.name


_VERDICT_ORDER = {"bad": 0, "doubtful": 1, "good": 2}

GROUPS: dict[str, Callable[[WorklistRow], bool]] = {
    "All cases": lambda _row: True,
    "Unread": lambda row: row.state in ("to read", "interrupted", "abandoned", "open", "again"),
    "Read": lambda row: row.state in ("finished", "waiting"),
    "Interrupted": lambda row: row.state in ("interrupted", "abandoned"),
    "To read again": lambda row: row.state in ("again", "waiting"),
    "Needs clearing": lambda row: row.to_clear > 0,
    "Practice": lambda row: row.practice,
    "Doubtful or bad gaze": lambda row: row.verdict in ("doubtful", "bad"),
}
"""What the worklist can be narrowed to."""

COLUMNS: tuple[Column[WorklistRow], ...] = (
    Column("Case", lambda row: row.name),
    Column("State", _state, key=_state_order, sign=_sign),
    Column(
        "Images",
        lambda row: str(row.image_count),
        key=lambda row: row.image_count,
        number=lambda row: float(row.image_count),
    ),
    Column(
        "Gaze",
        _verdict,
        key=lambda row: _VERDICT_ORDER.get(row.verdict or "", 3),
        colour=_verdict_colour,
        tip=lambda row: "\n".join(map(str, row.reasons)),
    ),
)
