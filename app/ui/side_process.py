"""Runs one of Foveate's other commands alongside the station: progress, result, Stop."""

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QObject, QProcess, QTimer, Signal

from app.ui.text import tr
from migrations.study.processes import MAIN

_LAST_LINES = 3
_KEPT_LINES = 400
_STOPPED = 3
_GRACE_MS = 15_000
"""After this time, a command that was asked to stop is ended."""


class SideProcess(QObject):
    """A command of `main.py` in a separate process; one at a time.

    Parameters
    ----------
    program
        The words before the arguments; tests pass a script of their own.

    Attributes
    ----------
    lines
        Its output that was not events, the last few hundred lines.
    result
        Its last event named "result", empty without one.

    Signals
    -------
    told : object
        An event of the process protocol, of a command that is started with `--events json`.
    """

    told = Signal(object)

    def __init__(self, parent: QObject, program: Sequence[str] | None = None) -> None:
        super().__init__(parent)
        self.program = list(program or (sys.executable, str(MAIN)))
        self._process: QProcess | None = None
        self._rest = b""
        self.lines: list[str] = []
        self.result: dict[str, Any] = {}

    @property
    def running(self) -> bool:
        """Whether a command is running."""
        return self._process is not None

    def start(
        self,
        words: Sequence[str],
        done: Callable[[], object],
        failed: Callable[[str], object],
        stopped: Callable[[], object] | None = None,
    ) -> bool:
        """Start a command unless one is running; one of the callbacks follows on the GUI thread.

        Parameters
        ----------
        stopped
            Called if it ended because it was asked to; without this, that is a failure.
        """
        if self._process is not None:
            return False
        self._rest, self.lines, self.result = b"", [], {}
        process = self._process = QProcess(self)

        def ended(code: int, status: QProcess.ExitStatus) -> None:
            self._read(last=True)
            self._forget()
            if code == 0 and status == QProcess.ExitStatus.NormalExit:
                done()
            elif stopped is not None and (code == _STOPPED or process.property("asked")):
                stopped()
            else:
                failed(self.last_words or tr("It ended with exit code {code}.", code=code))

        def broken(error: QProcess.ProcessError) -> None:
            if error == QProcess.ProcessError.FailedToStart:
                self._forget()
                failed(tr("{program} could not be started.", program=self.program[0]))

        process.readyReadStandardOutput.connect(self._read)
        process.readyReadStandardError.connect(self._read)
        process.finished.connect(ended)
        process.errorOccurred.connect(broken)
        process.start(self.program[0], [*self.program[1:], *words])
        return True

    @property
    def last_words(self) -> str:
        """The last lines of its output, joined."""
        return " ".join([line.strip() for line in self.lines if line.strip()][-_LAST_LINES:])

    def stop(self) -> None:
        """Ask the running command to stop; if it has not stopped after 15 s, it is ended."""
        if (process := self._process) is None:
            return
        process.setProperty("asked", True)
        process.write(b"stop\n")
        QTimer.singleShot(_GRACE_MS, process, process.kill)

    def close(self) -> None:
        """End the running command; its result is no longer needed."""
        if (process := self._process) is not None:
            process.blockSignals(True)
            process.kill()
            process.waitForFinished(2000)
            self._forget()

    def _read(self, last: bool = False) -> None:
        if (process := self._process) is None:
            return
        errors = bytes(process.readAllStandardError().data())
        self._keep(errors.decode("utf-8", errors="replace").splitlines())
        data = self._rest + bytes(process.readAllStandardOutput().data())
        whole = len(data) if last else data.rfind(b"\n") + 1
        self._rest = data[whole:]
        for line in data[:whole].decode("utf-8", errors="replace").splitlines():
            self._take(line)

    def _take(self, line: str) -> None:
        try:
            event = json.loads(line)
            kind = event["event"]
        except (ValueError, KeyError, TypeError):
            self._keep([line])
            return
        if kind == "result":
            self.result = event
        elif kind == "error":
            self._keep([str(event.get("message", ""))])
        self.told.emit(event)

    def _keep(self, lines: Sequence[str]) -> None:
        self.lines = [*self.lines, *lines][-_KEPT_LINES:]

    def _forget(self) -> None:
        if self._process is not None:
            self._process.deleteLater()
            self._process = None
