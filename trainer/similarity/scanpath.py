"""Scanpaths of MultiMatch: saccades between fixations, and their simplification; compiled.

The simplification is that of multimatch_gaze 0.1.3 to the last quirk, since values that it gives
are what MultiMatch is held to: see `_join_short` for the durations that get out of step.
"""

import math

import numpy as np
from numba import njit

from trainer.similarity.base import FloatArray

_SACCADE = 6  # columns: x and y extent, x and y of the start, direction, length


@njit(cache=True, nogil=True)
def scanpath(
    fixations: FloatArray, grouping: bool, limits: tuple[float, float, float]
) -> FloatArray:
    """Return the saccades (M, 7) of fixations (N, 3) with x, y, duration.

    Parameters
    ----------
    fixations
        At least two.
    grouping
        Whether to simplify.
    limits
        Turn (degrees), duration, length below which saccades are joined.

    Returns
    -------
    NDArray
        x and y extent, x and y of the start, direction (rad, 0 … 2π), length, and the duration
        that goes with the saccade.
    """
    count = len(fixations) - 1
    saccades, durations = np.empty((count, _SACCADE)), fixations[:, 2].copy()
    for i in range(count):
        dx, dy = fixations[i + 1, 0] - fixations[i, 0], fixations[i + 1, 1] - fixations[i, 1]
        _put(saccades, i, dx, dy, fixations[i, 0], fixations[i, 1])
    while grouping:
        before = len(durations)
        saccades, durations = _join_straight(saccades, durations, limits[0], limits[1])
        saccades, durations = _join_short(saccades, durations, limits[2], limits[1])
        if len(durations) == before:
            break
    out = np.empty((len(saccades), _SACCADE + 1))
    for i in range(len(out)):
        _copy(saccades, i, out, i)
        out[i, _SACCADE] = durations[i]
        if out[i, 4] < 0:
            out[i, 4] = math.pi + (math.pi + out[i, 4])
    return out


@njit(cache=True, nogil=True)
def _put(saccades: FloatArray, i: int, dx: float, dy: float, x: float, y: float) -> None:
    saccades[i, 0], saccades[i, 1], saccades[i, 2], saccades[i, 3] = dx, dy, x, y
    saccades[i, 4], saccades[i, 5] = math.atan2(dy, dx), math.sqrt(dx * dx + dy * dy)


@njit(cache=True, nogil=True)
def _copy(saccades: FloatArray, i: int, out: FloatArray, j: int) -> None:
    # Value by value: `out[j] = saccades[i]` takes numba three seconds more to compile.
    for column in range(_SACCADE):
        out[j, column] = saccades[i, column]


@njit(cache=True, nogil=True)
def _turn_deg(saccades: FloatArray, i: int) -> float:
    """Return the angle between a saccade and the next; NaN where either has no length."""
    dot = saccades[i, 0] * saccades[i + 1, 0] + saccades[i, 1] * saccades[i + 1, 1]
    lengths = saccades[i, 5] * saccades[i + 1, 5]
    if lengths == 0.0:
        return np.nan
    return math.degrees(math.acos(min(1.0, max(-1.0, dot / lengths))))


@njit(cache=True, nogil=True)
def _join_straight(
    saccades: FloatArray, durations: FloatArray, turn_deg: float, duration: float
) -> tuple[FloatArray, FloatArray]:
    """Join each saccade with the next where they hardly turn and the fixation between is short."""
    count = len(saccades)
    out, kept = np.empty((count, _SACCADE)), np.empty(count + 1)
    i = j = 0
    while i < count:
        joined = i < count - 1 and _turn_deg(saccades, i) < turn_deg
        joined = joined and durations[i + 1] < duration
        i = _take(saccades, durations, i, joined, out, kept, j)
        j += 1
    kept[j] = durations[-1]
    return out[:j], kept[: j + 1]


@njit(cache=True, nogil=True)
def _take(
    saccades: FloatArray,
    durations: FloatArray,
    i: int,
    joined: bool,
    out: FloatArray,
    kept: FloatArray,
    j: int,
) -> int:
    """Copy saccade i, joined with the next or not, to place j; return the one that comes next."""
    kept[j] = durations[i]
    if not joined:
        _copy(saccades, i, out, j)
        return i + 1
    dx, dy = saccades[i, 0] + saccades[i + 1, 0], saccades[i, 1] + saccades[i + 1, 1]
    _put(out, j, dx, dy, saccades[i, 2], saccades[i, 3])
    return i + 2


@njit(cache=True, nogil=True)
def _join_short(
    saccades: FloatArray, durations: FloatArray, length: float, duration: float
) -> tuple[FloatArray, FloatArray]:
    """Join each short saccade with the next where a fixation beside it is short.

    A short last one is added to the one before it as that was, not as it may just have been
    joined; a duration more is kept than there are saccades to go with. One that is alone stays
    (multimatch_gaze ends with an error there).
    """
    count = len(saccades)
    out, kept = np.empty((count, _SACCADE)), np.empty(count + 2)
    i = j = 0
    while i < count - 1:
        short = saccades[i, 5] < length
        joined = short and (durations[i + 1] < duration or durations[i] < duration)
        i = _take(saccades, durations, i, joined, out, kept, j)
        j += 1
    extra = 0
    if i == count - 1:
        short = saccades[i, 5] < length and j > 0
        if short and (durations[-1] < duration or durations[-2] < duration):
            dx, dy = saccades[-2, 0] + saccades[-1, 0], saccades[-2, 1] + saccades[-1, 1]
            _put(out, j - 1, dx, dy, out[j - 1, 2], out[j - 1, 3])
            kept[j] = durations[i - 1]
            extra = 1
        else:
            _take(saccades, durations, i, False, out, kept, j)
            j += 1
    kept[j + extra] = durations[-1]
    return out[:j], kept[: j + extra + 1]
