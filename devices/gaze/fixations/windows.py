"""Which samples a local fit at one sample may use: the moving time window of the filters.

A window is measured in time, so that smoothing does not depend on the rate. It looks ahead by half
its width at most (at slow rates by one sample), so the delay is bounded. Samples further apart than
a link are not joined; where one side of the window is missing, the other becomes as much longer, so
that the noise of a fit stays the same. All follows from the stamps of the samples, lost ones
included, one arrival after another: never from how they were cut into calls.
"""

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

WINDOW_DTYPE = np.dtype(
    [
        ("next", "i8"),  # the sample whose window is sought
        ("run", "i8"),  # first sample linked to it
        ("low", "i8"),
        ("high", "i8"),  # first and last sample within half a width of it
        ("from_", "i8"),
        ("to", "i8"),  # first and last sample of the fit
        ("at_edge", "?"),  # whether a loss made the fit one-sided
        ("extends", "?"),  # whether one side may become longer for the other
        ("half_us", "f8"),
        ("least", "i8"),  # samples wanted in a fit
        ("now_us", "f8"),  # latest stamp heard of
        ("step_us", "f8"),  # usual distance of stamps
        ("horizon_us", "f8"),  # when the next one is expected
        ("link_us", "f8"),
        ("longest_link_us", "f8"),
    ]
)

REACH_US = 25_000.0
"""How far ahead one sample is waited for: central fits down to 50 Hz."""
BACK_US = 80_000.0
"""How far back samples are sought to make up the wanted number."""


@njit(cache=True, nogil=True)
def arrive(window: Any, now_us: float) -> None:
    """Hear of a stamp, of a lost sample or not; infinite: the recording has ended."""
    step_us = now_us - window.now_us
    if math.isfinite(step_us):
        # A single gap must not pass for a slow tracker.
        known_us = window.step_us
        window.step_us = min(step_us, 1.25 * known_us) if known_us > 0.0 else step_us
    window.now_us = now_us
    window.horizon_us = now_us + 1.15 * window.step_us
    window.link_us = max(window.longest_link_us, 1.5 * window.step_us)


@njit(cache=True, nogil=True)
def set_window(window: Any, t: NDArray[np.float64], half_us: float, least: int) -> None:
    """Give the window another width."""
    window.half_us, window.least = half_us, least
    low, bound = window.next, max(window.run, 0)
    while low > bound and t[window.next] - t[low - 1] <= half_us:
        low -= 1
    window.low, window.high = low, window.next


@njit(cache=True, nogil=True)
def is_cut_off(window: Any, t: NDArray[np.float64]) -> bool:
    """Return whether a long loss lies before sample `next`."""
    i = window.next
    return bool(i > 0 and t[i] - t[i - 1] > window.link_us)


@njit(cache=True, nogil=True)
def place_window(window: Any, t: NDArray[np.float64], n: int) -> bool:
    """Set `from_` and `to` around sample `next` of the n known; False: its time has not come."""
    i, half_us = window.next, window.half_us
    if i >= n:
        return False
    if is_cut_off(window, t):
        window.run = window.low = window.high = i
    low, high = window.low, max(window.high, i)
    while high + 1 < n and t[high + 1] - t[i] <= half_us and _linked(window, t, high):
        high += 1
    while t[i] - t[low] > half_us:
        low += 1
    window.low, window.high = low, high
    if high == i and i + 1 < n and t[i + 1] - t[i] <= min(REACH_US, window.link_us):
        high += 1
    if low == i and i > max(window.run, 0):
        low -= 1
    is_whole = high > i and window.now_us >= t[i] + half_us
    if not is_whole and window.horizon_us <= t[i] + max(half_us, REACH_US):
        return False
    window.from_, window.to, window.at_edge = low, high, False
    return not window.extends or _extend(window, t, n)


@njit(cache=True, nogil=True)
def _linked(window: Any, t: NDArray[np.float64], j: int) -> bool:
    return bool(t[j + 1] - t[j] <= window.link_us)


@njit(cache=True, nogil=True)
def _extend(window: Any, t: NDArray[np.float64], n: int) -> bool:
    """Make one side longer where the other is missing; False while later samples may serve."""
    i, low, high = window.next, window.from_, window.to
    width_us, enough_us = 2 * window.half_us, window.half_us - 1.5 * window.step_us
    is_alone = high == i and window.step_us <= REACH_US
    lacks_right = is_alone or t[high] - t[i] < enough_us
    lacks_left = not lacks_right and t[i] - t[low] < enough_us
    if lacks_left:
        end_us = t[low] + width_us
        while high + 1 < n and t[high + 1] <= end_us and _linked(window, t, high):
            high += 1
        if high + 1 == n and window.horizon_us <= end_us:
            return False
    bound = max(window.run, 0)
    while low > bound and lacks_right and t[high] - t[low - 1] <= width_us:
        low -= 1
    while low > bound and high - low + 1 < window.least and t[i] - t[low - 1] <= BACK_US:
        low -= 1
    window.at_edge = lacks_left or lacks_right
    window.from_, window.to = low, high
    return True


@njit(cache=True, nogil=True)
def drop_samples(window: Any, t: NDArray[np.float64], first: int) -> int:
    """Return how many samples before `first` no window will need, and renumber the rest."""
    last = min(window.next, len(t) - 1)
    keep = min(window.low, last, first)
    while keep > 0 and t[last] - t[keep - 1] <= 2 * BACK_US:
        keep -= 1
    keep = max(keep - 1, 0)  # one more, which tells how long the loss after it was
    window.next -= keep
    window.run = max(window.run - keep, -1)
    window.low = max(window.low - keep, 0)
    window.high = max(window.high - keep, 0)
    return int(keep)
