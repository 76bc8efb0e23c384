"""Sensitivity, specificity and accuracy at one threshold, with exact intervals."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from trainer.analysis.performance.ratings import BoolArray

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Share:
    """A share of cases: `hits` of `count`, with its Clopper-Pearson interval (NaN of none)."""

    hits: int
    count: int
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Operating:
    """How a reader decided: each a share of the cases it speaks of."""

    sensitivity: Share
    specificity: Share
    accuracy: Share


def operating(called_positive: BoolArray, truth: BoolArray) -> Operating:
    """Return the figures of decisions, both shape (K,)."""
    right = called_positive == truth
    return Operating(share(right[truth]), share(right[~truth]), share(right))


def share(hits: BoolArray) -> Share:
    """Return a share with its exact interval (Clopper and Pearson, 1934)."""
    k, n = int(hits.sum()), len(hits)
    if n == 0:
        return Share(0, 0, np.nan, np.nan, np.nan)
    tail = (1 - LEVEL) / 2
    low = float(stats.beta.ppf(tail, k, n - k + 1)) if k else 0.0
    high = float(stats.beta.ppf(1 - tail, k + 1, n - k)) if k < n else 1.0
    return Share(k, n, k / n, low, high)
