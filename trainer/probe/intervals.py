"""Bootstrap over patients and repeats: one set of draws for all that is compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trainer.probe.labelled import FloatArray, IntArray

SAMPLES = 1000
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Draws:
    """How often each patient counts in each bootstrap sample, and which repeats do.

    Attributes
    ----------
    patients
        Shape (B, patients): times drawn, with replacement.
    repeats
        Shape (B, T): positions of repeats, with replacement.
    """

    patients: FloatArray
    repeats: IntArray


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure of T repeats (T,), and the same in each bootstrap sample (B, T)."""

    values: FloatArray
    sampled: FloatArray


def make_draws(patients: int, repeats: int, seed: int, samples: int = SAMPLES) -> Draws:
    """Draw bootstrap samples of all patients of a cohort and of its repeats.

    Patients, not images, are drawn, for images of one patient are alike; and the same draws serve
    all encoders, so that their differences are paired.
    """
    rng = np.random.default_rng([seed, 21])
    counts = rng.multinomial(patients, np.full(patients, 1 / patients), samples)
    return Draws(counts.astype(np.float64), rng.integers(repeats, size=(samples, repeats)))


def bootstrap_means(spread: Spread, draws: Draws) -> FloatArray:
    """Return the mean over drawn repeats of each bootstrap sample, (B,)."""
    picked = np.take_along_axis(spread.sampled, draws.repeats, axis=1)
    there = np.isfinite(picked)
    total = np.where(there, picked, 0.0).sum(axis=1)
    return np.where(there.any(axis=1), total / np.maximum(there.sum(axis=1), 1), np.nan)


def interval(samples: FloatArray) -> tuple[float, float]:
    """Return the percentile interval of bootstrap samples (B,)."""
    there = samples[np.isfinite(samples)]
    if len(there) == 0:
        return float("nan"), float("nan")
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(there, (tail, 1 - tail))
    return float(low), float(high)


def gathered(scores: Sequence[Mapping[str, FloatArray]]) -> dict[str, Spread]:
    """Join what repeats scored; the first row of each array is unweighted, the rest samples."""
    return {
        metric: Spread(
            np.array([score[metric][0] for score in scores]),
            np.stack([score[metric][1:] for score in scores], axis=1),
        )
        for metric in scores[0]
    }
