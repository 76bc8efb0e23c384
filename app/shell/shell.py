"""The window with its start page: shows errors, opens the workspace, hides the navigation."""

import logging
from collections.abc import Callable

from app.shell.new_study.page import NewStudyPage
from app.shell.pin_dialog import PinDialog
from app.shell.start_page import StartPage
from app.shell.window import MainWindow
from app.ui.dialogs import MessageDialog
from app.ui.job import JobPage

log = logging.getLogger(__name__)


class Shell:
    """Surrounds the pages of the jobs.

    Parameters
    ----------
    go
        Shows a page by name.
    workspace_entered
        Called when the researcher's workspace was opened.

    Attributes
    ----------
    last_error
        The last message to the user, "" at first.
    """

    def __init__(
        self,
        window: MainWindow,
        go: Callable[[str], object],
        workspace_entered: Callable[[], object],
        *,
        full_screen: bool,
    ) -> None:
        self.window = window
        self.last_error = ""
        self._go, self._workspace_entered = go, workspace_entered
        self._full_screen = full_screen
        self.start = StartPage()
        self.new_study = NewStudyPage()
        window.add_pages([JobPage("start", self.start), JobPage("new_study", self.new_study)])
        window.page_wanted.connect(go)
        window.workspace_wanted.connect(self._workspace_wanted)

    def show_error(self, title: str, error: Exception | str) -> None:
        """Report what went wrong; recording continues behind the message."""
        self.last_error = str(error)
        log.error("%s: %s", title, type(error).__name__)
        MessageDialog(self.window, title, self.last_error).open()

    def come_up(self) -> None:
        """Bring the window to the front, because it was started a second time."""
        window = self.window
        if window.isMinimized():
            window.showNormal()
        window.raise_()
        window.activateWindow()

    def refuse_study(self, error: Exception | str) -> None:
        """Say on the start page why a study cannot be opened."""
        self.last_error = str(error)
        self.start.show_error(self.last_error)
        self.window.show_page("start")

    def go_bare(self) -> None:
        """Give the page the whole window, and the screen if requested."""
        self.window.set_bare(True, full_screen=self._full_screen)

    def leave_bare(self) -> None:
        """Show the navigation again."""
        self.window.set_bare(False)

    def enter_workspace(self, page: str = "") -> None:
        """Open the researcher's workspace on a page; its first one by default.

        The caller knows the PIN, or needs none (demo, tests).
        """
        self.window.open_workspace(True)
        self._go(page or self.window.first_researchers_page)
        self._workspace_entered()

    def _workspace_wanted(self, opened: bool) -> None:
        if not opened:
            self.window.open_workspace(False)
            self._go("worklist")
        else:
            PinDialog(self.window, self.enter_workspace).open()
