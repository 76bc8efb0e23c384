"""Which samples a local fit at one sample may use: the moving time window of the filters.

A window is measured in time, so that smoothing does not depend on the rate, and holds at least a
few samples, so that slow trackers have one too. It never reaches across a long loss: samples
between two long losses form a run, and at the ends of a run the window shifts inward instead of
shrinking, which keeps its noise the same. Its content follows from the samples alone, never from
how they were cut into chunks.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

WINDOW_DTYPE = np.dtype(
    [
        ("next", "i8"),  # the sample whose window is sought
        ("run", "i8"),  # first sample of its run, negative: before the buffer
        ("low", "i8"),
        ("high", "i8"),  # first and last sample of the window, before the shift at an end
        ("from_", "i8"),
        ("to", "i8"),  # the same after the shift
        ("half_us", "f8"),
        ("side", "i8"),  # samples wanted on each side, however far they are within the run
        ("max_loss_us", "f8"),
        ("now_us", "f8"),  # latest time heard of, lost samples included
    ]
)

MAX_REACH_US = 50_000.0
"""How far a window may reach for the samples it wants on each side: bounds the delay."""


@njit(cache=True, nogil=True)
def _wanted(elapsed_us: float, count: int, half_us: float, side: int, reach_us: float) -> bool:
    """Return whether one more sample, the `count`-th on its side, belongs to the window."""
    return elapsed_us <= half_us or count <= 1 or (count <= side and elapsed_us <= reach_us)


@njit(cache=True, nogil=True)
def set_window(window: Any, t: NDArray[np.float64], half_us: float, side: int) -> None:
    """Give the window another width and place its edges anew around the next sample."""
    window.half_us, window.side = half_us, side
    i = window.next
    low, bound = i, max(window.run, 0)
    while low > bound and _wanted(t[i] - t[low - 1], i - low + 1, half_us, side, MAX_REACH_US):
        low -= 1
    window.low, window.high = low, i


@njit(cache=True, nogil=True)
def place_window(window: Any, t: NDArray[np.float64]) -> bool:
    """Set `from_` and `to` around sample `next`; False while later samples could change them."""
    i, n = window.next, len(t)
    if i >= n:
        return False
    if i > 0 and t[i] - t[i - 1] > window.max_loss_us:
        window.run = window.low = window.high = i
    high, half_us, side = max(window.high, i), window.half_us, window.side
    while (
        high + 1 < n
        and t[high + 1] - t[high] <= window.max_loss_us
        and _wanted(t[high + 1] - t[i], high + 1 - i, half_us, side, MAX_REACH_US)
    ):
        high += 1
    low = window.low
    while not _wanted(t[i] - t[low], i - low, half_us, side, MAX_REACH_US):
        low += 1
    window.low, window.high = low, high
    return _shift_inward(window, t, i)


@njit(cache=True, nogil=True)
def _shift_inward(window: Any, t: NDArray[np.float64], i: int) -> bool:
    low, high, n = window.low, window.high, len(t)
    full_us, full = 2 * window.half_us, 2 * window.side
    if low == window.run:
        while (
            high + 1 < n
            and t[high + 1] - t[high] <= window.max_loss_us
            and _wanted(t[high + 1] - t[low], high + 1 - low, full_us, full, 2 * MAX_REACH_US)
        ):
            high += 1
    if high + 1 == n:
        ends = window.now_us - t[high] > window.max_loss_us
        if not ends and not _is_settled(window, t, i, low, high):
            return False
    else:
        ends = t[high + 1] - t[high] > window.max_loss_us
    if ends:
        bound = max(window.run, 0)
        while low > bound and _wanted(
            t[high] - t[low - 1], high - low + 1, full_us, full, 2 * MAX_REACH_US
        ):
            low -= 1
    window.from_, window.to = low, high
    return True


@njit(cache=True, nogil=True)
def _is_settled(window: Any, t: NDArray[np.float64], i: int, low: int, high: int) -> bool:
    """Return whether no sample after the last one, nor the lack of any, can change the window."""
    half_us, side = window.half_us, window.side
    if low <= max(window.run, 0) or _wanted(
        t[high] - t[i], high + 1 - i, half_us, side, MAX_REACH_US
    ):
        return False
    return not _wanted(
        t[high] - t[low - 1], high - low + 1, 2 * half_us, 2 * side, 2 * MAX_REACH_US
    )


@njit(cache=True, nogil=True)
def is_at_end(window: Any) -> bool:
    """Return whether the window had to be shifted because its run begins or ends nearby."""
    return bool(window.from_ != window.low or window.to != window.high)


@njit(cache=True, nogil=True)
def oldest_needed(window: Any, t: NDArray[np.float64], reach_us: float, reach: int) -> int:
    """Return the first sample that windows to come may still use."""
    keep = min(window.low, window.next)
    if keep >= len(t):
        keep = len(t) - 1
    last = min(window.next, len(t) - 1)
    while keep > 0 and (t[last] - t[keep - 1] <= reach_us or last - keep < reach):
        keep -= 1
    return int(max(keep, 0))


@njit(cache=True, nogil=True)
def drop_samples(window: Any, count: int) -> None:
    """Renumber after `count` samples were taken off the front of the buffer."""
    window.next -= count
    window.run = max(window.run - count, -1)
    window.low = max(window.low - count, 0)
    window.high = max(window.high - count, 0)
