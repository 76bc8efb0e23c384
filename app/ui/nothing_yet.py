"""What a page shows in the place of what it has not got yet: a sign, a heading, what to do."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QStackedWidget, QWidget

from app.ui import theme
from app.ui.icons import pixmap
from app.ui.small_widgets import column, label, panel

_SIGN_PX, _WORDS_PX = 40, 520


def nothing_yet(picture: str, heading: str, *lines: str) -> QFrame:
    """Return a panel that says in its middle what is missing and how to come by it."""
    frame, layout = panel()
    sign = label("", wrap=False)
    sign.setPixmap(pixmap(picture, theme.MUTED, _SIGN_PX))
    layout.setAlignment(Qt.AlignmentFlag.AlignCenter)
    words = column(gap=theme.GRID)
    for widget in (sign, label(heading, "heading"), *(label(line, "hint") for line in lines)):
        widget.setAlignment(Qt.AlignmentFlag.AlignCenter)
        if widget is not sign:
            widget.setFixedWidth(_WORDS_PX)
        words.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
    layout.addLayout(words)
    return frame


class NothingOr(QStackedWidget):
    """Shows what there is, or, until there is something, what to do."""

    def __init__(self, nothing: QWidget, content: QWidget) -> None:
        super().__init__()
        self.setProperty("role", "inside")
        self.addWidget(nothing)
        self.addWidget(content)

    def show_content(self, there: bool) -> None:
        """Say whether there is something to show."""
        self.setCurrentIndex(int(there))
