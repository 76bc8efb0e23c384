"""From the start page to an open study: asked for by its folder, opened or made."""

import logging
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from app.shell.recent import recent_studies
from app.shell.shell import Shell
from migrations.study.errors import StudyError
from migrations.study.folder import Study
from migrations.study.settings import StudySettings

log = logging.getLogger(__name__)


class StudyChooser:
    """Opens what the start page asks for; what is wrong with a folder is said there.

    Parameters
    ----------
    chosen
        Called with the open study.
    """

    def __init__(self, shell: Shell, chosen: Callable[[Study], object]) -> None:
        self._shell, self._chosen = shell, chosen
        shell.start.open_requested.connect(self._ask_folder)
        shell.start.create_requested.connect(self._ask_new_folder)
        shell.start.study_chosen.connect(self.open)

    def show_recent(self) -> None:
        """Show the start page with the studies opened last."""
        self._shell.start.show_recent(recent_studies())
        self._shell.window.show_page("start")

    def open(self, folder: Path) -> None:
        """Open a study's folder."""
        try:
            self._chosen(Study.open(folder, durable=True))
        except StudyError as error:
            log.warning("A study could not be opened.", exc_info=True)
            self._shell.refuse_study(error)

    def create(self, folder: Path) -> None:
        """Make a study in a folder and open it."""
        try:
            self._chosen(Study.create(folder, StudySettings(name=folder.name), durable=True))
        except (StudyError, OSError) as error:
            log.warning("A study could not be made.", exc_info=True)
            self._shell.refuse_study(error)

    def _ask_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self._shell.window, "Open a study's folder")
        if name:
            self.open(Path(name))

    def _ask_new_folder(self) -> None:
        window, title = self._shell.window, "New study: name its folder"
        name, _ = QFileDialog.getSaveFileName(window, title)
        if name:
            self.create(Path(name))
