"""What fills the pages of the researcher's workspace, off the GUI thread."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from app.pages.workspace.cohort_page import CohortPage
from app.pages.workspace.features_controller import FeaturesController
from app.pages.workspace.features_page import FeaturesPage
from app.pages.workspace.runs_page import RunsPage
from app.pages.workspace.similarity_controller import SimilarityController
from app.pages.workspace.similarity_page import SimilarityPage
from app.ui.background import run
from app.ui.job import JobContext
from app.ui.pictures import PictureLoader
from app.ui.side_process import SideProcess
from app.workspace.cohort import cohort_rows, decide, missing
from app.workspace.pictures import Pictures
from app.workspace.runs import RunRow, runs
from migrations.study.folder import Study


class WorkspaceController(QObject):
    """Makes and fills the pages."""

    def __init__(self, context: JobContext, parent: QObject) -> None:
        super().__init__(parent)
        tell_error = self._tell_error = context.show_error
        self._go = context.go
        self._study: Study | None = None
        self._runs: tuple[RunRow, ...] = ()
        loader = self.loader = PictureLoader(self)
        self.cohort, self.runs = CohortPage(), RunsPage()
        self.similarity, self.features = SimilarityPage(loader), FeaturesPage(loader)
        self.side = SideProcess(self)
        self._similarity = SimilarityController(self.similarity, self.side, tell_error, self)
        self._features = FeaturesController(self.features, self.side, tell_error, self)
        self.cohort.decided.connect(self._decide)
        self.cohort.replay_wanted.connect(context.notices.replay_wanted)
        self.runs.export_wanted.connect(self._export)
        self.runs.reproduce_wanted.connect(
            lambda run_id: context.notices.reproduce_wanted.emit(self._run(run_id))
        )
        self.runs.features_wanted.connect(self._show_features)

    @property
    def pages(self) -> dict[str, Any]:
        """The pages by name."""
        return {
            "cohort": self.cohort,
            "similarity": self.similarity,
            "runs": self.runs,
            "features": self.features,
        }

    def set_study(self, study: Study | None) -> None:
        """Show this study from now on."""
        self._study = study
        self.loader.set_pictures(None if study is None else Pictures(study))
        self._similarity.set_study(study)
        self._features.set_study(study)

    def refresh(self, page: str) -> None:
        """Read again what a page shows."""
        if self._study is None:
            return
        if page == "cohort":
            self._load_cohort(self._study)
        elif page == "similarity":
            self._similarity.refresh()
        elif page in ("runs", "features"):
            self._load_runs(self._study)

    def close(self) -> None:
        """End what runs beside the pages; pre-trainings go on."""
        self.side.close()
        self.loader.set_pictures(None)

    def _load_cohort(self, study: Study) -> None:
        def load() -> Any:
            rows = cohort_rows(study)
            return rows, missing(study, rows)

        def shown(found: Any) -> None:
            if study is self._study:
                self.cohort.show_rows(*found)

        run(self, load, shown, lambda e: self._tell_error("The cohort cannot be read", e))

    def _load_runs(self, study: Study) -> None:
        def shown(found: tuple[RunRow, ...]) -> None:
            if study is self._study:
                self._runs = found
                self.runs.show_runs(found)
                self._features.show_runs(found)

        run(self, lambda: runs(study), shown, lambda e: self._tell_error("No runs", e))

    def _decide(self, reading_ids: Iterable[str], keep: bool | None, reason: str) -> None:
        study = self._study
        if study is None:
            return
        run(
            self,
            lambda: decide(study, reading_ids, keep, reason),
            lambda _done: self._load_cohort(study),
            lambda e: self._tell_error("The choice could not be recorded", e),
        )

    def _show_features(self, run_id: str) -> None:
        self._go("features")
        self._features.choose(run_id)

    def _run(self, run_id: str) -> RunRow:
        return next(row for row in self._runs if row.id == run_id)

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
            lambda _done: self.runs.say_state(f"✓ Exported to {target}"),
            lambda e: self._tell_error(f"{target} cannot be written", e),
        )
