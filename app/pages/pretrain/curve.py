"""A line over steps, painted as it grows; simple enough to need no plotting library."""

import math
from collections.abc import Callable, Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from app.ui import theme
from app.ui.text import tr
from app.workspace.smoothing import smoothed

_TICKS = 4
_MOST_DIGITS = 5
_MAX_POINTS = 2000


class Curve(QWidget):
    """Shows a value over the steps of a training.

    Parameters
    ----------
    caption
        What the value is.
    empty
        What to say while there are no values.
    form
        Format of a value, e.g. ".3f".
    warns
        Tells whether a value needs attention; it is then amber and has a sign.
    tip
        What the value means.
    """

    def __init__(
        self,
        caption: str,
        empty: str,
        form: str = ".3f",
        warns: Callable[[float], bool] = lambda _value: False,
        tip: str = "",
    ) -> None:
        super().__init__()
        self.setObjectName("curve")
        self.setMinimumSize(160, 96)
        self.setToolTip(tip)
        self._caption, self._empty, self._form, self._warns = caption, empty, form, warns
        self._smoothing = 0.0
        self._points: list[tuple[float, float]] = []
        self._steps = 0

    @property
    def points(self) -> Sequence[tuple[float, float]]:
        """What it shows: (step, value)."""
        return self._points

    @property
    def text(self) -> str:
        """Its last value in words; a dash while there is none."""
        return f"{self._points[-1][1]:{self._form}}" if self._points else "–"

    def smooth(self, weight: float) -> None:
        """Draw the trend, with this weight for earlier values; the values stay faint behind it."""
        self._smoothing = weight
        self.update()

    def clear(self) -> None:
        """Remove all values."""
        self._points, self._steps = [], 0
        self.update()

    def keep_until(self, step: float) -> None:
        """Remove the values at or after a step: they will be reported again."""
        self._points = [point for point in self._points if point[0] < step]
        self.update()

    def add(self, step: float, value: float, steps: int) -> None:
        """Add a value; `steps` is where the axis ends. Values that are not numbers are left out."""
        self._steps = steps
        if not math.isfinite(value):
            return
        self._points.append((step, value))
        if len(self._points) > _MAX_POINTS:  # every second one shows the same
            self._points = self._points[::2]
        self.setAccessibleName(
            tr("{caption}: {value} at step {step} of {steps}", caption=self._caption,
               value=f"{value:{self._form}}", step=f"{step:.0f}", steps=steps)
        )  # fmt: skip
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw axes and line, or what is missing."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font("small"))
        head = QRectF(8, 2, self.width() - 16, 20)
        painter.setPen(QColor(theme.MUTED))
        painter.drawText(head, Qt.AlignmentFlag.AlignLeft, self._caption)
        if not self._points:
            words = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(8, 20, -8, -4), words, self._empty)
            return
        last = self._points[-1][1]
        warns = self._warns(last)
        painter.setPen(QColor(theme.AMBER if warns else theme.TEXT))
        said = f"⚠ {self.text}" if warns else self.text
        painter.drawText(head, Qt.AlignmentFlag.AlignRight, said)
        low, high = _nice_range([value for _, value in self._points], share=self._is_share)
        area = QRectF(self.rect()).adjusted(56, 28, -12, -22)
        self._axes(painter, area, low, high)
        self._lines(painter, area, low, high)

    @property
    def _is_share(self) -> bool:
        return self._form.endswith("%")

    def _axes(self, painter: QPainter, area: QRectF, low: float, high: float) -> None:
        written = _tick_form(low, high, share=self._is_share)
        every = 1 if area.height() > 5 * 18 else 2 if area.height() > 3 * 18 else _TICKS
        for i in range(0, _TICKS + 1, every):
            y = area.bottom() - area.height() * i / _TICKS
            painter.setPen(QPen(QColor("#2b2f33"), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(QColor(theme.MUTED))
            value = low + (high - low) * i / _TICKS
            text = f"{value:{written}}"
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, y - 10, 48, 20), right, text)
        below = QRectF(area.left(), area.bottom() + 3, area.width(), 20)
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft, tr("step 0"))
        painter.drawText(below, Qt.AlignmentFlag.AlignRight, f"{self._steps}")

    def _lines(self, painter: QPainter, area: QRectF, low: float, high: float) -> None:
        span = max(self._steps, self._points[-1][0], 1)
        values = [value for _, value in self._points]

        def line(drawn: Sequence[float]) -> QPolygonF:
            return QPolygonF(
                [
                    QPointF(
                        area.left() + area.width() * step / span,
                        area.bottom() - area.height() * (value - low) / (high - low),
                    )
                    for (step, _), value in zip(self._points, drawn, strict=True)
                ]
            )

        if self._smoothing > 0:
            painter.setPen(QPen(QColor(theme.ACCENT_DEEP), 1))
            painter.drawPolyline(line(values))
        trend = line(smoothed(values, self._smoothing))
        painter.setPen(QPen(QColor(theme.ACCENT), 1.8))
        painter.drawPolyline(trend)
        painter.setBrush(QColor(theme.ACCENT))
        painter.drawEllipse(trend.at(trend.size() - 1), 2.5, 2.5)


def _tick_form(low: float, high: float, *, share: bool) -> str:
    """Return the format of ticks: with as many digits as their distance needs."""
    step = (high - low) / _TICKS * (100 if share else 1)
    for digits in range(_MOST_DIGITS):
        if abs(round(step, digits) - step) < step / 100:
            return f".{digits}{'%' if share else 'f'}"
    return ".1e"


def _nice_range(values: Sequence[float], *, share: bool = False) -> tuple[float, float]:
    """Return where an axis begins and ends; that of a share ends at 100 % at most."""
    low, high = min(values), max(values)
    if high - low < 1e-9:
        if share:
            return 0.0, 1.0
        low, high = (0.0, 2 * high or 1.0) if low >= 0 else (low - 0.5, high + 0.5)
    step = 10 ** math.floor(math.log10((high - low) / _TICKS))
    for factor in (1, 2, 2.5, 5, 10, 20):
        unit = step * factor
        start = math.floor(low / unit) * unit
        if start + unit * _TICKS >= high:
            end = start + unit * _TICKS
            return (max(0.0, 1.0 - unit * _TICKS), 1.0) if share and end > 1 else (start, end)
    return low, high
