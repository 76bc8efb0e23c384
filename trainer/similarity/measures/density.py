"""density: where gaze dwelt, and in which part of the reading; ours, position-aware.

Each reading is the density of its dwell over x, y and phase (0 at its start, 1 at its end), every
sample spread by Gaussians and summed in the cells of a small grid, scaled to length 1. Similarity
is the inner product: 1 for the same gaze, near 0 for gaze on other places, smooth in between.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from trainer.similarity.base import (
    CanvasPoints,
    FeatureTable,
    FloatArray,
    Gaze,
    Measure,
    Pairs,
    PointParameters,
    canvas_points,
    fixations_of,
    require,
)

_LONGEST_STEP = 3.0  # times the median: a longer gap is a loss, not dwell


@dataclass(frozen=True, slots=True)
class DensityParameters(PointParameters):
    """Parameters of density.

    Attributes
    ----------
    sigma
        Spread of a sample over x and y as a share of the canvas, and the side of a grid cell.
    sigma_deg
        Spread in degrees of visual angle, taken instead where the geometry is known (1° is about
        the fovea); 0 to take `sigma` always.
    phases, sigma_phase
        Parts of the reading, 1 to leave order out; spread of a sample over phase.
    """

    sigma: float = 0.05
    sigma_deg: float = 1.0
    phases: int = 4
    sigma_phase: float = 0.15

    def __post_init__(self) -> None:
        PointParameters.__post_init__(self)
        require(0.01 <= self.sigma <= 1, "sigma", "from 0.01 to 1", self.sigma)
        require(0 <= self.sigma_deg <= 90, "sigma_deg", "from 0 to 90", self.sigma_deg)
        require(self.phases >= 1, "phases", "at least 1", self.phases)
        require(self.sigma_phase > 0, "sigma_phase", "above 0", self.sigma_phase)


def features(gaze: Gaze, parameters: DensityParameters) -> NDArray[np.float32]:
    """Return the density on the grid, (1, cells), of length 1; zeros without a point."""
    points = canvas_points(gaze, parameters)
    cells = int(np.ceil(1 / parameters.sigma))
    if len(points.xy) == 0:
        return np.zeros((1, parameters.phases * cells * cells), np.float32)
    weights, phase = dwell_of(gaze, points, parameters)
    centre = (points.xy + 0.5) / [points.width, points.height]
    sigma = _spread_of(gaze, parameters)
    across, down = (spread_over(centre[:, k], cells, sigma[k]) for k in (0, 1))
    parts = spread_over(phase, parameters.phases, parameters.sigma_phase) * weights[:, None]
    density = np.stack([(down * parts[:, k : k + 1]).T @ across for k in range(parts.shape[1])])
    flat = density.reshape(1, -1)
    return np.asarray(flat / np.linalg.norm(flat), np.float32)


def similarity(a: FeatureTable, b: FeatureTable, _parameters: DensityParameters) -> Pairs:
    """Return the inner products; 0 and invalid without a point."""
    values = np.clip(a.flat @ b.flat.T, 0.0, 1.0).astype(np.float64)
    has = [table.flat.any(axis=1) for table in (a, b)]
    return Pairs(values, np.logical_and.outer(*has))


def _spread_of(gaze: Gaze, parameters: DensityParameters) -> tuple[float, float]:
    """Return the spread as shares of width and height."""
    if gaze.image_px_per_deg is None or parameters.sigma_deg == 0:
        return parameters.sigma, parameters.sigma
    spread = parameters.sigma_deg * gaze.image_px_per_deg
    return spread / gaze.width, spread / gaze.height


def spread_over(values: FloatArray, cells: int, sigma: float) -> FloatArray:
    """Return (N, cells): how much of each value (N,) of 0 … 1, spread, falls into each cell.

    Sums over cells, not values at their centres: they follow shifts of gaze smoothly however
    narrow the spread is.
    """
    edges = np.arange(cells + 1) / cells
    return np.asarray(np.diff(ndtr((edges - values[:, None]) / sigma), axis=1), np.float64)


def dwell_of(
    gaze: Gaze, points: CanvasPoints, parameters: PointParameters
) -> tuple[FloatArray, FloatArray]:
    """Return weight and phase (N,) of points: by time where known, else by order."""
    n = len(points.kept)
    if parameters.points == "fixations":
        weights = fixations_of(gaze)[1][points.kept].astype(np.float64)
        ends = np.cumsum(weights)
        return weights, (ends - weights / 2) / ends[-1]
    if gaze.time_us is None or n < 2:
        return np.ones(n), (np.arange(n) + 0.5) / n
    time_us = gaze.time_us[points.kept].astype(np.float64)
    step = np.diff(time_us, append=time_us[-1])
    step[-1] = np.median(step[:-1])
    usual = max(float(np.median(step)), 1.0)
    weights = np.clip(step, 1.0, _LONGEST_STEP * usual)
    span = max(time_us[-1] - time_us[0], 1.0)
    return weights, (time_us - time_us[0]) / span


MEASURE = Measure("density", "Dwell density", DensityParameters, features, similarity, vectors=True)
