"""Velocity filter (I-VT): slow samples form fixations.

The velocity is the slope of a least-squares line over a window of time, which at its centre equals
that of a Savitzky-Golay polynomial of degree 1 or 2, and takes irregular stamps and lost samples.
The noise of that velocity is tracked; where it would cross the threshold by itself, the window
widens, then the threshold rises.

Sources: Salvucci and Goldberg 2000 (I-VT); Savitzky and Golay 1964; Robbins and Monro 1951 for
the running quantile.
"""

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from devices.gaze.fixations.episodes import HELD, cross_loss, pass_time, take_sample
from devices.gaze.fixations.windows import arrive, is_cut_off, place_window, set_window

VELOCITY_DTYPE = np.dtype(
    [
        ("threshold_deg_s", "f8"),
        ("step_deg", "f8"),
        ("noise_factor", "f8"),
        ("half_us", "f8"),
        ("noisy_half_us", "f8"),
        ("noise_deg_s", "f8"),  # of the velocity, per axis, in the window now in use
        ("gain", "f8"),  # what the noise falls to when the window widens
        ("is_noisy", "?"),
    ]
)
START_NOISE_DEG_S = 3.0
LEAST, NOISY_LEAST = 2, 5
# A window twice as wide holds twice the samples: the noise of its slope falls by 2^-1.5 per
# doubling. Measured against the wide window to decide whether the narrow one would do again.
_CALM_FACTOR = 4.0
_CALM_AGAIN = 0.6
# The 1/3 quantile of a Rayleigh variable is 0.90 sigma; the difference of two half-overlapping
# slopes has 1.41 to 1.58 sigma. A low quantile, since up to a third of the samples are saccade.
_QUANTILE = 1 / 3
_QUANTILE_IN_SIGMA = 0.9005 * 1.5
_ADAPT_PER_S = 3.0
_SATURATION_US = 40_000.0
LONGEST_REACH_US = 50_000.0


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _slope(
    t: NDArray[np.float64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    i: int,
    low: int,
    high: int,
) -> tuple[float, float, float]:
    """Return the slope of x and y over samples low … high, per second, and Σ(t - mean t)²."""
    n = high - low + 1
    st = sx = sy = stt = stx = sty = 0.0
    zero, x0, y0 = t[i], x[i], y[i]
    # Slices, so that the compiler knows that no index is negative and vectorises the loop.
    ts, xs, ys = t[low : high + 1], x[low : high + 1], y[low : high + 1]
    for j in range(n):
        s, dx, dy = ts[j] - zero, xs[j] - x0, ys[j] - y0
        st += s
        sx += dx
        sy += dy
        stt += s * s
        stx += s * dx
        sty += s * dy
    spread = n * stt - st * st
    if spread <= 0.0:
        return 0.0, 0.0, 0.0
    return 1e6 * (n * stx - st * sx) / spread, 1e6 * (n * sty - st * sy) / spread, spread / n


@njit(cache=True, nogil=True)
def _track_noise(state: Any, change_squared: float, elapsed_us: float) -> None:
    """Move the running quantile of the velocity's change towards one more value."""
    step = _ADAPT_PER_S * min(elapsed_us, _SATURATION_US) * 1e-6
    above = change_squared > (state.noise_deg_s * _QUANTILE_IN_SIGMA) ** 2
    state.noise_deg_s *= 1.0 + step * (_QUANTILE if above else _QUANTILE - 1.0)


@njit(cache=True, nogil=True)
def _choose_window(state: Any, window: Any, t: NDArray[np.float64]) -> None:
    limit = state.threshold_deg_s / _CALM_FACTOR
    if not state.is_noisy and state.noise_deg_s > limit:
        state.is_noisy = True
        state.noise_deg_s *= state.gain
        set_window(window, t, state.noisy_half_us, NOISY_LEAST)
    elif state.is_noisy and state.noise_deg_s < _CALM_AGAIN * limit * state.gain:
        state.is_noisy = False
        state.noise_deg_s /= state.gain
        set_window(window, t, state.half_us, LEAST)


@njit(cache=True, nogil=True)
def advance_velocity(
    stamps: NDArray[np.float64],
    known: NDArray[np.int64],
    t: NDArray[np.float64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    vx: NDArray[np.float64],
    vy: NDArray[np.float64],
    state: Any,
    window: Any,
    episodes: Any,
    between: Any,
    rules: Any,
    out: Any,
) -> None:
    """Hear of each stamp, label the samples whose windows it completes, release what is due.

    `known` counts the valid samples up to each stamp; `vx`, `vy` are filled, deg/s.
    """
    for k in range(len(stamps)):
        arrive(window, stamps[k])
        n = known[k]
        while window.next < n:
            _choose_window(state, window, t)
            if not place_window(window, t, n):
                break
            if is_cut_off(window, t):
                cross_loss(episodes, between, rules, out)
            i = window.next
            fixating = _is_slow(t, x, y, vx, vy, state, window, rules)
            take_sample(t[i], x[i], y[i], fixating, episodes, between, rules, out)
            window.next += 1
        is_steady = window.next < n and not episodes[HELD].count and not is_cut_off(window, t)
        if not is_steady and pass_time(
            t, x, y, window.next, n, window, episodes, between, rules, out
        ):
            window.next = n


@njit(cache=True, nogil=True)
def _is_slow(
    t: NDArray[np.float64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    vx: NDArray[np.float64],
    vy: NDArray[np.float64],
    state: Any,
    window: Any,
    rules: Any,
) -> bool:
    i = window.next
    vx[i], vy[i], spread = _slope(t, x, y, i, window.from_, window.to)
    before = i - max((window.to - window.from_) // 2, 1)  # its window overlaps half of this one
    if not window.at_edge and before >= max(window.run, 0) and not math.isnan(vx[before]):
        dx, dy = vx[i] - vx[before], vy[i] - vy[before]
        _track_noise(state, dx * dx + dy * dy, t[i] - t[i - 1])
    noise = state.noise_deg_s
    rules.noise_squared = noise * noise * spread * 1e-12
    side_us = t[i] - t[window.from_] if window.to == i else t[window.to] - t[i]
    rules.reach_us = max(window.half_us, min(1.01 * side_us, LONGEST_REACH_US))
    width_us = max(t[window.to] - t[window.from_], 1.0)
    limit = min(state.threshold_deg_s, 1e6 * state.step_deg / width_us)
    limit = max(limit, state.noise_factor * noise)
    rules.speed_squared = vx[i] * vx[i] + vy[i] * vy[i]
    return bool(spread > 0 and rules.speed_squared <= limit * limit)
