"""Readings as a table model: rows are only asked for when they are seen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor

from app.ui import theme
from app.ui.icons import icon
from app.workspace.cohort import CohortFilter, CohortRow

_Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    text: Callable[[CohortRow], str]
    key: Callable[[CohortRow], Any]


def _number(value: float | None, form: str, unit: str) -> str:
    return "–" if value is None else f"{value:{form}}{unit}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _counts(row: CohortRow) -> str:
    by_hand = " by hand" if row.chosen and row.counts else ""
    return f"Kept{by_hand}" if row.counts else f"Left out: {row.left_out}"


def _known(value: float | None) -> float:
    return -1.0 if value is None else value


COLUMNS = (
    _Column("Case", lambda r: r.case, lambda r: r.case),
    _Column("Reader", lambda r: r.reader, lambda r: r.reader),
    _Column("Gaze", lambda r: r.verdict.capitalize() or "–", lambda r: r.verdict),
    _Column("Cohort", _counts, lambda r: (r.counts, r.left_out)),
    _Column("Lost", lambda r: _share(r.loss), lambda r: _known(r.loss)),
    _Column(
        "Accuracy",
        lambda r: _number(r.accuracy_deg, ".2f", "°"),
        lambda r: _known(r.accuracy_deg),
    ),
    _Column("Time", lambda r: _number(r.duration_s, ".1f", " s"), lambda r: _known(r.duration_s)),
    _Column("Fixations", lambda r: str(r.fixations), lambda r: r.fixations),
)


class CohortModel(QAbstractTableModel):
    """Readings that pass a filter."""

    def __init__(self) -> None:
        super().__init__()
        self._all: tuple[CohortRow, ...] = ()
        self._filter = CohortFilter()
        self._order: tuple[int, bool] | None = None
        self.rows: list[CohortRow] = []

    def set_rows(self, rows: Sequence[CohortRow]) -> None:
        """Show other readings."""
        self._all = tuple(rows)
        self._refill()

    def set_filter(self, chosen: CohortFilter) -> None:
        """Show only what passes."""
        self._filter = chosen
        self._refill()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order by a column."""
        descending = order == Qt.SortOrder.DescendingOrder
        self._order = (column, descending) if column >= 0 else None  # −1 is the model's own order
        self._refill()

    def rowCount(self, parent: _Index = _ROOT) -> int:
        """Return how many readings are shown."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index = _ROOT) -> int:
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return the title of a column."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a cell: its words, its sign, its colour."""
        if not index.isValid():
            return None
        row, column = self.rows[index.row()], COLUMNS[index.column()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return column.text(row)
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join((*row.reasons, row.left_out)).strip() or None
        if column.title == "Cohort" and role == Qt.ItemDataRole.DecorationRole:
            sign = "check" if row.counts else "ring"
            return icon(sign, theme.ACCENT if row.counts else theme.MUTED, 18)
        if column.title == "Gaze" and role == Qt.ItemDataRole.ForegroundRole:
            return QColor(theme.AMBER) if row.verdict == "bad" else None
        return None

    def _refill(self) -> None:
        self.beginResetModel()
        self.rows = [row for row in self._all if self._filter.passes(row)]
        if self._order is not None:
            column, descending = self._order
            self.rows.sort(key=COLUMNS[column].key, reverse=descending)
        self.endResetModel()
