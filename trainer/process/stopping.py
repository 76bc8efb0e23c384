"""How a run is asked to stop: a line `stop` on standard input, Ctrl-C, or a signal."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from migrations.study.stopping import end_within

# SIGBREAK is Windows' own; SIGHUP comes when a terminal on a GPU box is lost; SIGUSR1 some time
# before SLURM's limit (`--signal=USR1@90`), perhaps more than once and before its SIGTERM.
_SIGNALS = ("SIGINT", "SIGTERM", "SIGBREAK", "SIGHUP", "SIGUSR1")
_NOTICE = getattr(signal, "SIGUSR1", None)


class StopRequest:
    """A wish to stop, set from any thread, looked at before every step."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._wanted = False  # asked for, not only given notice of
        self._within_s: float | None = None

    def __call__(self) -> bool:
        """Return whether a stop was asked for."""
        return self._event.is_set()

    def set(self) -> None:
        """Ask for a stop."""
        self._wanted = True
        self._event.set()

    def listen(self, descriptor: int) -> threading.Thread:
        """Wait on a pipe for the line `stop`, in a daemon thread; its end means nothing.

        The descriptor is read without Python's buffer: a daemon thread that holds the lock of
        `sys.stdin` aborts the interpreter when it shuts down.
        """
        thread = threading.Thread(
            target=self._listen, args=(descriptor,), name="stop-listener", daemon=True
        )
        thread.start()
        return thread

    def _listen(self, descriptor: int) -> None:
        rest = b""
        with contextlib.suppress(OSError):
            while data := os.read(descriptor, 4096):
                *lines, rest = (rest + data).split(b"\n")
                if any(line.strip().lower() == b"stop" for line in lines):
                    self.set()

    @contextlib.contextmanager
    def on_signals(self, within_s: float | None = None) -> Iterator[None]:
        """Stop on a signal; a second one breaks off at once. `nohup` keeps SIGHUP off.

        SIGUSR1 gives notice: it asks for a stop too, but breaks nothing off, nor does the signal
        after it.

        Parameters
        ----------
        within_s
            Seconds after which the process is ended, where there is no checkpoint worth waiting
            for; None waits.
        """
        self._within_s = within_s
        if threading.current_thread() is not threading.main_thread():
            yield  # only the main thread may set handlers
            return
        known = [getattr(signal, name) for name in _SIGNALS if _is_heard(name)]
        before = {number: signal.signal(number, self._on_signal) for number in known}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if number == _NOTICE:
            self._event.set()
            return
        if self._wanted:
            raise KeyboardInterrupt
        self.set()
        if self._within_s is not None:
            end_within(self._within_s)


def _is_heard(name: str) -> bool:
    number = getattr(signal, name, None)
    if number is None:
        return False
    return name != "SIGHUP" or signal.getsignal(number) is not signal.SIG_IGN
