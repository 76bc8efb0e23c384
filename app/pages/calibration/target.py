"""A calibration target that attracts the eye: a disc that shrinks to a point, on dark ground."""

import math

from PySide6.QtCore import QEasingCurve, QPointF, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.ui import theme
from app.ui.text import tr

SHRINK_MS = 900
_LARGE, _SMALL, _HOLE = 26.0, 7.0, 2.0
_DISC = QColor("#b9bdc2")
_DIM = 60
"""Lightness of a background on which quiet greys are visible enough."""


class TargetField(QWidget):
    """The whole page while calibrating.

    Signals
    -------
    settled
        The target has shrunk; the eye rests on it now.
    cancelled
        The reader pressed Escape.
    """

    settled = Signal()
    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("target_field")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Calibration target"))
        self._at: QPointF | None = None
        self._radius = _LARGE
        self._text = ""
        self._ground = QColor(theme.CASE_BACKGROUND)
        self._shrink = QVariantAnimation(self)
        self._shrink.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._shrink.setStartValue(_LARGE)
        self._shrink.setEndValue(_SMALL)
        self._shrink.valueChanged.connect(self._set_radius)
        self._shrink.finished.connect(self.settled)

    def show_target(self, at: QPointF, text: str, *, speed: float = 1.0) -> None:
        """Show a target at a place of the widget; `settled` follows."""
        self._at, self._text = at, text
        self.setAccessibleDescription(text)
        self._shrink.stop()
        self._shrink.setDuration(max(math.ceil(SHRINK_MS / speed), 1))
        self._shrink.start()
        self.update()

    def set_ground(self, ground: QColor) -> None:
        """Draw on another background, as bright as the cases."""
        self._ground = ground
        self.update()

    def clear(self) -> None:
        """Show no target."""
        self._shrink.stop()
        self._at, self._text = None, ""
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape cancels."""
        if event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the disc, its black hole, and a quiet line of text at the lower edge."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._ground)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        light = self._ground.lightness()
        painter.setPen(QColor(theme.FAINT) if light < _DIM else theme.readable_on(self._ground))
        painter.setFont(theme.font("small"))
        painter.drawText(
            self.rect().adjusted(0, 0, 0, -12),
            Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignHCenter,
            self._text,
        )
        if self._at is None:
            return
        painter.setPen(Qt.PenStyle.NoPen)
        black, bright = QColor("#000000"), _DISC if light < _DIM else QColor("#ffffff")
        disc, hole = (bright, black) if light < 128 else (black, bright)
        for radius, colour in ((self._radius, disc), (_HOLE, hole)):
            painter.setBrush(colour)
            painter.drawEllipse(self._at, radius, radius)

    def _set_radius(self, value: object) -> None:
        self._radius = float(value)  # type: ignore[arg-type]
        self.update()
