"""Means over readers with their interval: readings of one reader are not independent."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from scipy import stats

LEVEL = 0.95
Mean = tuple[float, float, float, int]


def mean_of_readers(values: Iterable[tuple[str, float]]) -> Mean | None:
    """Return the mean over readers of their own means, its 95 % interval, and how many there are.

    Parameters
    ----------
    values
        Reader and value of each reading; NaN is left out.

    Returns
    -------
    tuple or None
        Mean, low, high (Student's t; NaN of one reader), number of readers; None of no value.
    """
    by_reader: dict[str, list[float]] = {}
    for reader, value in values:
        if np.isfinite(value):
            by_reader.setdefault(reader, []).append(value)
    if not by_reader:
        return None
    means = np.array([np.mean(own) for own in by_reader.values()])
    count, mean = len(means), float(means.mean())
    if count < 2:
        return mean, np.nan, np.nan, count
    reach = float(stats.t.ppf((1 + LEVEL) / 2, count - 1) * means.std(ddof=1) / np.sqrt(count))
    return mean, mean - reach, mean + reach, count


def arms_of(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the arms of rows, sorted."""
    return sorted({str(row["arm"]) for row in rows})
