"""Dispersion filter (I-DT): samples that stay together for a while are fixation.

Dispersion is (max x - min x) + (max y - min y) of positions smoothed over a window of time, so
that noise, which widens the range of raw samples with the rate, counts little.

Source: Salvucci and Goldberg 2000.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from devices.fixations.episodes import OPEN, add_sample, close_open, pass_time, take_sample
from devices.fixations.windows import place_window

DISPERSION_DTYPE = np.dtype(
    [
        ("dispersion_deg", "f8"),
        ("min_duration_us", "f8"),
        ("max_loss_us", "f8"),
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
    """Label every sample whose window is complete and hand it on; `sx`, `sy` are filled, deg."""
    while place_window(window, t):
        i = window.next
        low, high = window.from_, window.to
        sx[i], sy[i] = x[low : high + 1].mean(), y[low : high + 1].mean()
        if i == 0 or t[i] - t[i - 1] > state.max_loss_us:
            pass_time(t[i], episodes, between, rules, out)
            _begin(state, i, sx[i], sy[i])
        _include(state, sx[i], sy[i])
        if state.fixating and not _fits(state):
            close_open(episodes, between, rules, out)
            _begin(state, i, sx[i], sy[i])
        elif not state.fixating:
            _trim(state, i, sx, sy)
        _hand_on(t, x, y, i, state, episodes, between, rules, out)
        window.next += 1


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
    if state.fixating:
        take_sample(t[i], x[i], y[i], True, episodes, between, rules, out)
    elif t[i] - t[state.first] >= state.min_duration_us:
        state.fixating = True
        for j in range(state.first, i):
            add_sample(episodes[OPEN], t[j], x[j], y[j])
        take_sample(t[i], x[i], y[i], True, episodes, between, rules, out)
    else:
        pass_time(t[i], episodes, between, rules, out)
