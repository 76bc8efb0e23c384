"""Covariances of the AUCs of all arms and readers: they share cases, so they move together.

All four take the same ratings and return the same matrix: (I J, I J), arm by arm, reader by
reader in each. Cells that share no case have covariance 0.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from trainer.analysis.performance.auc import auc, auc_without, placements
from trainer.analysis.performance.ratings import BoolArray, FloatArray, Ratings
from trainer.errors import PerformanceError

BOOTSTRAP_SAMPLES = 2000


def auc_matrix(ratings: Ratings) -> FloatArray:
    """Return the empirical AUC of each arm and reader, (I, J)."""
    areas = [auc(cell[there], ratings.truth[there]) for cell, there in _cells(ratings)]
    return np.array(areas).reshape(ratings.rating.shape[:2])


def jackknife(ratings: Ratings) -> FloatArray:
    """Return covariances by leaving out one case at a time.

    Raises
    ------
    PerformanceError
        A reader rated only one case of a class: nothing is left without it.
    """
    count = len(ratings.cases)
    left_out = []
    for cell, there in _cells(ratings):
        values = np.full(count, auc(cell[there], ratings.truth[there]))
        values[there] = auc_without(cell[there], ratings.truth[there])
        left_out.append(values)
    spread = np.array(left_out)
    if np.isnan(spread).any():
        raise PerformanceError("The jackknife needs two cases of each class for every reader.")
    spread -= spread.mean(axis=1, keepdims=True)
    return _where_shared(ratings, (count - 1) / count * spread @ spread.T)


def delong(ratings: Ratings) -> FloatArray:
    """Return covariances by the structural components of DeLong and others (1988).

    Raises
    ------
    PerformanceError
        A reader rated only one case of a class: how such cases vary is not known.
    """
    _refuse_single_cases(ratings)
    positives, negatives = [], []
    for cell, there in _cells(ratings):
        placed = placements(cell[there], ratings.truth[there])
        positives.append(_spread(placed[0], there[ratings.truth]))
        negatives.append(_spread(placed[1], there[~ratings.truth]))
    return _components(np.array(positives)) + _components(np.array(negatives))


def _refuse_single_cases(ratings: Ratings) -> None:
    """Refuse what would count the one case of a class as one that never varies."""
    there = ~np.isnan(ratings.rating)
    if min((there & side).sum(axis=2).min() for side in (ratings.truth, ~ratings.truth)) < 2:
        raise PerformanceError("Each reader needs two cases of each class.")


def _spread(placed: FloatArray, there: BoolArray) -> FloatArray:
    """Return deviations from the mean, NaN where the reader did not rate."""
    spread = np.full(len(there), np.nan)
    spread[there] = placed - placed.mean()
    return spread


def _components(spread: FloatArray) -> FloatArray:
    """Return one class's part of the covariance, of shared cases alone."""
    there = ~np.isnan(spread)
    own = there.sum(axis=1).astype(np.float64)
    shared = there.astype(np.float64) @ there.T
    filled = np.where(there, spread, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        part = filled @ filled.T * shared / (shared - 1) / np.outer(own, own)
    return np.where(shared > 1, part, 0.0)


def unbiased(ratings: Ratings) -> FloatArray:
    """Return covariances without bias, whatever the number of cases.

    An area is the mean over pairs of a positive and a negative case of which is rated higher
    (1, 1/2, 0). The products of two areas' pairs that share no case estimate the product of their
    expectations; what the product of the areas has beyond it is their covariance (Gallas, Pennello
    and Myers, "Multireader multicase variance analysis for binary data", JOSA A 24, 2007; MRMCaov
    calls it `unbiased`). Unlike the others, a variance may come out below 0.

    Raises
    ------
    PerformanceError
        A reader rated only one case of a class: no two pairs are without a shared case.
    """
    _refuse_single_cases(ratings)
    cells = [_successes(cell, ratings.truth) for cell, _ in _cells(ratings)]
    found = np.empty((len(cells), len(cells)))
    for i, one in enumerate(cells):
        for j in range(i + 1):
            found[i, j] = found[j, i] = _without_bias(one, cells[j])
    return found


@dataclass(frozen=True, slots=True)
class _Successes:
    """Success of each pair of cases of one cell (P, N), 0 where one of them was not rated."""

    success: FloatArray
    positives: BoolArray
    negatives: BoolArray

    @property
    def pairs(self) -> float:
        return float(self.positives.sum() * self.negatives.sum())


def _successes(cell: FloatArray, truth: BoolArray) -> _Successes:
    positive, negative = cell[truth][:, None], cell[~truth][None, :]
    success = (positive > negative) + (positive == negative) / 2
    there = ~np.isnan(cell)
    return _Successes(success.astype(np.float64), there[truth], there[~truth])


def _without_bias(one: _Successes, other: _Successes) -> float:
    total = one.success.sum() * other.success.sum()
    by_positive = one.success.sum(axis=1) @ other.success.sum(axis=1)
    by_negative = one.success.sum(axis=0) @ other.success.sum(axis=0)
    # Each is 0 where one of the two did not rate a case, so these sums are over shared cases alone.
    apart = total - by_positive - by_negative + (one.success * other.success).sum()
    positives = float((one.positives & other.positives).sum())
    negatives = float((one.negatives & other.negatives).sum())
    pairs = one.pairs * other.pairs
    own, others = (float(cell.positives.sum()) for cell in (one, other))
    own_negatives, other_negatives = (float(cell.negatives.sum()) for cell in (one, other))
    with_positive = positives * own_negatives * other_negatives
    with_negative = negatives * own * others
    pairs_apart = pairs - with_positive - with_negative + positives * negatives
    return float(total / pairs - apart / pairs_apart)


def bootstrap(ratings: Ratings, seed: int = 0, samples: int = BOOTSTRAP_SAMPLES) -> FloatArray:
    """Return covariances over bootstrap samples of the cases, drawn within their class.

    Raises
    ------
    PerformanceError
        A reader rated only one case of a class, or most samples lack one.
    """
    _refuse_single_cases(ratings)
    rng = np.random.default_rng([seed, 33])
    kept = np.array([_drawn_areas(ratings, rng) for _ in range(samples)])
    kept = kept[np.isfinite(kept).all(axis=1)]
    if len(kept) < samples // 2:
        raise PerformanceError("Too few cases to bootstrap: most samples lack a class.")
    return _where_shared(ratings, np.atleast_2d(np.cov(kept, rowvar=False)))


def _drawn_areas(ratings: Ratings, rng: np.random.Generator) -> FloatArray:
    sides = [np.flatnonzero(ratings.truth), np.flatnonzero(~ratings.truth)]
    drawn = np.concatenate([rng.choice(side, len(side)) for side in sides])
    truth, cells = ratings.truth[drawn], ratings.rating.reshape(-1, len(ratings.cases))[:, drawn]
    areas = []
    for cell in cells:
        there = ~np.isnan(cell)
        both = truth[there].any() and not truth[there].all()
        areas.append(auc(cell[there], truth[there]) if both else np.nan)
    return np.array(areas)


def _cells(ratings: Ratings) -> list[tuple[FloatArray, BoolArray]]:
    cells = ratings.rating.reshape(-1, len(ratings.cases))
    return [(cell, ~np.isnan(cell)) for cell in cells]


def _where_shared(ratings: Ratings, covariance: FloatArray) -> FloatArray:
    there = ~np.isnan(ratings.rating.reshape(-1, len(ratings.cases)))
    return np.where((there.astype(np.float64) @ there.T) > 0, covariance, 0.0)


COVARIANCES: dict[str, Callable[[Ratings], FloatArray]] = {
    "jackknife": jackknife,
    "delong": delong,
    "unbiased": unbiased,
    "bootstrap": bootstrap,
}
