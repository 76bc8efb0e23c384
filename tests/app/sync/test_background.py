"""The station's push: after start-up and sessions, never beside one, again after failures."""

import sys

import pytest
from PySide6.QtCore import QObject

from app.sync.background import ServerPush
from app.ui.side_process import SideProcess

SCRIPT = "import sys; open(sys.argv[1], 'a').write('x'); sys.exit(int({code}))"


def _pusher(parent, study, log, code: int, busy=lambda: False) -> ServerPush:
    program = (sys.executable, "-c", SCRIPT.format(code=code), str(log))
    return ServerPush(lambda: study, busy, parent, SideProcess(parent, program), first_ms=1)


@pytest.mark.parametrize(("code", "signal"), [(0, "pushed"), (1, "failed")])
def test_it_pushes_by_itself_and_again(qtbot, study, tmp_path, code, signal) -> None:
    parent = QObject()
    pusher = _pusher(parent, study, tmp_path / "log", code)
    with qtbot.waitSignal(getattr(pusher, signal)):
        pass
    with qtbot.waitSignal(getattr(pusher, signal)):
        pusher.push()
    pusher.close()
    assert (tmp_path / "log").read_text() == "xx"


def test_it_does_not_begin_while_a_session_is_open(qtbot, study, tmp_path) -> None:
    parent = QObject()
    asked = []

    def busy() -> bool:
        asked.append(True)
        return True

    pusher = _pusher(parent, study, tmp_path / "log", 0, busy)
    qtbot.waitUntil(lambda: bool(asked))
    pusher.push()
    assert not (tmp_path / "log").exists()
    pusher.close()
