"""The part of reading that has no target: one saccade after another over a picture."""

import math
from collections import deque

import numpy as np

from devices.gaze.geometry import FloatArray
from devices.simulated.habits import RETURN_SHARE, STEP_SCALE_DEG, STEP_SHAPE, Habits
from devices.simulated.scene import Scale, Stimulus

Point = tuple[float, float]
CANDIDATES = 24


class Exploration:
    """Chooses places of a picture to look at, by people's saccades and one reader's habits."""

    def __init__(self, scale: Scale, habits: Habits) -> None:
        self._scale, self._habits = scale, habits
        self._seen: deque[Point] = deque(maxlen=8)

    def saw(self, point: Point) -> None:
        """Remember a place that was looked at, in the stimulus's frame."""
        self._seen.append(point)

    def first(self, rng: np.random.Generator, stimulus: Stimulus) -> Point:
        """Return the first landing: near the middle of the picture."""
        x, y, width, height = stimulus.area
        return x + width * rng.normal(0.5, 0.06), y + height * rng.normal(0.5, 0.06)

    def next(self, rng: np.random.Generator, stimulus: Stimulus, here_norm: Point) -> Point:
        """Return the next place: mostly a new one, sometimes one seen a little before."""
        returns, among = rng.random() < RETURN_SHARE, rng.random()
        if returns and len(self._seen) > 2:
            return self._seen[int(among * (len(self._seen) - 1))]  # never the last
        return self._new(rng, stimulus, here_norm)

    def _new(self, rng: np.random.Generator, stimulus: Stimulus, here_norm: Point) -> Point:
        """Return one of some places a human saccade away, by how well it lies for this reader."""
        points_norm = np.concatenate([self._around(rng, here_norm), self._anywhere(rng, stimulus)])
        candidates = stimulus.to_norm.inverse().map(points_norm)
        pull = self._pull(candidates, stimulus)
        pull *= ((points_norm > 0.01) & (points_norm < 0.99)).all(axis=1)
        pull[CANDIDATES:] *= 1e-9  # only where no saccade from here would land well
        if pull.sum() <= 0.0:
            return candidates[-1, 0], candidates[-1, 1]
        x, y = candidates[rng.choice(len(pull), p=pull / pull.sum())].tolist()
        return x, y

    def _around(self, rng: np.random.Generator, here_norm: Point) -> FloatArray:
        step_deg = rng.gamma(STEP_SHAPE, STEP_SCALE_DEG, CANDIDATES)
        angle = rng.uniform(0.0, math.tau, CANDIDATES)
        x = here_norm[0] + step_deg * np.cos(angle) * self._scale.x_norm
        return np.column_stack((x, here_norm[1] + step_deg * np.sin(angle) * self._scale.y_norm))

    def _anywhere(self, rng: np.random.Generator, stimulus: Stimulus) -> FloatArray:
        x, y, width, height = stimulus.area
        return stimulus.to_norm.map((x, y) + rng.random((CANDIDATES, 2)) * (width, height))

    def _pull(self, points: FloatArray, stimulus: Stimulus) -> FloatArray:
        """Return the weight of each place (N, 2) for this reader; 0 off the picture."""
        x, y, width, height = stimulus.area
        share = (points - (x, y)) / (width, height)
        inside = ((share >= 0.0) & (share <= 1.0)).all(axis=1)
        off = (share - 0.5 - self._habits.centre) / self._habits.width
        weight: FloatArray = np.exp(-0.5 * (off**2).sum(axis=1)) * inside
        return weight
