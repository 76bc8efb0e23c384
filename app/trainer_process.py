"""The trainer as a process of its own, spoken to in JSON lines (docs/architecture.md).

The station never imports the trainer: a crash or a full GPU there cannot take a reading down.
"""

import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

log = logging.getLogger(__name__)

GRACE_MS = 10_000
"""How long a trainer that was told to stop may take to write its checkpoint."""
_KEPT_LINES = 400
_MAIN = Path(__file__).parent.parent / "main.py"

STOPPED_EXIT = 3


class LineReader:
    """Cuts a stream of bytes into lines, whatever pieces it arrives in."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> list[str]:
        """Return the lines that `piece` completes."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        return [line.decode("utf-8", errors="replace").rstrip("\r") for line in lines]

    def flush(self) -> list[str]:
        """Return what stands after the last line end, if anything."""
        rest, self._rest = self._rest, b""
        return [rest.decode("utf-8", errors="replace")] if rest.strip() else []


class TrainerProcess(QObject):
    """Starts, follows and stops one training.

    Parameters
    ----------
    program
        The command in front of the trainer's arguments; tests pass a script of their own.

    Signals
    -------
    stage, progress, metrics, warning : object
        The events of the process protocol, as dictionaries.
    finished : object
        The `result` event.
    stopped : object
        The `stopped` event: the user stopped it, a checkpoint is kept.
    failed : str
        What went wrong, in words.
    """

    stage = Signal(object)
    progress = Signal(object)
    metrics = Signal(object)
    warning = Signal(object)
    finished = Signal(object)
    stopped = Signal(object)
    failed = Signal(str)

    def __init__(
        self, parent: QObject | None = None, *, program: Sequence[str] | None = None
    ) -> None:
        super().__init__(parent)
        self._program = list(program or (sys.executable, str(_MAIN)))
        self._process: QProcess | None = None
        self._out, self._err = LineReader(), LineReader()
        self._last: dict[str, Any] = {}
        self._stopping = False
        self.log: list[str] = []
        self._killer = QTimer(self)
        self._killer.setSingleShot(True)
        self._killer.timeout.connect(self._kill)

    @property
    def running(self) -> bool:
        """Whether the trainer runs."""
        return self._process is not None

    def start(self, study: Path, options: Sequence[str] = ()) -> None:
        """Start training on a study; does not wait for it.

        Raises
        ------
        RuntimeError
            If one runs already.
        """
        if self.running:
            raise RuntimeError("A training runs already; stop it first.")
        self.log, self._last, self._stopping = [], {}, False
        self._out, self._err = LineReader(), LineReader()
        process = self._process = QProcess(self)
        process.setProcessEnvironment(_environment())
        process.readyReadStandardOutput.connect(self._read_output)
        process.readyReadStandardError.connect(self._read_errors)
        process.errorOccurred.connect(self._on_error)
        process.finished.connect(self._on_finished)
        words = [*self._program, "train", "--study", str(study), "--events", "json", *options]
        process.start(words[0], words[1:])

    def stop(self, grace_ms: int = GRACE_MS) -> None:
        """Ask the trainer to stop with a checkpoint; kill it when it does not within the grace."""
        if self._process is None or self._stopping:
            return
        self._stopping = True
        self._process.write(b"stop\n")
        self._killer.start(grace_ms)

    def close(self, wait_ms: int = GRACE_MS) -> None:
        """Stop and wait; for the end of the program."""
        process = self._process
        if process is None:
            return
        self.stop(wait_ms)
        if not process.waitForFinished(wait_ms):
            self._kill()
            process.waitForFinished(2000)

    def _kill(self) -> None:
        if self._process is not None:
            self.log.append("Foveate: the trainer did not stop in time and was ended.")
            self._process.kill()

    def _read_output(self) -> None:
        if self._process is not None:
            for line in self._out.feed(bytes(self._process.readAllStandardOutput().data())):
                self._take(line)

    def _read_errors(self) -> None:
        if self._process is not None:
            self._keep(self._err.feed(bytes(self._process.readAllStandardError().data())))

    def _take(self, line: str) -> None:
        event = _event(line)
        if event is None:
            self._keep([line])
            return
        kind = event["event"]
        if kind in ("result", "stopped", "error"):
            self._last = event
        elif kind in ("stage", "progress", "metrics", "warning"):
            getattr(self, kind).emit(event)

    def _keep(self, lines: Sequence[str]) -> None:
        said = [line for line in lines if line.strip()]
        for line in said:
            log.info("trainer: %s", line)
        self.log = [*self.log, *said][-_KEPT_LINES:]

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._end()
            self.failed.emit(f"The trainer could not be started: {self._program[0]} does not run.")

    def _on_finished(self, code: int, status: QProcess.ExitStatus) -> None:
        self._read_output()
        self._read_errors()
        for line in self._out.flush():
            self._take(line)
        self._keep(self._err.flush())
        crashed = status == QProcess.ExitStatus.CrashExit
        self._end()
        self._tell(code, crashed)

    def _tell(self, code: int, crashed: bool) -> None:
        kind = self._last.get("event")
        if kind == "result" and code == 0 and not crashed:
            self.finished.emit(self._last)
        elif kind == "stopped" or (self._stopping and (crashed or code == STOPPED_EXIT)):
            self.stopped.emit(self._last)
        elif kind == "error":
            self.failed.emit(str(self._last.get("message", "The trainer failed.")))
        else:
            self.failed.emit(self._obituary(code, crashed))

    def _obituary(self, code: int, crashed: bool) -> str:
        how = "was ended by the system" if crashed else f"ended with exit code {code}"
        hint = f" Its last words: {self.log[-1]}" if self.log else ""
        return f"The trainer {how} before it was done.{hint}"

    def _end(self) -> None:
        self._killer.stop()
        if self._process is not None:
            self._process.deleteLater()
            self._process = None


def _event(line: str) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and isinstance(event.get("event"), str) else None


def _environment() -> QProcessEnvironment:
    environment = QProcessEnvironment.systemEnvironment()
    environment.insert("PYTHONUNBUFFERED", "1")
    environment.insert("PYTHONIOENCODING", "utf-8")
    return environment
