"""One episode: sums over its samples, and whether the eye rested or travelled during it."""

import math
from typing import Any

import numpy as np
from numba import njit

EPISODE_DTYPE = np.dtype(
    [
        ("count", "i8"),  # 0: there is none
        ("start_us", "f8"),
        ("end_us", "f8"),
        ("core_us", "f8"),  # end before it was given smeared samples back
        ("sum_x", "f8"),
        ("sum_y", "f8"),
        ("min_x", "f8"),
        ("max_x", "f8"),
        ("min_y", "f8"),
        ("max_y", "f8"),
        ("zero_us", "f8"),  # what its times below are counted from, in seconds
        ("sum_t", "f8"),
        ("sum_tt", "f8"),
        ("sum_tx", "f8"),
        ("sum_ty", "f8"),
        ("peak_squared", "f8"),  # of the velocity, deg²/s²
        ("travel_deg", "f8"),  # of a pursuit or saccade, once it is given out
        ("kind", "i8"),  # once it is given out: FIXATION, PURSUIT or SACCADE
        ("settled", "?"),  # the eye rested long enough for a saccade to have ended here
    ]
)
FIXATION, PURSUIT, SACCADE = 0, 1, 2
RULES_DTYPE = np.dtype(
    [
        ("min_duration_us", "f8"),
        ("max_delay_us", "f8"),
        ("merge_deg", "f8"),
        ("merge_noise", "f8"),  # wider by this many standard errors of the two means
        ("reach_us", "f8"),  # how far the smoothing smears a saccade into its neighbours
        ("grow_deg", "f8"),  # smeared samples this near are given back
        ("noise_squared", "f8"),  # variance of the positions, per axis, deg²
        ("waiting", "i8"),  # fast samples kept in `between`
        ("found", "i8"),  # finished events written in this call
        ("pursuit_deg_s", "f8"),
        ("pursuit_deg", "f8"),  # 0: there is no pursuit
        ("speed_squared", "f8"),  # of the sample now taken, deg²/s²
        ("peak_squared", "f8"),  # the largest of the fast samples since the last episode
    ]
)
_TRAVEL_NOISE = 3.0
"""Standard errors by which a travel must exceed what makes it a pursuit."""


@njit(cache=True, nogil=True)
def add_sample(episode: Any, t_us: float, x: float, y: float) -> None:
    """Let an episode, empty or not, grow by one sample."""
    if episode.count == 0:
        episode.start_us = episode.zero_us = t_us
        episode.sum_x = episode.sum_y = episode.peak_squared = 0.0
        episode.sum_t = episode.sum_tt = episode.sum_tx = episode.sum_ty = 0.0
        episode.settled = False
        episode.min_x = episode.max_x = x
        episode.min_y = episode.max_y = y
    episode.count += 1
    episode.end_us = t_us
    s = (t_us - episode.zero_us) * 1e-6
    episode.sum_x += x
    episode.sum_y += y
    episode.sum_t += s
    episode.sum_tt += s * s
    episode.sum_tx += s * x
    episode.sum_ty += s * y
    episode.min_x, episode.max_x = min(episode.min_x, x), max(episode.max_x, x)
    episode.min_y, episode.max_y = min(episode.min_y, y), max(episode.max_y, y)


@njit(cache=True, nogil=True)
def end_of(episode: Any, rules: Any) -> tuple[float, float]:
    """Return where the eye left an episode: its mean, or the end of its way if it travelled."""
    x, y = episode.sum_x / episode.count, episode.sum_y / episode.count
    vx, vy, _ = drift_of(episode)
    if not is_pursuit(episode, rules):
        return x, y
    half_s = 0.5e-6 * (episode.end_us - episode.start_us)
    return x + vx * half_s, y + vy * half_s


@njit(cache=True, nogil=True)
def drift_of(episode: Any) -> tuple[float, float, float]:
    """Return the slope of the line through an episode, deg/s, and Σ(t - mean t)², s²."""
    n = episode.count
    spread = episode.sum_tt - episode.sum_t * episode.sum_t / n
    if n < 3 or spread <= 0.0:
        return 0.0, 0.0, 0.0
    vx = (episode.sum_tx - episode.sum_t * episode.sum_x / n) / spread
    vy = (episode.sum_ty - episode.sum_t * episode.sum_y / n) / spread
    return vx, vy, spread


@njit(cache=True, nogil=True)
def is_pursuit(episode: Any, rules: Any) -> bool:
    """Return whether the eye moved along, faster and further than it drifts in a fixation."""
    vx, vy, spread = drift_of(episode)
    if rules.pursuit_deg <= 0.0 or spread <= 0.0:
        return False
    speed, lasted_s = math.hypot(vx, vy), 1e-6 * (episode.end_us - episode.start_us)
    slack = _TRAVEL_NOISE * math.sqrt(rules.noise_squared / spread) * lasted_s
    is_far = speed * lasted_s > rules.pursuit_deg + slack
    return bool(is_far and speed > rules.pursuit_deg_s)


@njit(cache=True, nogil=True)
def join(first: Any, then: Any) -> None:
    """Let an episode begin with the one before it."""
    later_s = (then.zero_us - first.zero_us) * 1e-6
    then.sum_tt += first.sum_tt + 2.0 * later_s * then.sum_t + then.count * later_s * later_s
    then.sum_t += first.sum_t + then.count * later_s
    then.sum_tx += first.sum_tx + later_s * then.sum_x
    then.sum_ty += first.sum_ty + later_s * then.sum_y
    then.zero_us, then.start_us = first.zero_us, first.start_us
    then.peak_squared = max(first.peak_squared, then.peak_squared)
    then.settled = then.settled or first.settled
    then.count += first.count
    then.sum_x += first.sum_x
    then.sum_y += first.sum_y
    then.min_x, then.max_x = min(first.min_x, then.min_x), max(first.max_x, then.max_x)
    then.min_y, then.max_y = min(first.min_y, then.min_y), max(first.max_y, then.max_y)
