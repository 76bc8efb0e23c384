"""Runs a script of steps inside the Qt event loop: do something, wait until it shows, go on."""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass

from PySide6.QtCore import QEventLoop, QObject, QTimer

from app.errors import AppError

_TICK_MS = 15


class StepTimeout(AppError):
    """The station did not come to the state that a step waits for."""


@dataclass(frozen=True, slots=True)
class Until:
    """Wait until `condition` holds.

    Attributes
    ----------
    what
        What is waited for, for the message when it does not come.
    condition
        Read only; called on the GUI thread every few milliseconds.
    timeout_s
        Real seconds.
    """

    what: str
    condition: Callable[[], bool]
    timeout_s: float = 60.0


Script = Generator[Until, None, None]


def run_script(script: Script, parent: QObject | None = None) -> None:
    """Run a script to its end while Qt's events go on.

    Raises
    ------
    StepTimeout
        Naming what was waited for.
    Exception
        Whatever the script raises.
    """
    loop = QEventLoop()
    runner = _Runner(script, loop, parent)
    runner.start()
    loop.exec()
    if runner.error is not None:
        raise runner.error


class _Runner(QObject):
    def __init__(self, script: Script, loop: QEventLoop, parent: QObject | None) -> None:
        super().__init__(parent)
        self.error: Exception | None = None
        self._script, self._loop = script, loop
        self._waiting: Until | None = None
        self._deadline = 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        self._timer.start()

    def _tick(self) -> None:
        # An exception must not escape into Qt's loop, where it would be printed and forgotten.
        try:
            self._advance()
        except StopIteration:
            self._end(None)
        except Exception as error:
            self._end(error)

    def _advance(self) -> None:
        if self._waiting is not None and not self._waiting.condition():
            if time.monotonic() > self._deadline:
                waited = self._waiting
                raise StepTimeout(f"Waited {waited.timeout_s:.0f} s in vain for {waited.what}.")
            return
        self._waiting = next(self._script)
        self._deadline = time.monotonic() + self._waiting.timeout_s

    def _end(self, error: Exception | None) -> None:
        self.error = error
        self._timer.stop()
        self._loop.quit()
