"""A line over steps, painted as it grows; small enough that no plotting library is loaded."""

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from app.ui import theme

_TICKS = 4
_MAX_POINTS = 2000


class Curve(QWidget):
    """Shows a value over the steps of a training.

    Parameters
    ----------
    caption
        What the value is.
    empty
        What to say while there is none.
    """

    def __init__(self, caption: str, empty: str) -> None:
        super().__init__()
        self.setObjectName("curve")
        self.setMinimumSize(320, 180)
        self._caption, self._empty = caption, empty
        self._points: list[tuple[float, float]] = []
        self._steps = 0

    @property
    def points(self) -> Sequence[tuple[float, float]]:
        """What it shows: (step, value)."""
        return self._points

    def clear(self) -> None:
        """Forget everything."""
        self._points, self._steps = [], 0
        self.update()

    def keep_until(self, step: float) -> None:
        """Forget what lies at or after a step: it will be told again."""
        self._points = [point for point in self._points if point[0] < step]
        self.update()

    def add(self, step: float, value: float, steps: int) -> None:
        """Add a value; `steps` is where the axis ends. What is no number is left out."""
        self._steps = steps
        if not math.isfinite(value):
            return
        self._points.append((step, value))
        if len(self._points) > _MAX_POINTS:  # every other one tells the same story
            self._points = self._points[::2]
        self.setAccessibleName(f"{self._caption}: {value:.3f} at step {step:.0f} of {steps}")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw axes and line, or what is missing."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font("small"))
        if not self._points:
            painter.setPen(QColor(theme.MUTED))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._empty)
            return
        low, high = _nice_range([value for _, value in self._points])
        area = QRectF(self.rect()).adjusted(56, 24, -16, -28)
        self._axes(painter, area, low, high)
        self._line(painter, area, low, high)

    def _axes(self, painter: QPainter, area: QRectF, low: float, high: float) -> None:
        digits = max(0, min(6, 1 - math.floor(math.log10(max((high - low) / _TICKS, 1e-9)))))
        for i in range(_TICKS + 1):
            y = area.bottom() - area.height() * i / _TICKS
            painter.setPen(QPen(QColor("#2b2f33"), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(QColor(theme.MUTED))
            text = f"{low + (high - low) * i / _TICKS:.{digits}f}"
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, y - 10, 48, 20), right, text)
        painter.drawText(QPointF(area.left(), 14), self._caption)
        below = QRectF(area.left(), area.bottom() + 6, area.width(), 20)
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft, "step 0")
        painter.drawText(below, Qt.AlignmentFlag.AlignRight, f"{self._steps}")

    def _line(self, painter: QPainter, area: QRectF, low: float, high: float) -> None:
        painter.setPen(QPen(QColor(theme.ACCENT), 1.8))
        span = max(self._steps, self._points[-1][0], 1)
        line = QPolygonF(
            [
                QPointF(
                    area.left() + area.width() * step / span,
                    area.bottom() - area.height() * (value - low) / (high - low),
                )
                for step, value in self._points
            ]
        )
        painter.drawPolyline(line)
        painter.setBrush(QColor(theme.ACCENT))
        painter.drawEllipse(line.at(line.size() - 1), 2.5, 2.5)


def _nice_range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    step = 10 ** math.floor(math.log10((high - low) / _TICKS))
    for factor in (1, 2, 2.5, 5, 10, 20):
        unit = step * factor
        start = math.floor(low / unit) * unit
        if start + unit * _TICKS >= high:
            return start, start + unit * _TICKS
    return low, high
