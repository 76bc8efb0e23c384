"""The positive rate: the share of valid pairs above a threshold.

A pair is valid if the measure gives it a value; an item with itself is never a pair. Page,
command, training and report all ask here, whether they hold a matrix, sorted values or a graph.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from devices.gaze.geometry import FloatArray

COMMON_THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99)
MATCHES_MOST = 0.5
"""An item that is positive with more than this share of its valid pairs matches everything."""

Places = NDArray[np.int64]


def share_of_valid(positive: int, valid: int) -> float:
    """Return the positive rate of `positive` among `valid` pairs; 0 without a valid pair."""
    return positive / valid if valid else 0.0


def pairs_among(items: int) -> int:
    """Return how many pairs of two different items there are."""
    return items * (items - 1) // 2


def pairs_a_batch(pairs: float, items: int, batch: int, drop: float) -> float:
    """Return how many of the positive pairs among N items a batch is expected to hold.

    Batches draw without replacement, so that each pair meets with probability B(B−1)/(N(N−1));
    `drop` is the share of pairs that is left out at random.
    """
    if items < 2:
        return 0.0
    met = min(batch, items)
    return pairs * met * (met - 1) / (items * (items - 1)) * (1 - drop)


def pair_values(matrix: FloatArray, valid: NDArray[np.bool_]) -> FloatArray:
    """Return the values of the valid pairs i < j of (N, N) matrices."""
    rows = (matrix[i, i + 1 :][valid[i, i + 1 :]] for i in range(len(matrix)))
    return np.concatenate([*rows, np.empty(0)])


def positive_rate(
    matrix: FloatArray,
    valid: NDArray[np.bool_],
    threshold: float,
    valid_pairs: int | None = None,
) -> float:
    """Return the share of valid pairs of (N, N) matrices above a threshold (not at it).

    `valid_pairs` says how many there are where the matrices hold only the most alike of them.
    """
    values = pair_values(matrix, valid)
    among = len(values) if valid_pairs is None else valid_pairs
    return share_of_valid(int(np.count_nonzero(values > threshold)), among)


def threshold_for_rate(matrix: FloatArray, valid: NDArray[np.bool_], rate: float) -> float:
    """Return the lowest threshold whose `positive_rate` does not exceed `rate`.

    Equal values are treated alike, so the rate reached may be lower; report it.
    """
    return threshold_of_values(pair_values(matrix, valid), rate)


def threshold_of_values(values: FloatArray, rate: float, valid_pairs: int | None = None) -> float:
    """Return the same from a list of values.

    Parameters
    ----------
    values
        Of valid pairs, shape (P,), in any order.
    rate
        Wanted share of the valid pairs.
    valid_pairs
        How many valid pairs there are, where only the most alike have their values here (a sparse
        graph); None: P. A rate that P cannot reach gives a threshold below all of them.
    """
    ordered = np.sort(values)[::-1]
    among = len(ordered) if valid_pairs is None else valid_pairs
    wanted = int(np.floor(rate * among + 1e-9))
    if not len(ordered):
        return 1.0
    if wanted >= len(ordered):
        return float(np.nextafter(ordered[-1], -np.inf))
    return float(ordered[wanted])


def rates_at(
    matrix: FloatArray, valid: NDArray[np.bool_], thresholds: Sequence[float]
) -> dict[str, float]:
    """Return the positive rate at each threshold, by the threshold as text."""
    values = np.sort(pair_values(matrix, valid))
    above = len(values) - np.searchsorted(values, thresholds, side="right")
    return {
        f"{t:g}": share_of_valid(int(a), len(values))
        for t, a in zip(thresholds, above, strict=True)
    }


def odd_items(
    above: NDArray[np.integer], partners: NDArray[np.integer]
) -> tuple[Places, Places, Places]:
    """Return the items that match nearly everything, those that match nothing, those without value.

    Parameters
    ----------
    above, partners
        Shape (N,): with how many others each item lies above the threshold, and with how many it
        has a value at all.

    Returns
    -------
    tuple of NDArray[np.int64]
        Places in the list: of more than `MATCHES_MOST` of its valid pairs above, the most first;
        of none above; of no valid pair (a list of one item has none to ask for).
    """
    share = above / np.maximum(partners, 1)
    order = np.argsort(-share, kind="stable")
    without = partners == 0 if len(partners) > 1 else np.zeros(len(partners), bool)
    return (
        order[share[order] > MATCHES_MOST],
        np.flatnonzero((above == 0) & (partners > 0)),
        np.flatnonzero(without),
    )
