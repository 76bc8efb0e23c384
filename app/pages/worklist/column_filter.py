"""What each column of the worklist is narrowed to: its values, with how many cases have each."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtWidgets import QDialog, QListWidget, QListWidgetItem, QMenu, QTableView, QWidget

from app.pages.worklist.columns import COLUMNS
from app.recording.worklist import WorklistRow
from app.ui import theme
from app.ui.column_values import counted, counted_words
from app.ui.search_field import search_field
from app.ui.small_widgets import button, column, row
from app.ui.table_model import Column
from app.ui.text import tr

_WIDTH, _HEIGHT = 300, 260
_MANY = 12
"""Values from which on the list has a search of its own."""
_VALUE = Qt.ItemDataRole.UserRole


class ColumnFilter(QObject):
    """Opens at a column's title (right click) or from the button; kept as long as the page lives.

    Signals
    -------
    changed
        Other rows pass (`passes`).

    Attributes
    ----------
    chosen
        The values that pass, by column; a column that is not narrowed is not there.
    open
        The list of values that was opened last.
    """

    changed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.open: _Values | None = None
        self.chosen: dict[int, set[str]] = {}
        self._offered: Callable[[int], Sequence[WorklistRow]] = lambda _place: ()
        self._table: QTableView | None = None
        self.menu = QMenu(parent)
        self.menu.aboutToShow.connect(self._fill)

    def attach(self, table: QTableView, offered: Callable[[int], Sequence[WorklistRow]]) -> None:
        """Open over the titles of a table.

        Parameters
        ----------
        offered
            Returns the rows that pass all but a column's own filter.
        """
        self._table, self._offered = table, offered
        head = table.horizontalHeader()
        head.setToolTip(tr("Click to sort, right-click to filter"))
        head.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        head.customContextMenuRequested.connect(self._title_clicked)

    def passes(self, shown: WorklistRow, but: int = -1) -> bool:
        """Return whether a row has one of the chosen values in every column, `but` left out."""
        return all(
            place == but or COLUMNS[place].text(shown) in values
            for place, values in self.chosen.items()
        )

    def choose(self, place: int, values: set[str] | None) -> None:
        """Narrow a column to some values; None lets all of them pass."""
        if values is None:
            self.chosen.pop(place, None)
        else:
            self.chosen[place] = values
        self.changed.emit()

    def clear(self) -> None:
        """Let all rows pass."""
        self.chosen.clear()
        self.changed.emit()

    def show_values(self, place: int, at: QPoint) -> None:
        """Open the list of a column's values.

        Parameters
        ----------
        at
            Of its corner, on the desktop.
        """
        assert self._table is not None
        if self.open is not None:
            self.open.close()
            self.open.deleteLater()
        made = self.open = _Values(self._table, self, place, self._offered(place))
        seen = self._table.screen().availableGeometry()
        made.move(
            min(at.x(), seen.right() - made.width()), min(at.y(), seen.bottom() - made.height())
        )
        made.show()

    def _fill(self) -> None:
        self.menu.clear()
        for place, shown in enumerate(COLUMNS):
            title = tr(shown.title)
            narrowed = tr("{title}, filtered…", title=title)
            said = narrowed if place in self.chosen else tr("{title}…", title=title)
            action = self.menu.addAction(said)
            action.triggered.connect(lambda _checked=False, p=place: self._from_button(p))
        self.menu.addSeparator()
        all_of_them = self.menu.addAction(tr("Clear all filters"))
        all_of_them.setEnabled(bool(self.chosen))
        all_of_them.triggered.connect(self.clear)

    def _from_button(self, place: int) -> None:
        assert self._table is not None
        head = self._table.horizontalHeader()
        at = QPoint(head.sectionViewportPosition(place), head.height())
        self.show_values(place, head.viewport().mapToGlobal(at))

    def _title_clicked(self, at: QPoint) -> None:
        assert self._table is not None
        head = self._table.horizontalHeader()
        place = head.logicalIndexAt(at)
        if place >= 0:
            self.show_values(place, head.viewport().mapToGlobal(at))


class _Values(QDialog):
    """The values of one column, ticked where their rows pass; it stays open until it is left."""

    def __init__(
        self, parent: QWidget, owner: ColumnFilter, place: int, rows: Sequence[WorklistRow]
    ) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._owner, self._place = owner, place
        self.setObjectName("column_values")
        self.setAccessibleName(tr("Filter: {title}", title=tr(COLUMNS[place].title)))
        self.list = QListWidget()
        self.list.setObjectName("values")
        self.list.setAccessibleName(self.accessibleName())
        self.list.setUniformItemSizes(True)
        self._add(_counted(COLUMNS[place], rows, owner.chosen.get(place, set())))
        self.list.itemChanged.connect(self._ticked)
        self.words = search_field("find_value", tr("Search the values"))
        self.words.textChanged.connect(self._search)
        self.words.setVisible(self.list.count() > _MANY)
        self.none = button("clear_filter", tr("Clear"), self._clear)
        self.leave = button("close_filter", tr("Close"), self.close)
        self.leave.setDefault(True)
        lines = column(self, margin=theme.GRID, gap=theme.GRID)
        lines.addWidget(self.words)
        lines.addWidget(self.list)
        lines.addLayout(row(self.none, self.leave))
        self.setFixedSize(_WIDTH, _HEIGHT)
        self.list.setCurrentRow(0)
        self.list.setFocus()

    def _add(self, counted: Sequence[tuple[str, int]]) -> None:
        chosen = self._owner.chosen.get(self._place)
        for value, count in counted:
            item = QListWidgetItem(counted_words(value, count))
            item.setData(_VALUE, value)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            ticked = chosen is not None and value in chosen
            item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
            self.list.addItem(item)

    def _ticked(self, _item: QListWidgetItem) -> None:
        items = [self.list.item(k) for k in range(self.list.count())]
        ticked = {i.data(_VALUE) for i in items if i.checkState() == Qt.CheckState.Checked}
        self._owner.choose(self._place, ticked or None)

    def _clear(self) -> None:
        self.list.blockSignals(True)
        for k in range(self.list.count()):
            self.list.item(k).setCheckState(Qt.CheckState.Unchecked)
        self.list.blockSignals(False)
        self.list.viewport().update()
        self._owner.choose(self._place, None)

    def _search(self, words: str) -> None:
        for k in range(self.list.count()):
            item = self.list.item(k)
            item.setHidden(words.lower() not in item.text().lower())


def _counted(
    of: Column[WorklistRow], rows: Sequence[WorklistRow], chosen: set[str]
) -> list[tuple[str, int]]:
    """Return the values of a column in its own order, with how many rows have each."""
    key = of.key or of.text
    first: dict[str, object] = {}
    for shown in rows:
        first.setdefault(of.text(shown), key(shown))
    counts = counted(of, rows)
    ordered = sorted(first, key=lambda value: first[value])  # type: ignore[arg-type, return-value]
    gone = sorted(chosen - set(first))
    return [(value, counts[value]) for value in [*ordered, *gone]]
