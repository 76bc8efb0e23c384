"""A table under what is said of it."""

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from app.ui import theme
from app.ui.small_widgets import column
from app.ui.table_model import TableModel, table_view


def told_table(said: QWidget, model: TableModel[Sequence[str]], name: str, title: str) -> QWidget:
    """Return a table under what is said of it."""
    made = QWidget()
    layout = column(made, theme.GRID)
    layout.addWidget(said)
    layout.addWidget(table_view(model, f"similarity_{name}", title), 1)
    return made
