"""Dispersion filter (I-DT): samples that stay together for a while form a fixation.

Dispersion is (max x - min x) + (max y - min y) of positions smoothed over a window of time, so
that noise, which widens the range of raw samples with the rate, counts little.

Source: Salvucci and Goldberg 2000.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from devices.gaze.fixations.episode import add_sample
from devices.gaze.fixations.episodes import OPEN, close_open, pass_time, take_sample
from devices.gaze.fixations.windows import arrive, is_cut_off, place_window

DISPERSION_DTYPE = np.dtype(
    [
        ("dispersion_deg", "f8"),
        ("min_duration_us", "f8"),
        ("first", "i8"),  # first sample of the stretch that may become a fixation
        ("fixating", "?"),
        ("min_x", "f8"),
        ("max_x", "f8"),
        ("min_y", "f8"),
        ("max_y", "f8"),
    ]
)


@njit(cache=True, nogil=True)
def _include(state: Any, x: float, y: float) -> None:
    state.min_x, state.max_x = min(state.min_x, x), max(state.max_x, x)
    state.min_y, state.max_y = min(state.min_y, y), max(state.max_y, y)


@njit(cache=True, nogil=True)
def _begin(state: Any, i: int, x: float, y: float) -> None:
    state.first, state.fixating = i, False
    state.min_x = state.max_x = x
    state.min_y = state.max_y = y


@njit(cache=True, nogil=True)
def _fits(state: Any) -> bool:
    dispersion = (state.max_x - state.min_x) + (state.max_y - state.min_y)
    return bool(dispersion <= state.dispersion_deg)


@njit(cache=True, nogil=True)
def _trim(state: Any, i: int, sx: NDArray[np.float64], sy: NDArray[np.float64]) -> None:
    """Drop samples from the front of the stretch until the rest, to sample i, fits."""
    while not _fits(state):
        _begin(state, state.first + 1, sx[i], sy[i])
        for j in range(state.first, i):
            _include(state, sx[j], sy[j])


@njit(cache=True, nogil=True)
def advance_dispersion(
    stamps: NDArray[np.float64],
    known: NDArray[np.int64],
    t: NDArray[np.float64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    sx: NDArray[np.float64],
    sy: NDArray[np.float64],
    state: Any,
    window: Any,
    episodes: Any,
    between: Any,
    rules: Any,
    out: Any,
) -> None:
    """Hear of each stamp, label the samples whose windows it completes, release what is due.

    `known` counts the valid samples up to each stamp; `sx`, `sy` are filled, deg.
    """
    for k in range(len(stamps)):
        arrive(window, stamps[k])
        n = known[k]
        while place_window(window, t, n):
            i = window.next
            low, high = window.from_, window.to
            sx[i], sy[i] = x[low : high + 1].mean(), y[low : high + 1].mean()
            _place(t, sx, sy, i, state, window, episodes, between, rules, out)
            _hand_on(t, x, y, i, state, episodes, between, rules, out)
            window.next += 1
        first = window.next if state.fixating else min(state.first, window.next)
        if pass_time(t, x, y, first, n, window, episodes, between, rules, out):
            _go_on(state, sx, sy, first, window.next)
            window.next = n


@njit(cache=True, nogil=True)
def _go_on(
    state: Any, sx: NDArray[np.float64], sy: NDArray[np.float64], first: int, next_: int
) -> None:
    """Take samples `first` up to `next_` for the fixation that they continue."""
    state.fixating = True
    for j in range(first, next_):
        if j == first:
            _begin(state, j, sx[j], sy[j])
        _include(state, sx[j], sy[j])
    state.fixating = True


@njit(cache=True, nogil=True)
def _place(
    t: NDArray[np.float64],
    sx: NDArray[np.float64],
    sy: NDArray[np.float64],
    i: int,
    state: Any,
    window: Any,
    episodes: Any,
    between: Any,
    rules: Any,
    out: Any,
) -> None:
    """Let the stretch grow by sample i, or begin a new one there."""
    was_closed = state.fixating and episodes[OPEN].count == 0
    if i == 0 or is_cut_off(window, t) or was_closed:
        close_open(episodes, between, rules, out)
        _begin(state, i, sx[i], sy[i])
    _include(state, sx[i], sy[i])
    if state.fixating and not _fits(state):
        close_open(episodes, between, rules, out)
        _begin(state, i, sx[i], sy[i])
    elif not state.fixating:
        _trim(state, i, sx, sy)


@njit(cache=True, nogil=True)
def _hand_on(
    t: NDArray[np.float64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    i: int,
    state: Any,
    episodes: Any,
    between: Any,
    rules: Any,
    out: Any,
) -> None:
    if not state.fixating:
        if t[i] - t[state.first] < state.min_duration_us:
            return
        state.fixating = True
        for j in range(state.first, i):
            add_sample(episodes[OPEN], t[j], x[j], y[j])
    take_sample(t[i], x[i], y[i], True, episodes, between, rules, out)
