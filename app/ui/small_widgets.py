"""Small parts of every page: labels of the type scale, panels, buttons, figures with units."""

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.ui import theme
from app.ui.icons import icon

Box = TypeVar("Box", bound=QLayout)
Spin = TypeVar("Spin", bound=QAbstractSpinBox)


def label(text: str, role: str = "body", *, wrap: bool = True) -> QLabel:
    """Return a label in a role of the style sheet: title, heading, lead, hint, small and so on."""
    made = QLabel(text)
    made.setProperty("role", role)
    made.setWordWrap(wrap)
    made.setTextFormat(Qt.TextFormat.PlainText)
    return made


def say(target: QLabel, text: str, role: str) -> None:
    """Change a label's text and role."""
    target.setText(text)
    set_role(target, role)


def set_role(target: QWidget, role: str) -> None:
    """Give a widget another role of the style sheet."""
    if target.property("role") != role:
        target.setProperty("role", role)
        target.style().unpolish(target)
        target.style().polish(target)


class ElidedLabel(QLabel):
    """A one-line label that never claims space: overlong text ends in … and is its tool tip."""

    def __init__(self, role: str = "body") -> None:
        super().__init__()
        self.setProperty("role", role)
        self.setTextFormat(Qt.TextFormat.PlainText)

    @property
    def shown(self) -> str:
        """What is seen now: as much as fits."""
        return self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())

    def minimumSizeHint(self) -> QSize:
        """Let the layout squeeze it."""
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw as much as fits."""
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), self.alignment(), self.shown)


class FittedLabel(ElidedLabel):
    """An elided label that says something shorter where the whole sentence has no room.

    Its text stays the whole sentence: a screen reader and the tool tip say it.
    """

    def __init__(self, role: str = "body") -> None:
        super().__init__(role)
        self._shorter = ""
        self._claims_room = self._is_short = False

    def say(self, text: str, shorter: str = "", *, claims_room: bool = False) -> None:
        """Say a sentence; `fit` then tells how much of it.

        Parameters
        ----------
        shorter
            What stands for it where it does not fit; empty for nothing.
        claims_room
            Whether the others in the line give way to it.
        """
        self._shorter, self._claims_room = shorter, claims_room
        self.setText(text)

    def fit(self, room: int) -> None:
        """Choose the whole sentence or the shorter words for so many `_view` pixels."""
        self._is_short = bool(self._shorter) and self._advance(self.text()) > room
        self.updateGeometry()
        self.update()

    @property
    def shown(self) -> str:
        """What is seen now."""
        return self.fontMetrics().elidedText(self._words, Qt.TextElideMode.ElideRight, self.width())

    def sizeHint(self) -> QSize:
        """Ask for the room of what is chosen."""
        return QSize(self._advance(self._words), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Claim the room of what is chosen, or none."""
        least = super().minimumSizeHint()
        if self._claims_room:
            least.setWidth(self.sizeHint().width())
        return least

    @property
    def _words(self) -> str:
        return self._shorter if self._is_short else self.text()

    def _advance(self, words: str) -> int:
        return self.fontMetrics().horizontalAdvance(words) + 1 if words else 0


def button(
    name: str,
    text: str,
    pressed: Callable[[], object] | None = None,
    *,
    role: str = "",
    picture: str = "",
    tip: str = "",
) -> QPushButton:
    """Return a button; `name` is its object name, by which tests and the autopilot find it."""
    # Fusion sets icon and text close together; a space parts them.
    made = QPushButton(f" {text}" if picture and text else text)
    made.setObjectName(name)
    made.setAutoDefault(True)  # Enter presses the button that has the keyboard, as Space does
    if role:
        made.setProperty("role", role)
    if picture:
        colour = "#ffffff" if role == "primary" else theme.TEXT
        made.setIcon(icon(picture, colour))
        made.setIconSize(QSize(18, 18))
    if tip:
        made.setToolTip(tip)
    if pressed is not None:
        # Without the lambda the slot would get `clicked`'s bool.
        made.clicked.connect(lambda _checked=False: pressed())
    return made


def indented(spin: Spin) -> Spin:
    """Return a spin box whose text keeps off its border; style sheets do not reach it."""
    spin.lineEdit().setTextMargins(6, 0, 0, 0)
    return spin


def panel(role: str = "panel", margin: int = 2 * theme.GRID) -> tuple[QFrame, QVBoxLayout]:
    """Return a panel a step lighter than the window, and its column."""
    frame = QFrame()
    frame.setProperty("role", role)
    return frame, column(frame, margin)


def column(parent: QWidget | None = None, margin: int = 0, gap: int = theme.GRID) -> QVBoxLayout:
    """Return a vertical layout on the grid."""
    return _spaced(QVBoxLayout(parent) if parent else QVBoxLayout(), margin, gap)


def row(
    *widgets: QWidget, gap: int = theme.GRID, stretch: bool = False, parent: QWidget | None = None
) -> QHBoxLayout:
    """Return a horizontal layout of widgets; `stretch` pushes them to the left."""
    made = _spaced(QHBoxLayout(parent) if parent else QHBoxLayout(), 0, gap)
    for widget in widgets:
        made.addWidget(widget)
    if stretch:
        made.addStretch(1)
    return made


def scrolled(inside: QWidget) -> QScrollArea:
    """Return an area that scrolls up and down what is higher than it."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(inside)
    return area


def rule() -> QFrame:
    """Return a thin horizontal line."""
    line = QFrame()
    line.setProperty("role", "rule")
    line.setFixedHeight(1)
    return line


class Figure(QFrame):
    """A number with its unit under a caption; a dash until it is known."""

    def __init__(self, caption: str, tip: str = "") -> None:
        super().__init__()
        self.setProperty("role", "tile")
        self.setToolTip(tip)
        self._value = label("–", "figure", wrap=False)
        layout = column(self, theme.GRID + theme.GRID // 2, gap=2)
        layout.addWidget(label(caption, "caption", wrap=False))
        layout.addWidget(self._value)

    @property
    def text(self) -> str:
        """What it shows."""
        return self._value.text()

    def show_value(self, text: str, *, warn: bool = False) -> None:
        """Show a value; a warning also carries a sign, never colour alone."""
        say(self._value, f"⚠ {text}" if warn else text, "figure")
        self._value.setStyleSheet(f"color: {theme.AMBER};" if warn else "")


def _spaced(layout: Box, margin: int, gap: int) -> Box:
    layout.setContentsMargins(margin, margin, margin, margin)
    layout.setSpacing(gap)
    return layout
