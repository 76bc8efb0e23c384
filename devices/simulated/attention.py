"""Where a simulated reader looks next: dots, wandering, and three styles of reading an image.

A quick orienting look and a wide search come first, then returns to what was found (Kundel's
holistic model); the figures are in `habits`.
"""

import math
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from devices.gaze.view import Affine
from devices.simulated.exploration import Exploration, Point
from devices.simulated.habits import (
    CORRECTED_FROM_DEG,
    CORRECTED_SHARE,
    CORRECTION_SD_US,
    CORRECTION_US,
    GAIN,
    GAIN_SD,
    SHORTEST_FIXATION_US,
    SHORTEST_STEP_DEG,
    Habits,
    Notice,
)
from devices.simulated.scene import Aim, Scale, Stimulus, Style, Target

GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))
GLANCES = 2
"""Fixations on a target that is not recognised: less than a second in all."""


class Attention(Protocol):
    """What the reader is about; asked once per fixation."""

    def next(self, rng: np.random.Generator, here_norm: Point, now_us: int) -> Aim:
        """Return the next fixation, planned at the end of the last one."""


class Wander:
    """Nothing to do: the eye strays about the centre of the screen."""

    def __init__(self, scale: Scale, habits: Habits) -> None:
        self._scale, self._habits = scale, habits

    def next(self, rng: np.random.Generator, here_norm: Point, now_us: int) -> Aim:
        """Return a fixation near the centre."""
        x, y = rng.normal(0.0, 2.5, 2).tolist()
        duration_us = self._habits.duration_us(rng, 1.6)
        return Aim(0.5 + x * self._scale.x_norm, 0.5 + y * self._scale.y_norm, duration_us)


class Dot:
    """A calibration dot: the eye stays on it, with small corrections."""

    def __init__(self, scale: Scale, x_norm: float, y_norm: float, error_deg: float) -> None:
        self._scale, self._x_norm, self._y_norm = scale, x_norm, y_norm
        self._error_deg, self._arrived = error_deg, False

    def next(self, rng: np.random.Generator, here_norm: Point, now_us: int) -> Aim:
        """Return the fixation of the dot, or the next small correction."""
        x, y = rng.normal(0.0, self._error_deg, 2).tolist()
        duration_us = int(rng.uniform(400_000, 1_100_000))
        correction, self._arrived = self._arrived, True
        x_norm = self._x_norm + x * self._scale.x_norm
        y_norm = self._y_norm + y * self._scale.y_norm
        return Aim(x_norm, y_norm, duration_us, correction=correction)


@dataclass(frozen=True, slots=True)
class _Manner:
    """The figures behind a style."""

    search_us: int  # the first, wide look
    on_target: float  # share of fixations on targets after it
    stay: float  # chance that the next fixation stays on the same target
    spread: float  # of landings about a target's centre, in radii


MANNERS: dict[Style, _Manner] = {
    "search": _Manner(2_200_000, 0.50, 0.35, 0.45),
    "concentrated": _Manner(1_000_000, 0.84, 0.65, 0.30),
    "radial": _Manner(1_000_000, 0.84, 0.80, 0.20),
}


class Reading:
    """A picture being read: orient, search, then findings with some exploration."""

    def __init__(self, scale: Scale, habits: Habits, stimulus: Stimulus, start_us: int) -> None:
        self.stimulus = stimulus
        self._scale, self._habits = scale, habits
        self._manner = MANNERS[stimulus.style]
        self._search_end_us = start_us + int(self._manner.search_us * habits.thoroughness)
        self._exploration = Exploration(scale, habits)
        self._noticed: list[Notice] | None = None
        self._looks = [0] * len(stimulus.targets)
        self._oriented = False
        self._target: int | None = None
        self._visits = 0
        self._angle: float | None = None
        self._falls_short_of: Aim | None = None

    def move(self, to_norm: Affine) -> None:
        """Take over the new place of the picture; what was found stays found."""
        self.stimulus = replace(self.stimulus, to_norm=to_norm)
        self._falls_short_of = None

    def next(self, rng: np.random.Generator, here_norm: Point, now_us: int) -> Aim:
        """Return the next fixation: a correction of the last saccade, or a new place."""
        aim, self._falls_short_of = self._falls_short_of, None
        return aim or self._reached(rng, self._new_aim(rng, here_norm, now_us), here_norm)

    def _new_aim(self, rng: np.random.Generator, here_norm: Point, now_us: int) -> Aim:
        target = self._choose(rng, now_us)
        if target is not None:
            return self._look_at(rng, target, here_norm)
        if self._oriented:
            point = self._exploration.next(rng, self.stimulus, here_norm)
        else:
            self._oriented = True
            point = self._exploration.first(rng, self.stimulus)
        return self._aim(point, here_norm, self._habits.duration_us(rng))

    def _reached(self, rng: np.random.Generator, aim: Aim, here_norm: Point) -> Aim:
        """Return what a saccade to an aim reaches: most of the way, and the rest in a second."""
        gain, is_corrected = GAIN + GAIN_SD * rng.normal(), rng.random() < CORRECTED_SHARE
        pause_us = int(rng.normal(CORRECTION_US, CORRECTION_SD_US))
        dx, dy = aim.x_norm - here_norm[0], aim.y_norm - here_norm[1]
        left_deg = abs(1.0 - gain) * math.hypot(dx / self._scale.x_norm, dy / self._scale.y_norm)
        if left_deg < CORRECTED_FROM_DEG or not is_corrected:
            return aim
        self._falls_short_of = aim
        x_norm, y_norm = here_norm[0] + gain * dx, here_norm[1] + gain * dy
        return Aim(x_norm, y_norm, max(pause_us, SHORTEST_FIXATION_US), aim.target)

    def _choose(self, rng: np.random.Generator, now_us: int) -> int | None:
        """Return the target to look at next, None to explore."""
        pulling = self._pulling_targets(rng)
        if not pulling or not self._oriented or now_us < self._search_end_us:
            return None
        if self._target in pulling and rng.random() < self._manner.stay:
            return self._target
        self._target, self._visits, self._angle = None, 0, None
        if rng.random() < self._manner.on_target + self._habits.focus:
            weights = np.array([self.stimulus.targets[i].weight for i in pulling], np.float64)
            self._target = pulling[int(rng.choice(len(pulling), p=weights / weights.sum()))]
        return self._target

    def _pulling_targets(self, rng: np.random.Generator) -> list[int]:
        """Return the targets that pull, are not missed and have their centre on the screen now."""
        targets = self.stimulus.targets
        if not targets:
            return []
        if self._noticed is None:
            self._noticed = [self._habits.notice(rng) for _ in targets]
        centres = self.stimulus.to_norm.map([(t.x, t.y) for t in targets])
        inside = ((centres >= 0) & (centres <= 1)).all(axis=-1)
        return [
            i
            for i in np.flatnonzero(inside).tolist()
            if targets[i].weight > 0 and self._looks[i] < self._most_looks(self._noticed[i])
        ]

    @staticmethod
    def _most_looks(notice: Notice) -> float:
        return {"dwelt on": math.inf, "glanced at": GLANCES, "never searched": 0}[notice]

    def _look_at(self, rng: np.random.Generator, index: int, here_norm: Point) -> Aim:
        target = self.stimulus.targets[index]
        heaviest = max(t.weight for t in self.stimulus.targets)
        point = self._point_on(rng, target)
        self._visits += 1
        self._looks[index] += 1
        duration_us = self._habits.duration_us(rng, 0.9 + 0.4 * target.weight / heaviest)
        return self._aim(point, here_norm, duration_us, index)

    def _point_on(self, rng: np.random.Generator, target: Target) -> Point:
        """Return a landing on the target; in radial style every second one runs outwards."""
        if self.stimulus.style == "radial" and self._visits % 2 == 1:
            turn = GOLDEN_ANGLE + rng.normal(0.0, 0.2)
            self._angle = rng.uniform(0, math.tau) if self._angle is None else self._angle + turn
            reach = target.radius * rng.uniform(0.9, 1.7)
            return (
                target.x + reach * math.cos(self._angle),
                target.y + reach * math.sin(self._angle),
            )
        x, y = rng.normal(0.0, self._manner.spread * target.radius, 2).tolist()
        return target.x + x, target.y + y

    def _aim(
        self, point: Point, here_norm: Point, duration_us: int, target: int | None = None
    ) -> Aim:
        """Keep the point in the picture, on the screen and a real saccade away."""
        x, y, width, height = self.stimulus.area
        inside = (min(max(point[0], x), x + width), min(max(point[1], y), y + height))
        self._exploration.saw(inside)
        x_norm, y_norm = self.stimulus.to_norm.map(inside).tolist()
        x_norm, y_norm = self._step_away(x_norm, y_norm, here_norm)
        return Aim(
            min(max(x_norm, 0.005), 0.995), min(max(y_norm, 0.005), 0.995), duration_us, target
        )

    def _step_away(self, x_norm: float, y_norm: float, here_norm: Point) -> Point:
        """Push a landing so near that the eye would not leave for it out to a real saccade."""
        dx = (x_norm - here_norm[0]) / self._scale.x_norm
        dy = (y_norm - here_norm[1]) / self._scale.y_norm
        length = math.hypot(dx, dy)
        if length >= SHORTEST_STEP_DEG:
            return x_norm, y_norm
        if length < 1e-6:
            dx, dy, length = 1.0, 0.0, 1.0
        grow = SHORTEST_STEP_DEG / length
        return (
            here_norm[0] + dx * grow * self._scale.x_norm,
            here_norm[1] + dy * grow * self._scale.y_norm,
        )
