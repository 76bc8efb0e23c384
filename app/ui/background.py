"""Runs slow work off the GUI thread and brings its result back."""

import logging
import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.ui.gui_thread import gui_mailbox, is_alive

log = logging.getLogger(__name__)


class Task(QObject):
    """One piece of work in its own thread; made on the GUI thread, in which its slots run.

    Signals
    -------
    progressed : object
        What the work passed to `report`.
    succeeded : object
        What the work returned.
    failed : object
        The exception it raised.
    ended
        After either.
    """

    progressed = Signal(object)
    succeeded = Signal(object)
    failed = Signal(object)
    ended = Signal()

    def __init__(self, work: Callable[[], Any], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work = work
        self._send = gui_mailbox()
        self._thread = threading.Thread(target=self._run, name="foveate-task", daemon=True)

    def start(self) -> "Task":
        """Begin; returns self."""
        self._thread.start()
        return self

    def wait(self, seconds: float = 30.0) -> bool:
        """Wait for the work to end, not for its signals; return whether it ended."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def report(self, value: object) -> None:
        """Report progress; called by the work in its thread."""
        self._send(lambda: self._tell(value))

    def _run(self) -> None:
        result, error = None, None
        try:
            result = self._work()
        except Exception as caught:  # passed to the GUI thread, which tells the user
            error = caught
        self._send(lambda: self._deliver(result, error))

    def _tell(self, value: object) -> None:
        if is_alive(self):
            self.progressed.emit(value)

    def _deliver(self, result: object, error: Exception | None) -> None:
        if not is_alive(self):  # its window, and this object with it, is gone
            log.info("A background task outlived its window.")
        elif error is None:
            self.succeeded.emit(result)
            self._end()
        else:
            log.error("A background task failed.", exc_info=error)
            self.failed.emit(error)
            self._end()

    def _end(self) -> None:
        if is_alive(self):  # this report may have closed the window
            self.ended.emit()


def run(
    owner: QObject,
    work: Callable[[], Any],
    succeeded: Callable[[Any], object],
    failed: Callable[[Exception], object],
) -> Task:
    """Run `work` in a thread; one of the callbacks follows on the GUI thread."""
    task = Task(work, owner)
    task.succeeded.connect(succeeded)
    task.failed.connect(failed)
    task.ended.connect(task.deleteLater)
    return task.start()
