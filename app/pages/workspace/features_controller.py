"""Fills the page of features: computed by the trainer alongside the station, kept with the run."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from app.pages.workspace.features_page import FeaturesPage
from app.pages.workspace.similarity_controller import image_names
from app.ui.background import run
from app.ui.side_process import SideProcess
from app.ui.text import tr
from app.workspace.colourings import Colouring, colourings
from app.workspace.features import (
    Features,
    clusters,
    load_features,
    map_pca,
    map_umap,
)
from app.workspace.runs import RunRow
from migrations.study.folder import Study
from migrations.study.names import item_of_frame


class FeaturesController(QObject):
    """Computes missing features, maps them, shows them."""

    def __init__(
        self,
        page: FeaturesPage,
        side: SideProcess,
        tell_error: Callable[[str, Exception | str], object],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._page = self.page = page
        self._side, self._tell_error = side, tell_error
        self._study: Study | None = None
        self._runs: tuple[RunRow, ...] = ()
        self._chosen = self._other = ""
        self._map = "pca"
        side.told.connect(self._told)
        page.work.stop_wanted.connect(side.stop)
        page.run_chosen.connect(self.choose)
        page.other_chosen.connect(self._choose_other)
        page.map_chosen.connect(self._choose_map)

    def set_study(self, study: Study | None) -> None:
        """Show this study's encoders."""
        self._study, self._runs, self._chosen, self._other = study, (), "", ""

    def show_runs(self, rows: Sequence[RunRow]) -> None:
        """List runs; the newest encoder is shown unless another one is."""
        self._runs = tuple(row for row in rows if row.encoder is not None)
        known = {row.id for row in self._runs}
        self._page.show_runs(self._runs, self._chosen, self._other)
        if self._chosen not in known and self._runs and self._page.isVisible():
            self.choose(self._runs[0].id)

    def choose(self, run_id: str) -> None:
        """Show a run's features."""
        self._chosen = run_id
        self._page.show_runs(self._runs, self._chosen, self._other)
        self._with_features(run_id, self._show)

    def _choose_other(self, run_id: str) -> None:
        self._other = run_id
        if not run_id:
            self._page.show_other(None)
            return
        self._with_features(run_id, lambda path: self._load(path, self._page.show_other))

    def _choose_map(self, name: str) -> None:
        self._map = name
        if self._chosen:
            self._with_features(self._chosen, self._show)

    def _with_features(self, run_id: str, then: Callable[[Path], object]) -> None:
        row = next((r for r in self._runs if r.id == run_id), None)
        if row is None or row.encoder is None or self._study is None:
            return
        path = row.folder / "features.npz"
        if path.is_file():
            then(path)
            return
        words = ["encode", "--encoder", str(row.encoder), "--images"]
        words += [str(self._study.folder / "images"), "--out", str(path)]
        words += ["--events", "json"]

        def ended(text: str, role: str) -> None:
            self._page.work.end()
            self._page.say_state(text, role)

        def done() -> None:
            self._page.work.end()
            then(path)

        def stopped() -> None:
            ended(tr("Stopped. Nothing was saved."), "lead")

        if self._side.start(words, done, lambda text: ended(text, "error"), stopped):
            self._page.work.begin(tr("Computing features…"))
        else:
            busy = tr("Another computation is running. Try again when it has finished.")
            self._page.say_state(busy, "warning")

    def _told(self, event: object) -> None:
        # The process serves other pages too: only what this page waits for is shown here.
        if not self._page.work.isHidden() and isinstance(event, dict):
            self._page.work.take(event)

    def _show(self, path: Path) -> None:
        study, mapping = self._study, self._map
        assert study is not None
        self._page.say_state(tr("Drawing the map…"))

        def load() -> Any:
            features = of_images(load_features(path))
            if mapping == "umap":
                points, axes = map_umap(features), (tr("UMAP 1"), tr("UMAP 2"))
            else:
                points, share = map_pca(features)
                first, second = (
                    tr("PC {number} ({share} of the variance)", number=k, share=f"{s:.0%}")
                    for k, s in enumerate(share, start=1)
                )
                axes = first, second
            grouped = dict(zip(features.ids, clusters(features), strict=True))
            colours = (*colourings(study), Colouring("cluster", "Cluster", grouped))
            return features, points, axes, image_names(study), colours

        run(self, load, lambda found: self._page.show_features(*found), self._failed)

    def _load(self, path: Path, shown: Callable[[Features], object]) -> None:
        run(self, lambda: of_images(load_features(path)), shown, self._failed)

    def _failed(self, error: Exception) -> None:
        self._tell_error(tr("The features cannot be shown"), error)


def of_images(features: Features) -> Features:
    """Return features named by image, or frame of a stack: the encoder names files of `images/`."""
    return replace(features, ids=tuple(map(_member, features.ids)))


def _member(name: str) -> str:
    """Return the name for `<image id>/presentation.png` or `<image id>/frames/00041.png`."""
    parts = name.replace("\\", "/").split("/")
    if len(parts) == 3 and parts[1] == "frames" and (number := parts[2].split(".")[0]).isdecimal():
        return item_of_frame(parts[0], int(number))
    return parts[0]
