"""Paired comparison of encoders that were tried on the same splits and labels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from trainer.probe.intervals import Draws, Spread, bootstrap_means, interval
from trainer.probe.labelled import FloatArray

RESAMPLED_T = "corrected resampled t"
BOOTSTRAP = "paired bootstrap"


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better one encoder is than another.

    Attributes
    ----------
    difference
        Mean of `encoder` minus `other`.
    low, high
        95 % interval by bootstrap over patients and repeats, both paired.
    p, p_holm
        Two-sided; and after Holm's correction for all comparisons of this metric.
    test
        `RESAMPLED_T`, or `BOOTSTRAP` where all repeats share one test set.
    """

    encoder: str
    other: str
    probe: str
    budget: int | str
    metric: str
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    test: str
    repeats: int


def corrected_t_test(differences: FloatArray, test_to_train: float) -> float:
    """Return the two-sided p of differences over repeated splits, (T,).

    Nadeau and Bengio (2003, Machine Learning 52:239): repeats share images, so their variance is
    multiplied by 1/T + test/train instead of 1/T.

    Parameters
    ----------
    differences
        One for each repeat.
    test_to_train
        Images tested over images that could be trained on.
    """
    there = differences[np.isfinite(differences)]
    count = len(there)
    if count < 2:
        return float("nan")
    variance = float(np.var(there, ddof=1)) * (1 / count + test_to_train)
    mean = float(there.mean())
    if variance == 0:
        return 1.0 if mean == 0 else 0.0
    return float(2 * stats.t.sf(abs(mean) / np.sqrt(variance), count - 1))


def bootstrap_p(samples: FloatArray) -> float:
    """Return the two-sided p of a difference from its bootstrap samples (B,), never 0."""
    there = samples[np.isfinite(samples)]
    if len(there) == 0:
        return float("nan")
    below, above = np.count_nonzero(there <= 0), np.count_nonzero(there >= 0)
    return float(min(1.0, 2 * (min(below, above) + 1) / (len(there) + 1)))


def difference(
    first: Spread, second: Spread, draws: Draws, test_to_train: float | None
) -> tuple[float, float, float, float, str]:
    """Return mean, low, high, p and test of first minus second.

    `test_to_train` None says that all repeats share one test set: there the spread over repeats
    says nothing of other patients, and p comes from the bootstrap.
    """
    gaps = first.values - second.values
    samples = bootstrap_means(Spread(gaps, first.sampled - second.sampled), draws)
    mean = float(np.nanmean(gaps)) if np.isfinite(gaps).any() else float("nan")
    if test_to_train is None or len(gaps) < 2:
        return mean, *interval(samples), bootstrap_p(samples), BOOTSTRAP
    return mean, *interval(samples), corrected_t_test(gaps, test_to_train), RESAMPLED_T


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's step-down correction (1979), in the order given; NaN stays and counts not.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    corrected = [float("nan")] * len(p_values)
    order = sorted((k for k, p in enumerate(p_values) if p == p), key=lambda k: p_values[k])
    highest = 0.0
    for rank, k in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p_values[k]))
        corrected[k] = highest
    return corrected


def with_holm(differences: Sequence[Difference]) -> list[Difference]:
    """Return comparisons with p corrected within each metric."""
    corrected: dict[int, float] = {}
    for metric in {d.metric for d in differences}:
        own = [k for k, d in enumerate(differences) if d.metric == metric]
        corrected.update(zip(own, holm([differences[k].p for k in own]), strict=True))
    return [replace(d, p_holm=corrected[k]) for k, d in enumerate(differences)]
