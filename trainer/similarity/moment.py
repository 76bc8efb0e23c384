"""Gaze moments: sum and spread of the whole heat map of each reading.

Definition: McGIP, AAAI 2024, arXiv 2312.06069, as the released code computes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from trainer.similarity.base import (
    CanvasParameters,
    FloatArray,
    Gaze,
    Measure,
    Pairs,
    Work,
    canvas_points,
    require,
    run_rows,
)
from trainer.similarity.heat import reduced
from trainer.similarity.moments import GRID, difference, moments


@dataclass(frozen=True, slots=True)
class MomentParameters(CanvasParameters):
    """Weights of the sum (mu) and of the spread (Hu); the dental recipe uses 0.2 and 0.8."""

    weight_mu: float = 0.5
    weight_hu: float = 0.5

    def __post_init__(self) -> None:
        CanvasParameters.__post_init__(self)
        weights = self.weight_mu, self.weight_hu
        require(
            min(weights) >= 0 and sum(weights) > 0, "weight_mu, weight_hu", "0 or more", weights
        )


def whole_moments(xy: NDArray[np.int64], canvas: int) -> tuple[float, float]:
    """Return (mu, Hu) of the heat map of pixels (N, 2); (0, NaN) without a point."""
    mu, hu = moments(reduced(xy, canvas, GRID, GRID))
    return mu, hu


def features(gaze: Gaze, parameters: MomentParameters) -> FloatArray:
    """Return (mu, Hu), shape (1, 2)."""
    return np.array([whole_moments(canvas_points(gaze, parameters).xy, parameters.canvas)])


def matrix(found: Sequence[FloatArray], parameters: MomentParameters, work: Work) -> Pairs:
    """Return 1 − (w_mu·diff(mu) + w_hu·diff(Hu)), the mean over the K moments of each reading.

    Features have shape (K, 2), the same K for all. Pairs with a reading without a point are
    invalid; their value is what the definition gives.
    """
    n, weights = len(found), (parameters.weight_mu, parameters.weight_hu)
    out = np.eye(n)
    stacked = np.stack(found) if n else np.empty((0, 1, 2))

    def rows(first: int, end: int) -> None:
        _moment_rows(stacked, weights, first, end, out)

    run_rows(work, n, rows)
    has = (stacked[:, :, 0] > 0).any(axis=1)
    return Pairs(out, np.logical_and.outer(has, has))


@njit(cache=True, nogil=True)
def _moment_rows(
    found: FloatArray, weights: tuple[float, float], first: int, end: int, out: FloatArray
) -> None:
    n, frames = found.shape[0], found.shape[1]
    for i in range(first, end):
        for j in range(i + 1, n):
            total = 0.0
            for k in range(frames):
                apart = weights[0] * difference(found[i, k, 0], found[j, k, 0])
                apart += weights[1] * difference(found[i, k, 1], found[j, k, 1])
                total += 1.0 - apart
            out[i, j] = total / frames
            out[j, i] = total / frames


MEASURE = Measure("moment", "Gaze moments", MomentParameters, features, matrix)
