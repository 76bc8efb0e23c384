"""From an LSL sender's time stamps to the host clock."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from devices.clock import HostClock
from devices.gaze.geometry import FloatArray

TRIES = 7
EARLY_S, LATE_S = 0.05, 60.0
"""How far a stamp may lie ahead of its arrival, or behind it, before its clock is suspect."""


class StampClock:
    """Maps stamps of a sender's LSL clock to microseconds of the host clock.

    Parameters
    ----------
    clock
        Host clock; its speed is respected.
    local_clock
        LSL's clock of this computer, in seconds.

    Attributes
    ----------
    correction_s
        To be added to a sender's stamp to have it on this computer's LSL clock.
    """

    def __init__(self, clock: HostClock, local_clock: Callable[[], float]) -> None:
        self._clock, self._local_clock = clock, local_clock
        self._shift_us = 0
        self._last_us: int | None = None
        self.correction_s = 0.0
        self.measure()

    def measure(self) -> None:
        """Pair the two clocks anew; the pair read in the shortest time counts."""
        pairs = []
        for _ in range(TRIES):
            before = self._clock.now_us()
            local_s = self._local_clock()
            after = self._clock.now_us()
            pairs.append((after - before, (after + before) / 2, local_s))
        _, self._host_us, self._local_s = min(pairs)

    def correct(self, correction_s: float) -> None:
        """Take over a fresh clock correction; a real change ends an emergency shift."""
        if abs(correction_s - self.correction_s) > 1e-3:
            self._shift_us = 0
        self.correction_s = correction_s

    def host_us(self, stamps_s: FloatArray) -> tuple[NDArray[np.int64], bool]:
        """Return stamps (N,), N > 0, just arrived, on the host clock, in ascending order.

        The flag tells that the sender's clock was reset: its stamps lay outside of what can be,
        and the newest was set to its arrival instead.
        """
        local_s = stamps_s + self.correction_s
        elapsed_us = (local_s - self._local_s) * self._clock.speed * 1e6
        host_us = np.rint(self._host_us + elapsed_us).astype(np.int64) + self._shift_us
        late_us = self._clock.now_us() - int(host_us.max())
        late_s = late_us / self._clock.speed / 1e6
        was_reset = not -EARLY_S <= late_s <= LATE_S
        if was_reset:
            self._shift_us += late_us
            host_us += late_us
        return self._ascending(host_us), was_reset

    def _ascending(self, host_us: NDArray[np.int64]) -> NDArray[np.int64]:
        """Iron out the microseconds by which a refreshed correction may step back."""
        if self._last_us is not None:
            host_us = np.maximum(host_us, self._last_us)
        ascending: NDArray[np.int64] = np.maximum.accumulate(host_us)
        self._last_us = int(ascending[-1])
        return ascending
