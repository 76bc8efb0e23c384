"""Fills the page of gaze similarity: stored relations, their order, agreement, new ones."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from PySide6.QtCore import QObject

from app.pages.workspace.similarity_page import SimilarityPage
from app.ui.background import run
from app.ui.side_process import SideProcess
from app.workspace.ordering import order_of
from app.workspace.similarity import (
    SimilarityChoice,
    StoredRelation,
    agreement,
    load_stored_relation,
    similarity_choices,
)
from migrations.study.folder import SERVER, Study
from migrations.study.names import names_of


class SimilarityController(QObject):
    """Loads off the GUI thread; keeps one relation in memory."""

    def __init__(
        self,
        page: SimilarityPage,
        side: SideProcess,
        tell_error: Callable[[str, Exception | str], object],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._page = self.page = page
        self._side, self._tell_error = side, tell_error
        self._study: Study | None = None
        self._choices: tuple[SimilarityChoice, ...] = ()
        self._shown = ""
        page.run_chosen.connect(self._show)
        page.compute_wanted.connect(self._compute)

    def set_study(self, study: Study | None) -> None:
        """Show this study's similarities."""
        self._study, self._choices, self._shown = study, (), ""

    def refresh(self) -> None:
        """List what is stored; the newest is shown unless another one is."""
        study = self._study
        if study is None:
            return

        def listed(found: tuple[SimilarityChoice, ...]) -> None:
            self._choices = found
            shown = self._shown or (found[0].id if found else "")
            self._page.show_runs(found, shown)
            if found and not self._shown:
                self._show(shown)

        run(self, lambda: similarity_choices(study), listed, self._failed)

    def _show(self, run_id: str) -> None:
        study = self._study
        choice = next((c for c in self._choices if c.id == run_id), None)
        if study is None or choice is None:
            return
        self._shown = run_id
        self._page.show_busy("Ordering the matrix so that alike images lie together…")

        def load() -> Any:
            relation, order = load_stored_relation(choice.path), order_of(choice.path)
            relation.prepare()
            return relation, image_names(study), order, relation.overview(order)

        def loaded(found: Any) -> None:
            self._page.show_idle()
            self._page.show_relation(*found)
            self._compare(choice, found[0])

        run(self, load, loaded, self._failed)

    def _compare(self, choice: SimilarityChoice, shown: StoredRelation) -> None:
        """Say how the newest run of each other measure on the same cohort agrees."""
        others: dict[str, SimilarityChoice] = {}
        for other in self._choices:
            if other.fingerprint == choice.fingerprint and other.measure != choice.measure:
                others.setdefault(other.measure, other)

        def compute() -> list[str]:
            relations = [shown, *(load_stored_relation(o.path) for o in others.values())]
            found = agreement(relations)[0, 1:] if others else np.empty(0)
            return [
                f"{choice.measure} and {name}: rank correlation {value:.2f}"
                for name, value in zip(others, found, strict=True)
            ] + between_readers(choice.details)

        run(self, compute, self._page.show_agreement, self._failed)

    def _compute(self, measure: str) -> None:
        study = self._study
        if study is None:
            return
        words = ["similarity", "--gaze", str(study.folder), "--measure", measure]
        words += ["--database", SERVER] if study.reads_server else []

        def done() -> None:
            self._page.show_idle()
            self._shown = ""
            self.refresh()

        def failed(text: str) -> None:
            self._page.show_idle()
            self._page.say_state(text, "error")

        if self._side.start(words, done, failed):
            self._page.show_busy(f"Comparing gaze by {measure}…")
        else:
            self._page.say_state("Something else is being computed; try again.", "warning")

    def _failed(self, error: Exception) -> None:
        self._page.show_idle()
        self._tell_error("The gaze similarity cannot be shown", error)


def between_readers(details: dict[str, Any]) -> list[str]:
    """Say whether gaze carries the case: two readers of one case against readers of two."""
    split = (details.get("findings") or {}).get("case_split")
    if not split:
        return ["No case was read by two readers: whether gaze carries the case is not known."]
    return [
        f"Two readers of one case: {split['within_mean']:.3f} alike; of two cases: "
        f"{split['between_mean']:.3f}. A pair of one case is the more alike one in "
        f"{split['separation']:.0%} of draws (50 %: gaze says nothing of the case)."
    ]


def image_names(study: Study) -> Mapping[str, str]:
    """Return what each image is called, by its id."""
    with study.database.read() as session:
        return names_of(session, "image")
