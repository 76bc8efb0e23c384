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
from trainer.similarity.moments import GRID, bilinear, bilinear_taps, difference, moments


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
    shares = down.share, across.share
    return _cluster_moments(points.xy, labels, size, _window(points.height), axes, shares)


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


@njit(cache=True, nogil=True)
def _range(heat: FloatArray, box: tuple[int, int, int, int]) -> tuple[float, float]:
    """Return minimum and maximum of the whole map, all of which lies 0 outside the box."""
    left, top, right, bottom = box
    covers = right - left == heat.shape[1] and bottom - top == heat.shape[0]
    low, high = np.inf if covers else 0.0, 0.0
    for row in range(top, bottom):
        for column in range(left, right):
            low = min(low, heat[row, column])
            high = max(high, heat[row, column])
    return low, high


@njit(cache=True, nogil=True)
def _grey(value: float, low: float, high: float) -> float:
    """Return the grey level 0 … 255 of a value, halves to even."""
    scaled, floor = value / high, low / high
    return float(np.rint(255 * (scaled - floor) / (1.0 - floor))) if floor < 1.0 else 0.0


@njit(cache=True, nogil=True)
def _grid(
    heat: FloatArray,
    span: tuple[float, float],
    axes: tuple[NDArray[np.int64], NDArray[np.int64]],
    shares: tuple[FloatArray, FloatArray],
) -> FloatArray:
    """Return the 32 × 32 grey levels; only the pixels that they need are normalised."""
    corners = np.empty((2 * GRID, 2 * GRID))
    for r in range(2 * GRID):
        for c in range(2 * GRID):
            corners[r, c] = _grey(heat[axes[0][r], axes[1][c]], span[0], span[1])
    grid: FloatArray = bilinear(corners, shares[0], shares[1])
    return grid


@njit(cache=True, nogil=True)
def _cluster_moments(
    xy: NDArray[np.int64],
    labels: NDArray[np.int64],
    size: tuple[int, int],
    window: FloatArray,
    axes: tuple[NDArray[np.int64], NDArray[np.int64]],
    shares: tuple[FloatArray, FloatArray],
) -> FloatArray:
    clusters = labels.max() + 1 if len(labels) else 0
    out = np.empty((clusters, 2))
    heat = np.zeros(size)
    for cluster in range(clusters):
        members = xy[labels == cluster]
        box = _bounds(members, window.shape[0], size)
        for k in range(len(members)):
            _add_window(heat, members[k, 0], members[k, 1], window)
        grid = _grid(heat, _range(heat, box), axes, shares)
        out[cluster, 0], out[cluster, 1] = moments(grid)
        heat[box[1] : box[3], box[0] : box[2]] = 0.0
    return out


@njit(cache=True, nogil=True)
def _align(
    a: FloatArray,
    b: FloatArray,
    weights: tuple[float, float],
    total: FloatArray,
    cells: NDArray[np.int64],
) -> float:
    """Return 1 − D/K of two sequences; row after row, K counted along the path traced back.

    The step chosen at a cell depends on its three neighbours alone, so counting forward gives the
    K of a trace from the end: ties go to the diagonal, then to i − 1, then to j − 1.
    """
    m = len(b)
    for i in range(len(a)):
        diagonal, diagonal_cells = np.inf, 0
        for j in range(m):
            cost = weights[0] * difference(a[i, 0], b[j, 0])
            cost += weights[1] * difference(a[i, 1], b[j, 1])
            above, above_cells = (total[j], cells[j]) if i > 0 else (np.inf, 0)
            best, steps = diagonal, diagonal_cells
            if above < best:
                best, steps = above, above_cells
            if j > 0 and total[j - 1] < best:
                best, steps = total[j - 1], cells[j - 1]
            if i == 0 and j == 0:
                best, steps = 0.0, 0
            diagonal, diagonal_cells = above, above_cells
            total[j], cells[j] = cost + best, steps + 1
    return float(1.0 - total[m - 1] / cells[m - 1])


@njit(cache=True, nogil=True)
def _aligned(
    a: FloatArray,
    a_starts: NDArray[np.int64],
    b: FloatArray,
    b_starts: NDArray[np.int64],
    weights: tuple[float, float],
) -> FloatArray:
    rows, columns = len(a_starts) - 1, len(b_starts) - 1
    longest = 1
    for j in range(columns):
        longest = max(longest, b_starts[j + 1] - b_starts[j])
    total, cells = np.empty(longest), np.empty(longest, np.int64)
    out = np.zeros((rows, columns))
    for i in range(rows):
        one = a[a_starts[i] : a_starts[i + 1]]
        for j in range(columns):
            other = b[b_starts[j] : b_starts[j + 1]]
            if len(one) > 0 and len(other) > 0:
                out[i, j] = _align(one, other, weights, total, cells)
    return out


MEASURE = Measure(
    "tima",
    "TIMA",
    TimaParameters,
    features,
    similarity,
    pair_parameters=("weight_mu", "weight_hu"),
)
