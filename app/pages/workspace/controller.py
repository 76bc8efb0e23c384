"""Fills the pages of the researcher's workspace, off the GUI thread."""

import shutil
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from PySide6.QtCore import QObject

from app.pages.workspace.audit_controller import AuditController
from app.pages.workspace.audit_page import AuditPage
from app.pages.workspace.cohort_controller import CohortController
from app.pages.workspace.cohort_page import CohortPage
from app.pages.workspace.features_controller import FeaturesController
from app.pages.workspace.features_page import FeaturesPage
from app.pages.workspace.runs_page import RunsPage
from app.pages.workspace.similarity_controller import SimilarityController
from app.pages.workspace.similarity_page import SimilarityPage
from app.ui.background import run
from app.ui.job import JobContext
from app.ui.page import Page
from app.ui.pictures import PictureLoader
from app.ui.side_process import SideProcess
from app.ui.text import tr
from app.workspace.pictures import Pictures
from app.workspace.run_edits import delete, edit
from app.workspace.runs import RunRow, runs
from migrations.study.folder import Study

_PAGES = ("cohort", "similarity", "runs", "features", "audit")


class WorkspaceController(QObject):
    """Makes each page when it is first requested, and fills it."""

    def __init__(self, context: JobContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._tell_error, self._go = context.show_error, context.go
        self._study: Study | None = None
        self._runs: tuple[RunRow, ...] = ()
        self.loader = PictureLoader(self)
        self.side = SideProcess(self)

    @cached_property
    def _cohort(self) -> CohortController:
        made = CohortController(CohortPage(), self._context, self)
        made.set_study(self._study)
        return made

    @cached_property
    def _audit(self) -> AuditController:
        made = AuditController(AuditPage(), self._tell_error, self)
        made.set_study(self._study)
        return made

    @cached_property
    def _similarity(self) -> SimilarityController:
        page = SimilarityPage(self.loader)
        made = SimilarityController(page, self.side, self._tell_error, self)
        made.set_study(self._study)
        return made

    @cached_property
    def _features(self) -> FeaturesController:
        page = FeaturesPage(self.loader)
        page.lassoed.connect(self._show_in_cohort)
        made = FeaturesController(page, self.side, self._tell_error, self)
        made.set_study(self._study)
        return made

    @cached_property
    def runs(self) -> RunsPage:
        """The page of the runs."""
        page = RunsPage()
        page.export_wanted.connect(self._export)
        page.reproduce_wanted.connect(
            lambda run_id: self._context.notices.reproduce_wanted.emit(self._run(run_id))
        )
        page.features_wanted.connect(self._show_features)
        page.edited.connect(self._edit_run)
        page.delete_wanted.connect(self._delete_runs)
        return page

    @property
    def cohort(self) -> CohortPage:
        """The page of the cohort."""
        return self._cohort.page

    @property
    def similarity(self) -> SimilarityPage:
        """The page of the gaze similarity."""
        return self._similarity.page

    @property
    def features(self) -> FeaturesPage:
        """The page of the features."""
        return self._features.page

    @property
    def audit(self) -> AuditPage:
        """The page of the audit trail."""
        return self._audit.page

    def page(self, name: str) -> Page | None:
        """Return a page by its name, made now if necessary; None for another job's."""
        return getattr(self, name) if name in _PAGES else None

    def set_study(self, study: Study | None) -> None:
        """Show this study from now on."""
        self._study = study
        self.loader.set_pictures(None if study is None else Pictures(study))
        for name in ("_cohort", "_audit", "_similarity", "_features"):
            if (made := self.__dict__.get(name)) is not None:
                made.set_study(study)

    def refresh(self, page: str) -> None:
        """Read again what a page shows."""
        if self._study is None:
            return
        if page == "cohort":
            self._cohort.refresh()
        elif page == "audit":
            self._audit.refresh()
        elif page == "similarity":
            self._similarity.refresh()
        elif page in ("runs", "features"):
            self._load_runs(self._study)

    def close(self) -> None:
        """End what runs beside the pages; pre-trainings continue."""
        self.side.close()
        self.loader.set_pictures(None)

    def _load_runs(self, study: Study) -> None:
        def shown(found: tuple[RunRow, ...]) -> None:
            if study is not self._study:
                return
            self._runs = found
            if "runs" in self.__dict__:
                self.runs.show_runs(found)
            if "_features" in self.__dict__:
                self._features.show_runs(found)

        run(
            self,
            lambda: runs(study),
            shown,
            lambda e: self._tell_error(tr("The runs cannot be read"), e),
        )

    def _show_features(self, run_id: str) -> None:
        self._go("features")
        self._features.choose(run_id)

    def _show_in_cohort(self, image_ids: Sequence[str]) -> None:
        self.cohort.narrow_to(image_ids)
        self._go("cohort")

    def _run(self, run_id: str) -> RunRow:
        return next(row for row in self._runs if row.id == run_id)

    def _edit_run(self, run_id: str, name: str, tags: Sequence[str], note: str) -> None:
        if (study := self._study) is not None:
            run(
                self,
                lambda: edit(study, run_id, name, tags, note),
                lambda _done: self._load_runs(study),
                lambda e: self._tell_error(tr("The run could not be changed"), e),
            )

    def _delete_runs(self, run_ids: Sequence[str]) -> None:
        study, chosen = self._study, [self._run(run_id) for run_id in run_ids]
        if study is None:
            return

        def work() -> None:
            for one in chosen:
                delete(study, one)

        def failed(error: Exception) -> None:
            self._load_runs(study)
            self._tell_error(tr("The run could not be deleted"), error)

        run(self, work, lambda _done: self._load_runs(study), failed)

    def _export(self, run_id: str, target: Path) -> None:
        encoder = self._run(run_id).encoder
        assert encoder is not None
        card = encoder.with_name("README.md")

        def copy() -> None:
            shutil.copyfile(encoder, target)
            if card.is_file():
                shutil.copyfile(card, target.with_suffix(".md"))

        run(
            self,
            copy,
            lambda _done: self.runs.say_state(tr("✓ Exported to {path}.", path=target)),
            lambda e: self._tell_error(tr("{path} cannot be written", path=target), e),
        )
