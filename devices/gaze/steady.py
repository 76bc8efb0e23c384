"""The point of gaze of both eyes without a jump when one of them is lost.

The two eyes' gaze lies apart by an offset (often half a degree and more). Their plain mean leaps by
half of it when one eye is lost, and the filter sees a saccade. Here the offset is tracked while
both are seen, and the eye that is left is moved by half of it. Raw samples stay as they are.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from devices.gaze.samples import Eye, SampleArray, eyes_norm, gaze_norm, mean_of_eyes
from devices.gaze.view import Affine

_MEMORY_US = 500_000.0


class SteadyGaze:
    """Turns samples of one stream into points of gaze; the same however they are cut into calls.

    Parameters
    ----------
    eye
        With "left" or "right" there is no offset to keep.
    correction
        Of the point of gaze, `_norm` to `_norm`, as a reading's row holds it; None for none.
    """

    def __init__(self, eye: Eye = "both", correction: Affine | None = None) -> None:
        self.eye = eye
        self._correction = correction
        self._state = np.zeros(4)

    def push(self, samples: SampleArray) -> NDArray[np.float64]:
        """Return the points (N, 2) of the next samples, normalised display area, NaN where lost."""
        points = self._points(samples)
        return points if self._correction is None else self._correction.map(points)

    def _points(self, samples: SampleArray) -> NDArray[np.float64]:
        if self.eye != "both":
            return gaze_norm(samples, self.eye)
        left, right = eyes_norm(samples)
        points = mean_of_eyes(left, right)
        if len(samples):
            _steady(samples["host_us"].astype(np.int64), left, right, points, self._state)
        return points


@njit(cache=True, nogil=True)
def _steady(
    t_us: NDArray[np.int64],
    left: NDArray[np.float64],
    right: NDArray[np.float64],
    points: NDArray[np.float64],
    state: NDArray[np.float64],
) -> None:
    """Move the points of single eyes; `state`: right - left (x, y), time seen (us), last time."""
    for i in range(len(t_us)):
        has_left, has_right = not np.isnan(left[i, 0]), not np.isnan(right[i, 0])
        if has_left and has_right:
            # A mean of all so far at first, then one that forgets.
            step_us = min(max(t_us[i] - state[3], 1.0), _MEMORY_US / 10) if state[2] > 0 else 1.0
            state[2] = min(state[2] + step_us, _MEMORY_US)
            state[3] = t_us[i]
            for axis in range(2):
                state[axis] += (right[i, axis] - left[i, axis] - state[axis]) * step_us / state[2]
        elif has_left:
            points[i] = left[i] + state[:2] / 2
        elif has_right:
            points[i] = right[i] - state[:2] / 2
