"""The results: figures with their list, tables, and notes."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QListWidget,
    QScrollArea,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.pages.analysis.figure_view import FigureView, told
from app.ui import theme
from app.ui.small_widgets import button, column, label, row
from app.ui.table_model import TableModel, table_view, text_columns
from app.ui.text import tr, trn
from app.workspace.results import Place, ResultFigure, ResultTable, read_table, tables_in

_LIST_PX = 190


class ResultsView(QTabWidget):
    """Figures, tables and notes of a folder.

    Signals
    -------
    replay_wanted : str
        A reading, by its name, was clicked.
    """

    replay_wanted = Signal(str)

    def __init__(self, name: str) -> None:
        super().__init__()
        self._folder: Path | None = None
        self._figures: tuple[ResultFigure, ...] = ()
        self._columns: tuple[str, ...] = ()
        self.list = QListWidget()
        self.list.setObjectName(f"{name}_figures")
        self.list.setAccessibleName(tr("Figures"))
        self.list.setFixedWidth(_LIST_PX)
        self.list.setWordWrap(True)
        self.list.setSpacing(theme.GRID // 4)
        self.list.currentRowChanged.connect(self._show)
        self.view = FigureView()
        self.view.replay_wanted.connect(self.replay_wanted)
        self.view.rows_wanted.connect(self._list_rows)
        self.caption = label("", "hint")
        self.addTab(self._make_figures(), tr("Figures"))
        self.model: TableModel[Sequence[str]] = TableModel(text_columns(()))
        self.table = table_view(self.model, f"{name}_table", tr("Table"))
        self.table.doubleClicked.connect(self._replay_row)
        self.tables = QComboBox()
        self.tables.setObjectName(f"{name}_tables")
        self.tables.currentIndexChanged.connect(lambda _i: self._fill())
        self._count = label("", "hint")
        self.all_rows = button(f"{name}_all_rows", tr("Show all rows"),
                               lambda: self._fill())  # fmt: skip
        self.all_rows.hide()
        self.addTab(self._make_tables(), tr("Tables"))
        self.notes = label("")
        self.notes.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.notes.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.addTab(_scrolled(self.notes), tr("Notes"))

    def show_results(
        self, folder: Path, figures: Sequence[ResultFigure], notes: Sequence[str]
    ) -> None:
        """Show the contents of a folder; the selected figure and table are kept."""
        chosen, table = self.list.currentRow(), self.tables.currentText()
        self._folder, self._figures = folder, tuple(figures)
        self.list.blockSignals(True)
        self.list.clear()
        self.list.addItems([figure.title for figure in figures])
        self.list.blockSignals(False)
        self.list.setCurrentRow(min(max(chosen, 0), len(figures) - 1))
        self._show(self.list.currentRow())
        self.tables.blockSignals(True)
        self.tables.clear()
        self.tables.addItems(tables_in(folder))
        self.tables.setCurrentIndex(max(0, self.tables.findText(table)))
        self.tables.blockSignals(False)
        self._fill()
        self.notes.setText("\n\n".join(notes) or tr("There are no notes."))

    def _show(self, place: int) -> None:
        figure = self._figures[place] if 0 <= place < len(self._figures) else None
        if not self.view.show_figure(figure) and figure is not None:
            self.caption.setText(tr("{file} cannot be drawn.", file=figure.drawing.name))
        else:
            self.caption.setText(figure.caption if figure else "")
        self._give_room()

    def _list_rows(self, place: Place) -> None:
        """Show the table rows behind the click."""
        if (found := self.tables.findText(place.table)) >= 0:
            self.tables.setCurrentIndex(found)
            self._fill(place)
            self.setCurrentIndex(1)

    def _fill(self, place: Place | None = None) -> None:
        name = self.tables.currentText()
        found = ResultTable((), (), 0)
        if self._folder is not None and name:
            try:
                found = read_table(self._folder, name, place)
            except (OSError, ValueError) as error:
                self._count.setText(tr("{name}.csv cannot be read: {why}.", name=name, why=error))
                return
        self.model.set_rows(found.rows, text_columns(found.columns))
        self.table.resizeColumnsToContents()
        shown = trn("{count} row", "{count} rows", found.total)
        if found.total > len(found.rows):
            shown = tr("The first {shown:,} of {total:,} rows", shown=len(found.rows),
                       total=found.total)  # fmt: skip
        self.all_rows.setVisible(place is not None)
        if place is not None and (what := told(place)):
            shown = tr("{rows} with {what}", rows=shown, what=what)
        hint = tr("Double-click a row to replay its reading.")
        self._count.setText(f"{shown}. {hint}" if "reading" in found.columns else f"{shown}.")
        self._columns = found.columns

    def _replay_row(self, index: QModelIndex) -> None:
        if "reading" in self._columns:
            self.replay_wanted.emit(self.model.rows[index.row()][self._columns.index("reading")])

    def _make_figures(self) -> QWidget:
        inside = QWidget()
        layout = column(inside, theme.GRID, gap=theme.GRID)
        layout.addWidget(self.view)
        layout.addWidget(self.caption)
        layout.addStretch(1)
        self._area = _scrolled(inside)
        self._area.viewport().installEventFilter(self)
        made = QWidget()
        made.setLayout(row(self.list, self._area, gap=2 * theme.GRID))
        return made

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Fit figure and caption without scrolling if possible."""
        if event.type() == QEvent.Type.Resize and watched is self._area.viewport():
            self._give_room()
        return super().eventFilter(watched, event)

    def _give_room(self) -> None:
        room = self._area.viewport().size()
        taken = self.caption.heightForWidth(room.width() - 2 * theme.GRID) + 4 * theme.GRID
        self.view.give_room(room.height() - taken)

    def _make_tables(self) -> QWidget:
        made = QWidget()
        layout: QVBoxLayout = column(made, gap=theme.GRID)
        head = row(self.tables, self.all_rows)
        head.addWidget(self._count, 1)
        layout.addLayout(head)
        layout.addWidget(self.table, 1)
        return made


def _scrolled(inside: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidget(inside)
    return area
