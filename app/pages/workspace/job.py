"""The researcher's workspace as a job: each page is made when it is first opened.

They load plotting libraries that a reading station does not need at the start; a thread loads them,
since the window would freeze for seconds.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QWidget

from app.ui import theme
from app.ui.background import run
from app.ui.garbage import keep_what_there_is
from app.ui.job import JobContext, JobPage, StationJob
from app.ui.small_widgets import column, label
from app.ui.text import tr
from migrations.study.folder import SERVER, URL_VARIABLE, Study

if TYPE_CHECKING:
    from app.pages.workspace.controller import WorkspaceController

_TITLES = {
    "cohort": "Cohort",
    "similarity": "Gaze similarity",
    "runs": "Runs",
    "features": "Features",
    "audit": "Audit trail",
}


_ICONS = {"audit": "worklist"}


class WorkspaceJob(StationJob):
    """Cohort, gaze similarity, runs, features and the audit trail.

    If a server is given (`--database`), the pages show what all stations pushed to it.
    """

    def __init__(self, context: JobContext) -> None:
        super().__init__(context)
        self._frames = {name: QWidget() for name in _TITLES}
        self.pages = tuple(
            JobPage(name, frame, tr(_TITLES[name]), "researcher", _ICONS.get(name, ""))
            for name, frame in self._frames.items()
        )
        self._study: Study | None = None
        self._server: Study | None = None
        self._loading = False
        self._inside: WorkspaceController | None = None
        context.notices.workspace_entered.connect(self._connect)

    @property
    def inside(self) -> "WorkspaceController | None":
        """Fills the pages; None before the first opening.

        Made at once if it is requested before the thread has loaded the libraries.
        """
        if self._loading and self._inside is None:
            self._furnish(_controller())
        return self._inside

    @property
    def ready(self) -> bool:
        """Whether the pages can be filled; asking loads nothing."""
        return self._inside is not None

    def open(self, study: Study) -> None:
        """Show this study's rows from now on."""
        self._disconnect()
        self._study = study
        if self._inside is not None:
            self._inside.set_study(study)

    def refresh(self) -> None:
        """Read again what the page shows, off the GUI thread."""
        if self._inside is not None:
            self._show(self._inside)
        elif not self._loading:
            self._loading = True
            frame = self._frames.get(self.context.window.current)
            if frame is not None and frame.layout() is None:
                opening = label(tr("Opening the workspace…"), "lead")
                opening.setAlignment(Qt.AlignmentFlag.AlignCenter)
                column(frame, 4 * theme.GRID).addWidget(opening)
            run(self, _controller, self._furnish, self._failed)

    def close(self) -> None:
        """End what is running beside the pages."""
        if self._inside is not None:
            self._inside.close()
        self._disconnect()

    def _furnish(self, kind: "type[WorkspaceController]") -> None:
        if self._inside is None:
            keep_what_there_is()  # the libraries that the thread imported
            self._inside = kind(self.context, self)
            self._inside.set_study(self._server or self._study)
            self._show(self._inside)

    def _failed(self, error: Exception) -> None:
        self._loading = False
        self.context.show_error(tr("The workspace cannot be opened"), error)

    def _show(self, inside: "WorkspaceController") -> None:
        name = self.context.window.current
        frame = self._frames.get(name)
        page = None if frame is None else inside.page(name)
        if frame is not None and page is not None and page.parent() is not frame:
            _put(frame, page)
            QTimer.singleShot(0, inside, lambda: inside.refresh(name))  # let it be painted first
            return
        inside.refresh(name)

    def _connect(self) -> None:
        """Read the laboratory's server, if one is given, instead of this station's rows."""
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
            lambda e: self.context.show_error(
                tr("The server cannot be reached; this page shows the data of this station"), e
            ),
        )

    def _show_server(self, server: Study) -> None:
        self._server = server
        self.context.notices.server_read.emit(True)
        if self._inside is not None:
            self._inside.set_study(server)
            self._inside.refresh(self.context.window.current)

    def _disconnect(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self.context.notices.server_read.emit(False)


def _controller() -> "type[WorkspaceController]":
    with _not_there("cuda.bindings"):
        from app.pages.workspace.controller import WorkspaceController

    return WorkspaceController


@contextmanager
def _not_there(name: str) -> Iterator[None]:
    """Let nothing find a library meanwhile.

    pyqtgraph loads CUDA's where torch brought it, for a widget we do not use: each of its parts
    holds Python's lock, and with it the window, for up to 50 ms.
    """
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]


def _put(frame: QWidget, page: QWidget) -> None:
    """Put a page into its frame, replacing the message that it is being opened."""
    layout = frame.layout()
    if layout is None:
        layout = column(frame)
    while (item := layout.takeAt(0)) is not None:
        if (shown := item.widget()) is not None:
            shown.deleteLater()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(page)
