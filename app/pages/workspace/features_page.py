"""Features: an encoder's view of the cohort as a map, and which images are close together."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFrame, QSizePolicy, QVBoxLayout, QWidget

from app.pages.workspace.features_map import FeaturesMap
from app.ui import theme
from app.ui.nothing_yet import NothingOr, nothing_yet
from app.ui.page import Page
from app.ui.pictures import PictureCard, PictureLoader, PictureStrip
from app.ui.plots import ask_where, save_plot
from app.ui.small_widgets import button, column, label, panel, row, scrolled
from app.ui.text import tr, trn
from app.ui.work_bar import WorkBar
from app.workspace.colourings import Colouring
from app.workspace.features import Features
from app.workspace.runs import RunRow
from migrations.study.names import split_item

_SHOWN = 10
_MAP_PX, _HOVER_PX, _STRIP_PX = 240, 160, 80
_NOTHING = Colouring("", "")


class FeaturesPage(Page):
    """Shows the features of one run, and those of another for comparison.

    Signals
    -------
    run_chosen : str
        The run whose features should be shown.
    other_chosen : str
        The run whose neighbours are shown below, "" for none.
    map_chosen : str
        "pca" or "umap".
    lassoed : object
        Ids of the images inside a drawn line.
    """

    run_chosen = Signal(str)
    other_chosen = Signal(str)
    map_chosen = Signal(str)
    lassoed = Signal(object)

    def __init__(self, loader: PictureLoader) -> None:
        super().__init__("features", tr("Features"))
        self.features: Features | None = None
        self.other: Features | None = None
        self._names: Mapping[str, str] = {}
        self._colours: dict[str, Colouring] = {}
        self.runs, self.others, self.maps, self.by = (QComboBox() for _ in range(4))
        for box, name, spoken in (
            (self.runs, "features_run", tr("Run")),
            (self.others, "features_other", tr("Other run")),
            (self.maps, "features_mapping", tr("Map")),
            (self.by, "features_by", tr("Colour by")),
        ):
            box.setObjectName(name)
            box.setAccessibleName(spoken)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        for text, value in (("PCA", "pca"), ("UMAP", "umap")):
            self.maps.addItem(tr(text), value)
        self.runs.activated.connect(lambda _i: self.run_chosen.emit(self.runs.currentData()))
        self.others.activated.connect(lambda _i: self.other_chosen.emit(self.others.currentData()))
        self.maps.activated.connect(lambda _i: self.map_chosen.emit(self.maps.currentData()))
        self.by.currentIndexChanged.connect(lambda _i: self._draw())
        self.draw = button("lasso_features", tr("Lasso to cohort"), lambda: None)
        self.draw.setCheckable(True)
        self.draw.setToolTip(
            tr("Draw a line around points to show the readings of their images in the cohort.")
        )
        by = label(tr("Colour by"), "hint", wrap=False)
        chosen = row(self.runs, self.maps, by, self.by, stretch=True)
        chosen.addWidget(self.draw)
        chosen.addWidget(button("save_features", tr("Save plot…"), self._save))
        self._chooser = QWidget()
        self._chooser.setLayout(chosen)
        self.body.addWidget(self._chooser)
        self.work = WorkBar("features_work")
        self.body.addWidget(self.work)
        content = row(gap=2 * theme.GRID)
        self.points = FeaturesMap()
        self.map, self.lasso = self.points.plot, self.points.lasso
        self.points.pointed.connect(self._show)
        self.points.clicked.connect(self.choose)
        self.points.drawn.connect(self._drawn)
        self.draw.toggled.connect(self._draw_wanted)
        self.map.setMinimumHeight(_MAP_PX)
        self.map.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        content.addWidget(self.map, 1)
        content.addWidget(self._make_hover(loader))
        inside = QWidget()
        lines = column(inside)
        lines.addLayout(content, 1)
        self._make_strips(loader, lines)
        nothing = nothing_yet(
            "features",
            tr("No encoder yet"),
            tr("An encoder turns each image into a list of numbers: its features. Here they are "
               "drawn as a map, on which images that the encoder takes for alike lie together."),
        )  # fmt: skip
        self._shown = NothingOr(nothing, scrolled(inside))
        self.body.addWidget(self._shown, 1)
        self.show_runs((), "", "")

    def show_runs(self, rows: Sequence[RunRow], chosen: str, other: str) -> None:
        """List the runs that have an encoder."""
        finished = [run for run in rows if run.encoder is not None]
        for box, mark in ((self.runs, chosen), (self.others, other)):
            box.clear()
            if box is self.others:
                box.addItem(tr("no other run"), "")
            for run in finished:
                box.addItem(run.title, run.id)
            box.setCurrentIndex(max(0, box.findData(mark)))
        self._chooser.setVisible(bool(finished))
        self._shown.show_content(bool(finished))
        if not finished:
            self.say_state(tr("No encoder yet. Press Pretrain; its features appear here."))
        elif self.features is None:
            self.say_state(tr("Features are computed once for each run and then kept."))

    def show_features(
        self,
        features: Features,
        points: NDArray[np.float32],
        axes: tuple[str, str],
        names: Mapping[str, str],
        colours: Sequence[Colouring],
    ) -> None:
        """Show a map (N, 2) with named axes; `colours` is what its images can be coloured by."""
        self.features, self._names = features, names
        self._shown.show_content(True)
        self._colours = {one.key: one for one in colours}
        self.points.show_points(points, axes)
        self._offer_colours()
        self.say_state(self._how())
        self._draw()
        if features.ids:
            self.choose(0)

    def show_other(self, features: Features | None) -> None:
        """Show the neighbours in another run's features too."""
        self.other = features
        self.near_other.setVisible(features is not None)
        if self.features is not None:
            self.choose(self._selected)

    def choose(self, index: int) -> None:
        """Show an image's neighbours."""
        assert self.features is not None
        self._selected = index
        self._show(index)
        image_id = self.features.ids[index]
        self.near.show_images(self._strip(self.features, image_id))
        self.near_other.show_images(self._strip(self.other, image_id))

    def _strip(self, features: Features | None, image_id: str) -> list[tuple[str, str]]:
        if features is None or image_id not in features.ids:
            return []
        found = features.neighbours(features.ids.index(image_id), _SHOWN)
        classes = self._colours.get("label", _NOTHING).of(features.ids[i] for i, _ in found)
        return [(image_id, tr("This image"))] + [
            (
                features.ids[i],
                f"{self._names.get(features.ids[i], '')} {cosine:.3f} "
                f"{classes.said(features.ids[i])}".strip(),
            )
            for i, cosine in found
        ]

    def _show(self, index: int) -> None:
        assert self.features is not None
        image_id = self.features.ids[index]
        said = [self._names.get(image_id, image_id)]
        for key in dict.fromkeys(("label", "reader", str(self.by.currentData()))):
            known = self._colours.get(key, _NOTHING).of((image_id,))
            said.append(known.said(image_id))
        self.hover.show_image(image_id, ", ".join(filter(None, said)), heat=True)

    def _make_hover(self, loader: PictureLoader) -> QFrame:
        frame, layout = panel()
        layout.addWidget(label(tr("Under the pointer"), "heading"))
        self.hover = PictureCard(loader, _HOVER_PX)
        self._selected = 0
        layout.addWidget(self.hover)
        layout.addStretch(1)
        return frame

    def _make_strips(self, loader: PictureLoader, lines: QVBoxLayout) -> None:
        self.near, self.near_other = (PictureStrip(loader, _STRIP_PX) for _ in range(2))
        self.near.chosen.connect(self._clicked)
        self.near_other.chosen.connect(self._clicked)
        lines.addWidget(label(tr("Nearest in these features"), "hint"))
        lines.addWidget(self.near)
        line = row(
            label(tr("Nearest in the features of"), "hint", wrap=False), self.others, stretch=True
        )
        lines.addLayout(line)
        lines.addWidget(self.near_other)
        self.near_other.hide()

    def _offer_colours(self) -> None:
        """Offer every column that is known for an image; the current choice stays."""
        chosen = self.by.currentData()
        self.by.blockSignals(True)
        self.by.clear()
        for one in self._colours.values():
            self.by.addItem(tr(one.title), one.key)
        self.by.setCurrentIndex(max(0, self.by.findData(chosen)))
        self.by.blockSignals(False)

    def _draw(self) -> None:
        if self.features is not None:
            ids = self.features.ids
            known = self._colours.get(self.by.currentData(), _NOTHING)
            self.points.colour(ids, known.of(ids))

    def _draw_wanted(self, on: bool) -> None:
        self.lasso.on = on
        if self.features is not None:
            begun = tr(
                "Draw a line around points with the mouse, or press the button again to stop."
            )
            self.say_state(begun if on else self._how())

    def _how(self) -> str:
        return trn(
            "{count} image. Point at it to see it.",
            "{count} images. Point at one to see it; click it to see its neighbours.",
            0 if self.features is None else len(self.features.ids),
        )

    def _drawn(self, places: Sequence[int]) -> None:
        if self.features is None:
            return
        ids = [self.features.ids[k] for k in places]
        if ids:
            self.draw.setChecked(False)
            self.lassoed.emit(sorted({split_item(id_)[0] for id_ in ids}))
        else:
            self.say_state(tr("There is no point inside that line."), "warning")

    def _clicked(self, image_id: str) -> None:
        if self.features is not None and image_id in self.features.ids:
            self.choose(self.features.ids.index(image_id))

    def _save(self) -> None:
        item = self.map.getPlotItem()
        ask_where(self, "features", lambda path: save_plot(item, path))
