"""Follows the study's queue of pre-trainings; the trainer outlives the window and is found again.

The station only writes job folders (`migrations.study.jobs`) and reads what the trainer reports in
them; `python main.py queue` is a separate process. A crash of either leaves the other unaffected.
"""

import contextlib
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QProcess, QTimer, Signal

from app.ui.text import tr
from migrations.study.jobs import (
    Job,
    add_job,
    jobs,
    queue_folder,
    queue_lock,
    read_job,
    remove_job,
)
from migrations.study.processes import MAIN, holder, runs_with

log = logging.getLogger(__name__)

_POLL_MS = 200
_STARTED_WITHIN = 25
"""Polls after which to check that a queue process without a sign of life still exists."""
_STARTS = 2
_LOGGED_LINES = 200
_FOLLOWED = ("stage", "progress", "metrics", "warning")


class TrainerQueue(QObject):
    """Starts, follows and stops pre-trainings.

    Parameters
    ----------
    program
        The command that the queue process is started with; tests pass a script of their own.

    Signals
    -------
    started : object
        The job followed from now on; its events are sent again from the first one.
    stage, progress, metrics, warning : object
        The events of the process protocol, as dictionaries.
    finished, stopped : object
        The last event of the job.
    failed : str
        What went wrong, in words.
    changed
        Something in the queue has changed.
    logged : str
        A line that the followed job wrote to its log.
    """

    started = Signal(object)
    stage = Signal(object)
    progress = Signal(object)
    metrics = Signal(object)
    warning = Signal(object)
    finished = Signal(object)
    stopped = Signal(object)
    failed = Signal(str)
    changed = Signal()
    logged = Signal(str)

    def __init__(
        self, parent: QObject | None = None, *, program: Sequence[str] | None = None
    ) -> None:
        super().__init__(parent)
        self.program = list(program or (sys.executable, str(MAIN)))
        self._study: Path | None = None
        self._job: Job | None = None
        self._offset, self._log_offset, self._last = 0, 0, dict[str, Any]()
        self._seen: list[tuple[str, str]] = []
        self._idle_polls, self._starts_left = 0, _STARTS
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.check)

    @property
    def running(self) -> bool:
        """Whether a job is running or waiting."""
        return any(not job.over for job in self.jobs())

    @property
    def job(self) -> Job | None:
        """The job that is followed."""
        return self._job

    def jobs(self) -> list[Job]:
        """Return all jobs of the study, oldest first."""
        return [] if self._study is None else jobs(self._study)

    def set_study(self, study: Path | None) -> None:
        """Follow this study's queue; a job that is already running is found again."""
        # Absolute: what the trainer reports about its files must not depend on the working folder.
        self._study = None if study is None else study.absolute()
        self._job, self._seen = None, []
        self._timer.stop()
        if study is not None and self.running:
            self._run()

    def start(
        self, options: Sequence[str], agreed: Sequence[str] = (), command: str = "train"
    ) -> None:
        """Put a job at the end of the queue, and see that the queue is running.

        Parameters
        ----------
        agreed
            Files outside the study that a person chose among the options.
        command
            "train", or "sweep": gaze against plain.

        Raises
        ------
        OSError
            If the study's folder or the user's configuration cannot be written.
        """
        assert self._study is not None
        add_job(self._study, options, agreed, command)
        self._run()

    def stop(self) -> None:
        """Ask the followed job to stop with a checkpoint."""
        if self._job is not None:
            self._job.stop_file.touch()

    def take_back(self, job: Job) -> None:
        """Remove a waiting job from the queue."""
        remove_job(job)
        self.check()

    def close(self) -> None:
        """Stop following; what is running continues."""
        self._timer.stop()

    def check(self) -> None:
        """Read what is new; called by a timer."""
        if self._study is None:
            return
        current = self.jobs()
        self._follow(current)
        states = [(job.id, job.state) for job in current]
        if states != self._seen:
            self._seen = states
            self.changed.emit()
        if all(job.over for job in current):
            self._timer.stop()
        else:
            self._require_worker(current)

    def _run(self) -> None:
        self._idle_polls, self._starts_left = 0, _STARTS
        self._follow(self.jobs())  # before it starts, so that a failed start is reported
        if not self._worker_lives():
            self._start_worker()
        self._timer.start(_POLL_MS)
        self.check()

    def _follow(self, current: list[Job]) -> None:
        if self._job is None:
            job = next((j for j in current if j.state == "running"), None)
            job = job or next((j for j in current if j.state == "waiting"), None)
            if job is None:
                return
            self._job, self._offset, self._log_offset, self._last = job, 0, 0, {}
            self.started.emit(job)
        # State first: a job that ended before its events were read has no more of them.
        now = read_job(self._job.folder)
        self._read_events()
        if now is None:
            self._job = None
        elif now.over:
            self._tell(now)

    def _read_events(self) -> None:
        assert self._job is not None
        lines, self._offset = _new_lines(self._job.events_file, self._offset)
        for line in lines:
            self._take(line)
        lines, self._log_offset = _new_lines(self._job.log_file, self._log_offset)
        for line in lines[-_LOGGED_LINES:]:
            self.logged.emit(line.decode("utf-8", errors="replace"))

    def _take(self, line: bytes) -> None:
        try:
            event = json.loads(line)
            kind = event["event"]
        except (ValueError, KeyError, TypeError):
            log.info("trainer: %s", line.decode("utf-8", errors="replace"))
            return
        if kind in _FOLLOWED:
            getattr(self, kind).emit(event)
        elif kind in ("result", "stopped", "error"):
            self._last = event

    def _tell(self, job: Job) -> None:
        self._job = None
        if job.state == "finished":
            self.finished.emit(self._last)
        elif job.state == "stopped":
            self.stopped.emit(self._last)
        else:
            self.failed.emit(job.message or tr("The trainer failed."))

    def _require_worker(self, current: list[Job]) -> None:
        """Restart the queue process if it died, and give up if it keeps dying."""
        if self._worker_lives():
            self._idle_polls = 0
            return
        self._idle_polls += 1
        # On a busy computer, it takes some time from its start to its lock.
        if self._idle_polls % _STARTED_WITHIN or runs_with(self._words()[-3:]):
            return
        if self._starts_left:
            self._start_worker()
        else:
            self._give_up(current)

    def compared(self) -> dict[str, Any]:
        """Return the result of the newest finished comparison; empty where there is none."""
        for job in reversed(self.jobs()):
            if job.command == "sweep" and job.state == "finished":
                return _last_result(job.events_file)
        return {}

    def _give_up(self, current: list[Job]) -> None:
        why = tr(
            "The trainer could not be started: {program} does not run.", program=self.program[0]
        )
        for job in current:
            if job.state == "waiting":
                job.become("failed", message=why)

    def _start_worker(self) -> None:
        self._starts_left -= 1
        words = self._words()
        process = QProcess()
        process.setProgram(words[0])
        process.setArguments(words[1:])
        process.setStandardOutputFile(QProcess.nullDevice())
        if self._study is not None:
            process.setStandardErrorFile(str(queue_folder(self._study) / "log.txt"))
        process.setStandardInputFile(QProcess.nullDevice())
        started: Any = process.startDetached()  # the stubs promise a pair; it is a bool
        if not started:
            self._give_up(self.jobs())

    def _words(self) -> list[str]:
        return [*self.program, "queue", "--study", str(self._study)]

    def _worker_lives(self) -> bool:
        return self._study is not None and holder(queue_lock(self._study)) is not None


def _new_lines(file: Path, offset: int) -> tuple[list[bytes], int]:
    """Return the whole lines of a file from an offset on, and where the next ones begin."""
    with contextlib.suppress(OSError), file.open("rb") as opened:
        opened.seek(offset)
        data = opened.read()
        whole = data.rfind(b"\n") + 1
        return data[:whole].splitlines(), offset + whole
    return [], offset


def _last_result(file: Path) -> dict[str, Any]:
    lines, _ = _new_lines(file, 0)
    for line in reversed(lines):
        with contextlib.suppress(ValueError, AttributeError):
            event = json.loads(line)
            if event.get("event") == "result":
                return dict(event)
    return {}
