"""Gaze similarity: the matrix, a threshold and what it lets in, neighbours, outliers."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QSlider, QTabWidget, QVBoxLayout

from app.ui import theme
from app.ui.page import Page
from app.ui.pictures import PictureCard, PictureLoader, PictureStrip
from app.ui.plots import ask_where, plot, save_plot
from app.ui.small_widgets import button, column, label, panel, row
from app.workspace.similarity import SimilarityChoice, StoredRelation

_STEPS = 1000
_SHOWN = 12
_MAP = pg.ColorMap(
    [0.0, 0.5, 0.8, 1.0], [(22, 24, 27), (30, 70, 110), (90, 160, 190), (250, 236, 190)]
)


class SimilarityPage(Page):
    """Shows one relation; the ordering and the agreement arrive when they are computed.

    Signals
    -------
    run_chosen : str
        The stored similarity to show.
    compute_wanted : str
        A measure to compute for the cohort.
    """

    run_chosen = Signal(str)
    compute_wanted = Signal(str)

    def __init__(self, loader: PictureLoader) -> None:
        super().__init__("similarity", "Gaze similarity")
        self._loader = loader
        self.relation: StoredRelation | None = None
        self._order: NDArray[np.int64] = np.empty(0, np.int64)
        self._names: Mapping[str, str] = {}
        self.runs = QComboBox()
        self.runs.setObjectName("similarity_runs")
        self.runs.setMinimumWidth(320)
        self.runs.activated.connect(lambda _i: self.run_chosen.emit(self.runs.currentData()))
        self.measure = QComboBox()
        for name in (
            "auto",
            "tima",
            "density",
            "dwell",
            "multimatch",
            "moment",
            "moment_sequence",
            "dhash",
        ):
            self.measure.addItem(name, name)
        self.compute = button(
            "compute_similarity",
            "Compute",
            lambda: self.compute_wanted.emit(self.measure.currentData()),
        )
        for widget in (self.runs, self.measure, self.compute):
            self.head.addWidget(widget)
        content = row(gap=2 * theme.GRID)
        content.addLayout(self._make_matrix(), 3)
        content.addWidget(self._make_pair(), 1)
        self.body.addLayout(content, 3)
        self.body.addLayout(self._make_threshold())
        self.body.addWidget(self._make_tabs(), 2)
        self.say_state("No similarity yet. Choose a measure and press Compute.")

    def show_runs(self, choices: Sequence[SimilarityChoice], chosen: str) -> None:
        """List the stored similarities."""
        self.runs.clear()
        for choice in choices:
            self.runs.addItem(choice.title, choice.id)
        self.runs.setCurrentIndex(max(0, self.runs.findData(chosen)))
        self.runs.setEnabled(bool(choices))

    def show_busy(self, text: str) -> None:
        """Say that something is being computed."""
        self.say_state(text)
        self.compute.setEnabled(False)

    def show_idle(self) -> None:
        """Allow another computation."""
        self.compute.setEnabled(True)

    def show_relation(
        self,
        relation: StoredRelation,
        names: Mapping[str, str],
        order: NDArray[np.int64],
        overview: NDArray[np.float32],
    ) -> None:
        """Show a relation, its images named, in an order in which alike ones lie together.

        `overview` is the ordered matrix as it is drawn.
        """
        self.relation, self._names, self._order = relation, names, order
        self._image.setImage(overview.T, autoLevels=False)
        self._image.setRect(0, 0, len(order), len(order))
        self._view.getPlotItem().autoRange()
        self._spread_slider()
        self.say_state(
            f"{len(order)} images, {relation.pair_count:,} pairs, "
            f"{len(relation.sorted_values) / max(relation.pair_count, 1):.0%} of them valid."
        )
        self.show_pair(0, min(1, len(order) - 1))
        self._threshold_changed()

    def show_agreement(self, lines: Sequence[str]) -> None:
        """Say how measures and readers agree."""
        self._agreement.setText("\n".join(lines) or "Compute a second measure to compare.")

    @property
    def threshold(self) -> float:
        """Similarity above which a pair is positive."""
        return self._low + (self._high - self._low) * self.slider.value() / _STEPS

    @property
    def rate_text(self) -> str:
        """What the slider's place means."""
        return self._rate.text()

    def show_pair(self, first: int, second: int) -> None:
        """Show two images of the relation, by index, with what was looked at."""
        if self.relation is None or not self.relation.ids:
            return
        value = float(self.relation.matrix[first, second])
        shown = "no value" if np.isnan(value) else f"similarity {value:.3f}"
        self._pair_text.setText(shown)
        for card, index in zip(self.pair, (first, second), strict=True):
            card.show_image(self.relation.ids[index], self._name(index))
        self._selected = first
        self._show_neighbours(first)

    def _name(self, index: int) -> str:
        assert self.relation is not None
        image_id = self.relation.ids[index]
        return self._names.get(image_id, image_id)

    def _make_matrix(self) -> QVBoxLayout:
        self._low, self._high, self._selected = -1.0, 1.0, 0
        self._view = plot("", "")
        self._view.setAspectLocked(True)
        self._view.invertY(True)
        self._view.hideAxis("bottom")
        self._view.hideAxis("left")
        self._image = pg.ImageItem(levels=(0, 1))
        self._image.setColorMap(_MAP)
        self._view.addItem(self._image)
        self._view.scene().sigMouseMoved.connect(self._hovered)
        made = column(gap=theme.GRID // 2)
        made.addWidget(self._view, 1)
        line = row(
            label("Ordered so that images read alike lie together; wheel zooms.", "hint"),
            button("save_matrix", "Save plot…", self._save),
        )
        line.setStretch(0, 1)
        made.addLayout(line)
        return made

    def _make_pair(self) -> QFrame:
        frame, layout = panel()
        layout.addWidget(label("Under the pointer", "heading"))
        self._pair_text = label("", "lead")
        layout.addWidget(self._pair_text)
        self.pair = (PictureCard(self._loader, 120), PictureCard(self._loader, 120))
        for card in self.pair:
            layout.addWidget(card)
        layout.addStretch(1)
        return frame

    def _make_threshold(self) -> QVBoxLayout:
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setObjectName("threshold_slider")
        self.slider.setAccessibleName("Threshold of similarity")
        self.slider.setRange(0, _STEPS)
        self.slider.setValue(int(0.95 * _STEPS))
        self.slider.valueChanged.connect(self._threshold_changed)
        self._rate = label("", "lead", wrap=False)
        self._rate.setMinimumWidth(360)
        made = column(gap=0)
        line = row(label("Positive above", "body", wrap=False), self.slider, self._rate)
        line.setStretch(1, 1)
        made.addLayout(line)
        return made

    def _make_tabs(self) -> QTabWidget:
        tabs = QTabWidget()
        self.neighbours, self.samples = PictureStrip(self._loader), PictureStrip(self._loader)
        self.outliers = PictureStrip(self._loader)
        self._agreement = label("")
        tabs.addTab(self.neighbours, "Nearest by gaze")
        tabs.addTab(self.samples, "Pairs at the threshold")
        tabs.addTab(self.outliers, "Match everything or nothing")
        tabs.addTab(self._agreement, "Agreement")
        for strip in (self.neighbours, self.samples, self.outliers):
            strip.chosen.connect(self._image_clicked)
        return tabs

    def _spread_slider(self) -> None:
        assert self.relation is not None
        values = self.relation.sorted_values
        if len(values):
            self._low, self._high = float(values[0]), float(values[-1])
        self._image.setLevels((min(0.0, self._low), max(self._high, 1e-6)))

    def _threshold_changed(self) -> None:
        relation, threshold = self.relation, self.threshold
        if relation is None:
            return
        rate = relation.rate(threshold)
        self._rate.setText(
            f"{threshold:.3f}: {rate:.1%} of valid pairs positive "
            f"({relation.count_above(threshold):,})"
        )
        pairs = relation.sample_pairs(threshold, _SHOWN // 2)
        shown = []
        for first, second in pairs:
            value = f"{relation.matrix[first, second]:.3f}"
            shown.append((relation.ids[first], f"{self._name(first)} ~ {value}"))
            shown.append((relation.ids[second], f"{value} ~ {self._name(second)}"))
        self.samples.show_images(shown)
        told = ("matches over half", "matches none", "has no value")
        self.outliers.show_images(
            [
                (relation.ids[i], f"{self._name(i)}: {what}")
                for what, places in zip(told, relation.extremes(threshold), strict=True)
                for i in places[:_SHOWN]
            ]
        )

    def _show_neighbours(self, index: int) -> None:
        assert self.relation is not None
        found = self.relation.neighbours(index, _SHOWN)
        self.neighbours.show_images(
            [(self.relation.ids[index], f"{self._name(index)}, the image itself")]
            + [(self.relation.ids[i], f"{self._name(i)}: {value:.3f}") for i, value in found]
        )

    def _image_clicked(self, image_id: str) -> None:
        if self.relation is not None and image_id in self.relation.ids:
            index = self.relation.ids.index(image_id)
            nearest = self.relation.neighbours(index, 1)
            self.show_pair(index, nearest[0][0] if nearest else index)

    def _hovered(self, place: QPointF) -> None:
        if self.relation is None or not len(self._order):
            return
        point = self._view.getPlotItem().getViewBox().mapSceneToView(place)
        x, y = int(point.x()), int(point.y())
        if 0 <= x < len(self._order) and 0 <= y < len(self._order):
            self.show_pair(int(self._order[y]), int(self._order[x]))

    def _save(self) -> None:
        item = self._view.getPlotItem()
        ask_where(self, "gaze-similarity", lambda path: save_plot(item, path))
