"""The researcher's workspace as a job: its pages are made when one is first opened.

They load plotting libraries that a reading station does not need to start.
"""

import os
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from app.ui.background import run
from app.ui.job import JobContext, JobPage, StationJob
from app.ui.small_widgets import column
from migrations.study.folder import SERVER, URL_VARIABLE, Study

if TYPE_CHECKING:
    from app.pages.workspace.controller import WorkspaceController

_TITLES = {
    "cohort": "Cohort",
    "similarity": "Gaze similarity",
    "runs": "Runs",
    "features": "Features",
}


class WorkspaceJob(StationJob):
    """Cohort, gaze similarity, runs and features.

    Where a server is named (`--database`), the pages show what all stations pushed to it.

    Attributes
    ----------
    inside
        What fills the pages; None before the first opening.
    """

    def __init__(self, context: JobContext) -> None:
        super().__init__(context)
        self._frames = {name: QWidget() for name in _TITLES}
        self.pages = tuple(
            JobPage(name, frame, _TITLES[name], "researcher")
            for name, frame in self._frames.items()
        )
        self._study: Study | None = None
        self._server: Study | None = None
        self.inside: WorkspaceController | None = None
        context.notices.workspace_entered.connect(self._connect)

    def open(self, study: Study) -> None:
        """Show this study's rows from now on."""
        self._disconnect()
        self._study = study
        if self.inside is not None:
            self.inside.set_study(study)

    def refresh(self) -> None:
        """Read again what the page shows, off the GUI thread."""
        if self.inside is None:
            self.inside = self._furnished()
        self.inside.refresh(self.context.window.current)

    def close(self) -> None:
        """End what runs beside the pages."""
        if self.inside is not None:
            self.inside.close()
        self._disconnect()

    def _furnished(self) -> "WorkspaceController":
        from app.pages.workspace.controller import WorkspaceController

        inside = WorkspaceController(self.context, self)
        for name, page in inside.pages.items():
            column(self._frames[name]).addWidget(page)
        inside.set_study(self._server or self._study)
        return inside

    def _connect(self) -> None:
        """Read the laboratory's server, where one is named, instead of this station's rows."""
        own = self._study
        if own is None or self._server is not None or not os.environ.get(URL_VARIABLE):
            return

        def connected(server: Study) -> None:
            if own is not self._study:
                server.close()
            else:
                self._show_server(server)

        run(
            self,
            lambda: Study.open(own.folder, database_url=SERVER),
            connected,
            lambda e: self.context.show_error("No server; this station's rows are shown", e),
        )

    def _show_server(self, server: Study) -> None:
        self._server = server
        self.context.notices.server_read.emit(True)
        if self.inside is not None:
            self.inside.set_study(server)
            self.inside.refresh(self.context.window.current)

    def _disconnect(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self.context.notices.server_read.emit(False)
