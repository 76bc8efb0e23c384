"""Thresholds and the share of pairs above them; a pair of an item with itself never counts."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from devices.gaze.geometry import FloatArray

COMMON_THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99)


def pair_values(matrix: FloatArray, valid: NDArray[np.bool_]) -> FloatArray:
    """Return the values of the valid pairs i < j of (N, N) matrices."""
    rows = (matrix[i, i + 1 :][valid[i, i + 1 :]] for i in range(len(matrix)))
    return np.concatenate([*rows, np.empty(0)])


def positive_rate(matrix: FloatArray, valid: NDArray[np.bool_], threshold: float) -> float:
    """Return the share of valid pairs above a threshold (not at it); 0 without a valid pair."""
    values = pair_values(matrix, valid)
    return float((values > threshold).mean()) if len(values) else 0.0


def threshold_for_rate(matrix: FloatArray, valid: NDArray[np.bool_], rate: float) -> float:
    """Return the lowest threshold whose `positive_rate` does not exceed `rate`.

    Equal values stand or fall together, so the rate reached may be lower: report it.
    """
    values = np.sort(pair_values(matrix, valid))[::-1]
    wanted = int(np.floor(rate * len(values) + 1e-9))
    if wanted >= len(values):
        return float(np.nextafter(values[-1], -np.inf)) if len(values) else 1.0
    return float(values[wanted])


def rates_at(
    matrix: FloatArray, valid: NDArray[np.bool_], thresholds: Sequence[float]
) -> dict[str, float]:
    """Return the positive rate at each threshold, by the threshold as text."""
    values = np.sort(pair_values(matrix, valid))
    if not len(values):
        return {f"{t:g}": 0.0 for t in thresholds}
    above = len(values) - np.searchsorted(values, thresholds, side="right")
    return {f"{t:g}": float(a / len(values)) for t, a in zip(thresholds, above, strict=True)}
