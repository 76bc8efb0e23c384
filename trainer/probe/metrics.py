"""Figures of merit of predicted probabilities, for many weightings of the images at once.

A weighting counts each test image 0, 1, 2, … times: that is a bootstrap sample. Rows of weights are
samples; the first use of each function is with one row of ones.
"""

import numpy as np

from trainer.probe.labelled import FloatArray, IntArray

METRICS = ("auc", "accuracy", "balanced_accuracy")
ORDINAL_METRICS = ("mae", "quadratic_kappa")
LOWER_IS_BETTER = ("mae",)


def score_all(
    log_probabilities: FloatArray,
    codes: IntArray,
    weights: FloatArray,
    grades: FloatArray | None = None,
) -> dict[str, FloatArray]:
    """Return each metric for each weighting.

    Parameters
    ----------
    log_probabilities
        Shape (N, K).
    codes
        True classes, shape (N,).
    weights
        Shape (B, N), not negative.
    grades
        Values of ordinal classes, shape (K,); None leaves mean absolute error and kappa out.

    Returns
    -------
    dict
        Arrays of shape (B,); NaN where a weighting leaves too few classes to say.
    """
    predicted = log_probabilities.argmax(axis=1)
    found = {
        "auc": auc(log_probabilities, codes, weights),
        "accuracy": _mean(weights, (predicted == codes).astype(np.float64)),
        "balanced_accuracy": balanced_accuracy(predicted, codes, weights),
    }
    if grades is not None:
        found["mae"] = _mean(weights, np.abs(grades[predicted] - grades[codes]))
        found["quadratic_kappa"] = quadratic_kappa(predicted, codes, weights, grades)
    return found


def auc(log_probabilities: FloatArray, codes: IntArray, weights: FloatArray) -> FloatArray:
    """Return the area under the ROC curve (B,): one class against the rest, mean over classes.

    Two classes have one curve. Classes that a weighting leaves out take no part in its mean.
    """
    classes = log_probabilities.shape[1]
    if classes == 2:
        margin = log_probabilities[:, 1] - log_probabilities[:, 0]
        return _auc_of(margin, codes == 1, weights)
    each = [_auc_of(log_probabilities[:, k], codes == k, weights) for k in range(classes)]
    return _nan_mean(np.stack(each))


def _auc_of(scores: FloatArray, positive: np.ndarray, weights: FloatArray) -> FloatArray:
    """Return the chance that a positive scores above a negative, ties counting half, (B,)."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-np.inf) != 0)
    starts = starts if len(starts) and starts[0] == 0 else np.append(0, starts)
    chosen = positive[order]
    ordered = weights[:, order]
    up = np.add.reduceat(np.where(chosen, ordered, 0.0), starts, axis=1)
    down = np.add.reduceat(np.where(chosen, 0.0, ordered), starts, axis=1)
    below = np.cumsum(down, axis=1) - down
    pairs = up.sum(axis=1) * down.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((up * (below + down / 2)).sum(axis=1) / pairs, np.float64)


def balanced_accuracy(predicted: IntArray, codes: IntArray, weights: FloatArray) -> FloatArray:
    """Return the mean share found of each class (B,)."""
    each = [
        _mean(weights[:, codes == k], (predicted[codes == k] == k).astype(np.float64))
        for k in np.unique(codes)
    ]
    return _nan_mean(np.stack(each))


def quadratic_kappa(
    predicted: IntArray, codes: IntArray, weights: FloatArray, grades: FloatArray
) -> FloatArray:
    """Return Cohen's kappa with squared distances between grades, (B,)."""
    distance = (grades[:, None] - grades[None, :]) ** 2
    classes = len(grades)
    seen = _mean(weights, distance[codes, predicted])
    of_truth = _shares(weights, codes, classes)
    of_guess = _shares(weights, predicted, classes)
    by_chance = np.einsum("bi,ij,bj->b", of_truth, distance, of_guess)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(1 - seen / by_chance, np.float64)


def _shares(weights: FloatArray, codes: IntArray, classes: int) -> FloatArray:
    table = np.eye(classes)[codes]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(weights @ table / weights.sum(axis=1, keepdims=True), np.float64)


def _mean(weights: FloatArray, values: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(weights @ values / weights.sum(axis=1), np.float64)


def _nan_mean(values: FloatArray) -> FloatArray:
    """Return the mean over the first axis of what is there; NaN where nothing is."""
    there = np.isfinite(values)
    count = there.sum(axis=0)
    total = np.where(there, values, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
