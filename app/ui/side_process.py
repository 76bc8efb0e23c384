"""Runs one of Foveate's other commands beside the station, and tells how it ended."""

import sys
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QProcess

from migrations.study.processes import MAIN

_LAST_LINES = 3


class SideProcess(QObject):
    """A command of `main.py` in a process of its own; one at a time.

    Parameters
    ----------
    program
        The command in front of the arguments; tests pass a script of their own.
    """

    def __init__(self, parent: QObject, program: Sequence[str] | None = None) -> None:
        super().__init__(parent)
        self.program = list(program or (sys.executable, str(MAIN)))
        self._process: QProcess | None = None

    @property
    def running(self) -> bool:
        """Whether a command runs."""
        return self._process is not None

    def start(
        self,
        words: Sequence[str],
        done: Callable[[], object],
        failed: Callable[[str], object],
    ) -> bool:
        """Start a command unless one runs; one of the callbacks follows on the GUI thread."""
        if self._process is not None:
            return False
        process = self._process = QProcess(self)
        process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)

        def ended(code: int, status: QProcess.ExitStatus) -> None:
            output = bytes(process.readAll().data()).decode("utf-8", errors="replace")
            self._forget()
            if code == 0 and status == QProcess.ExitStatus.NormalExit:
                done()
            else:
                failed(_last_words(output) or f"It ended with exit code {code}.")

        def broken(error: QProcess.ProcessError) -> None:
            if error == QProcess.ProcessError.FailedToStart:
                self._forget()
                failed(f"{self.program[0]} does not run.")

        process.finished.connect(ended)
        process.errorOccurred.connect(broken)
        process.start(self.program[0], [*self.program[1:], *words])
        return True

    def close(self) -> None:
        """End what runs; its result is not needed any more."""
        if (process := self._process) is not None:
            process.blockSignals(True)
            process.kill()
            process.waitForFinished(2000)
            self._forget()

    def _forget(self) -> None:
        if self._process is not None:
            self._process.deleteLater()
            self._process = None


def _last_words(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return " ".join(lines[-_LAST_LINES:])
