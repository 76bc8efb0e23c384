"""Parts of the worklist page: its table of cases, and the choosers over it."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QComboBox, QTableView

from app.pages.worklist.thumbnails import SIDE
from app.recording.worklist import WorklistRow
from app.ui import theme
from app.ui.column_widths import ColumnWidths
from app.ui.table_model import TableModel, table_view
from app.ui.text import tr

_SHARES = (4, 4, 0, 5)
"""How case, state, images and gaze share the room of the table."""


def cases_table(model: TableModel[WorklistRow]) -> QTableView:
    """Return the table of cases; the third click on a title is the study's own order again."""
    table = table_view(model, "cases", tr("Cases"))
    table.setSelectionMode(QTableView.SelectionMode.SingleSelection)
    table.verticalHeader().setDefaultSectionSize(6 * theme.GRID)
    table.setIconSize(QSize(SIDE, SIDE))
    head = table.horizontalHeader()
    head.setHighlightSections(False)
    head.setSortIndicatorClearable(True)
    head.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
    table.setSortingEnabled(True)
    ColumnWidths(table, _SHARES)
    return table


def chooser(name: str, title: str, most_px: int) -> QComboBox:
    """Return a list to choose from that takes so much of a wide screen at most."""
    made = QComboBox()
    made.setObjectName(name)
    made.setAccessibleName(title)
    made.setMinimumWidth(160)
    made.setMaximumWidth(most_px)
    return made
