"""Thresholds and the share of pairs above them; a pair of an item with itself never counts."""

import numpy as np

from trainer.similarity.base import BoolArray, FloatArray


def pair_values(matrix: FloatArray, valid: BoolArray) -> FloatArray:
    """Return the values of the valid pairs i < j of (N, N) matrices."""
    upper = np.triu_indices(len(matrix), k=1)
    return np.asarray(matrix[upper][valid[upper]], np.float64)


def positive_rate(matrix: FloatArray, valid: BoolArray, threshold: float) -> float:
    """Return the share of valid pairs above a threshold (not at it); 0 without a valid pair."""
    values = pair_values(matrix, valid)
    return float((values > threshold).mean()) if len(values) else 0.0


def threshold_for_rate(matrix: FloatArray, valid: BoolArray, rate: float) -> float:
    """Return the lowest threshold whose `positive_rate` does not exceed `rate`.

    Equal values stand or fall together, so the rate reached may be lower: report it.
    """
    values = np.sort(pair_values(matrix, valid))[::-1]
    wanted = int(np.floor(rate * len(values) + 1e-9))
    if wanted >= len(values):
        return float(np.nextafter(values[-1], -np.inf)) if len(values) else 1.0
    return float(values[wanted])
