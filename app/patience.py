"""How long a process is waited for: by its own work, so that a busy computer ends nothing."""

import contextlib
import time

import psutil

_IDLE_TIMES = 10.0
"""So many times as long it may stand still, waiting for a disk or for its turn."""


class Patience:
    """What is left of the time that a process may take.

    Parameters
    ----------
    pid
        Of the process.
    seconds
        Of its own work (processor time); waiting counts a tenth.
    """

    def __init__(self, pid: int | None, seconds: float) -> None:
        self._pid, self._seconds = pid, seconds
        self._began_s, self._worked_s = time.monotonic(), self._work_s()

    @property
    def is_over(self) -> bool:
        """Whether it worked, or stood still, for too long."""
        waited_s = time.monotonic() - self._began_s
        if waited_s <= self._seconds:
            return False
        return (
            self._work_s() - self._worked_s > self._seconds
            or waited_s > self._seconds * _IDLE_TIMES
        )

    def _work_s(self) -> float:
        with contextlib.suppress(psutil.Error):
            if self._pid is not None:
                times = psutil.Process(self._pid).cpu_times()
                return float(times.user + times.system)
        return 0.0
