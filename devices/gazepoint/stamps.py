"""From the time of Gazepoint's records to the host clock."""

import numpy as np
from numpy.typing import NDArray

from devices.stamp_watch import Floats, StampFault, StampWatch


class RecordClock:
    """Places the records of one connection by the one that arrived with the least delay.

    The API pairs its clock with no other, so what the tracker and Control take from the camera
    to the network is not known and not corrected.

    Parameters
    ----------
    speed
        Of the host clock.
    not_before_us
        Host clock, of the last record of the connection before.
    """

    def __init__(self, speed: float, not_before_us: int | None = None) -> None:
        self._speed, self._not_before_us = speed, not_before_us
        self._watch = StampWatch()
        self._shift_us: float | None = None

    def place(
        self, times_us: Floats, arrived_us: Floats
    ) -> tuple[NDArray[np.int64], list[StampFault]]:
        """Return records (N,), N > 0, on the host clock, in ascending order; and what was.

        Parameters
        ----------
        times_us
            By the tracker's clock.
        arrived_us
            Real microseconds of the host clock.
        """
        if self._shift_us is None:
            self._shift_us = float((arrived_us - times_us).min())
        mapped_us = times_us + self._shift_us
        placed_us, faults = self._watch.place(times_us, mapped_us, float(arrived_us[-1]))
        host_us = np.rint(placed_us * self._speed).astype(np.int64)
        if self._not_before_us is not None:
            host_us = np.maximum(host_us, self._not_before_us)
        return host_us, faults
