"""The picture of a validation: where the targets stood and where the gaze fell instead."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app import theme

Point = tuple[float, float]
MAGNIFIED = 3
"""Offsets and limits are drawn larger than the screen around them, or nobody could see them."""


@dataclass(frozen=True, slots=True)
class TargetOffset:
    """One target and the gaze on it, `_norm`; None where there was no gaze."""

    target_norm: Point
    gaze_norm: Point | None
    accuracy_deg: float | None


class OffsetPicture(QWidget):
    """Draws the screen in small: targets as crosses, gaze as discs, the limit as a ring."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("offset_picture")
        self.setMinimumSize(320, 200)
        self._offsets: tuple[TargetOffset, ...] = ()
        self._aspect = 16 / 9
        self._limit_norm = (0.0, 0.0)

    def show_offsets(
        self, offsets: Sequence[TargetOffset], aspect: float, limit_norm: Point
    ) -> None:
        """Show a validation on a screen of this width to height, and the limit's half axes."""
        self._offsets, self._aspect, self._limit_norm = tuple(offsets), aspect, limit_norm
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
        room = QRectF(self.rect()).adjusted(1, 1, -1, -32)
        width = min(room.width(), room.height() * self._aspect)
        height = width / self._aspect
        return QRectF((self.width() - width) / 2, room.top(), width, height)

    def _draw(self, painter: QPainter, screen: QRectF, offset: TargetOffset) -> None:
        at = _on(screen, offset.target_norm)
        radii = (
            self._limit_norm[0] * screen.width() * MAGNIFIED,
            self._limit_norm[1] * screen.height() * MAGNIFIED,
        )
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(theme.FAINT), 1, Qt.PenStyle.DashLine))
        painter.drawEllipse(at, *radii)
        _cross(painter, at)
        if offset.gaze_norm is not None:
            there = at + (_on(screen, offset.gaze_norm) - at) * MAGNIFIED
            painter.setPen(QPen(QColor(theme.ACCENT), 1.6))
            painter.drawLine(at, there)
            painter.setBrush(QColor(theme.ACCENT))
            painter.drawEllipse(there, 3.5, 3.5)
        known = offset.accuracy_deg is not None
        painter.setPen(QColor(theme.MUTED if known else theme.AMBER))
        text = f"{offset.accuracy_deg:.2f}°" if known else "no gaze"
        spot = QRectF(at.x() - 48, at.y() + radii[1] + 4, 96, 18)
        painter.drawText(spot, Qt.AlignmentFlag.AlignCenter, text)

    def _legend(self, painter: QPainter, screen: QRectF) -> None:
        y = screen.bottom() + 18
        x = screen.left() + 8
        _cross(painter, QPointF(x, y))
        _say(painter, x + 14, y, "target")
        painter.setPen(QPen(QColor(theme.ACCENT), 1.6))
        painter.setBrush(QColor(theme.ACCENT))
        painter.drawEllipse(QPointF(x + 90, y), 3.5, 3.5)
        _say(painter, x + 102, y, f"gaze, offset drawn {MAGNIFIED} ×")
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(theme.FAINT), 1, Qt.PenStyle.DashLine))
        painter.drawEllipse(QPointF(x + 276, y), 6, 6)
        _say(painter, x + 290, y, "limit of the study")


def _on(screen: QRectF, point: Point) -> QPointF:
    return QPointF(
        screen.left() + point[0] * screen.width(), screen.top() + point[1] * screen.height()
    )


def _cross(painter: QPainter, at: QPointF) -> None:
    painter.setPen(QPen(QColor(theme.TEXT), 1.2))
    painter.drawLine(at - QPointF(6, 0), at + QPointF(6, 0))
    painter.drawLine(at - QPointF(0, 6), at + QPointF(0, 6))


def _say(painter: QPainter, x: float, y: float, text: str) -> None:
    painter.setPen(QColor(theme.MUTED))
    painter.drawText(QPointF(x, y + 4), text)
