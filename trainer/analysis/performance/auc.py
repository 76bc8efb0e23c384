"""Empirical ROC curve and area of one reader in one arm, with its jackknife."""

import numpy as np

from trainer.analysis.performance.ratings import BoolArray, FloatArray


def placements(rating: FloatArray, truth: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Return how each case stands among those of the other class; ties count one half.

    Parameters
    ----------
    rating, truth
        Shape (K,), no NaN.

    Returns
    -------
    positives, negatives
        Shapes (n1,), (n0,): for a positive the share of negatives below it, for a negative the
        share of positives above it. Both means are the empirical AUC.

    Notes
    -----
    The structural components of DeLong, DeLong and Clarke-Pearson (1988).
    """
    positives, negatives = rating[truth], rating[~truth]
    return _share_below(negatives, positives), 1 - _share_below(positives, negatives)


def _share_below(others: FloatArray, values: FloatArray) -> FloatArray:
    ordered = np.sort(others)
    below = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    return below / (2 * len(ordered))


def auc(rating: FloatArray, truth: BoolArray) -> float:
    """Return the empirical area under the ROC curve (trapezoids; Mann-Whitney with ties)."""
    return float(placements(rating, truth)[0].mean())


def auc_without(rating: FloatArray, truth: BoolArray) -> FloatArray:
    """Return the AUC without each case in turn, (K,); NaN where its class would be empty."""
    positives, negatives = placements(rating, truth)
    area = positives.mean()
    left_out = np.empty(len(rating))
    with np.errstate(divide="ignore", invalid="ignore"):
        for side, placed in ((truth, positives), (~truth, negatives)):
            count = len(placed)
            left_out[side] = (count * area - placed) / (count - 1)
    return left_out


def roc_curve(rating: FloatArray, truth: BoolArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the operating points of every threshold, strictest first.

    Returns
    -------
    false_positive_rate, true_positive_rate, threshold
        Shape (T + 1,): "positive" is a rating at or above the threshold; the first is infinity.
    """
    threshold = np.append(np.inf, np.unique(rating)[::-1])
    above = rating[None, :] >= threshold[:, None]
    return above[:, ~truth].mean(axis=1), above[:, truth].mean(axis=1), threshold
