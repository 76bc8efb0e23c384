"""From labelled samples to fixations: grow, merge what was torn apart, drop what is too short.

At most two episodes are alive: the `OPEN` one, which grows, and the `HELD` one before it, which
waits whether the open one is its continuation. Both filters share this, sample by sample.
"""

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

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
    ]
)
RULES_DTYPE = np.dtype(
    [
        ("min_duration_us", "f8"),
        ("max_loss_us", "f8"),
        ("merge_gap_us", "f8"),
        ("merge_deg", "f8"),
        ("wait_us", "f8"),  # how long a held episode waits for its continuation to show
        ("reach_us", "f8"),  # how far the smoothing smears a saccade into its neighbours
        ("grow_deg", "f8"),  # smeared samples this near are given back
        ("noise_squared", "f8"),  # variance of the positions, per axis, deg²
        ("waiting", "i8"),  # fast samples kept in `between`
        ("found", "i8"),  # finished fixations written in this call
    ]
)
OPEN, HELD = 0, 1
_ROOM = 128
DECIDE_US = 20_000.0
"""Age at which an open episode is compared with the held one, long before its own end."""


@njit(cache=True, nogil=True)
def add_sample(episode: Any, t_us: float, x: float, y: float) -> None:
    """Let an episode, empty or not, grow by one sample."""
    if episode.count == 0:
        episode.start_us = t_us
        episode.sum_x = episode.sum_y = 0.0
        episode.min_x = episode.max_x = x
        episode.min_y = episode.max_y = y
    episode.count += 1
    episode.end_us = t_us
    episode.sum_x += x
    episode.sum_y += y
    episode.min_x, episode.max_x = min(episode.min_x, x), max(episode.max_x, x)
    episode.min_y, episode.max_y = min(episode.min_y, y), max(episode.max_y, y)


@njit(cache=True, nogil=True)
def take_sample(
    t_us: float,
    x: float,
    y: float,
    fixating: bool,
    episodes: Any,
    between: Any,
    rules: Any,
    out: Any,
) -> None:
    """Take the next labelled sample."""
    pass_time(t_us, episodes, between, rules, out)
    if fixating:
        add_sample(episodes[OPEN], t_us, x, y)
        if episodes[HELD].count and t_us - episodes[OPEN].start_us >= DECIDE_US:
            _compare(episodes, between, rules, out)
        return
    if episodes[OPEN].count:
        close_open(episodes, between, rules, out)
        rules.waiting = 0
    _take_between(t_us, x, y, episodes[HELD], between, rules)


@njit(cache=True, nogil=True)
def _take_between(t_us: float, x: float, y: float, held: Any, between: Any, rules: Any) -> None:
    """Give a fast sample back to the fixation it follows, or keep it for the one to come."""
    in_reach = held.count and rules.waiting == 0 and t_us - held.core_us <= rules.reach_us
    if in_reach and _is_near(held, x, y, rules):
        add_sample(held, t_us, x, y)
        return
    at = rules.waiting % _ROOM
    between[0, at], between[1, at], between[2, at] = t_us, x, y
    rules.waiting += 1


@njit(cache=True, nogil=True)
def _is_near(episode: Any, x: float, y: float, rules: Any) -> bool:
    dx, dy = x - episode.sum_x / episode.count, y - episode.sum_y / episode.count
    reach_squared = max(rules.grow_deg**2, 9.0 * rules.noise_squared)
    return bool(dx * dx + dy * dy <= reach_squared)


@njit(cache=True, nogil=True)
def _grow_back(episode: Any, between: Any, rules: Any) -> None:
    """Give the fast samples just before an episode back to it, nearest in time first."""
    left = min(rules.waiting, _ROOM)
    start_us, end_us = episode.start_us, episode.end_us
    while left > 0:
        at = (rules.waiting - 1) % _ROOM
        t_us = between[0, at]
        if start_us - t_us > rules.reach_us or not _is_near(
            episode, between[1, at], between[2, at], rules
        ):
            break
        add_sample(episode, t_us, between[1, at], between[2, at])
        episode.start_us, episode.end_us = t_us, end_us
        rules.waiting -= 1
        left -= 1
    rules.waiting = 0


@njit(cache=True, nogil=True)
def pass_time(t_us: float, episodes: Any, between: Any, rules: Any, out: Any) -> None:
    """Close and release what no sample at `t_us` or later can continue."""
    if episodes[OPEN].count and t_us - episodes[OPEN].end_us > rules.max_loss_us:
        close_open(episodes, between, rules, out)
    held = episodes[HELD]
    if held.count and not episodes[OPEN].count and t_us - held.end_us > rules.wait_us:
        _release(held, rules, out)


@njit(cache=True, nogil=True)
def close_open(episodes: Any, between: Any, rules: Any, out: Any) -> None:
    """End the open episode: it is now held, unless it was a mere flicker beside the held one."""
    if not episodes[OPEN].count:
        return
    if episodes[HELD].count and not _compare(episodes, between, rules, out):
        return
    _grow_back(episodes[OPEN], between, rules)
    episodes[OPEN].core_us = episodes[OPEN].end_us
    episodes[HELD] = episodes[OPEN]
    episodes[OPEN].count = 0


@njit(cache=True, nogil=True)
def _compare(episodes: Any, between: Any, rules: Any, out: Any) -> bool:
    """Merge the held episode into the open one, or release it; False if the open one was dropped.

    A stretch below `DECIDE_US` far from the held episode is a turning point of a saccade or an
    outlier; it must not keep apart what lies on its two sides.
    """
    first, then = episodes[HELD], episodes[OPEN]
    _grow_back(then, between, rules)
    in_time = then.start_us - first.end_us <= rules.merge_gap_us
    dx = then.sum_x / then.count - first.sum_x / first.count
    dy = then.sum_y / then.count - first.sum_y / first.count
    slack = 2.0 * math.sqrt(rules.noise_squared * (1.0 / first.count + 1.0 / then.count))
    if in_time and math.hypot(dx, dy) <= rules.merge_deg + slack:
        _join(first, then)
        first.count = 0
    elif in_time and then.end_us - then.start_us < DECIDE_US:
        then.count = 0
        return False
    else:
        _release(first, rules, out)
    return True


@njit(cache=True, nogil=True)
def _join(first: Any, then: Any) -> None:
    then.start_us = first.start_us
    then.count += first.count
    then.sum_x += first.sum_x
    then.sum_y += first.sum_y
    then.min_x, then.max_x = min(first.min_x, then.min_x), max(first.max_x, then.max_x)
    then.min_y, then.max_y = min(first.min_y, then.min_y), max(first.max_y, then.max_y)


@njit(cache=True, nogil=True)
def _release(episode: Any, rules: Any, out: Any) -> None:
    lasted_us = episode.end_us - episode.start_us
    if (
        episode.count > 1
        and lasted_us * episode.count / (episode.count - 1) >= rules.min_duration_us
    ):
        out[rules.found] = episode
        rules.found += 1
    episode.count = 0


def empty_episodes() -> NDArray[np.void]:
    """Return the two episodes, both empty."""
    return np.zeros(2, EPISODE_DTYPE)


def empty_between() -> NDArray[np.float64]:
    """Return room for the latest fast samples that no fixation has yet taken: t, x, y."""
    return np.zeros((3, _ROOM))
