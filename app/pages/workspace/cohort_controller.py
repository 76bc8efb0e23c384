"""Fills the page of the cohort, and records what is decided on it."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from app.pages.workspace.cohort_columns import cohort_columns
from app.pages.workspace.cohort_page import CohortPage, searched_words
from app.ui.background import run
from app.ui.job import JobContext
from app.ui.text import tr, trn
from app.workspace.cohort import cohort_rows
from app.workspace.cohort_edits import Edited, EditRefused, Told, decide, tell_images
from app.workspace.cohort_missing import missing
from migrations.study.folder import Study


class CohortController(QObject):
    """Reads and writes off the GUI thread."""

    def __init__(self, page: CohortPage, context: JobContext, parent: QObject) -> None:
        super().__init__(parent)
        self.page = page
        self._tell_error = context.show_error
        self._study: Study | None = None
        self._folder: Path | None = None
        page.decided.connect(self._decide)
        page.told.connect(self._tell)
        page.replay_wanted.connect(context.notices.replay_wanted)

    def set_study(self, study: Study | None) -> None:
        """Show this study's readings."""
        if study is not self._study:
            self.page.widen()  # a lasso's images are those of the previous study
            if study is not None and study.folder != self._folder:
                self.page.by.clear()
                self._folder = study.folder
        self._study = study

    def refresh(self, then: Callable[[], object] = lambda: None) -> None:
        """Read the readings again."""
        study = self._study
        if study is None:
            return

        def load() -> Any:
            rows = cohort_rows(study)
            return rows, missing(study, rows), searched_words(cohort_columns(), rows)

        def shown(found: Any) -> None:
            if study is self._study:
                self.page.show_rows(*found)
                then()

        run(self, load, shown, lambda e: self._tell_error(tr("The cohort cannot be read"), e))

    def _decide(self, reading_ids: Iterable[str], keep: bool | None, reason: str) -> None:
        study = self._study
        if study is None:
            return
        person = self.page.by.person
        run(
            self,
            lambda: decide(study, reading_ids, keep, reason, person=person),
            lambda _done: self.refresh(),
            lambda e: self._tell_error(tr("The choice could not be recorded"), e),
        )

    def _tell(self, case_id: str, what: str, typed: str) -> None:
        study = self._study
        if study is None:
            return
        meant: Told = "split" if what == "split" else "label"
        person = self.page.by.person

        def done(edited: Edited) -> None:
            self.refresh(lambda: self.page.say_state(_said(edited)))

        def failed(error: Exception) -> None:
            if isinstance(error, EditRefused):
                self.page.say_state(str(error), "warning")
            else:
                self._tell_error(tr("The change could not be recorded"), error)

        run(self, lambda: tell_images(study, case_id, meant, typed, person=person), done, failed)


def _said(edited: Edited) -> str:
    text = trn("✓ {count} image changed.", "✓ {count} images changed.", edited.images)
    if not edited.elsewhere:
        return text
    return f"{text} " + trn(
        "{count} of them is in another case of the same patient: a patient belongs to one split.",
        "{count} of them are in other cases of the same patient: a patient belongs to one split.",
        edited.elsewhere,
    )
