"""Gaze similarity: matrix, threshold and its positive pairs, neighbours, outliers, evidence."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QComboBox, QTableView, QTabWidget, QWidget

from app.pages.workspace.matrix_view import MatrixView
from app.pages.workspace.pair_strip import PairCard, PairStrip, ShownPair, panel_of
from app.pages.workspace.similarity_words import judged_words, title_of
from app.pages.workspace.threshold_panel import ThresholdPanel
from app.pages.workspace.told_table import told_table
from app.ui import theme
from app.ui.background import run
from app.ui.nothing_yet import NothingOr, nothing_yet
from app.ui.page import Page
from app.ui.pictures import PictureLoader, PictureStrip
from app.ui.small_widgets import button, column, label, row, scrolled
from app.ui.table_model import TableModel, text_columns
from app.ui.text import tr, trn
from app.ui.work_bar import WorkBar
from app.workspace.measures import COMPUTED, measure_words
from app.workspace.pair_purity import PairPurity
from app.workspace.similarity import SimilarityChoice, StoredRelation
from migrations.study.evidence import HEADERS, CohortEvidence

_SHOWN = 12
_SETTLED_MS = 80
_PAIR_PX, _STRIP_PX = 72, 56
_READERS = ("Reader", "Reader", "Same case", "Different cases", "Pairs of one case")


class SimilarityPage(Page):
    """Shows one relation; order and agreement arrive when they are computed.

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
        super().__init__("similarity", tr("Gaze similarity"))
        self._loader = loader
        self.relation: StoredRelation | None = None
        self._order: NDArray[np.int64] = np.empty(0, np.int64)
        self._names: Mapping[str, str] = {}
        self._make_head()
        self.work = WorkBar("similarity_work")
        self.body.addWidget(self.work)
        self.matrix, self.threshold_panel = MatrixView(), ThresholdPanel()
        self.slider = self.threshold_panel.slider
        self.pair = PairCard(loader, _PAIR_PX)
        self.matrix.pointed.connect(self._pointed)
        self.threshold_panel.moved.connect(self._threshold_moved)
        self.pair.chosen.connect(self._image_clicked)
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.setInterval(_SETTLED_MS)
        self._settled.timeout.connect(self._show_at_threshold)
        content = row(gap=2 * theme.GRID)
        content.addWidget(self.matrix, 1)
        side = QWidget()
        parts = column(side, gap=theme.GRID)
        parts.addWidget(self.threshold_panel, 1)
        parts.addWidget(panel_of(self.pair, tr("Pair under the pointer")))
        content.addWidget(scrolled(side), 1)
        inside = QWidget()
        lines = column(inside, gap=2 * theme.GRID)
        lines.addLayout(content, 3)
        lines.addWidget(self._make_tabs(), 2)
        nothing = nothing_yet(
            "similarity",
            tr("No gaze similarity yet"),
            tr("A measure compares how every two images were looked at. “Chosen by evidence” "
               "tries several and keeps the one that works best on this cohort."),
        )  # fmt: skip
        self._shown = NothingOr(nothing, inside)
        self.body.addWidget(self._shown, 1)
        self.say_state(tr("No gaze similarity yet. Choose a measure and press Compute."))

    def show_runs(self, choices: Sequence[SimilarityChoice], chosen: str) -> None:
        """List the stored similarities."""
        self.runs.clear()
        for choice in choices:
            self.runs.addItem(title_of(choice), choice.id)
        self.runs.setCurrentIndex(max(0, self.runs.findData(chosen)))
        self.runs.setEnabled(bool(choices))
        self._shown.show_content(bool(choices))

    def show_busy(self, text: str) -> None:
        """Say that something is being computed."""
        self.say_state(text)
        self.compute.setEnabled(False)

    def show_idle(self) -> None:
        """Allow another computation."""
        self.compute.setEnabled(True)
        self.work.end()

    def show_relation(
        self,
        relation: StoredRelation,
        names: Mapping[str, str],
        order: NDArray[np.int64],
        overview: NDArray[np.float32],
        purity: PairPurity,
    ) -> None:
        """Show a relation, with named images, in an order that puts similar ones together.

        `overview` is the ordered matrix as it is drawn.
        """
        self.relation, self._names, self._order = relation, names, order
        self._shown.show_content(True)
        values = relation.sorted_values
        low, high = (float(values[0]), float(values[-1])) if len(values) else (0.0, 1.0)
        self.matrix.show_matrix(overview, len(order), low, high)
        self.threshold_panel.show_relation(relation, purity)
        self.say_state(
            tr(
                "{images} and {pairs}, {valid:.0%} of them valid.",
                images=trn("{count} image", "{count} images", len(order)),
                pairs=trn("{count} pair", "{count} pairs", relation.pair_count),
                valid=len(values) / max(relation.pair_count, 1),
            )
        )
        self.show_pair(0, min(1, len(order) - 1))

    def show_agreement(self, lines: Sequence[str]) -> None:
        """Say how measures agree."""
        self._agreement.setText("\n".join(lines) or tr("Compute a second measure to compare."))

    def show_readers(self, said: str, rows: Sequence[tuple[str, str, float, float, int]]) -> None:
        """Say whether gaze depends on the case, for each two readers."""
        self._readers_said.setText(said)
        self.readers.set_rows(
            [(a, b, f"{same:.3f}", f"{other:.3f}", f"{n:,}") for a, b, same, other, n in rows]
        )

    def show_evidence(self, evidence: CohortEvidence | None) -> None:
        """Show how informative each measure is on this cohort, if that was computed."""
        if evidence is None:
            self._evidence_said.setText(
                tr(
                    "Not compared yet. Compute “Chosen by evidence” to see how well each "
                    "measure works on this cohort."
                )
            )
            self.evidence.set_rows([])
            self._fit_columns()
            return
        parts = (evidence.reason, tr("Positive pairs: {rule}.", rule=evidence.rule), evidence.note)
        self._evidence_said.setText(" ".join(part for part in parts if part))
        self.evidence.set_rows([(judged_words(row[0]), *row[1:]) for row in evidence.table()])
        self._fit_columns()

    def _fit_columns(self) -> None:
        for table in self.tabs.findChildren(QTableView):
            table.resizeColumnsToContents()

    @property
    def threshold(self) -> float:
        """Similarity above which a pair is positive."""
        return self.threshold_panel.threshold

    @property
    def rate_text(self) -> str:
        """The meaning of the slider's position."""
        return self.threshold_panel.texts[0]

    def show_pair(self, first: int, second: int) -> None:
        """Show two images of the relation, by index, with what was looked at."""
        if self.relation is None or not self.relation.ids:
            return
        self.pair.show_pair(self._pair(first, second))
        self._show_neighbours(first)

    def _pair(self, first: int, second: int) -> ShownPair:
        assert self.relation is not None
        ids, value = self.relation.ids, float(self.relation.matrix[first, second])
        said = tr("no value") if np.isnan(value) else f"{value:.3f}"
        return ShownPair(ids[first], ids[second], self._name(first), self._name(second), said)

    def _name(self, index: int) -> str:
        assert self.relation is not None
        image_id = self.relation.ids[index]
        return self._names.get(image_id, image_id)

    def _make_head(self) -> None:
        self.runs = QComboBox()
        self.runs.setObjectName("similarity_runs")
        self.runs.setAccessibleName(tr("Stored similarity"))
        self.runs.setMinimumWidth(272)
        self.runs.activated.connect(lambda _i: self.run_chosen.emit(self.runs.currentData()))
        self.measure = QComboBox()
        self.measure.setObjectName("similarity_measure")
        self.measure.setAccessibleName(tr("Measure to compute"))
        for name in COMPUTED:
            self.measure.addItem(tr(measure_words(name)), name)
        self.compute = button(
            "compute_similarity",
            tr("Compute"),
            lambda: self.compute_wanted.emit(self.measure.currentData()),
        )
        for widget in (
            label(tr("Shown"), "hint", wrap=False), self.runs,
            label(tr("Measure"), "hint", wrap=False), self.measure, self.compute,
        ):  # fmt: skip
            self.head.addWidget(widget)

    def _make_tabs(self) -> QTabWidget:
        tabs = self.tabs = QTabWidget()
        self.neighbours, self.samples = (
            PictureStrip(self._loader, _STRIP_PX),
            PairStrip(self._loader, _STRIP_PX),
        )
        self.outliers = PictureStrip(self._loader, _STRIP_PX)
        self._agreement = label("")
        self._evidence_said, self._readers_said = label(""), label("")
        self.evidence = TableModel(text_columns([tr(head.capitalize()) for head in HEADERS]))
        self.readers = TableModel(text_columns([tr(head) for head in _READERS]))
        tabs.addTab(self.neighbours, tr("Neighbours"))
        tabs.addTab(self.samples, tr("At the threshold"))
        tabs.addTab(self.outliers, tr("Outliers"))
        for said, model, name, title in (
            (self._evidence_said, self.evidence, "evidence", tr("Evidence")),
            (self._readers_said, self.readers, "readers", tr("Readers")),
        ):
            tabs.addTab(told_table(said, model, name, title), title)
        tabs.addTab(self._agreement, tr("Measures"))
        self.neighbours.chosen.connect(self._image_clicked)
        self.samples.chosen.connect(self._image_clicked)
        self.outliers.chosen.connect(self._image_clicked)
        self.show_evidence(None)
        return tabs

    def _threshold_moved(self, threshold: float) -> None:
        self.matrix.show_threshold(threshold)
        self._settled.start()

    def _show_at_threshold(self) -> None:
        """Show pictures of the pairs at the threshold, once it rests."""
        relation, threshold = self.relation, self.threshold
        if relation is None:
            return
        run(
            self,
            lambda: (relation.sample_pairs(threshold, _SHOWN // 2), relation.extremes(threshold)),
            lambda found: self._show_let_in(relation, threshold, *found),
            lambda error: self.say_state(str(error), "error"),
        )

    def _show_let_in(
        self,
        relation: StoredRelation,
        threshold: float,
        pairs: Sequence[tuple[int, int]],
        odd: Sequence[Sequence[int]],
    ) -> None:
        if relation is not self.relation or threshold != self.threshold:
            return  # it was moved meanwhile
        self.samples.show_pairs([self._pair(*pair) for pair in pairs])
        told = (
            "{name}: similar to more than half",
            "{name}: similar to none",
            "{name}: no value",
        )
        self.outliers.show_images(
            [
                (relation.ids[i], tr(what, name=self._name(i)))
                for what, places in zip(told, odd, strict=True)
                for i in places[:_SHOWN]
            ]
        )

    def _show_neighbours(self, index: int) -> None:
        assert self.relation is not None
        found = self.relation.neighbours(index, _SHOWN)
        self.neighbours.show_images(
            [(self.relation.ids[index], tr("{name} (query)", name=self._name(index)))]
            + [(self.relation.ids[i], f"{self._name(i)}: {value:.3f}") for i, value in found]
        )

    def _image_clicked(self, image_id: str) -> None:
        if self.relation is not None and image_id in self.relation.ids:
            index = self.relation.ids.index(image_id)
            nearest = self.relation.neighbours(index, 1)
            self.show_pair(index, nearest[0][0] if nearest else index)

    def _pointed(self, row: int, column: int) -> None:
        self.show_pair(int(self._order[row]), int(self._order[column]))
