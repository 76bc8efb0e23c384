"""Fills the page of gaze similarity: stored relations, their order, agreement, new ones."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QObject

from app.pages.workspace.similarity_page import SimilarityPage
from app.ui.background import run
from app.ui.side_process import SideProcess
from app.ui.text import tr
from app.workspace.ordering import order_of
from app.workspace.pair_purity import labels_of, pair_purity
from app.workspace.similarity import (
    SimilarityChoice,
    StoredRelation,
    agreement,
    load_stored_relation,
    similarity_choices,
)
from migrations.study.evidence import CohortEvidence, kept_evidence
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
        self._computing = False
        side.told.connect(self._take)
        page.work.stop_wanted.connect(self._stop)

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
        self._page.show_busy(tr("Ordering the matrix so that similar images lie together…"))

        def load() -> Any:
            relation, order = load_stored_relation(choice.path), order_of(choice.path)
            relation.prepare()
            purity = pair_purity(relation, labels_of(study))
            return relation, image_names(study), order, relation.overview(order), purity

        def loaded(found: Any) -> None:
            self._page.show_idle()
            self._page.show_relation(*found)
            self._page.show_readers(*between_readers(choice.details))
            self._page.show_evidence(self._evidence(choice))
            self._compare(choice, found[0])

        run(self, load, loaded, self._failed)

    def _compare(self, choice: SimilarityChoice, shown: StoredRelation) -> None:
        """Report how well the newest run of each other measure on the same cohort agrees."""
        others: dict[str, SimilarityChoice] = {}
        for other in self._choices:
            if other.fingerprint == choice.fingerprint and other.measure != choice.measure:
                others.setdefault(other.measure, other)

        def compute() -> list[str]:
            relations = [shown, *(load_stored_relation(o.path) for o in others.values())]
            found = agreement(relations)[0, 1:] if others else np.empty(0)
            return [
                tr(
                    "{one} and {other}: rank correlation {value:.2f}",
                    one=choice.measure,
                    other=name,
                    value=value,
                )
                for name, value in zip(others, found, strict=True)
            ]

        run(self, compute, self._page.show_agreement, self._failed)

    def _evidence(self, choice: SimilarityChoice) -> CohortEvidence | None:
        """Return the evidence for the cohort of a run, computed by this run or another one."""
        of_cohort = [choice, *(c for c in self._choices if c.fingerprint == choice.fingerprint)]
        found = (kept_evidence(each.details) for each in of_cohort)
        return next((each for each in found if each is not None), None)

    def _compute(self, measure: str) -> None:
        study = self._study
        if study is None:
            return
        words = ["similarity", "--gaze", str(study.folder), "--measure", measure]
        words += ["--events", "json"]
        words += ["--database", SERVER] if study.reads_server else []

        def done() -> None:
            self._idle()
            self._shown = ""
            self.refresh()

        def failed(text: str) -> None:
            self._idle()
            self._page.say_state(text, "error")

        def stopped() -> None:
            self._idle()
            self._page.say_state(tr("Stopped. Nothing was saved."))

        if self._side.start(words, done, failed, stopped):
            self._computing = True
            self._page.show_busy(tr("Comparing gaze by {measure}…", measure=measure))
            self._page.work.begin(tr("Comparing gaze by {measure}.", measure=measure))
        else:
            self._page.say_state(
                tr("Another computation is running. Try again when it has finished."), "warning"
            )

    def _take(self, event: dict[str, Any]) -> None:
        if self._computing:
            self._page.work.take(event)

    def _stop(self) -> None:
        if self._computing:
            self._side.stop()

    def _idle(self) -> None:
        self._computing = False
        self._page.show_idle()

    def _failed(self, error: Exception) -> None:
        self._page.show_idle()
        self._tell_error(tr("The gaze similarity cannot be shown"), error)


def between_readers(
    details: Mapping[str, Any],
) -> tuple[str, Sequence[tuple[str, str, float, float, int]]]:
    """Return whether gaze depends on the case, in words, and the same for each two readers.

    A row: two readers, how similar their readings of one case are, and of different cases, and the
    number of pairs of one case.
    """
    split = (details.get("findings") or {}).get("case_split")
    if not split:
        nobody = tr("No case was read by two readers, so whether gaze carries the case cannot be "
                    "tested.")  # fmt: skip
        return nobody, ()
    said = tr(
        "Mean similarity of two readers: {within:.3f} on the same case, {between:.3f} on different "
        "cases. The pair on the same case is more similar in {share:.0%} of draws (50 %: gaze says "
        "nothing about the case).",
        within=split["within_mean"],
        between=split["between_mean"],
        share=split["separation"],
    )
    return said, [tuple(line) for line in split.get("by_readers", ())]


def image_names(study: Study) -> Mapping[str, str]:
    """Return the name of each image, by its id."""
    with study.database.read() as session:
        return names_of(session, "image")
