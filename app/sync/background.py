"""The station's push to the server: in a separate process, repeatedly, between sessions."""

import logging
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from app.ui.side_process import SideProcess
from migrations.study.folder import Study

log = logging.getLogger(__name__)
FIRST_MS, EVERY_MS = 5_000, 300_000


class ServerPush(QObject):
    """Sends what the server lacks: soon after start-up, after each session, every five minutes.

    The work is done by `python main.py db push` at low priority, so that neither the GUI nor a
    recording that begins meanwhile waits for the network; an unreachable server is tried again.

    Parameters
    ----------
    study
        Returns the study that is open now.
    busy
        Whether a session is open or about to be: no push is then started.

    Signals
    -------
    pushed
        The server has all finished sessions.
    failed : str
        What prevents the push; it is tried again later.
    """

    pushed = Signal()
    failed = Signal(str)

    def __init__(
        self,
        study: Callable[[], Study | None],
        busy: Callable[[], bool],
        parent: QObject,
        process: SideProcess | None = None,
        first_ms: int = FIRST_MS,
    ) -> None:
        super().__init__(parent)
        self._study, self._busy = study, busy
        self._process = process or SideProcess(self)
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.push)
        self._timer.start()
        self._first = QTimer(self)
        self._first.setSingleShot(True)
        self._first.timeout.connect(self.push)
        self._first.start(first_ms)

    def push(self) -> None:
        """Begin a push, unless one is running or a session is open."""
        study = self._study()
        if study is not None and not self._busy():
            words = ["db", "push", "--study", str(study.folder), "--background"]
            self._process.start(words, self.pushed.emit, self._not_pushed)

    def close(self) -> None:
        """End a running push; the next one continues from there."""
        self._timer.stop()
        self._first.stop()
        self._process.close()

    def _not_pushed(self, reason: str) -> None:
        log.warning("The server does not have everything yet: %s", reason)
        self.failed.emit(reason)
