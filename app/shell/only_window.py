"""One window per study and person: a second start brings the first to the front instead.

The first window listens under a name derived from the study's folder. A second one that finds a
listener there asks it to come to the front, and opens nothing. A socket left by a killed window
does not answer.
"""

import hashlib
import logging
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

log = logging.getLogger(__name__)

_ANSWER_MS = 500


class OnlyWindow(QObject):
    """Holds the name of one study at a time.

    Signals
    -------
    wanted
        Another start asked for this window.
    """

    wanted = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._server: QLocalServer | None = None
        self._name = ""

    def claim(self, folder: Path) -> bool:
        """Hold a study's name; False if another window does, which then comes to the front."""
        name = _name_of(folder)
        if name == self._name:
            return True
        if _is_answered(name):
            return False
        self.release()
        server = QLocalServer(self)
        server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        QLocalServer.removeServer(name)  # no one answers there: left by a killed window
        if not server.listen(name):
            log.warning("A second start will not find this window: %s", server.errorString())
        server.newConnection.connect(self._asked)
        self._server, self._name = server, name
        return True

    def release(self) -> None:
        """Release the name."""
        if self._server is not None:
            self._server.close()
            self._server.deleteLater()
        self._server, self._name = None, ""

    def _asked(self) -> None:
        assert self._server is not None
        while self._server.hasPendingConnections():
            asking = self._server.nextPendingConnection()
            asking.disconnectFromServer()
            asking.deleteLater()
        self.wanted.emit()


def is_open(folder: Path) -> bool:
    """Whether a window of this user shows the study in a folder."""
    return _is_answered(_name_of(folder))


def _name_of(folder: Path) -> str:
    return "foveate-" + hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:24]


def _is_answered(name: str) -> bool:
    socket = QLocalSocket()
    socket.connectToServer(name)
    answered = socket.waitForConnected(_ANSWER_MS)
    socket.abort()
    return answered
