"""Gaze moments: sum and spread of the whole heat map of each reading.

Definition: McGIP, AAAI 2024, arXiv 2312.06069, as the released code computes it.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from trainer.similarity.base import (
    CanvasPoints,
    FeatureTable,
    FloatArray,
    Gaze,
    Measure,
    Pairs,
    PointParameters,
    canvas_points,
    require_weights,
)
from trainer.similarity.heat import reduced
from trainer.similarity.moments import GRID, difference, moments


@dataclass(frozen=True, slots=True)
class MomentParameters(PointParameters):
    """Weights of the sum (mu) and of the spread (Hu); the dental recipe uses 0.2 and 0.8."""

    weight_mu: float = 0.5
    weight_hu: float = 0.5

    def __post_init__(self) -> None:
        PointParameters.__post_init__(self)
        require_weights(self.weight_mu, self.weight_hu)


def whole_moments(points: CanvasPoints) -> tuple[float, float]:
    """Return (mu, Hu) of the heat map of points; (0, NaN) without one."""
    mu, hu = moments(reduced(points, GRID, GRID))
    return mu, hu


def features(gaze: Gaze, parameters: MomentParameters) -> FloatArray:
    """Return (mu, Hu), shape (1, 2)."""
    return np.array([whole_moments(canvas_points(gaze, parameters))])


def similarity(a: FeatureTable, b: FeatureTable, parameters: MomentParameters) -> Pairs:
    """Return 1 − (w_mu·diff(mu) + w_hu·diff(Hu)), the mean over the K moments of each reading.

    Features have shape (K, 2), the same K for all. Pairs with a reading without a point are
    invalid; their value is what the definition gives.
    """
    first, second = a.stacked(), b.stacked()
    values = _compared(first, second, parameters.weight_mu, parameters.weight_hu)
    has = [(table[:, :, 0] > 0).any(axis=1) for table in (first, second)]
    return Pairs(values, np.logical_and.outer(*has))


@njit(cache=True, nogil=True, error_model="numpy")
def _compared(a: FloatArray, b: FloatArray, weight_mu: float, weight_hu: float) -> FloatArray:
    frames = a.shape[1]
    out = np.empty((len(a), len(b)))
    for i in range(len(a)):
        for j in range(len(b)):
            total = 0.0
            for k in range(frames):
                apart = weight_mu * difference(a[i, k, 0], b[j, k, 0])
                apart += weight_hu * difference(a[i, k, 1], b[j, k, 1])
                total += 1.0 - apart
            out[i, j] = total / frames
    return out


MEASURE = Measure(
    "moment",
    "Gaze moments",
    MomentParameters,
    features,
    similarity,
    pair_parameters=("weight_mu", "weight_hu"),
)
