"""From the start page to an open study: an existing one by its folder, a new one step by step."""

import logging
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from app.pages.worklist.controller import WorklistController
from app.shell.new_study.plan import NewStudy
from app.shell.recent import recent_studies
from app.shell.shell import Shell
from app.ui.text import tr
from migrations.study.errors import StudyError
from migrations.study.folder import Study

log = logging.getLogger(__name__)


class StudyChooser:
    """Opens what the start page asks for; problems with a folder are shown there.

    Parameters
    ----------
    chosen
        Called with the open study.
    worklist
        Imports the images of a new study, and knows the trackers.
    """

    def __init__(
        self, shell: Shell, chosen: Callable[[Study], object], worklist: WorklistController
    ) -> None:
        self._shell, self._chosen, self._worklist = shell, chosen, worklist
        self._left = ""
        shell.window.new_study_wanted.connect(self.begin_new)
        shell.start.open_requested.connect(self._ask_folder)
        shell.start.create_requested.connect(self.begin_new)
        shell.start.study_chosen.connect(self.open)
        shell.new_study.made.connect(self.create)
        shell.new_study.cancelled.connect(self._go_back)
        worklist.devices.changed.connect(self._show_trackers)

    def show_recent(self) -> None:
        """Show the start page with the recently opened studies."""
        self._shell.start.show_recent(recent_studies())
        self._shell.window.show_page("start")

    def open(self, folder: Path) -> None:
        """Open a study's folder."""
        try:
            self._chosen(Study.open(folder, durable=True))
        except StudyError as error:
            log.warning("A study could not be opened.", exc_info=True)
            self._shell.refuse_study(error)

    def begin_new(self) -> None:
        """Ask for a new study, resuming where it was left."""
        page, window = self._shell.new_study, self._shell.window
        self._left = "" if window.bare else window.current  # no study: nothing to navigate
        self._show_trackers()
        window.show_page("new_study")
        page.show_step(page.step)

    def create(self, plan: NewStudy) -> None:
        """Make a study, open it, take its tracker and import its images."""
        try:
            study = Study.create(plan.folder, plan.settings, durable=True)
        except (StudyError, OSError) as error:
            log.warning("A study could not be made.", exc_info=True)
            self._shell.new_study.say_refused(str(error))
            return
        self._chosen(study)
        self._shell.new_study.clear()
        if plan.device_id:
            self._worklist.devices.choose(plan.device_id)
        if plan.images and self._worklist.imports.study is study:
            self._worklist.imports.start(plan.images)

    def _go_back(self) -> None:
        """Show the page from which the wizard was opened: of the open study, or the start page."""
        if self._left:
            self._shell.window.page_wanted.emit(self._left)
        else:
            self.show_recent()

    def _show_trackers(self) -> None:
        found = self._worklist.devices.found
        self._shell.new_study.show_trackers(found.trackers if found else ())

    def _ask_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self._shell.window, tr("Open a study's folder"))
        if name:
            self.open(Path(name))
