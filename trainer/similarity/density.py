"""density: where gaze dwelt, and in which part of the reading; ours, position-aware.

Each reading is the density of its dwell over x, y and phase (0 at its start, 1 at its end), every
sample spread by Gaussians and read at a small grid, scaled to length 1. Similarity is the inner
product: 1 for the same gaze, near 0 for gaze on other places, smooth in between.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
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
)
from trainer.similarity.products import product_matrix

_LONGEST_STEP = 3.0  # times the median: a longer gap is a loss, not dwell


@dataclass(frozen=True, slots=True)
class DensityParameters(CanvasParameters):
    """Parameters of density.

    Attributes
    ----------
    sigma
        Spread of a sample over x and y, as a share of the canvas; 0.05 is about 1° of visual
        angle for an image that fills a screen.
    phases, sigma_phase
        Parts of the reading, 1 to leave order out; spread of a sample over phase.
    """

    sigma: float = 0.05
    phases: int = 4
    sigma_phase: float = 0.15

    def __post_init__(self) -> None:
        CanvasParameters.__post_init__(self)
        require(0.01 <= self.sigma <= 1, "sigma", "from 0.01 to 1", self.sigma)
        require(self.phases >= 1, "phases", "at least 1", self.phases)
        require(self.sigma_phase > 0, "sigma_phase", "above 0", self.sigma_phase)


def features(gaze: Gaze, parameters: DensityParameters) -> FloatArray:
    """Return the density on the grid, flat, of length 1; zeros without a point."""
    points = canvas_points(gaze, parameters)
    # A grid as fine as the spread: sums over it follow shifts of gaze smoothly.
    cells = int(np.ceil(1 / parameters.sigma))
    if len(points.xy) == 0:
        return np.zeros(parameters.phases * cells * cells)
    weights, phase = _dwell(gaze, points.kept)
    centre = (points.xy + 0.5) / parameters.canvas
    across, down = (_spread(centre[:, k], cells, parameters.sigma) for k in (0, 1))
    parts = _spread(phase, parameters.phases, parameters.sigma_phase) * weights[:, None]
    density = np.stack([(down * parts[:, k : k + 1]).T @ across for k in range(parts.shape[1])])
    flat = density.ravel()
    return np.asarray(flat / np.linalg.norm(flat), np.float64)


def matrix(found: Sequence[FloatArray], _parameters: DensityParameters, work: Work) -> Pairs:
    """Return the inner products; 0 and invalid without a point."""
    vectors = np.stack(found) if found else np.empty((0, 1))
    out = np.clip(product_matrix(vectors, work), 0.0, 1.0)
    np.fill_diagonal(out, 1.0)
    has = vectors.any(axis=1)
    return Pairs(out, np.logical_and.outer(has, has))


def _spread(values: FloatArray, cells: int, sigma: float) -> FloatArray:
    """Return (N, cells): how much of each value (N,) of 0 … 1 each cell's centre sees."""
    centres = (np.arange(cells) + 0.5) / cells
    return np.asarray(np.exp(-((values[:, None] - centres) ** 2) / (2 * sigma**2)), np.float64)


def _dwell(gaze: Gaze, kept: NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
    """Return weight and phase (N,) of kept points: by time where known, else by order."""
    n = len(kept)
    if gaze.time_us is None or n < 2:
        return np.ones(n), (np.arange(n) + 0.5) / n
    time_us = gaze.time_us[kept].astype(np.float64)
    step = np.diff(time_us, append=time_us[-1])
    step[-1] = np.median(step[:-1])
    weights = np.clip(step, 0, _LONGEST_STEP * max(float(np.median(step)), 1.0))
    span = max(time_us[-1] - time_us[0], 1.0)
    return weights, (time_us - time_us[0]) / span


MEASURE = Measure("density", "Dwell density", DensityParameters, features, matrix)
