"""The progress page, read again whenever it is shown; plans and case sheets are imported here."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from app.pages.progress.page import ProgressPage
from app.ui.background import Task, run
from app.ui.dialogs import ConfirmDialog
from app.ui.gui_thread import is_alive
from app.ui.job import JobContext, JobPage, StationJob
from app.ui.text import tr, trn
from migrations.study.assignments import assign_from_csv
from migrations.study.case_sheets import read_sheets
from migrations.study.errors import UnknownReaders
from migrations.study.folder import Study
from migrations.study.progress import Progress, progress_of

_Read = tuple[list[Progress], str]


class ProgressController(StationJob):
    """Shows the readers' progress in the study that is open."""

    def __init__(self, context: JobContext) -> None:
        super().__init__(context)
        page = self.page = ProgressPage()
        self.pages = (JobPage("progress", page, tr("Progress"), "researcher"),)
        self._study: Study | None = None
        self._task: Task | None = None
        page.plan_wanted.connect(lambda: self._ask(tr("A plan of readings"), self.take_plan))
        page.sheets_wanted.connect(lambda: self._ask(tr("Case sheets"), self.take_sheets))
        context.notices.study_changed.connect(self._refresh_if_shown)

    def open(self, study: Study) -> None:
        """Show this study's readers from now on."""
        self._study = study
        self.page.show_rows(())

    def refresh(self) -> None:
        """Read the readers' progress, off the GUI thread."""
        self._do(lambda study: "")

    def take_plan(self, path: Path, new_readers: tuple[str, ...] = ()) -> None:
        """Import who reads what from a csv, as `db assign` does; asks about new readers."""

        def take(study: Study) -> str:
            with study.database.write() as session:
                made = assign_from_csv(session, study.settings, path, new_readers)
            readings = sum(made.values())
            said = trn("One reading was planned.", "{count} readings were planned.", readings)
            assigns = study.settings.assignment
            if assigns == "csv":
                return said
            if assigns == "all":
                hint = tr(
                    "But every reader still reads every case. To use the plan, set Assign "
                    "cases to By an imported plan in the study settings."
                )
            else:
                hint = tr(
                    "But readers also get the cases that the study assigns to them. To use "
                    "only the plan, set Assign cases to By an imported plan in the study "
                    "settings."
                )
            return f"{said} {hint}"

        self._do(take, lambda error: self._plan_failed(path, error))

    def take_sheets(self, path: Path) -> None:
        """Import case sheets from a csv, as `db sheets` does."""

        def take(study: Study) -> str:
            with study.database.write() as session:
                count = read_sheets(session, path)
            return trn("One case sheet was read.", "{count} case sheets were read.", count)

        self._do(take)

    def close(self) -> None:
        """Wait for what is being read."""
        if self._task is not None and is_alive(self._task):
            self._task.wait()
        self._study = None

    def _do(
        self,
        act: Callable[[Study], str],
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        study = self._study
        if study is None:
            return

        def work() -> _Read:
            said = act(study)
            with study.database.read() as session:
                return progress_of(session, study.settings), said

        def took(read: _Read) -> None:
            if self._study is study:
                self.page.show_rows(*read)

        self._task = run(self, work, took, failed or self._failed)

    def _plan_failed(self, path: Path, error: Exception) -> None:
        if not isinstance(error, UnknownReaders):
            self._failed(error)
            return
        readers, count = ", ".join(error.readers), len(error.readers)
        text = trn(
            "The study does not have this reader yet: {readers}. Add the reader?",
            "The study does not have these {count} readers yet: {readers}. Add them?",
            count, readers=readers,
        )  # fmt: skip
        act = ("add_readers", tr("Add"), lambda: self.take_plan(path, error.readers))
        ConfirmDialog(self.page, tr("New readers"), text, act, tr("Cancel")).open()

    def _failed(self, error: Exception) -> None:
        self.context.show_error(tr("The study was not changed"), error)

    def _refresh_if_shown(self) -> None:
        if self.context.window.current == "progress":
            self.refresh()

    def _ask(self, title: str, take: Callable[[Path], None]) -> None:
        name, _ = QFileDialog.getOpenFileName(self.page, title, "", tr("Tables (*.csv)"))
        if name:
            take(Path(name))
