"""TIMA: gaze clustered in space and time, one heat map a cluster, sequences aligned by DTW.

Definition: GzPT, IEEE TMI 2025, doi 10.1109/TMI.2025.3528965 (older files call it STGM), as the
released code computes it on a square canvas.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from trainer.similarity.base import (
    CanvasPoints,
    FeatureTable,
    FloatArray,
    Gaze,
    Measure,
    Pairs,
    PointParameters,
    canvas_points,
    require,
    require_weights,
)
from trainer.similarity.clusters import dbscan
from trainer.similarity.moments import (
    GRID,
    bilinear,
    bilinear_taps,
    difference,
    longest,
    moments,
)


@dataclass(frozen=True, slots=True)
class TimaParameters(PointParameters):
    """Parameters of TIMA; the released code's downstream variant is 20 and 0.5/0.5.

    Attributes
    ----------
    eps
        Reach of DBSCAN over (x/W, y/H, index/n).
    min_samples_divisor
        A core point has floor(n / divisor) + 1 points in reach.
    weight_mu, weight_hu
        Of the two moments in the cost of aligning two clusters.
    """

    eps: float = 0.2
    min_samples_divisor: int = 10
    weight_mu: float = 0.7
    weight_hu: float = 0.3

    def __post_init__(self) -> None:
        PointParameters.__post_init__(self)
        require(0 < self.eps < np.inf, "eps", "above 0", self.eps)
        divisor = self.min_samples_divisor
        require(divisor >= 1, "min_samples_divisor", "at least 1", divisor)
        require_weights(self.weight_mu, self.weight_hu)


def cluster_labels(points: CanvasPoints, parameters: TimaParameters) -> NDArray[np.int64]:
    """Return the cluster (N,) of each point in order of time, −1 for noise."""
    n = len(points.xy)
    space_time = np.empty((n, 3))
    space_time[:, :2] = points.xy / [points.width, points.height]
    space_time[:, 2] = np.arange(n) / max(n, 1)
    return dbscan(space_time, parameters.eps, n // parameters.min_samples_divisor + 1)


def features(gaze: Gaze, parameters: TimaParameters) -> FloatArray:
    """Return (mu, Hu) of each cluster's heat map, shape (clusters, 2), clusters in label order."""
    points = canvas_points(gaze, parameters)
    labels = cluster_labels(points, parameters)
    size = points.height, points.width
    down, across = bilinear_taps(points.height), bilinear_taps(points.width)
    axes = down.pixels, across.pixels
    weights = down.weights, across.weights
    return _cluster_moments(points.xy, labels, size, _window(points.height), axes, weights)


def similarity(a: FeatureTable, b: FeatureTable, parameters: TimaParameters) -> Pairs:
    """Return 1 − D/K of all pairs of sequences (clusters, 2); 0 and invalid without a cluster."""
    weights = parameters.weight_mu, parameters.weight_hu
    values = _aligned(a.flat, a.starts, b.flat, b.starts, weights)
    return Pairs(values, np.logical_and.outer(a.lengths > 0, b.lengths > 0))


@lru_cache(maxsize=8)
def _window(height: int) -> FloatArray:
    """Return the Gaussian a point adds: g = H/10, s = g/6, whole offsets in −g/2 … g/2 − 1."""
    half = height // 20
    offset = np.arange(-half, half)
    sigma = height / 10 / 6
    squared = offset[:, None] ** 2 + offset[None, :] ** 2
    window: FloatArray = np.exp(-squared / (2 * sigma**2))
    return window


@njit(cache=True, nogil=True)
def _add_window(heat: FloatArray, x: int, y: int, window: FloatArray) -> None:
    side = window.shape[0]
    left, top = x - side // 2, y - side // 2
    first, end = max(0, -left), min(side, heat.shape[1] - left)
    for row in range(max(0, -top), min(side, heat.shape[0] - top)):
        line, added = heat[top + row, left + first : left + end], window[row, first:end]
        for column in range(len(line)):
            line[column] += added[column]


@njit(cache=True, nogil=True)
def _bounds(xy: NDArray[np.int64], side: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the rectangle (left, top, right, bottom) that windows around points can touch."""
    back, ahead = side // 2, side - side // 2
    left, right = max(0, xy[:, 0].min() - back), min(size[1], xy[:, 0].max() + ahead)
    top, bottom = max(0, xy[:, 1].min() - back), min(size[0], xy[:, 1].max() + ahead)
    return left, top, right, bottom


@njit(cache=True, nogil=True, error_model="numpy")
def _grey(value: float, low: float, high: float) -> float:
    """Return the grey level 0 … 255 of a value, halves to even."""
    scaled, floor = value / high, low / high
    return float(np.rint(255 * (scaled - floor) / (1.0 - floor))) if floor < 1.0 else 0.0


@njit(cache=True, nogil=True)
def _grid(
    heat: FloatArray,
    box: tuple[int, int, int, int],
    low: float,
    axes: tuple[NDArray[np.int64], NDArray[np.int64]],
    weights: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> FloatArray:
    """Return the 32 × 32 grey levels of a map that lies within a box, all 0 around it.

    `low` is the minimum of the whole map. Only the pixels that are needed are normalised.
    """
    left, top, right, bottom = box
    high = heat.max()
    corners = np.full((2 * GRID, 2 * GRID), _grey(0.0, low, high))
    for r in range(2 * GRID):
        row = axes[0][r]
        for c in range(2 * GRID):
            column = axes[1][c]
            if top <= row < bottom and left <= column < right:
                corners[r, c] = _grey(heat[row - top, column - left], low, high)
    grid: FloatArray = bilinear(corners, weights[0], weights[1])
    return grid


@njit(cache=True, nogil=True)
def _cluster_moments(
    xy: NDArray[np.int64],
    labels: NDArray[np.int64],
    size: tuple[int, int],
    window: FloatArray,
    axes: tuple[NDArray[np.int64], NDArray[np.int64]],
    weights: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> FloatArray:
    clusters = labels.max() + 1 if len(labels) else 0
    out = np.empty((clusters, 2))
    for cluster in range(clusters):
        members = xy[labels == cluster]
        box = _bounds(members, window.shape[0], size)
        left, top, right, bottom = box
        heat = np.zeros((bottom - top, right - left))  # small enough to stay in the cache
        for k in range(len(members)):
            _add_window(heat, members[k, 0] - left, members[k, 1] - top, window)
        low = heat.min() if heat.shape == size else 0.0
        out[cluster, 0], out[cluster, 1] = moments(_grid(heat, box, low, axes, weights))
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _costs(
    one: FloatArray, mu: FloatArray, hu: FloatArray, weights: tuple[float, float], out: FloatArray
) -> None:
    """Write what it costs to align each cluster of one reading with all of many (clusters, all).

    One run over all readings of a tile, which the compiler does several at a time.
    """
    for i in range(len(one)):
        for k in range(len(mu)):
            out[i, k] = weights[0] * difference(one[i, 0], mu[k]) + weights[1] * difference(
                one[i, 1], hu[k]
            )


@njit(cache=True, nogil=True, error_model="numpy")
def _align(
    costs: FloatArray, first: int, rows: int, columns: int, line: FloatArray, cells: FloatArray
) -> float:
    """Return 1 − D/K of two sequences; row after row, K counted along the path traced back.

    The step chosen at a cell depends on its three neighbours alone, so counting forward gives the
    K of a trace from the end: ties go to the diagonal, then to i − 1, then to j − 1.
    """
    total, steps = 0.0, 0.0
    for j in range(columns):
        total, steps = total + costs[0, first + j], steps + 1.0
        line[j], cells[j] = total, steps
    for i in range(1, rows):
        diagonal, diagonal_cells = line[0], cells[0]
        total, steps = diagonal + costs[i, first], diagonal_cells + 1.0
        line[0], cells[0] = total, steps
        for j in range(1, columns):
            above, above_cells = line[j], cells[j]
            best, best_cells = diagonal, diagonal_cells
            if above < best:
                best, best_cells = above, above_cells
            if total < best:
                best, best_cells = total, steps
            diagonal, diagonal_cells = above, above_cells
            total, steps = best + costs[i, first + j], best_cells + 1.0
            line[j], cells[j] = total, steps
    return float(1.0 - total / steps)


@njit(cache=True, nogil=True)
def _aligned(
    a: FloatArray,
    a_starts: NDArray[np.int64],
    b: FloatArray,
    b_starts: NDArray[np.int64],
    weights: tuple[float, float],
) -> FloatArray:
    high, wide = longest(a_starts), longest(b_starts)
    costs = np.empty((high, len(b)))
    line, cells = np.empty(wide), np.empty(wide)
    mu, hu = b[:, 0].copy(), b[:, -1].copy()
    out = np.zeros((len(a_starts) - 1, len(b_starts) - 1))
    for i in range(out.shape[0]):
        one = a[a_starts[i] : a_starts[i + 1]]
        _costs(one, mu, hu, weights, costs)
        for j in range(out.shape[1]):
            columns = b_starts[j + 1] - b_starts[j]
            if len(one) > 0 and columns > 0:
                out[i, j] = _align(costs, b_starts[j], len(one), columns, line, cells)
    return out


MEASURE = Measure(
    "tima",
    "TIMA",
    TimaParameters,
    features,
    similarity,
    pair_parameters=("weight_mu", "weight_hu"),
)
