"""Both entry points of the filter: online, and offline with the same result.

One causal core in compiled code does the work; the offline call pushes the whole recording
through it at once.
"""

import math
from itertools import starmap
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from devices.gaze.fixations.blinks import BlinkWatch
from devices.gaze.fixations.dispersion import DISPERSION_DTYPE, advance_dispersion
from devices.gaze.fixations.episode import EPISODE_DTYPE, FIXATION, PURSUIT, RULES_DTYPE
from devices.gaze.fixations.episodes import empty_between, empty_episodes, end_recording
from devices.gaze.fixations.model import EventKind, Fixation, GazeEvent
from devices.gaze.fixations.parameters import FilterParameters
from devices.gaze.fixations.velocity import (
    LEAST,
    START_NOISE_DEG_S,
    VELOCITY_DTYPE,
    advance_velocity,
)
from devices.gaze.fixations.windows import REACH_US, WINDOW_DTYPE, drop_samples

DISPERSION_LINK_US = 35_000.0
"""I-DT bridges a shorter loss: its windows look 10 ms ahead, and all must be done in 50 ms."""

FloatArray = NDArray[np.float64]


class OnlineFixationFilter:
    """Finds fixations, and with `take_events` saccades, pursuits and blinks, while samples arrive.

    A fixation or pursuit is given out with the last stamp before `max_delay_us` (50 ms) have passed
    since its last sample; what could continue it later comes too late. A saccade is given out
    when the eye has rested for 20 ms after it, which a noisy signal or a slow rate delays to 80 ms,
    a blink with the first gaze after it. However the samples are cut into calls, the same events
    come out.
    """

    def __init__(self, parameters: FilterParameters | None = None) -> None:
        self.parameters = parameters or FilterParameters()
        self._now_us = -math.inf
        self._events: list[GazeEvent] = []
        self._reset()

    def push(self, t_us: ArrayLike, x_deg: ArrayLike, y_deg: ArrayLike) -> list[Fixation]:
        """Take the next samples and return the fixations that have just finished.

        Parameters
        ----------
        t_us
            Shape (N,), host clock. A sample not later than the one before it is ignored.
        x_deg, y_deg
            Shape (N,), NaN where lost.

        Raises
        ------
        ValueError
            If the three differ in length or are not one-dimensional.
        """
        t, x, y = _checked(t_us, x_deg, y_deg)
        if len(t) == 0:
            return []
        fresh = self._fresh(t)
        if not fresh.all():
            t, x, y = t[fresh], x[fresh], y[fresh]
        if len(t) == 0:
            return []
        stamps, seen = t, np.isfinite(x) & np.isfinite(y)
        self._events += self._blinks.push(stamps, seen)
        known = np.cumsum(seen, dtype=np.int64)
        if known[-1] < len(t):
            t, x, y = t[seen], x[seen], y[seen]
        return self._advance(stamps, known, t, x, y)

    def _fresh(self, t: FloatArray) -> NDArray[np.bool_]:
        """Return which stamps (N,), N > 0, are later than all before them."""
        fresh = np.ones(len(t), np.bool_)
        fresh[0] = t[0] > self._now_us
        np.greater(t[1:], t[:-1], out=fresh[1:])
        if not (fresh.all() and math.isfinite(t[0]) and math.isfinite(t[-1])):
            t = np.where(np.isfinite(t), t, -math.inf)
            latest = np.maximum.accumulate(np.concatenate(([self._now_us], t)))
            fresh = t > latest[:-1]
            t = t[fresh]
        if len(t):
            self._now_us = float(t[-1])
        return fresh

    def flush(self) -> list[Fixation]:
        """End the recording: return what is left and be ready for another one."""
        nothing = np.empty(0)
        found = self._advance(np.array([math.inf]), np.zeros(1, np.int64), *[nothing] * 3)
        self._reset()
        return found

    def take_events(self) -> list[GazeEvent]:
        """Return the saccades, pursuits and blinks found since the last call."""
        events, self._events = self._events, []
        return events

    def _reset(self) -> None:
        p = self.parameters
        self._blinks = BlinkWatch()
        self._now_us = -math.inf
        self._buffer = [np.empty(0) for _ in range(5)]
        is_velocity = p.algorithm == "velocity"
        self._window = _record(
            WINDOW_DTYPE,
            half_us=p.window_us / 2,
            least=LEAST,
            now_us=-math.inf,
            extends=is_velocity,
            longest_link_us=REACH_US if is_velocity else DISPERSION_LINK_US,
        )
        self._episodes = empty_episodes()
        self._between = empty_between()
        self._rules = _record(
            RULES_DTYPE,
            min_duration_us=p.min_duration_us,
            max_delay_us=p.max_delay_us,
            merge_deg=p.merge_deg if is_velocity else p.dispersion_merge_deg,
            merge_noise=p.merge_noise,
            grow_deg=p.grow_deg,
            pursuit_deg_s=p.pursuit_deg_s,
            pursuit_deg=p.pursuit_deg if is_velocity else 0.0,
        )
        self._state = _velocity_state(p) if is_velocity else _dispersion_state(p)
        self._kernel: Any = advance_velocity if is_velocity else advance_dispersion

    def _advance(
        self,
        stamps: FloatArray,
        known: NDArray[np.int64],
        t: FloatArray,
        x: FloatArray,
        y: FloatArray,
    ) -> list[Fixation]:
        fresh = (t, x, y, np.full(len(t), np.nan), np.full(len(t), np.nan))
        known = known + len(self._buffer[0])
        columns = [
            np.concatenate((old, new)) if len(old) else np.ascontiguousarray(new)
            for old, new in zip(self._buffer, fresh, strict=True)
        ]
        rules = self._rules[0]
        rules["found"] = 0
        out = np.empty(len(t) + 4, EPISODE_DTYPE)
        common = (self._window[0], self._episodes, self._between, rules, out)
        self._kernel(stamps, known, *columns, self._state[0], *common)
        if stamps[-1] == math.inf:
            end_recording(self._episodes, self._between, rules, out)
        self._keep(columns)
        found = out[: int(rules["found"])]
        is_fixation = found["kind"] == FIXATION
        self._events += _events(found[~is_fixation])
        return _fixations(found[is_fixation])

    def _keep(self, columns: list[FloatArray]) -> None:
        if len(columns[0]) == 0:
            return
        window = self._window[0]
        first = None
        if self.parameters.algorithm == "dispersion":
            first = int(self._state[0]["first"])
        keep = drop_samples(window, columns[0], len(columns[0]) if first is None else first)
        if first is not None:
            self._state[0]["first"] = first - keep
        self._buffer = [column[keep:].copy() for column in columns]


def detect_fixations(
    t_us: ArrayLike,
    x_deg: ArrayLike,
    y_deg: ArrayLike,
    parameters: FilterParameters | None = None,
) -> list[Fixation]:
    """Return the fixations of a whole recording, in order of time.

    Parameters
    ----------
    t_us
        Shape (N,), microseconds, ascending; irregular stamps and gaps are fine.
    x_deg, y_deg
        Shape (N,), degrees of visual angle, NaN where lost.
    parameters
        The default is the velocity filter.

    Raises
    ------
    ValueError
        If the three differ in length or are not one-dimensional.
    """
    online = OnlineFixationFilter(parameters)
    return online.push(t_us, x_deg, y_deg) + online.flush()


def detect_events(
    t_us: ArrayLike,
    x_deg: ArrayLike,
    y_deg: ArrayLike,
    parameters: FilterParameters | None = None,
) -> tuple[list[Fixation], list[GazeEvent]]:
    """Return fixations and, in order of time too, all other events of a whole recording.

    Arguments and errors are those of `detect_fixations`.
    """
    online = OnlineFixationFilter(parameters)
    fixations = online.push(t_us, x_deg, y_deg) + online.flush()
    return fixations, sorted(online.take_events(), key=lambda event: event.start_us)


def _checked(
    t_us: ArrayLike, x_deg: ArrayLike, y_deg: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    t, x, y = (np.ascontiguousarray(a, dtype=np.float64) for a in (t_us, x_deg, y_deg))
    if t.ndim != 1 or t.shape != x.shape or t.shape != y.shape:
        raise ValueError(
            f"Times and positions must have the same length (N,), not {t.shape}, {x.shape}, "
            f"{y.shape}."
        )
    return t, x, y


def _record(dtype: np.dtype[Any], **values: float) -> NDArray[np.void]:
    record = np.zeros(1, dtype)
    for name, value in values.items():
        record[name] = value
    return record


def _velocity_state(p: FilterParameters) -> NDArray[np.void]:
    return _record(
        VELOCITY_DTYPE,
        threshold_deg_s=p.velocity_deg_s,
        step_deg=p.step_deg,
        noise_factor=p.noise_factor,
        half_us=p.window_us / 2,
        noisy_half_us=p.noisy_window_us / 2,
        noise_deg_s=START_NOISE_DEG_S,
        gain=(p.window_us / p.noisy_window_us) ** 1.5,
    )


def _dispersion_state(p: FilterParameters) -> NDArray[np.void]:
    return _record(
        DISPERSION_DTYPE,
        dispersion_deg=p.dispersion_deg,
        min_duration_us=p.min_duration_us,
    )


def _fixations(rows: NDArray[np.void]) -> list[Fixation]:
    dispersion = rows["max_x"] - rows["min_x"] + rows["max_y"] - rows["min_y"]
    columns = (
        rows["start_us"].astype(np.int64),
        rows["end_us"].astype(np.int64),
        rows["sum_x"] / rows["count"],
        rows["sum_y"] / rows["count"],
        dispersion,
        rows["count"],
    )
    return list(starmap(Fixation, zip(*(c.tolist() for c in columns), strict=True)))


def _events(rows: NDArray[np.void]) -> list[GazeEvent]:
    kinds: list[EventKind] = ["pursuit" if k == PURSUIT else "saccade" for k in rows["kind"]]
    columns = (
        rows["start_us"].astype(np.int64),
        rows["end_us"].astype(np.int64),
        rows["travel_deg"],
        np.sqrt(rows["peak_squared"]),
    )
    return list(starmap(GazeEvent, zip(kinds, *(c.tolist() for c in columns), strict=True)))
