"""The door to the researcher's workspace: asks for the PIN, makes the pages at the first opening.

They load plotting libraries that a reading station does not need to start.
"""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.pages.pretrain.controller import TrainingController
from app.pages.workspace.pin_dialog import PinDialog
from app.shell.window import MainWindow
from app.ui.background import run
from migrations.study.folder import SERVER, URL_VARIABLE, Study

if TYPE_CHECKING:
    from app.pages.workspace.controller import WorkspaceController

FIRST_PAGE = "cohort"


class WorkspaceDoor(QObject):
    """Opens and leaves the workspace.

    Where a server is named (`--database`), the pages show what all stations pushed to it.

    Parameters
    ----------
    go
        Shows a page by name.
    """

    def __init__(
        self,
        window: MainWindow,
        training: TrainingController,
        go: Callable[[str], object],
        tell_error: Callable[[str, Exception | str], object],
        replay: Callable[[str], object],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._window, self._training = window, training
        self._go, self._tell_error, self._replay = go, tell_error, replay
        self._study: Study | None = None
        self._server: Study | None = None
        self.inside: WorkspaceController | None = None
        window.workspace_wanted.connect(self._wanted)

    def set_study(self, study: Study | None) -> None:
        """Belong to this study from now on; another study's researcher has to open it again."""
        self._disconnect()
        self._study = study
        self._window.open_workspace(False)
        if self.inside is not None:
            self.inside.set_study(study)

    def open(self) -> None:
        """Open the workspace; who calls knows the PIN, or needs none (demo, tests)."""
        if self.inside is None:
            self._furnish()
        self._window.open_workspace(True)
        self._go(FIRST_PAGE)
        if os.environ.get(URL_VARIABLE) and self._server is None:
            self._connect()

    def _connect(self) -> None:
        """Read the laboratory's server, where one is named, instead of this station's rows."""
        own = self._study
        if own is None:
            return

        def connected(server: Study) -> None:
            if own is not self._study or self.inside is None:
                server.close()
                return
            self._server = server
            self._training.read_server(True)
            self.inside.set_study(server)
            self._go(self._window.current)

        run(
            self,
            lambda: Study.open(own.folder, database_url=SERVER),
            connected,
            lambda e: self._tell_error("No server; this station's rows are shown", e),
        )

    def _disconnect(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self._training.read_server(False)

    def reopen(self, page: str) -> None:
        """Go on in it, on a page, after the study was opened anew by its researcher."""
        if self.inside is None:
            self._furnish()
        self._window.open_workspace(True)
        self._go(page)

    def refresh(self, page: str) -> bool:
        """Read again what a page shows, off the GUI thread; False if the page is not its own."""
        own = self.inside is not None and page in self.inside.pages
        if self.inside is not None and own:
            self.inside.refresh(page)
        return own

    def close(self) -> None:
        """End what runs in it."""
        if self.inside is not None:
            self.inside.close()
        self._disconnect()

    def _wanted(self, opened: bool) -> None:
        if not opened:
            self._window.open_workspace(False)
            self._go("worklist")
        else:
            PinDialog(self._window, self.open).open()

    def _furnish(self) -> None:
        from app.pages.workspace.controller import WorkspaceController

        self.inside = WorkspaceController(
            self._tell_error, self._training.reproduce, self._go, self._replay, self
        )
        self._window.add_pages(self.inside.pages)
        self.inside.set_study(self._study)
