"""What every page has: a title that says where one is, and a line for its state."""

from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.ui import theme
from app.ui.small_widgets import column, label, row, say


class Page(QWidget):
    """A page of the station.

    Attributes
    ----------
    name
        Name by which the station opens it.
    body
        Where its content lies, under title and state line.
    head
        Space for buttons to the right of the title.
    """

    def __init__(self, name: str, title: str) -> None:
        super().__init__()
        self.name = name
        self.setObjectName(f"{name}_page")
        self._state_line = label("", "lead")
        layout = column(self, 4 * theme.GRID, gap=2 * theme.GRID)
        words = column(gap=theme.GRID // 2)
        words.addWidget(label(title, "title"))
        words.addWidget(self._state_line)
        self.head: QHBoxLayout = row()
        top = row()
        top.addLayout(words, 1)
        top.addLayout(self.head)
        layout.addLayout(top)
        self.body = column(gap=2 * theme.GRID)
        layout.addLayout(self.body, 1)

    @property
    def state_text(self) -> str:
        """Its state, in words."""
        return self._state_line.text()

    def say_state(self, text: str, role: str = "lead") -> None:
        """Show the state; roles are lead, warning and error."""
        signs = {"warning": "⚠ ", "error": "✕ "}
        say(self._state_line, signs.get(role, "") + text, role)
