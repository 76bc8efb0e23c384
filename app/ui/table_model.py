"""A table of typed rows: a page declares its columns; a cell is requested only when visible."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor, QIcon
from PySide6.QtWidgets import QAbstractItemView, QTableView

from app.ui.icons import icon
from app.ui.text import tr

Row = TypeVar("Row")
_Index = QModelIndex | QPersistentModelIndex
_TOP = QModelIndex()
_SIGN_PX = 18
_SIZED_ROWS = 50
"""Rows that determine a column's width; with Qt's own 1,000, a page of 5,000 froze for 0.3 s."""
_TEXT_ROLES = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole)


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column of a table.

    Attributes
    ----------
    text
        Words of a row's cell; also read aloud.
    key
        Sort key of rows; None sorts by the words.
    sign
        Name and colour of the picture before the words.
    colour
        Colour of the words; "" for the default.
    tip
        Tool tip; "" for none.
    picture
        Picture in place of a sign; requested when the cell is visible, None until it is ready.
    number
        The number that a search compares; None if the column has no numbers.
    edited
        Name by which the model reports that a cell was edited; "" if cells cannot be edited.
    """

    title: str
    text: Callable[[Row], str]
    key: Callable[[Row], Any] | None = None
    sign: Callable[[Row], tuple[str, str]] | None = None
    colour: Callable[[Row], str] | None = None
    tip: Callable[[Row], str] | None = None
    picture: Callable[[Row], QIcon | None] | None = None
    number: Callable[[Row], float | None] | None = None
    edited: str = ""


class TableModel(QAbstractTableModel, Generic[Row]):
    """Rows that pass a filter, sorted by a column or, at first, in their own order.

    Parameters
    ----------
    tip
        Tool tip of each cell whose column has none of its own.

    Attributes
    ----------
    rows
        The visible rows, in the order shown.

    Signals
    -------
    edited : object, str, str
        The row whose cell was edited, `Column.edited`, and what was typed; the row itself stays
        unchanged until other rows are set.
    """

    edited = Signal(object, str, str)

    def __init__(
        self, columns: Sequence[Column[Row]], tip: Callable[[Row], str] | None = None
    ) -> None:
        super().__init__()
        self._columns, self._tip = tuple(columns), tip
        self._all: tuple[Row, ...] = ()
        self._passes: Callable[[Row], bool] | None = None
        self._order: tuple[int, bool] | None = None
        self._marked: frozenset[int] = frozenset()
        self.rows: list[Row] = []

    def set_rows(self, rows: Sequence[Row], columns: Sequence[Column[Row]] | None = None) -> None:
        """Show other rows, and other columns if they are given."""
        self._all = tuple(rows)
        self._columns = self._columns if columns is None else tuple(columns)
        self._refill()

    def set_filter(self, passes: Callable[[Row], bool]) -> None:
        """Show only the rows that pass."""
        self._passes = passes
        self._refill()

    def passing(self, passes: Callable[[Row], bool]) -> list[Row]:
        """Return the rows that would pass another filter."""
        return [row for row in self._all if passes(row)]

    def mark_titles(self, sections: Collection[int]) -> None:
        """Mark the columns by which rows are filtered."""
        self._marked = frozenset(sections)
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(self._columns) - 1)

    def show_pictures(self) -> None:
        """Request the pictures of visible cells again, since more of them are ready."""
        if self.rows:
            last = self.index(len(self.rows) - 1, len(self._columns) - 1)
            self.dataChanged.emit(self.index(0, 0), last, [Qt.ItemDataRole.DecorationRole])

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order by a column; -1 is the rows' own order."""
        self._order = (column, order == Qt.SortOrder.DescendingOrder) if column >= 0 else None
        self._refill()

    def rowCount(self, parent: _Index = _TOP) -> int:
        """Return how many rows are shown."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index = _TOP) -> int:
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(self._columns)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return the title of a column."""
        if orientation != Qt.Orientation.Horizontal or role not in _TEXT_ROLES:
            return None
        title = self._columns[section].title
        said = tr(title) if title else ""
        return tr("{title} (filtered)", title=said) if section in self._marked else said

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a cell: its words, sign, colour or tool tip; None where it has none."""
        if not index.isValid():
            return None
        row, column = self.rows[index.row()], self._columns[index.column()]
        if role in _TEXT_ROLES:
            return column.text(row)
        if role == Qt.ItemDataRole.EditRole and column.edited:
            return column.text(row)
        if role == Qt.ItemDataRole.DecorationRole:
            return _picture(column, row)
        if role == Qt.ItemDataRole.ForegroundRole and column.colour is not None:
            return QColor(colour) if (colour := column.colour(row)) else None
        if role == Qt.ItemDataRole.ToolTipRole and (tip := column.tip or self._tip) is not None:
            return tip(row) or None
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Make the cells of some columns editable."""
        flags = super().flags(index)
        if index.isValid() and self._columns[index.column()].edited:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def setData(self, index: _Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Report what was typed into a cell, if it differs from its text."""
        column, row = self._columns[index.column()], self.rows[index.row()]
        typed = str(value).strip()
        if role != Qt.ItemDataRole.EditRole or not column.edited or typed == column.text(row):
            return False
        self.edited.emit(row, column.edited, typed)
        return True

    def _refill(self) -> None:
        self.beginResetModel()
        passes = self._passes
        self.rows = [row for row in self._all if passes is None or passes(row)]
        if self._order is not None:
            column, descending = self._columns[self._order[0]], self._order[1]
            self.rows.sort(key=column.key or column.text, reverse=descending)
        self.endResetModel()


def text_columns(titles: Sequence[str]) -> tuple[Column[Sequence[str]], ...]:
    """Return the columns of rows that are their cells' words."""
    return tuple(Column(title, itemgetter(place)) for place, title in enumerate(titles))


def table_view(model: QAbstractTableModel, name: str, accessible: str) -> QTableView:
    """Return a table of whole rows, without a grid, with titles aligned left like the cells.

    Parameters
    ----------
    name, accessible
        Object name, and its name for a screen reader.
    """
    table = QTableView()
    table.setObjectName(name)
    table.setAccessibleName(accessible)
    table.setModel(model)
    table.setShowGrid(False)
    table.setAlternatingRowColors(True)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.verticalHeader().hide()
    head = table.horizontalHeader()
    head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    head.setStretchLastSection(True)
    head.setResizeContentsPrecision(_SIZED_ROWS)
    return table


def _picture(column: Column[Row], row: Row) -> QIcon | None:
    if column.picture is not None:
        return column.picture(row)
    return None if column.sign is None else icon(*column.sign(row), _SIGN_PX)
