"""The panels of the reading view. The image is hidden meanwhile: no gaze at a panel lands on it."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QWidget,
)

from app.ui import theme
from app.ui.keys import KeyMap, words_of
from app.ui.small_widgets import button, column, label, row
from app.ui.text import tr

_WIDTH = 480
_DRAGS = {"window": "window", "pan": "pan", "zoom": "zoom"}
PRESSING = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space, Qt.Key.Key_Escape)


class ReadingPanel(QFrame):
    """A heading, a few words, buttons; in the middle of the page.

    Enter and Space press the button with the focus, else the first one; Esc also presses the first
    one, which never loses anything.

    Attributes
    ----------
    first
        What has the focus when the panel appears.
    """

    def __init__(self, parent: QWidget, heading: str, buttons: Mapping[str, QPushButton]) -> None:
        super().__init__(parent)
        self.setProperty("role", "overlay")
        self._heading = label(heading, "heading")
        self._text = label("")
        self.buttons = dict(buttons)
        self.first: QWidget = next(iter(self.buttons.values()))
        layout = self._layout = column(self, 3 * theme.GRID)
        layout.addWidget(self._heading)
        layout.addWidget(self._text)
        self.body = column(gap=theme.GRID)
        layout.addLayout(self.body)
        layout.addSpacing(theme.GRID)
        layout.addLayout(row(*self.buttons.values(), stretch=True))
        self._keys = label("", "small")
        layout.addWidget(self._keys)
        self._tell_keys()
        self.setFixedWidth(_WIDTH)
        self._tell_who_listens()
        self.hide()

    @property
    def text(self) -> str:
        """The text under its heading."""
        return self._text.text()

    @property
    def words(self) -> str:
        """Heading and text in one line, as they are spoken."""
        heading = self._heading.text()
        stop = "." if heading and heading[-1].isalnum() else ""
        return f"{heading}{stop} {self.text}".strip()

    def say(self, text: str, heading: str = "") -> None:
        """Show other words."""
        self._text.setText(text)
        if heading:
            self._heading.setText(heading)
        self._text.setVisible(bool(text))
        self._tell_who_listens()

    def fit(self) -> None:
        """Be as wide as its buttons need, and as high as its words."""
        layout = self._layout
        layout.activate()
        width = max(self.minimumWidth(), layout.minimumSize().width() + theme.GRID)
        self.setFixedWidth(width)
        self.resize(width, max(layout.totalHeightForWidth(width), layout.minimumSize().height()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Press the first button; a button with the focus has already had the key."""
        if event.key() in PRESSING:
            next(iter(self.buttons.values())).click()
        else:
            event.ignore()

    def _tell_who_listens(self) -> None:
        """Put the words where a screen reader finds them: the panel, and what has the focus."""
        self.setAccessibleName(self._heading.text())
        self.setAccessibleDescription(self.text)
        self.first.setAccessibleDescription(self.words)

    def _tell_keys(self) -> None:
        """Say in words which key does what."""
        action = next(iter(self.buttons.values())).text().strip()
        words = tr("Enter, Space or Esc: {action}.", action=action)
        more = tr("Tab: other buttons.") if len(self.buttons) > 1 else ""
        self._keys.setText(f"{words} {more}".strip())


class CodePanel(ReadingPanel):
    """Asks whether it is still the same reader, by the pseudonym of the session.

    Signals
    -------
    given : str
        A code was typed.
    """

    given = Signal(str)

    def __init__(self, parent: QWidget, leave: Callable[[], object]) -> None:
        confirm = button("confirm_reader", tr("Resume"), lambda: self._give(), role="primary")
        buttons = {"confirm": confirm, "leave": button("leave_absent", tr("Leave"), leave)}
        super().__init__(parent, tr("Is it still you?"), buttons)
        self._code = QLineEdit()
        self._code.setObjectName("reader_code")
        self._code.setAccessibleName(tr("Reader's code"))
        self._code.setMaxLength(32)
        self.body.addWidget(self._code)
        self.first = self._code
        self._tell_who_listens()

    def ask(self, text: str) -> None:
        """Ask, giving the reason; earlier input is cleared."""
        self.say(text)
        self._code.clear()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter submits the code; nothing else continues."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._give()

    def _tell_keys(self) -> None:
        self._keys.setText(tr("Type the code and press Enter."))

    def _give(self) -> None:
        self.given.emit(self._code.text().strip())


class KeysPanel(ReadingPanel):
    """What each key does."""

    def __init__(self, parent: QWidget, keys: KeyMap, close: Callable[[], object]) -> None:
        made = button("close_keys", tr("Back to the case"), close, role="primary")
        super().__init__(parent, tr("Keys"), {"close": made})
        self.setFixedWidth(2 * _WIDTH)
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * theme.GRID)
        grid.setVerticalSpacing(theme.GRID // 2)
        shown = [(tr("1 to 9"), tr("Answer"))]
        shown += [(keys.keys_of(a), words_of(a)) for a in keys.bindings if a != "help"]
        rows = -(-len(shown) // 2)
        for i, (names, does) in enumerate(shown):
            at_row, at_column = i % rows, 2 * (i // rows)
            grid.addWidget(label(names, wrap=False), at_row, at_column)
            grid.addWidget(_small(does), at_row, at_column + 1)
        for does_column in (1, 3):
            grid.setColumnStretch(does_column, 1)
        self.body.addLayout(grid)
        self.say(
            tr(
                "Drag with the left button: {left}; middle: {middle}; right: {right}. "
                "Wheel: zoom at the cursor, or scroll through a stack.",
                **{side: tr(_DRAGS[action]) for side, action in keys.mouse.items()},
            )
        )


def _small(text: str) -> QLabel:
    return label(text, "small", wrap=False)
