"""A line drawn round points of a plot with the mouse."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPolygonF
from PySide6.QtWidgets import QGraphicsPolygonItem

from app.ui import theme

_LEAST_PX = 3


class Lasso(QObject):
    """Takes the left button from a plot while it is on.

    Signals
    -------
    drawn : QPolygonF
        The drawn line, in the plot's own coordinates; it closes by itself.

    Attributes
    ----------
    on
        Whether a drag draws instead of moving the plot.
    """

    drawn = Signal(object)

    def __init__(self, plot: Any) -> None:
        super().__init__(plot)
        self.on = False
        self._plot = plot
        self._line: list[QPointF] = []
        self._shown = QGraphicsPolygonItem()
        self._shown.setPen(QColor(theme.AMBER))
        plot.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Draw where the mouse is dragged."""
        if not self.on or not isinstance(event, QMouseEvent):
            return super().eventFilter(watched, event)
        kind, place = event.type(), self._plot.mapToScene(event.position().toPoint())
        if kind == QEvent.Type.MouseButtonPress and event.button() == Qt.MouseButton.LeftButton:
            self._line = [place]
            self._plot.scene().addItem(self._shown)
        elif kind == QEvent.Type.MouseMove and self._line:
            self._line.append(place)
            self._shown.setPolygon(QPolygonF(self._line))
        elif kind == QEvent.Type.MouseButtonRelease and self._line:
            self._end()
        else:
            return super().eventFilter(watched, event)
        return True

    def _end(self) -> None:
        box, line = self._plot.getPlotItem().vb, QPolygonF(self._line)
        self._line = []
        self._shown.setPolygon(QPolygonF())
        self._plot.scene().removeItem(self._shown)
        size = line.boundingRect().size()
        if min(size.width(), size.height()) >= _LEAST_PX:
            self.drawn.emit(QPolygonF([box.mapSceneToView(point) for point in line.toList()]))


def inside(line: QPolygonF, points: NDArray[np.float32]) -> list[int]:
    """Return which of some points (N, 2) are inside a line."""
    rule = Qt.FillRule.OddEvenFill
    return [
        k for k, (x, y) in enumerate(points.tolist()) if line.containsPoint(QPointF(x, y), rule)
    ]
