"""Classes of missed lesions held against the truth: how often right, and how honest the odds.

    python -m bench.missed_lesions

Each reader has an offset, a linear distortion of space and a drift over the reading, scaled so that
the mean error is as told; nine validation points are read at the start with that reader's noise.
The classifier assumes none of it: it draws from the nine residuals. *Right*: gaze that is clearly
on or off the lesion, as a reading mostly is. *ECE*: gaze at any distance; the expected calibration
error of the stated probabilities of all three classes, in ten bins.
"""

import argparse

import numpy as np

from trainer.analysis.areas import Area
from trainer.analysis.kundel import CLASSES, Thresholds, class_of, classify
from trainer.analysis.looked import FloatArray, Looked

SCALE = 40.0
SIDE_DEG = 24.0
ERRORS_DEG = (0.5, 1.0, 2.0, 3.0)


class Tracker:
    """A reader's error: offset, distortion and drift, of a mean size."""

    def __init__(self, rng: np.random.Generator, error_deg: float) -> None:
        self.offset = rng.normal(0, 1, 2)
        self.distortion = rng.normal(0, 0.04, (2, 2))
        self.drift = rng.normal(0, 0.3, 2)
        places = rng.uniform(0, SIDE_DEG, (200, 2))
        size = np.hypot(*self._raw(places, np.full(200, 0.5)).T).mean()
        self.scale, self.noise = error_deg / size, 0.1 * error_deg

    def _raw(self, places: FloatArray, when: FloatArray) -> FloatArray:
        away = places - SIDE_DEG / 2
        return np.asarray(self.offset + away @ self.distortion + when[:, None] * self.drift)

    def error_deg(self, places: FloatArray, when: FloatArray) -> FloatArray:
        """Return gaze less truth at places (N, 2) and times (N,), 0 to 1 over the reading."""
        return np.asarray(self._raw(places, when) * self.scale)

    def validation(self, rng: np.random.Generator) -> FloatArray:
        """Return the residuals of nine targets at the start, (9, 2)."""
        axis = np.array([0.1, 0.5, 0.9]) * SIDE_DEG
        targets = np.array([[x, y] for x in axis for y in axis])
        return self.error_deg(targets, np.zeros(9)) + rng.normal(0, self.noise, (9, 2))


def made_miss(rng: np.random.Generator, clear: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return a lesion, true fixations (F, 2) in degrees, and their durations in ms."""
    lesion = rng.uniform(4, SIDE_DEG - 4, 2)
    others = rng.uniform(0, SIDE_DEG, (40, 2))
    others = others[np.hypot(*(others - lesion).T) > 5.5]
    count = int(rng.integers(0, 5))
    if clear:
        radius = rng.uniform(0, 0.8, count)
        durations = rng.choice([rng.uniform(80, 160), rng.uniform(700, 900)], count)
    else:
        radius, durations = rng.uniform(0, 6, count), rng.uniform(80, 600, count)
    angle = rng.uniform(0, 2 * np.pi, count)
    near = lesion + (radius * np.array([np.cos(angle), np.sin(angle)])).T
    points = np.concatenate([others, near])
    order = rng.permutation(len(points))
    lengths = np.concatenate([rng.uniform(100, 500, len(others)), durations])
    return lesion, points[order], lengths[order]


def trial(rng: np.random.Generator, error_deg: float, clear: bool) -> tuple[str, str, list[float]]:
    """Return the true class, the class by recorded gaze, and the stated probabilities."""
    lesion_deg, points, lengths = made_miss(rng, clear)
    tracker, thresholds = Tracker(rng, error_deg), Thresholds()
    when = np.linspace(0, 1, len(points))
    recorded = points + tracker.error_deg(points, when)
    near = np.hypot(*(points - lesion_deg).T) <= thresholds.radius_deg
    truth = class_of(float(lengths[near].sum()), thresholds)
    lesion = Area("i", "l", "keypoint", (lesion_deg * SCALE)[None], lesion=True)
    found = classify(_looked(recorded, lengths), lesion, thresholds, tracker.validation(rng))
    return truth, found.kind, [found.probability[kind] for kind in CLASSES]


def _looked(points_deg: FloatArray, lengths_ms: FloatArray) -> Looked:
    count = len(points_deg)
    duration = (lengths_ms * 1000).astype(np.int64)
    start = np.cumsum(duration + 40_000) - duration
    side, none = int(SIDE_DEG * SCALE), np.zeros(0)
    return Looked(
        "r", "R", "i", "", side, side, 0, int(start[-1] + duration[-1]), start, duration,
        points_deg * SCALE, np.zeros(count, np.int64), np.full(count, SCALE),
        np.zeros(0, np.int64), none, none,
    )  # fmt: skip


def calibration_error(stated: FloatArray, came: FloatArray, bins: int = 10) -> float:
    """Return the expected calibration error of probabilities (N,) of what came or not (N,)."""
    place = np.minimum((stated * bins).astype(int), bins - 1)
    total = 0.0
    for k in range(bins):
        own = place == k
        if own.any():
            total += own.mean() * abs(stated[own].mean() - came[own].mean())
    return float(total)


def measure(error_deg: float, trials: int, seed: int) -> tuple[float, float]:
    """Return the share right of clear gaze, and the calibration error of any gaze."""
    rng = np.random.default_rng([seed, round(error_deg * 10)])
    clear = [trial(rng, error_deg, clear=True) for _ in range(trials)]
    right = float(np.mean([truth == kind for truth, kind, _ in clear]))
    mixed = [trial(rng, error_deg, clear=False) for _ in range(trials)]
    stated = np.array([p for _, _, p in mixed])
    came = np.array([[truth == kind for kind in CLASSES] for truth, _, _ in mixed])
    return right, calibration_error(stated.ravel(), came.ravel())


def main() -> None:
    """Print a row for each size of error."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print("| error | clear gaze: class right | any gaze: ECE |\n|---|---|---|")
    for error in ERRORS_DEG:
        right, ece = measure(error, options.trials, options.seed)
        print(f"| {error} ° | {100 * right:.1f} % | {ece:.3f} |")


if __name__ == "__main__":
    main()
