"""From labelled samples to events: grow, merge what was torn apart, drop what is too short.

At most two episodes are alive: the `OPEN` one, which grows, and the `HELD` one before it, which
waits whether the open one is its continuation. It is given out at the last stamp before
`max_delay_us` have passed since its end, continued or not: that is the filter's fixed delay. An
episode that travels is a pursuit, any other a fixation. Between the `LAST` episode in which the eye
had come to rest and the next one lies a saccade, given out as soon as the eye has come to rest.
"""

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from devices.gaze.fixations.episode import (
    EPISODE_DTYPE,
    FIXATION,
    PURSUIT,
    SACCADE,
    add_sample,
    drift_of,
    end_of,
    is_pursuit,
    join,
)
from devices.gaze.fixations.windows import is_cut_off

OPEN, HELD, LAST = 0, 1, 2
_ROOM = 128
DECIDE_US = 20_000.0
"""Age at which an open episode is compared with the held one, before the held one's time is up."""
LONGEST_SACCADE_US = 200_000.0


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
    open_ = episodes[OPEN]
    if fixating:
        add_sample(open_, t_us, x, y)
        open_.peak_squared = max(open_.peak_squared, rules.speed_squared)
        if t_us - open_.start_us >= DECIDE_US:
            if episodes[HELD].count:
                _compare(episodes, between, rules, out)
            if not open_.settled:
                _settle(episodes, between, rules, out)
        return
    close_open(episodes, between, rules, out)
    rules.peak_squared = max(rules.peak_squared, rules.speed_squared)
    _take_between(t_us, x, y, episodes, between, rules)


@njit(cache=True, nogil=True)
def _settle(episodes: Any, between: Any, rules: Any, out: Any) -> None:
    """Note that the eye has come to rest in the open episode, and give out the saccade to it."""
    last, open_ = episodes[LAST], episodes[OPEN]
    _grow_back(open_, between, rules)
    lasted_us = open_.start_us - last.end_us
    if last.count and rules.peak_squared > 0.0 and 0.0 < lasted_us <= LONGEST_SACCADE_US:
        x, y = end_of(last, rules)
        saccade = out[rules.found]
        saccade.kind = SACCADE
        saccade.start_us, saccade.end_us = last.end_us, open_.start_us
        saccade.peak_squared = rules.peak_squared
        saccade.travel_deg = math.hypot(
            open_.sum_x / open_.count - x, open_.sum_y / open_.count - y
        )
        rules.found += 1
    open_.settled, rules.peak_squared = True, 0.0


@njit(cache=True, nogil=True)
def cross_loss(episodes: Any, between: Any, rules: Any, out: Any) -> None:
    """End what was open before a long loss; what the eye did in it is not known."""
    close_open(episodes, between, rules, out)
    episodes[LAST].count = 0
    rules.peak_squared = 0.0


@njit(cache=True, nogil=True)
def _take_between(t_us: float, x: float, y: float, episodes: Any, between: Any, rules: Any) -> None:
    """Give a fast sample back to the fixation it follows, or keep it for the one to come."""
    held = episodes[HELD]
    in_reach = held.count and rules.waiting == 0 and t_us - held.core_us <= rules.reach_us
    if in_reach and _is_near(held, x, y, rules):
        add_sample(held, t_us, x, y)
        if held.settled:
            episodes[LAST] = held
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
def pass_time(
    t: NDArray[np.float64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    first: int,
    n: int,
    window: Any,
    episodes: Any,
    between: Any,
    rules: Any,
    out: Any,
) -> bool:
    """Release what could not be released in time at the next stamp.

    Samples `first` up to `n` came too late to be labelled in time; if they lie where the eye
    rested before, they continue that fixation, and True says that they are used up.
    """
    is_pending = window.next < n
    is_lost = is_cut_off(window, t) if is_pending else _is_due(episodes[OPEN], window, rules)
    if is_lost:
        close_open(episodes, between, rules, out)
    held = episodes[HELD]
    if not held.count or not _is_due(held, window, rules):
        return False
    if episodes[OPEN].count:
        _join_if_same(episodes, between, rules)
    elif first < n and _continues(held, t, x, y, first, n, rules):
        for j in range(first, n):
            add_sample(held, t[j], x[j], y[j])
        episodes[OPEN] = held
        held.count = rules.waiting = 0
        return True
    if held.count:
        _release(held, rules, out)
    return False


@njit(cache=True, nogil=True)
def _is_due(episode: Any, window: Any, rules: Any) -> bool:
    wait_us = max(rules.max_delay_us, 1.6 * window.step_us)
    return bool(episode.count and window.horizon_us > episode.end_us + wait_us)


@njit(cache=True, nogil=True)
def _continues(
    held: Any,
    t: NDArray[np.float64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    first: int,
    n: int,
    rules: Any,
) -> bool:
    if t[first] - held.end_us > rules.max_delay_us:
        return False
    dx = x[first:n].mean() - held.sum_x / held.count
    dy = y[first:n].mean() - held.sum_y / held.count
    return _is_same_place(dx, dy, held.count, n - first, rules)


@njit(cache=True, nogil=True)
def close_open(episodes: Any, between: Any, rules: Any, out: Any) -> None:
    """End the open episode: it is now held, unless it was a mere flicker beside the held one."""
    if not episodes[OPEN].count:
        return
    if episodes[HELD].count:
        _compare(episodes, between, rules, out)
    if episodes[OPEN].count:
        _grow_back(episodes[OPEN], between, rules)
        episodes[OPEN].core_us = episodes[OPEN].end_us
        if episodes[OPEN].settled:
            episodes[LAST] = episodes[OPEN]
        episodes[HELD] = episodes[OPEN]
        episodes[OPEN].count = 0
    rules.waiting = 0


@njit(cache=True, nogil=True)
def _compare(episodes: Any, between: Any, rules: Any, out: Any) -> None:
    """Merge the held episode into the open one, or release it, or drop the open one.

    A stretch below `DECIDE_US` far from the held episode is a turning point of a saccade or an
    outlier; it must not keep apart what lies on its two sides.
    """
    if _join_if_same(episodes, between, rules):
        return
    if episodes[OPEN].end_us - episodes[OPEN].start_us < DECIDE_US:
        episodes[OPEN].count = 0
    else:
        _release(episodes[HELD], rules, out)


@njit(cache=True, nogil=True)
def _join_if_same(episodes: Any, between: Any, rules: Any) -> bool:
    first, then = episodes[HELD], episodes[OPEN]
    _grow_back(then, between, rules)
    dx = then.sum_x / then.count - first.sum_x / first.count
    dy = then.sum_y / then.count - first.sum_y / first.count
    if not _is_same_place(dx, dy, first.count, then.count, rules):
        return False
    join(first, then)
    first.count = 0
    return True


@njit(cache=True, nogil=True)
def _is_same_place(dx: float, dy: float, first: int, then: int, rules: Any) -> bool:
    slack = rules.merge_noise * math.sqrt(rules.noise_squared * (1.0 / first + 1.0 / then))
    return bool(math.hypot(dx, dy) <= rules.merge_deg + slack)


@njit(cache=True, nogil=True)
def _release(episode: Any, rules: Any, out: Any) -> None:
    lasted_us = episode.end_us - episode.start_us
    if (
        episode.count > 1
        and lasted_us * episode.count / (episode.count - 1) >= rules.min_duration_us
    ):
        vx, vy, _ = drift_of(episode)
        episode.travel_deg = math.hypot(vx, vy) * lasted_us * 1e-6
        episode.kind = PURSUIT if is_pursuit(episode, rules) else FIXATION
        out[rules.found] = episode
        rules.found += 1
    episode.count = 0


def end_recording(episodes: Any, between: Any, rules: Any, out: Any) -> None:
    """Release what is left."""
    close_open(episodes, between, rules, out)
    if episodes[HELD]["count"]:
        _release(episodes[HELD], rules, out)


def empty_episodes() -> NDArray[np.void]:
    """Return the three episodes, all empty."""
    return np.zeros(3, EPISODE_DTYPE)


def empty_between() -> NDArray[np.float64]:
    """Return room for the latest fast samples that no fixation has yet taken: t, x, y."""
    return np.zeros((3, _ROOM))
