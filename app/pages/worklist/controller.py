"""The worklist: its cases, its readers, what can be done next; imports and trackers beside it."""

from dataclasses import replace

from sqlalchemy import func, select

from app.pages.worklist.devices import DeviceController
from app.pages.worklist.importing import ImportController
from app.pages.worklist.page import WorklistPage
from app.recording.worklist import WorklistRow, readers_of, why_not_read, worklist
from app.ui.background import Task, run
from app.ui.gui_thread import is_alive
from app.ui.job import JobContext, JobPage, StationJob
from app.ui.text import tr, trn
from migrations.study.folder import Study
from migrations.study.schema import StudyCase

_LARGE = 1000
"""Cases from which on the list is read beside the window: so many take some 40 ms."""


class WorklistController(StationJob):
    """Fills the worklist for the reader at the station.

    Attributes
    ----------
    imports, devices
        Import into the study; the trackers that are attached.
    """

    def __init__(self, context: JobContext) -> None:
        super().__init__(context)
        page = self.page = WorklistPage()
        self.pages = (JobPage("worklist", page, tr("Worklist"), "reader"),)
        self._study: Study | None = None
        self._is_large = False
        self._reading = 0
        self._is_stale = False
        self._task: Task | None = None
        self.imports = ImportController(page, self)
        self.devices = DeviceController(page, context.device_id, self)
        self.imports.changed.connect(context.notices.cases_changed)
        context.notices.study_changed.connect(self.refresh)
        page.reading_wanted.connect(lambda: context.go("reading"))
        page.clearing_wanted.connect(lambda: context.go("clearing"))

    def open(self, study: Study) -> None:
        """Show the cases of this study and import into it."""
        self._study = study
        with study.database.read() as session:
            count = session.scalar(select(func.count()).select_from(StudyCase)) or 0
        self._is_large = count > _LARGE
        self.imports.set_study(study)
        self.page.thumbnails.set_study(study)
        self.devices.set_study(study)

    def refresh(self) -> None:
        """Read the cases again, and say whether any can be read."""
        study, reader = self._study, self.context.reader
        if study is None:
            return
        if not self._is_large:
            self._reading += 1
            self._show(worklist(study, reader.name or ""))
            return
        self.page.show_loading()
        self._is_stale = self._task is not None
        if not self._is_stale:  # two at once would take turns with the window
            self._read(study, reader.name or "")

    def _read(self, study: Study, name: str) -> None:
        """Read the cases beside the window, and once more if that was asked for meanwhile."""
        self._reading += 1
        number = self._reading

        def ended() -> bool:
            self._task = None
            if self._is_stale:
                self._is_stale = False
                self.refresh()
                return False
            return number == self._reading and self._study is study  # else it was asked anew

        def took(rows: list[WorklistRow]) -> None:
            if ended():
                self._show(rows)

        def failed(error: Exception) -> None:
            if ended():
                self.context.show_error(tr("The worklist cannot be read"), error)

        self._task = run(self, lambda: worklist(study, name), took, failed)

    def _show(self, rows: list[WorklistRow]) -> None:
        study, reader = self._study, self.context.reader
        assert study is not None
        self._is_large = len(rows) > _LARGE
        if not reader.cleared_only:
            rows = [replace(row, to_clear=0) for row in rows]
        self.page.show_rows(rows)
        self.page.show_readers(readers_of(study, reader.name), reader.name)
        why_not = why_not_read(rows, reader.name)
        self.page.show_ready(not why_not, not why_not, why_not)
        self.context.notices.reading_allowed.emit(why_not)

    def say_cut_off(self, count: int) -> None:
        """Say that so many readings were open when the station stopped."""
        text = trn(
            "{count} reading was interrupted when the station stopped. "
            "The case will be shown again.",
            "{count} readings were interrupted when the station stopped. "
            "The cases will be shown again.",
            count,
        )
        self.page.say_state(text, "warning")

    def close(self) -> None:
        """Stop an import after the file at hand, and wait for a search for trackers."""
        self._reading += 1
        self._is_stale = False
        if self._task is not None and is_alive(self._task):
            self._task.wait()
        self.imports.close()
        self.devices.close()
        self.page.thumbnails.set_study(None)
        self._study = None
