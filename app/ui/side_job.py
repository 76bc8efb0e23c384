"""A job whose page runs one of Foveate's commands alongside the station."""

from typing import Protocol

from app.ui.job import JobContext, JobPage, StationJob
from app.ui.side_process import SideProcess
from app.ui.work_bar import WorkBar
from migrations.study.folder import Study


class SidePage(Protocol):
    """What such a page offers."""

    work: WorkBar

    def show_running(self, running: bool) -> None:
        """Show that a command is running, or that it has ended."""

    def say_state(self, text: str, role: str = "lead") -> None:
        """Show its state."""


class SideJob(StationJob):
    """Starts commands, shows their progress, and stops them.

    Parameters
    ----------
    place
        The page and its place in the navigation.

    Attributes
    ----------
    side
        The running command.
    """

    def __init__(self, context: JobContext, page: SidePage, place: JobPage) -> None:
        super().__init__(context)
        self.pages = (place,)
        self.side = SideProcess(self)
        self.side.told.connect(page.work.take)
        page.work.stop_wanted.connect(self.side.stop)
        self._study: Study | None = None
        self._shown = page

    def open(self, study: Study) -> None:
        """Work on this study from now on; a command for another one is ended."""
        self.side.close()
        self._shown.show_running(False)
        self._study = study

    def close(self) -> None:
        """End the running command."""
        self.side.close()

    def _ended(self, text: str, role: str) -> None:
        self._shown.show_running(False)
        self._shown.say_state(text, role)
