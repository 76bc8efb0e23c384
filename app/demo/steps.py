"""Runs a script of steps inside the Qt event loop: act, wait for the result, continue."""

import signal
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from types import FrameType

from PySide6.QtCore import QEventLoop, QObject, QTimer

from app.errors import AppError
from migrations.study.stopping import WITHIN_S, end_within

_TICK_MS = 15
_LEAST_PATIENCE_S, _SAID_EVERY_S = 300.0, 10.0


class StepTimeout(AppError):
    """The station did not reach the state that a step waits for."""


@dataclass(frozen=True, slots=True)
class Until:
    """Wait until `condition` holds.

    Attributes
    ----------
    what
        What is waited for, for the message if it does not happen.
    condition
        Must not change anything; called on the GUI thread every few milliseconds.
    timeout_s
        How long nothing may change; at least 300 s. Counted in turns of the event loop, not by the
        clock: on a busy computer the turns come slower, and the wait is longer.
    sign
        A value that changes while there is progress; each change restarts the wait.
    shown
        What the page says meanwhile, reported with what is waited for; "" for nothing.
    """

    what: str
    condition: Callable[[], bool]
    timeout_s: float = 60.0
    sign: Callable[[], object] = lambda: None
    shown: Callable[[], str] = lambda: ""


Script = Generator[Until, None, None]


def run_script(
    script: Script,
    parent: QObject | None = None,
    *,
    say: Callable[[str], object] = lambda text: None,
    heeds_signals: bool = False,
) -> None:
    """Run a script to its end while Qt's event loop runs.

    Parameters
    ----------
    say
        Called every 10 s with what is waited for.
    heeds_signals
        Whether SIGINT and SIGTERM end the script: Python would raise in any of Qt's slots, which
        prints the exception and continues.

    Raises
    ------
    StepTimeout
        Naming what was waited for.
    KeyboardInterrupt
        After a signal.
    Exception
        Whatever the script raises.
    """
    loop = QEventLoop()
    runner = _Runner(script, loop, parent, say)
    runner.start()
    heard = (signal.SIGINT, signal.SIGTERM) if heeds_signals and _is_main_thread() else ()
    before = {number: signal.signal(number, runner.interrupt) for number in heard}
    try:
        loop.exec()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if runner.error is not None:
        raise runner.error


def _in_brackets(step: Until) -> str:
    shown = step.shown()
    return f" ({shown})" if shown else ""


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


class _Runner(QObject):
    def __init__(
        self,
        script: Script,
        loop: QEventLoop,
        parent: QObject | None,
        say: Callable[[str], object],
    ) -> None:
        super().__init__(parent)
        self.error: BaseException | None = None
        self._script, self._loop, self._say = script, loop, say
        self._waiting: Until | None = None
        self._turns, self._sign = 0, object()
        self._is_interrupted = False
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        self._timer.start()

    def interrupt(self, _number: int, _frame: FrameType | None) -> None:
        """End the script at the next turn, and the process within seconds, whatever it is doing."""
        if not self._is_interrupted:
            self._is_interrupted = True
            end_within(WITHIN_S)

    def _tick(self) -> None:
        # An exception must not escape into Qt's loop, where it would be printed and forgotten.
        if self._is_interrupted:
            self._end(KeyboardInterrupt())
            return
        try:
            self._advance()
        except StopIteration:
            self._end(None)
        except Exception as error:
            self._end(error)

    def _advance(self) -> None:
        if self._waiting is not None and not self._waiting.condition():
            self._wait(self._waiting)
            return
        self._waiting = next(self._script)
        self._turns, self._sign = 0, object()

    def _wait(self, step: Until) -> None:
        """Count a turn without the condition; report what is waited for, and give up at the end."""
        sign = step.sign()
        self._turns = self._turns + 1 if sign == self._sign else 0
        self._sign = sign
        turns_s = self._turns * _TICK_MS / 1000
        if turns_s > max(step.timeout_s, _LEAST_PATIENCE_S):
            raise StepTimeout(
                f"Timed out waiting for {step.what}: nothing changed for {turns_s:.0f} s"
                f"{_in_brackets(step)}."
            )
        if self._turns and self._turns % round(_SAID_EVERY_S * 1000 / _TICK_MS) == 0:
            self._say(f"still waiting for {step.what}{_in_brackets(step)}")

    def _end(self, error: BaseException | None) -> None:
        self.error = error
        self._timer.stop()
        self._loop.quit()
