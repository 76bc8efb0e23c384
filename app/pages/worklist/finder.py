"""Searches and filters the worklist: words of one column or of any, terms, a state, and values."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QComboBox, QWidget

from app.pages.worklist.column_filter import ColumnFilter
from app.pages.worklist.columns import COLUMNS, GROUPS
from app.recording.worklist import WorklistRow
from app.ui import theme
from app.ui.column_values import searched
from app.ui.search_field import search_field
from app.ui.small_widgets import button, label, row
from app.ui.table_search import search
from app.ui.text import tr

_WAIT_MS = 150
"""After the last key, before thousands of rows are searched."""


class Finder(QWidget):
    """One line over the table.

    Signals
    -------
    changed
        Other rows pass (`passes`).
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.words = search_field(
            "find_case",
            tr("Search the cases, or one column: state:interrupted  images>2  -gaze:good"),
        )
        self.state = QComboBox()
        self.state.setObjectName("state_filter")
        self.state.setAccessibleName(tr("State"))
        for name in GROUPS:
            self.state.addItem(tr(name), name)
        self.column = QComboBox()
        self.column.setObjectName("find_in")
        self.column.setAccessibleName(tr("Search in"))
        self.column.addItem(tr("All columns"), -1)
        for place, shown in enumerate(COLUMNS):
            self.column.addItem(tr(shown.title), place)
        self.columns = ColumnFilter(self)
        self.columns.changed.connect(self.changed)
        self.filter = button(
            "filter_columns", tr("Filter"), tip=tr("Show only cases with certain values")
        )
        self.filter.setMenu(self.columns.menu)
        self._found = label("", "small", wrap=False)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.changed)
        self.words.textChanged.connect(lambda _text: self._timer.start(_WAIT_MS))
        self.state.activated.connect(lambda _index: self.changed.emit())
        self.column.activated.connect(lambda _index: self.changed.emit())
        line = row(gap=theme.GRID, parent=self)
        for made in (self.words, self.column, self.state, self.filter, self._found):
            line.addWidget(made)
        line.setStretch(0, 1)
        self._found.hide()

    @property
    def passes(self) -> Callable[[WorklistRow], bool]:
        """Which rows are shown."""
        return self.passes_but(-1)

    def passes_but(self, left_out: int) -> Callable[[WorklistRow], bool]:
        """Return which rows would be shown without one column's own filter."""
        place = self.column.currentData()
        asked = COLUMNS if place < 0 else (COLUMNS[place],)
        belongs = GROUPS[self.state.currentData()]

        def words(shown: WorklistRow) -> str:
            said = [column.text(shown) for column in asked]
            said += [column.tip(shown) for column in asked if column.tip is not None]
            return "\n".join(said).lower()

        found = search(self.words.text(), searched(COLUMNS), words)
        values = self.columns.passes
        return lambda shown: belongs(shown) and values(shown, left_out) and found(shown)

    def say_found(self, shown: Sequence[WorklistRow], total: int) -> None:
        """Say how many of all cases pass; nothing while all do."""
        hidden = len(shown) < total
        text = tr("{count} of {total} cases", count=f"{len(shown):,}", total=f"{total:,}")
        self._found.setText(text if hidden else "")
        self._found.setVisible(hidden)
