"""The threshold of a gaze similarity: its position among the pairs, and its effect."""

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSizePolicy, QSlider, QSpinBox, QWidget

from app.ui import theme
from app.ui.plots import plot
from app.ui.small_widgets import column, indented, label, row
from app.ui.text import tr
from app.workspace.pair_purity import PairPurity
from app.workspace.similarity import StoredRelation
from devices.gaze.pair_rates import pairs_a_batch

_STEPS = 1000
_BINS = 60
_FILLS, _YIELDS = QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored
_BATCH, _DROP = 32, 0.5
"""The default of runs."""


class ThresholdPanel(QWidget):
    """A histogram with the threshold in it, a slider, and what it means for a training.

    Signals
    -------
    moved : float
        The threshold, while it is moved.
    """

    moved = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self._low, self._high = -1.0, 1.0
        self._relation: StoredRelation | None = None
        self._purity: PairPurity | None = None
        self.histogram = plot(tr("Similarity"), tr("Pairs"))
        self.histogram.setMouseEnabled(x=False, y=False)
        self.histogram.setMinimumHeight(120)
        self.histogram.setSizePolicy(_FILLS, _YIELDS)
        self._line = pg.InfiniteLine(0, movable=True, pen=pg.mkPen(theme.AMBER, width=2))
        self._line.sigDragged.connect(lambda line: self.set_threshold(float(line.value())))
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setObjectName("threshold_slider")
        self.slider.setAccessibleName(tr("Positive-pair threshold"))
        self.slider.setRange(0, _STEPS)
        self.slider.setValue(int(0.95 * _STEPS))
        self.slider.valueChanged.connect(lambda _value: self._changed())
        self.batch = indented(QSpinBox())
        self.batch.setObjectName("similarity_batch")
        self.batch.setAccessibleName(tr("Images in a batch"))
        self.batch.setRange(2, 65_536)
        self.batch.setValue(_BATCH)
        self.batch.valueChanged.connect(lambda _value: self._say())
        self._rate, self._pure, self._pairs = (label("", role) for role in ("lead", "body", "body"))
        self._lay_out()

    @property
    def threshold(self) -> float:
        """Similarity above which a pair is positive."""
        return self._low + (self._high - self._low) * self.slider.value() / _STEPS

    @property
    def texts(self) -> tuple[str, str, str]:
        """Its text: the rate, the purity, the pairs per batch."""
        return self._rate.text(), self._pure.text(), self._pairs.text()

    def show_relation(self, relation: StoredRelation, purity: PairPurity) -> None:
        """Show the distribution of a relation's pairs."""
        self._relation, self._purity = relation, purity
        values = relation.sorted_values
        if len(values):
            self._low, self._high = float(values[0]), float(values[-1])
        self._draw()
        self._changed()

    def set_threshold(self, threshold: float) -> None:
        """Move the slider to a threshold."""
        span = max(self._high - self._low, 1e-9)
        self.slider.setValue(round(_STEPS * (threshold - self._low) / span))

    def _lay_out(self) -> None:
        made = column(self)
        made.addWidget(self.histogram, 1)
        line = row(label(tr("Positive-pair threshold"), "body", wrap=False), self.slider)
        line.setStretch(1, 1)
        made.addLayout(line)
        made.addWidget(self._rate)
        made.addWidget(self._pure)
        batch = row(label(tr("Images in a batch"), "body", wrap=False), self.batch, stretch=True)
        made.addLayout(batch)
        made.addWidget(self._pairs)

    def _draw(self) -> None:
        assert self._relation is not None
        self.histogram.clear()
        values, high = self._relation.sorted_values, max(self._high, self._low + 1e-6)
        edges = np.linspace(self._low, high, _BINS + 1)
        # Converted to another type, the 12 million values of 5,000 images would be copied first.
        places = np.searchsorted(values, edges.astype(values.dtype))
        places[-1] = len(values)
        bars = pg.BarGraphItem(
            x0=edges[:-1],
            x1=edges[1:],
            y0=0,
            height=np.diff(places),
            brush=theme.ACCENT_DEEP,
            pen=theme.PANEL,
        )
        self.histogram.addItem(bars)
        self.histogram.addItem(self._line)

    def _changed(self) -> None:
        self._line.setPos(self.threshold)
        self._say()
        self.moved.emit(self.threshold)

    def _say(self) -> None:
        relation, purity = self._relation, self._purity
        if relation is None or purity is None:
            return
        count = relation.count_above(self.threshold)
        self._rate.setText(
            tr(
                "{threshold:.3f}: {rate:.1%} of valid pairs are positive ({count:,})",
                threshold=self.threshold,
                rate=relation.rate(self.threshold),
                count=count,
            )
        )
        self._pure.setText(_purity_text(purity, count))
        expected = pairs_a_batch(count, len(relation.ids), self.batch.value(), _DROP)
        self._pairs.setText(
            tr(
                "About {expected:.1f} extra pairs per batch after half of them are dropped",
                expected=expected,
            )
        )


def _purity_text(purity: PairPurity, positive: int) -> str:
    share, chance = purity.share(positive), purity.chance
    if chance is None:
        return tr("Purity is unknown: fewer than two of these images have a label.")
    if share is None:
        return tr("No positive pair has two labelled images (purity by chance: {chance:.0%}).",
                  chance=chance)  # fmt: skip
    return tr(
        "Purity {share:.0%}: the share of the {count:,} labelled positive pairs whose labels agree "
        "({chance:.0%} by chance).",
        share=share,
        count=purity.count(positive),
        chance=chance,
    )
