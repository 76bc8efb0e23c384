"""The matrix of a gaze similarity, with axes and colour bar, coloured by the threshold."""

from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Signal
from PySide6.QtWidgets import QWidget

from app.ui import theme
from app.ui.plots import ask_where, plot, save_plot
from app.ui.small_widgets import button, column, label, row
from app.ui.text import tr

_BELOW = ((22, 24, 27), (40, 92, 132))
_ABOVE = ((196, 140, 50), (250, 236, 190))
_STEPS = 256


class MatrixView(QWidget):
    """Pairs above the threshold are amber to white, those below black to blue.

    Signals
    -------
    pointed : int, int
        Positions in the order (row, column) under the pointer.
    """

    pointed = Signal(int, int)

    def __init__(self) -> None:
        super().__init__()
        self._low, self._high, self._size = 0.0, 1.0, 0
        caption = tr("Images, ordered by similarity")
        self.view = plot(caption, tr("Images"))
        self.view.setAspectLocked(True)
        self.view.invertY(True)
        self.view.showGrid(x=False, y=False)
        self._image = pg.ImageItem(levels=(0, 1))
        self.view.addItem(self._image)
        self.view.scene().sigMouseMoved.connect(self._hovered)
        self.bar = self._make_bar()
        line = row(self.view, self.bar, gap=theme.GRID)
        line.setStretch(0, 1)
        made = column(self, gap=theme.GRID // 2)
        made.addLayout(line, 1)
        foot = row(
            label(tr("Amber is above the threshold. Zoom with the mouse wheel."), "hint"),
            button("save_matrix", tr("Save plot…"), self._save),
        )
        foot.setStretch(0, 1)
        made.addLayout(foot)

    def show_matrix(
        self, overview: NDArray[np.float32], size: int, low: float, high: float
    ) -> None:
        """Show an ordered matrix of `size` images, as it is drawn; values from `low` to `high`."""
        self._low, self._high, self._size = min(0.0, low), max(high, 1e-6), size
        self._image.setImage(overview.T, autoLevels=False)
        self._image.setLevels((self._low, self._high))
        self._image.setRect(0, 0, size, size)
        self._ramp.setRect(0, self._low, 1, self._high - self._low)
        self.bar.setYRange(self._low, self._high, padding=0)
        self.view.getPlotItem().autoRange()

    def show_threshold(self, threshold: float) -> None:
        """Colour what is above, and mark the position on the colour bar."""
        table = colours(threshold, self._low, self._high)
        self._image.setLookupTable(table)
        self._ramp.setLookupTable(table)
        self._line.setPos(threshold)

    def _make_bar(self) -> Any:
        bar = plot("", tr("Similarity"))
        bar.setFixedWidth(84)
        bar.setMouseEnabled(x=False, y=False)
        bar.getAxis("bottom").setStyle(showValues=False, tickLength=0)
        bar.setLabel("bottom", " ")
        bar.setXRange(0, 1, padding=0)
        bar.showGrid(x=False, y=False)
        self._ramp = pg.ImageItem(np.linspace(0, 1, _STEPS, dtype=np.float32).reshape(1, -1))
        self._ramp.setLevels((0, 1))
        self._line = pg.InfiniteLine(0, angle=0, pen=pg.mkPen("#ffffff", width=2))
        bar.addItem(self._ramp)
        bar.addItem(self._line)
        return bar

    def _hovered(self, place: QPointF) -> None:
        point = self.view.getPlotItem().getViewBox().mapSceneToView(place)
        x, y = int(np.floor(point.x())), int(np.floor(point.y()))
        if 0 <= x < self._size and 0 <= y < self._size:
            self.pointed.emit(y, x)

    def _save(self) -> None:
        item = self.view.getPlotItem()
        ask_where(self, "gaze-similarity", lambda path: save_plot(item, path))


def colours(threshold: float, low: float, high: float) -> NDArray[np.uint8]:
    """Return the colours (256, 3) of values from `low` to `high`, divided at a threshold."""
    values = np.linspace(low, high, _STEPS)
    above = values > threshold
    table = np.empty((_STEPS, 3))
    for part, (dark, light), first, last in (
        (~above, _BELOW, low, threshold),
        (above, _ABOVE, threshold, high),
    ):
        share = np.clip((values[part] - first) / max(last - first, 1e-9), 0, 1)[:, None]
        table[part] = np.array(dark) * (1 - share) + np.array(light) * share
    return np.asarray(table.round(), np.uint8)
