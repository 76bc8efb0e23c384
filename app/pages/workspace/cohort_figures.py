"""The distribution of a cohort's readings: four histograms with the limits of the rating."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.ui import theme
from app.ui.plots import ask_where, plot, save_plot
from app.ui.slices import in_slices
from app.ui.small_widgets import row
from app.ui.text import tr
from app.workspace.cohort import CohortRow
from devices.gaze.rating import ReadingLimits

_BINS = 24
_LEAST_PX = 150
_MOST_PX = 190
_FIGURES: dict[str, tuple[str, Callable[[CohortRow], float | None]]] = {
    "loss": ("Lost samples (%)", lambda r: None if r.loss is None else 100 * r.loss),
    "accuracy": ("Accuracy (°)", lambda r: r.accuracy_deg),
    "duration": ("Reading time (s)", lambda r: r.duration_s),
    "fixations": ("Fixations", lambda r: float(r.fixations)),
}


def _limits() -> dict[str, tuple[float, ...]]:
    usual = ReadingLimits()
    return {
        "loss": (100 * usual.doubtful_loss, 100 * usual.bad_loss),
        "accuracy": (usual.doubtful_accuracy_deg, usual.bad_accuracy_deg),
        "duration": (usual.doubtful_duration_us / 1e6,),
    }


class CohortFigures(QWidget):
    """Four histograms side by side; amber lines are the limits of the rating."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumHeight(_LEAST_PX)
        self.setMaximumHeight(_MOST_PX)
        self._rows: Sequence[CohortRow] = ()
        self._made: dict[str, Any] = {}
        self._left: list[str] = []
        self._stop: Callable[[], None] = lambda: None
        self._line: QHBoxLayout = row(parent=self)

    @property
    def plots(self) -> Mapping[str, Any]:
        """The histograms by name; pending ones are drawn at once."""
        while self._left:
            self._next()
        return self._made

    def show_rows(self, rows: Sequence[CohortRow]) -> None:
        """Draw the readings, one histogram at a time."""
        self._stop()
        self._rows, self._left = rows, list(_FIGURES)
        self._stop = in_slices(self, [self._next] * len(_FIGURES))

    def _next(self) -> None:
        if self._left:
            self._draw(self._left.pop(0), self._rows)

    def _plot(self, name: str) -> Any:
        drawn = plot(tr(_FIGURES[name][0]), tr("Readings"))
        drawn.setToolTip(
            tr("Amber lines are the limits of the rating. Double-click to save the plot.")
        )
        drawn.scene().sigMouseClicked.connect(lambda e: self._clicked(e, name))
        self._line.addWidget(drawn, 1)
        return drawn

    def _clicked(self, event: object, name: str) -> None:
        if getattr(event, "double", lambda: False)():
            item = self._made[name].getPlotItem()
            ask_where(self, f"cohort-{name}", lambda path: save_plot(item, path))

    def _draw(self, name: str, rows: Sequence[CohortRow]) -> None:
        value = _FIGURES[name][1]
        values = [v for r in rows if (v := value(r)) is not None]
        drawn = self._made.get(name) or self._made.setdefault(name, self._plot(name))
        drawn.clear()
        drawn.showGrid(y=bool(values), alpha=0.12)
        for side in ("left", "bottom"):
            drawn.getAxis(side).setStyle(showValues=bool(values), tickLength=-5 if values else 0)
        if not values:
            drawn.setTitle(tr("no data"), color=theme.MUTED, size="9pt")
            return
        counts, edges = np.histogram(values, bins=min(_BINS, max(4, len(values))))
        bars = pg.BarGraphItem(
            x0=edges[:-1],
            x1=edges[1:],
            y0=0,
            height=counts,
            brush=theme.ACCENT_DEEP,
            pen=theme.PANEL,
        )
        drawn.addItem(bars)
        step = max(1, round(counts.max() / 3))  # whole readings
        drawn.getAxis("left").setTickSpacing(step, step)
        median = float(np.median(values))
        drawn.addItem(pg.InfiniteLine(median, pen=pg.mkPen(theme.ACCENT, width=2)))
        for limit in _limits().get(name, ()):
            if limit <= 1.5 * edges[-1]:
                drawn.addItem(_limit_line(limit))
        drawn.setTitle(tr("median {value}", value=f"{median:.3g}"), color=theme.MUTED, size="9pt")


def _limit_line(at: float) -> object:
    pen = pg.mkPen(theme.AMBER, width=1.5, dash=(4, 3))
    return pg.InfiniteLine(at, pen=pen)
