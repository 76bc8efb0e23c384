"""Where a simulated reader looks next: dots, wandering, and three styles of reading an image.

Durations and distances follow what is known of radiologists: a quick orienting look and a wide
search first, then returns to what was found (Kundel's holistic model), fixations of some 250 ms.
"""

import math
from collections import deque
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np

from devices.gaze.geometry import FloatArray, ScreenGeometry
from devices.gaze.view import Affine

Style = Literal["search", "concentrated", "radial"]

SHORTEST_STEP_DEG = 0.7
SHORTEST_FIXATION_US, LONGEST_FIXATION_US = 80_000, 1_200_000
GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))


@dataclass(frozen=True, slots=True)
class Target:
    """A place worth looking at, in the stimulus's own frame (image pixels).

    Attributes
    ----------
    x, y, radius
        Centre and extent.
    weight
        Its pull beside the other targets.
    """

    x: float
    y: float
    radius: float
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Stimulus:
    """A picture before the simulated reader.

    Attributes
    ----------
    targets
        Findings or salient places; none for a normal image.
    area
        (x, y, width, height) of the picture in its own frame.
    to_norm
        From that frame to `_norm`.
    style
        How it is read where targets exist: a wide "search", "concentrated" on them, or
        "radial": concentrated, with excursions outwards along spicules.
    """

    targets: tuple[Target, ...]
    area: tuple[float, float, float, float]
    to_norm: Affine
    style: Style = "search"


@dataclass(frozen=True, slots=True)
class Aim:
    """The next fixation: where, for how long, and on which target (index) if on any."""

    x_norm: float
    y_norm: float
    duration_us: int
    target: int | None = None
    correction: bool = False


@dataclass(frozen=True, slots=True)
class Habits:
    """What makes one reader differ a little from another."""

    tempo: float = 1.0  # factor on fixation durations
    thoroughness: float = 1.0  # factor on the first search
    focus: float = 0.0  # added to the share of fixations on targets
    median_us: float = 250_000.0
    spread: float = 0.35  # SD of the logarithm of fixation durations

    @classmethod
    def of_reader(cls, rng: np.random.Generator, median_us: float, spread: float) -> "Habits":
        """Draw the habits of one reader."""
        tempo, thoroughness = np.exp(rng.normal(0.0, (0.06, 0.12))).tolist()
        return cls(tempo, thoroughness, float(rng.normal(0.0, 0.03)), median_us, spread)

    def duration_us(self, rng: np.random.Generator, factor: float = 1.0) -> int:
        """Draw a log-normal fixation duration."""
        drawn = self.median_us * self.tempo * factor * math.exp(self.spread * rng.normal())
        return int(min(max(drawn, SHORTEST_FIXATION_US), LONGEST_FIXATION_US))


class Attention(Protocol):
    """What the reader is about; asked once per fixation."""

    def next(self, rng: np.random.Generator, here_norm: tuple[float, float], now_us: int) -> Aim:
        """Return the next fixation, planned at the end of the last one."""


class Scale:
    """Degrees at the screen's centre as lengths of `_norm`, and back."""

    def __init__(self, geometry: ScreenGeometry) -> None:
        per_deg_mm = math.tan(math.radians(1.0)) * geometry.distance_mm
        self.x_norm = per_deg_mm / geometry.width_mm
        self.y_norm = per_deg_mm / geometry.height_mm

    def distance_deg(self, points_norm: FloatArray, from_norm: FloatArray) -> FloatArray:
        """Return about how far (N, 2) points lie from others, in degrees."""
        offset = (points_norm - from_norm) / (self.x_norm, self.y_norm)
        distance: FloatArray = np.hypot(offset[..., 0], offset[..., 1])
        return distance


class Wander:
    """Nothing to do: the eye strays about the centre of the screen."""

    def __init__(self, scale: Scale, habits: Habits) -> None:
        self._scale, self._habits = scale, habits

    def next(self, rng: np.random.Generator, here_norm: tuple[float, float], now_us: int) -> Aim:
        """Return a fixation near the centre."""
        x, y = rng.normal(0.0, 2.5, 2).tolist()
        duration_us = self._habits.duration_us(rng, 1.6)
        return Aim(0.5 + x * self._scale.x_norm, 0.5 + y * self._scale.y_norm, duration_us)


class Dot:
    """A calibration dot: the eye stays on it, with small corrections."""

    def __init__(self, scale: Scale, x_norm: float, y_norm: float, error_deg: float) -> None:
        self._scale, self._x_norm, self._y_norm = scale, x_norm, y_norm
        self._error_deg, self._arrived = error_deg, False

    def next(self, rng: np.random.Generator, here_norm: tuple[float, float], now_us: int) -> Aim:
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
        self._oriented = False
        self._target: int | None = None
        self._visits = 0
        self._angle: float | None = None
        self._recent: deque[tuple[float, float]] = deque(maxlen=10)

    def move(self, to_norm: Affine) -> None:
        """Take over the new place of the picture; what was found stays found."""
        self.stimulus = replace(self.stimulus, to_norm=to_norm)

    def next(self, rng: np.random.Generator, here_norm: tuple[float, float], now_us: int) -> Aim:
        """Return the next fixation."""
        target = self._choose(rng, now_us)
        if target is not None:
            return self._look_at(rng, target, here_norm)
        point = self._orient(rng) if not self._oriented else self._explore(rng, here_norm)
        return self._aim(point, here_norm, self._habits.duration_us(rng))

    def _choose(self, rng: np.random.Generator, now_us: int) -> int | None:
        """Return the target to look at next, None to explore."""
        visible = self._visible_targets()
        if not visible or not self._oriented or now_us < self._search_end_us:
            return None
        if self._target in visible and rng.random() < self._manner.stay:
            return self._target
        self._target, self._visits, self._angle = None, 0, None
        if rng.random() < self._manner.on_target + self._habits.focus:
            weights = np.array([self.stimulus.targets[i].weight for i in visible], np.float64)
            self._target = visible[int(rng.choice(len(visible), p=weights / weights.sum()))]
        return self._target

    def _visible_targets(self) -> list[int]:
        """Return the targets that pull and whose centre is on the screen now."""
        targets = self.stimulus.targets
        if not targets:
            return []
        centres = self.stimulus.to_norm.map([(t.x, t.y) for t in targets])
        inside = ((centres >= 0) & (centres <= 1)).all(axis=-1)
        return [i for i in np.flatnonzero(inside).tolist() if targets[i].weight > 0]

    def _look_at(self, rng: np.random.Generator, index: int, here_norm: tuple[float, float]) -> Aim:
        target = self.stimulus.targets[index]
        heaviest = max(t.weight for t in self.stimulus.targets)
        point = self._point_on(rng, target)
        self._visits += 1
        duration_us = self._habits.duration_us(rng, 0.9 + 0.4 * target.weight / heaviest)
        return self._aim(point, here_norm, duration_us, index)

    def _point_on(self, rng: np.random.Generator, target: Target) -> tuple[float, float]:
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

    def _orient(self, rng: np.random.Generator) -> tuple[float, float]:
        """Return the first landing: near the middle of the picture."""
        self._oriented = True
        x, y, width, height = self.stimulus.area
        return x + width * rng.normal(0.5, 0.06), y + height * rng.normal(0.5, 0.06)

    def _explore(
        self, rng: np.random.Generator, here_norm: tuple[float, float]
    ) -> tuple[float, float]:
        """Return a place not seen lately and not too far off, among those on the screen."""
        x, y, width, height = self.stimulus.area
        candidates = (x, y) + rng.random((12, 2)) * (width, height)
        points_norm = self.stimulus.to_norm.map(candidates)
        visible = ((points_norm > 0.01) & (points_norm < 0.99)).all(axis=1)
        score = -0.35 * self._scale.distance_deg(points_norm, np.asarray(here_norm))
        if self._recent:
            seen = self.stimulus.to_norm.map(list(self._recent))
            distance = self._scale.distance_deg(points_norm[:, None], seen[None])
            score += distance.min(axis=1)
        best = candidates[int(np.argmax(np.where(visible, score, -np.inf)))]
        return float(best[0]), float(best[1])

    def _aim(
        self,
        point: tuple[float, float],
        here_norm: tuple[float, float],
        duration_us: int,
        target: int | None = None,
    ) -> Aim:
        """Keep the point in the picture, on the screen and a real saccade away."""
        x, y, width, height = self.stimulus.area
        inside = (min(max(point[0], x), x + width), min(max(point[1], y), y + height))
        self._recent.append(inside)
        x_norm, y_norm = self.stimulus.to_norm.map(inside).tolist()
        x_norm, y_norm = self._step_away(x_norm, y_norm, here_norm)
        return Aim(
            min(max(x_norm, 0.005), 0.995), min(max(y_norm, 0.005), 0.995), duration_us, target
        )

    def _step_away(
        self, x_norm: float, y_norm: float, here_norm: tuple[float, float]
    ) -> tuple[float, float]:
        """Push a landing so near that no tracker would see the saccade out to a visible one."""
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
