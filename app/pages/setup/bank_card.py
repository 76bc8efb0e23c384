"""A bank card drawn on the screen, adjusted to the size of a real one held against it."""

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.recording.screen_setup import CARD_MM
from app.ui import theme
from app.ui.text import tr

_SMALLEST, _LARGEST = 120.0, 900.0
_ROUND_SHARE = 3.18 / 85.6


class BankCard(QWidget):
    """An outline whose width the arrow keys change; Shift makes larger steps.

    Signals
    -------
    changed : float
        Its width, `_view` pixels.
    """

    changed = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("bank_card")
        self.setAccessibleName(tr("Bank card; arrow keys change its width"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.card_width = 320.0

    def set_width(self, width_view: float) -> None:
        """Draw it with this width."""
        self.card_width = min(max(width_view, _SMALLEST), _LARGEST)
        self.setFixedHeight(round(self.card_width * CARD_MM[1] / CARD_MM[0]) + 2 * theme.GRID)
        self.update()
        self.changed.emit(self.card_width)

    def sizeHint(self) -> QSize:
        """Reserve space for the card."""
        return QSize(round(self.card_width) + 2 * theme.GRID, self.height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Change the width."""
        step = 10.0 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1.0
        if event.key() in (Qt.Key.Key_Right, Qt.Key.Key_Plus, Qt.Key.Key_Up):
            self.set_width(self.card_width + step)
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Minus, Qt.Key.Key_Down):
            self.set_width(self.card_width - step)
        else:
            event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the outline."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = theme.ACCENT if self.hasFocus() else theme.MUTED
        painter.setPen(QPen(QColor(colour), 1.5))
        painter.setBrush(QColor(theme.RAISED))
        height = self.card_width * CARD_MM[1] / CARD_MM[0]
        radius = self.card_width * _ROUND_SHARE
        place = QRectF(1, theme.GRID, self.card_width, height)
        painter.drawRoundedRect(place, radius, radius)
        painter.setPen(QColor(theme.MUTED))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, "85.6 × 53.98 mm")
