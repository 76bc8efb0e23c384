"""The legend of a map, beside the plot and saved with it: groups, or a colour bar."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyqtgraph as pg
from pyqtgraph.graphicsItems.ScatterPlotItem import drawSymbol
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QLinearGradient, QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from app.ui import theme

_SIGN, _GAP, _WIDEST = 22.0, 6.0, 190.0
_BAR = (16.0, 180.0)
"""Width and greatest height of the colour bar, pixels."""
RAMP = ("#3a78a6", "#8fbfe0", "#f7ecc4")
"""From the lowest number to the highest, each lighter than the one before."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A group of points: how it is drawn, and how many there are."""

    name: str
    symbol: str
    colour: str
    count: int


class FeaturesKey(pg.GraphicsWidget):  # type: ignore[misc]
    """Explains the colours of the points.

    Attributes
    ----------
    title
        Name of the column by which they are coloured.
    entries
        The groups, as listed.
    scale
        The lowest and the highest number with the unit, where the colours are a scale.
    """

    def __init__(self) -> None:
        super().__init__()
        self.title = ""
        self.entries: tuple[Entry, ...] = ()
        self.scale: tuple[float, float, str] | None = None

    def show_groups(self, title: str, entries: Sequence[Entry]) -> None:
        """Explain groups."""
        self._show(title, entries, None)

    def show_scale(
        self, title: str, scale: tuple[float, float, str], entries: Sequence[Entry] = ()
    ) -> None:
        """Explain a scale, and the points that have no place on it."""
        self._show(title, entries, scale)

    @property
    def texts(self) -> list[str]:
        """Its text, line by line."""
        return [self.title, *self._scale_texts(), *(_said(entry) for entry in self.entries)]

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Draw title, colour bar and groups, one under the other."""
        del option, widget
        line = self._metrics().lineSpacing() + _GAP
        painter.setFont(self._font())
        painter.setPen(QColor(theme.MUTED))
        self._write(painter, 0, line / 2, self.title)
        top = line
        if self.scale is not None:
            top = self._paint_scale(painter, top)
        for entry in self.entries:
            painter.save()
            painter.translate(QPointF(_SIGN / 2, top + line / 2))
            hollow = not entry.symbol
            pen = pg.mkPen(entry.colour if hollow else theme.PANEL)
            drawSymbol(painter, entry.symbol or "o", 11, pen,
                       pg.mkBrush(None if hollow else entry.colour))  # fmt: skip
            painter.restore()
            painter.setPen(QColor(theme.TEXT))
            self._write(painter, _SIGN, top + line / 2, _said(entry))
            top += line

    def _show(
        self, title: str, entries: Sequence[Entry], scale: tuple[float, float, str] | None
    ) -> None:
        self.title, self.entries, self.scale = title, tuple(entries), scale
        widths = [self._metrics().horizontalAdvance(text) for text in self.texts]
        self.setFixedWidth(min(_WIDEST, _SIGN + _GAP + max(widths, default=0)))
        self.setToolTip("\n".join(self.texts))
        self.update()

    def _paint_scale(self, painter: QPainter, top: float) -> float:
        line = self._metrics().lineSpacing()
        width, height = _BAR[0], max(40.0, min(_BAR[1], self.size().height() - top - 3 * line))
        area = QRectF(0, top + line / 2, width, height)
        ramp = QLinearGradient(area.bottomLeft(), area.topLeft())
        for place, colour in enumerate(RAMP):
            ramp.setColorAt(place / (len(RAMP) - 1), QColor(colour))
        painter.fillRect(area, ramp)
        painter.setPen(QColor(theme.TEXT))
        for text, at in zip(self._scale_texts(), (area.top(), area.bottom()), strict=True):
            self._write(painter, width + _GAP, at, text)
        return area.bottom() + line

    def _scale_texts(self) -> list[str]:
        if self.scale is None:
            return []
        low, high, unit = self.scale
        return [f"{high:.3g}{unit}", f"{low:.3g}{unit}"]

    def _write(self, painter: QPainter, left: float, middle: float, text: str) -> None:
        room = self.size().width() - left
        said = self._metrics().elidedText(text, Qt.TextElideMode.ElideRight, room)
        height = self._metrics().lineSpacing()
        area = QRectF(left, middle - height / 2, room, height)
        painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, said)

    def _font(self) -> QFont:
        font = QFont(self.font())
        font.setPointSizeF(font.pointSizeF() * theme.SCALE["small"])
        return font

    def _metrics(self) -> QFontMetricsF:
        return QFontMetricsF(self._font())


def _said(entry: Entry) -> str:
    return f"{entry.name} ({entry.count:,})"
