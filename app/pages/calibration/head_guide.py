"""Where the head is in front of the tracker: two eyes in the box it can see, and advice."""

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.ui import theme
from app.ui.text import tr

Eye = tuple[float, float, float] | None
_BOX_SHARE = 0.42
_EYE_RADIUS = 22.0


class HeadGuide(QWidget):
    """Covers the page before a calibration.

    Signals
    -------
    begin_wanted, reapply_wanted, cancelled
        Space or Enter, R, Esc.
    """

    begin_wanted = Signal()
    reapply_wanted = Signal()
    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("head_guide")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Head position"))
        self._eyes: tuple[Eye, Eye] = (None, None)
        self._text, self._keys, self._well = "", "", False
        self._ground = QColor(theme.CASE_BACKGROUND)

    @property
    def text(self) -> str:
        """What it says."""
        return f"{self._text}\n{self._keys}"

    def set_ground(self, ground: QColor) -> None:
        """Draw on another background."""
        self._ground = ground

    def show_eyes(self, left: Eye, right: Eye, text: str, keys: str, *, well: bool) -> None:
        """Show the eyes at their places in the box (0 to 1 on each axis) and what to do."""
        self._eyes, self._text, self._keys, self._well = (left, right), text, keys, well
        self.setAccessibleDescription(text)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Begin, use the earlier calibration, or cancel."""
        if event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.begin_wanted.emit()
        elif event.key() == Qt.Key.Key_R:
            self.reapply_wanted.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the box, the target area, the eyes, the words."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._ground)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = self._box()
        ink = theme.readable_on(self._ground)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(ink, 1))
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(QPen(ink, 1, Qt.PenStyle.DashLine))
        across, down = box.width() / 4, box.height() / 4
        inner = box.adjusted(across, down, -across, -down)
        painter.drawRoundedRect(inner, 6, 6)
        for eye in self._eyes:
            self._draw_eye(painter, box, eye)
        self._write(painter, box, ink)

    def _box(self) -> QRectF:
        height = self.height() * _BOX_SHARE
        width = height * 1.5
        return QRectF((self.width() - width) / 2, (self.height() - height) / 2.4, width, height)

    def _draw_eye(self, painter: QPainter, box: QRectF, eye: Eye) -> None:
        if eye is None:
            return
        x, y, z = eye
        at = QPointF(box.left() + x * box.width(), box.top() + y * box.height())
        radius = _EYE_RADIUS * (1.5 - min(max(z, 0.0), 1.0))  # nearer is larger
        colour = QColor(theme.ACCENT if self._well else theme.AMBER)
        painter.setPen(QPen(colour, 2))
        painter.setBrush(colour if self._well else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(at, radius, radius)

    def _write(self, painter: QPainter, box: QRectF, ink: QColor) -> None:
        painter.setPen(ink)
        painter.setFont(theme.font("heading"))
        line = QRectF(0, box.bottom() + 24, self.width(), 32)
        sign = "✓ " if self._well else ""
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter, f"{sign}{self._text}")
        painter.setFont(theme.font("small"))
        painter.drawText(line.translated(0, 36), Qt.AlignmentFlag.AlignCenter, self._keys)
