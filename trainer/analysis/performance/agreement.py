"""Agreement of readers beyond chance: kappa, Fleiss' kappa, intraclass correlation."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trainer.analysis.performance.ratings import FloatArray

Weights = Literal["none", "linear", "quadratic"]


def cohen_kappa(
    one: NDArray[np.generic], other: NDArray[np.generic], weights: Weights = "none"
) -> float:
    """Return Cohen's (weighted) kappa of two readers over the same cases.

    Parameters
    ----------
    one, other
        Shape (K,): categories, in their order where `weights` are linear or quadratic.

    Returns
    -------
    float
        1 is perfect, 0 what chance gives; NaN where both gave one and the same category only, or
        there is no case.

    Notes
    -----
    Cohen (1960, 1968). Weights are by the rank of a category among those that occur.
    """
    if len(one) == 0:
        return np.nan
    categories, places = np.unique(np.concatenate([one, other]), return_inverse=True)
    count = len(categories)
    table = np.zeros((count, count))
    np.add.at(table, (places[: len(one)], places[len(one) :]), 1.0)
    apart = np.abs(np.subtract.outer(np.arange(count), np.arange(count))).astype(np.float64)
    cost = {"none": (apart > 0).astype(np.float64), "linear": apart, "quadratic": apart**2}[weights]
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / len(one)
    by_chance = (cost * expected).sum()
    return float(1 - (cost * table).sum() / by_chance) if by_chance else np.nan


def fleiss_kappa(given: NDArray[np.generic]) -> float:
    """Return Fleiss' kappa of J readers over K cases that all of them rated.

    Parameters
    ----------
    given
        Shape (J, K): categories.

    Notes
    -----
    Fleiss (1971). NaN with fewer than two readers, no case, or one category throughout.
    """
    readers, cases = given.shape
    if readers < 2 or cases == 0:
        return np.nan
    counts = np.stack([(given == category).sum(axis=0) for category in np.unique(given)], axis=1)
    agreed = (counts * (counts - 1)).sum(axis=1) / (readers * (readers - 1))
    by_chance = ((counts.sum(axis=0) / (readers * cases)) ** 2).sum()
    return float((agreed.mean() - by_chance) / (1 - by_chance)) if by_chance < 1 else np.nan


def icc(rating: FloatArray) -> float:
    """Return ICC(2,1): absolute agreement of single ratings by readers drawn at random.

    Parameters
    ----------
    rating
        Shape (J, K), no NaN: readers (or repeats of one) by cases.

    Notes
    -----
    Shrout and Fleiss (1979). NaN with fewer than two readers or cases, or where nothing varies.
    """
    readers, cases = rating.shape
    if readers < 2 or cases < 2 or np.ptp(rating) == 0:  # rounding alone would else be compared
        return np.nan
    mean = rating.mean()
    by_case, by_reader = rating.mean(axis=0), rating.mean(axis=1)
    between = readers * ((by_case - mean) ** 2).sum() / (cases - 1)
    among = cases * ((by_reader - mean) ** 2).sum() / (readers - 1)
    rest = rating - by_case[None, :] - by_reader[:, None] + mean
    error = (rest**2).sum() / ((cases - 1) * (readers - 1))
    below = between + (readers - 1) * error + readers * (among - error) / cases
    return float((between - error) / below) if below else np.nan
