"""Blinks: gaze is lost for as long as a lid closes, while the tracker keeps sending.

Spontaneous blinks hide the pupil for 100 to 400 ms (Stern, Walrath and Goldstein 1984,
Psychophysiology 21:22); a shorter loss is a flaw of the tracker, a longer one an eye that is closed
or turned away.
"""

import numpy as np
from numpy.typing import NDArray

from devices.gaze.fixations.model import GazeEvent

SHORTEST_US, LONGEST_US = 70_000, 500_000
LONGEST_SILENCE_US = 60_000
"""Between two samples; after a longer gap, nobody knows what the eye did."""


class BlinkWatch:
    """Finds blinks as samples arrive; each is reported with the first gaze after it."""

    def __init__(self) -> None:
        self._t_us = np.empty(0)
        self._seen = np.empty(0, np.bool_)

    def push(self, t_us: NDArray[np.float64], seen: NDArray[np.bool_]) -> list[GazeEvent]:
        """Take the next stamps (N,), N > 0, ascending, and which of them have gaze."""
        t_us = np.concatenate((self._t_us, t_us))
        seen = np.concatenate((self._seen, seen))
        changes = np.flatnonzero(seen[1:] != seen[:-1]) + 1
        losses, ends = changes[~seen[changes]], changes[seen[changes]]
        if not seen[0]:
            ends = ends[1:]  # of a loss whose start is not known
        self._keep(t_us, seen, int(losses[-1]) if len(losses) > len(ends) else None)
        return _blinks(t_us, losses[: len(ends)], ends)

    def _keep(self, t_us: NDArray[np.float64], seen: NDArray[np.bool_], loss: int | None) -> None:
        """Keep the sample before a loss that goes on, and the loss; else the last sample."""
        is_long = loss is None or t_us[-1] - t_us[loss] > LONGEST_US
        first = len(t_us) - 1 if loss is None or is_long else loss - 1
        self._t_us, self._seen = t_us[first:].copy(), seen[first:].copy()


def _blinks(
    t_us: NDArray[np.float64], losses: NDArray[np.intp], ends: NDArray[np.intp]
) -> list[GazeEvent]:
    lasted_us = t_us[ends] - t_us[losses]
    likely = np.flatnonzero((lasted_us >= SHORTEST_US) & (lasted_us <= LONGEST_US))
    return [
        GazeEvent("blink", int(t_us[losses[k]]), int(t_us[ends[k]]))
        for k in likely
        if np.diff(t_us[losses[k] - 1 : ends[k] + 1]).max() <= LONGEST_SILENCE_US
    ]
