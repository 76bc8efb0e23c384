"""From an LSL sender's time stamps to the host clock."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from devices.clock import HostClock
from devices.gaze.geometry import FloatArray
from devices.stamp_watch import StampFault, StampWatch

TRIES = 7


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
        self._watch = StampWatch()
        self.correction_s = 0.0
        self.measure()

    def measure(self) -> None:
        """Pair the two clocks again; the pair read in the shortest time counts."""
        pairs = []
        for _ in range(TRIES):
            before = self._clock.now_us()
            local_s = self._local_clock()
            after = self._clock.now_us()
            pairs.append((after - before, (after + before) / 2, local_s))
        _, self._host_us, self._local_s = min(pairs)

    def correct(self, correction_s: float) -> None:
        """Take over a fresh clock correction; one that explains a healed jump replaces it."""
        self._watch.corrected(1e6 * (correction_s - self.correction_s))
        self.correction_s = correction_s

    def host_us(self, stamps_s: FloatArray) -> tuple[NDArray[np.int64], list[StampFault]]:
        """Return stamps (N,), N > 0, just arrived, on the host clock, in ascending order.

        With them comes what the sender's clock did, healed by `devices.stamp_watch`.
        """
        speed = self._clock.speed
        local_us = 1e6 * (stamps_s + self.correction_s - self._local_s) + self._host_us / speed
        now_us = self._clock.now_us() / speed
        placed_us, faults = self._watch.place(1e6 * stamps_s, local_us, now_us)
        return np.rint(placed_us * speed).astype(np.int64), faults
