"""The worklist as a table model: rows are only asked for when they are seen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor

from app.recording.worklist import WorklistRow
from app.ui import theme
from app.ui.icons import icon

_Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


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
    "abandoned": StateLook("Given up", "half", theme.AMBER),
    "finished": StateLook("Read", "check", theme.ACCENT),
    "again": StateLook("Read again", "refresh", theme.ACCENT),
    "waiting": StateLook("Read, again later", "check", theme.MUTED),
}
_UNKNOWN = StateLook("–", "ring", theme.MUTED)
VERDICTS = {"good": "Good", "doubtful": "Doubtful", "bad": "Bad"}


def look(state: str) -> StateLook:
    """Return how a state of a case is told."""
    return STATES.get(state, _UNKNOWN)


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    text: Callable[[WorklistRow], str]


def _verdict(row: WorklistRow) -> str:
    if not row.verdict:
        return "–"
    words = VERDICTS.get(row.verdict, row.verdict.capitalize())
    why = f": {row.reasons[0]}" if row.reasons else ""
    return f"⚠ {words}{why}" if row.verdict == "bad" else f"{words}{why}"


def _state(row: WorklistRow) -> str:
    if row.to_clear:
        return "Waits to be cleared"
    words = look(row.state).words
    if row.state == "waiting" and row.reread is not None and row.reread.not_before is not None:
        words = f"Read, again from {row.reread.not_before:%d %b %Y}"
    if row.state == "again" and row.reread is not None:
        words = f"{words} ({row.reread.why})"
    return f"{words}, practice" if row.practice else words


COLUMNS = (
    _Column("Case", lambda row: row.name),
    _Column("State", _state),
    _Column("Images", lambda row: str(row.image_count)),
    _Column("Gaze", _verdict),
)


class WorklistModel(QAbstractTableModel):
    """Cases of a study as one reader sees them."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[WorklistRow, ...] = ()

    @property
    def rows(self) -> tuple[WorklistRow, ...]:
        """All rows."""
        return self._rows

    def set_rows(self, rows: Sequence[WorklistRow]) -> None:
        """Show other rows."""
        self.beginResetModel()
        self._rows = tuple(rows)
        self.endResetModel()

    def rowCount(self, parent: _Index = _ROOT) -> int:
        """Return how many cases there are."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = _ROOT) -> int:
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return the title of a column."""
        if orientation == Qt.Orientation.Horizontal:
            if role == Qt.ItemDataRole.DisplayRole:
                return COLUMNS[section].title
            if role == Qt.ItemDataRole.TextAlignmentRole:
                return int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a cell: its words, and for the state its sign and colour."""
        if not index.isValid():
            return None
        row, title = self._rows[index.row()], COLUMNS[index.column()].title
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return COLUMNS[index.column()].text(row)
        if title == "State" and role == Qt.ItemDataRole.DecorationRole:
            return icon(look(row.state).sign, look(row.state).colour, 18)
        if title == "Gaze" and role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(str(reason) for reason in row.reasons) or None
        if title == "Gaze" and role == Qt.ItemDataRole.ForegroundRole and row.verdict == "bad":
            return QColor(theme.AMBER)
        return None
