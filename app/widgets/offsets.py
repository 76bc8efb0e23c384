"""The picture of a validation: where the targets stood and where each eye looked instead."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app import theme

Point = tuple[float, float]
_LEFT, _RIGHT = QColor(theme.ACCENT), QColor(theme.AMBER)


@dataclass(frozen=True, slots=True)
class TargetOffset:
    """One target and where each eye's gaze fell, `_norm`; None where an eye was lost."""

    target_norm: Point
    left_norm: Point | None
    right_norm: Point | None
    accuracy_deg: float | None


class OffsetPicture(QWidget):
    """Draws the screen in small, targets as crosses, the left eye as ○, the right as □."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("offset_picture")
        self.setMinimumSize(320, 200)
        self._offsets: tuple[TargetOffset, ...] = ()
        self._aspect = 16 / 9

    def show_offsets(self, offsets: Sequence[TargetOffset], aspect: float) -> None:
        """Show a validation on a screen of this width to height."""
        self._offsets, self._aspect = tuple(offsets), aspect
        self.setAccessibleName(f"Gaze offsets at {len(offsets)} targets")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the screen, the targets, the offsets, the legend."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font("small"))
        screen = self._screen()
        painter.setPen(QPen(QColor(theme.LINE), 1))
        painter.setBrush(QColor(theme.CASE_BACKGROUND))
        painter.drawRoundedRect(screen, 4, 4)
        for offset in self._offsets:
            self._draw(painter, screen, offset)
        self._legend(painter, screen)

    def _screen(self) -> QRectF:
        room = QRectF(self.rect()).adjusted(1, 1, -1, -28)
        width = min(room.width(), room.height() * self._aspect)
        height = width / self._aspect
        return QRectF((self.width() - width) / 2, room.top(), width, height)

    def _draw(self, painter: QPainter, screen: QRectF, offset: TargetOffset) -> None:
        at = _on(screen, offset.target_norm)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(theme.TEXT), 1.2))
        painter.drawLine(at - QPointF(6, 0), at + QPointF(6, 0))
        painter.drawLine(at - QPointF(0, 6), at + QPointF(0, 6))
        for eye, colour, square in (
            (offset.left_norm, _LEFT, False),
            (offset.right_norm, _RIGHT, True),
        ):
            if eye is None:
                continue
            there = _on(screen, eye)
            painter.setPen(QPen(colour, 1.4))
            painter.drawLine(at, there)
            _mark(painter, there, square)
        if offset.accuracy_deg is not None:
            painter.setPen(QColor(theme.MUTED))
            below = offset.target_norm[1] < 0.85
            spot = QRectF(at.x() - 40, at.y() + (10 if below else -26), 80, 16)
            painter.drawText(spot, Qt.AlignmentFlag.AlignCenter, f"{offset.accuracy_deg:.2f}°")

    def _legend(self, painter: QPainter, screen: QRectF) -> None:
        y = screen.bottom() + 16
        x = screen.left() + 8
        for text, colour, square in (("left eye", _LEFT, False), ("right eye", _RIGHT, True)):
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colour, 1.4))
            _mark(painter, QPointF(x, y), square)
            painter.setPen(QColor(theme.MUTED))
            painter.drawText(QPointF(x + 10, y + 4), text)
            x += 96


def _on(screen: QRectF, point: Point) -> QPointF:
    return QPointF(
        screen.left() + point[0] * screen.width(), screen.top() + point[1] * screen.height()
    )


def _mark(painter: QPainter, at: QPointF, square: bool) -> None:
    if square:
        painter.drawRect(QRectF(at.x() - 3.5, at.y() - 3.5, 7, 7))
    else:
        painter.drawEllipse(at, 4, 4)
