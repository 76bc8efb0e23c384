"""The map of an encoder's features: points in the colours of a column, with their legend."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QPolygonF

from app.pages.workspace.features_key import RAMP, Entry, FeaturesKey
from app.pages.workspace.lasso import Lasso, inside
from app.ui import theme
from app.ui.plots import COLOURS, SYMBOLS, plot
from app.ui.text import tr
from app.workspace.colourings import Colouring

_MOST_GROUPS = 12
"""Maximum number of separate groups; if there are more, the rarest are merged."""
_SIZES = (5, 20)
_PER_LINE = 24
"""Maximum size of a point, as a share of the map's shorter side."""
_STEPS = 64


class FeaturesMap(QObject):
    """Draws points and reports which one the mouse is over.

    Attributes
    ----------
    plot
        The widget.
    key
        What the colours mean.
    spots
        The groups of points that are drawn.
    lasso
        Lets a line be drawn round points while it is on.

    Signals
    -------
    pointed, clicked : int
        A point, by its index.
    drawn : object
        Indices of the points inside a drawn line.
    """

    pointed = Signal(int)
    clicked = Signal(int)
    drawn = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.plot = plot("", "")
        self.key = FeaturesKey()
        self.spots: list[Any] = []
        self._points: NDArray[np.float32] = np.empty((0, 2), np.float32)
        item = self.plot.getPlotItem()
        item.layout.addItem(self.key, 0, 4, 4, 1)
        item.layout.setColumnFixedWidth(3, 2 * theme.GRID)
        item.vb.sigResized.connect(self._resize)
        self.lasso = Lasso(self.plot)
        self.lasso.drawn.connect(self._drawn)

    def show_points(self, points: NDArray[np.float32], axes: tuple[str, str]) -> None:
        """Show points (N, 2), the axes named; `colour` follows."""
        self._points = points
        for side, text in zip(("bottom", "left"), axes, strict=True):
            self.plot.setLabel(side, text, color=theme.MUTED)

    def colour(self, ids: Sequence[str], known: Colouring) -> None:
        """Colour the points, which are those of `ids`, by what is known about them."""
        self.plot.clear()
        self.spots = []
        if known.numbers:
            self._colour_scale(ids, known)
        else:
            self._colour_groups(ids, known)
        self._resize()
        self.plot.getPlotItem().autoRange()

    @property
    def size(self) -> int:
        """Size of a point, in screen pixels: as map size and number of points allow."""
        area = self.plot.getPlotItem().vb.size()
        each = math.sqrt(area.width() * area.height() / max(len(self._points), 1)) / 2
        side = max(7.0, min(area.width(), area.height()) / _PER_LINE)
        return int(min(_SIZES[1], max(_SIZES[0], min(each, side))))

    def _colour_groups(self, ids: Sequence[str], known: Colouring) -> None:
        words = [known.words.get(id_, "") for id_ in ids]
        ranked = [word for word, _ in Counter(filter(None, words)).most_common()]
        few = ranked if len(ranked) <= _MOST_GROUPS else ranked[: _MOST_GROUPS - 1]
        entries = []
        for k, word in enumerate(sorted(few)):
            chosen = np.flatnonzero([w == word for w in words])
            colour, symbol = _look(k)
            entries.append(Entry(tr(word), symbol, colour, len(chosen)))
            self._add(chosen, tr(word), symbol, pg.mkBrush(colour))
        rest = set(ranked) - set(few)
        entries += self._hollow(tr("others"), [w in rest for w in words], theme.TEXT)
        entries += self._hollow(tr("unknown"), [not w for w in words], theme.FAINT)
        self.key.show_groups(tr(known.title), entries)

    def _colour_scale(self, ids: Sequence[str], known: Colouring) -> None:
        values = np.array([known.numbers.get(id_, np.nan) for id_ in ids])
        chosen = np.flatnonzero(np.isfinite(values))
        none = self._hollow(tr("unknown"), np.isnan(values).tolist(), theme.FAINT)
        if not len(chosen):
            self.key.show_groups(tr(known.title), none)
            return
        low, high = float(values[chosen].min()), float(values[chosen].max())
        table = pg.ColorMap(np.linspace(0, 1, len(RAMP)), RAMP).getLookupTable(nPts=_STEPS)
        brushes = [pg.mkBrush(*colour) for colour in table]
        share = (values[chosen] - low) / max(high - low, 1e-12)
        steps = (share * (_STEPS - 1)).round().astype(int)
        self._add(chosen, tr(known.title), "o", [brushes[step] for step in steps])
        self.key.show_scale(tr(known.title), (low, high, known.unit), none)

    def _hollow(self, name: str, are: Sequence[bool], colour: str) -> list[Entry]:
        chosen = np.flatnonzero(are)
        if not len(chosen):
            return []
        self._add(chosen, name, "o", pg.mkBrush(None), pg.mkPen(colour))
        return [Entry(name, "", colour, len(chosen))]

    def _add(
        self, chosen: NDArray[np.intp], name: str, symbol: str, brush: Any, pen: Any = None
    ) -> None:
        spots = pg.ScatterPlotItem(
            pos=self._points[chosen],
            data=chosen,
            symbol=symbol,
            brush=brush,
            pen=pg.mkPen(theme.PANEL) if pen is None else pen,
            hoverable=True,
            name=name,
        )
        spots.sigHovered.connect(self._hovered)
        spots.sigClicked.connect(lambda _s, points, _e: self.clicked.emit(int(points[0].data())))
        self.plot.addItem(spots)
        self.spots.append(spots)

    def _resize(self, *_: object) -> None:
        for spots in self.spots:
            spots.setSize(self.size)

    def _hovered(self, _spots: object, points: Sequence[pg.SpotItem], _event: object) -> None:
        if len(points):
            self.pointed.emit(int(points[0].data()))

    def _drawn(self, line: QPolygonF) -> None:
        self.drawn.emit(inside(line, self._points))


def _look(place: int) -> tuple[str, str]:
    """Return colour and symbol of a group; no two of the first 64 groups look alike."""
    turn = place // len(COLOURS)
    return COLOURS[place % len(COLOURS)], SYMBOLS[(place + turn) % len(SYMBOLS)]
