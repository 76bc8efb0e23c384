"""TIMA: gaze clustered in space and time, one heat map a cluster, sequences aligned by DTW.

Definition: GzPT, IEEE TMI 2025, doi 10.1109/TMI.2025.3528965 (older files call it STGM), as the
released code computes it on a square canvas.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

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
from trainer.similarity.clusters import dbscan
from trainer.similarity.moments import bilinear_positions, difference, moments, resized


@dataclass(frozen=True, slots=True)
class TimaParameters(CanvasParameters):
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
        CanvasParameters.__post_init__(self)
        require(self.eps > 0, "eps", "above 0", self.eps)
        divisor = self.min_samples_divisor
        require(divisor >= 1, "min_samples_divisor", "at least 1", divisor)
        weights = self.weight_mu, self.weight_hu
        require(
            min(weights) >= 0 and sum(weights) > 0, "weight_mu, weight_hu", "0 or more", weights
        )


def cluster_labels(xy: NDArray[np.int64], parameters: TimaParameters) -> NDArray[np.int64]:
    """Return the cluster (N,) of each pixel (N, 2) of gaze in order of time, −1 for noise."""
    n = len(xy)
    points = np.empty((n, 3))
    points[:, :2] = xy / parameters.canvas
    points[:, 2] = np.arange(n) / max(n, 1)
    return dbscan(points, parameters.eps, n // parameters.min_samples_divisor + 1)


def features(gaze: Gaze, parameters: TimaParameters) -> FloatArray:
    """Return (mu, Hu) of each cluster's heat map, shape (clusters, 2), clusters in label order."""
    xy = canvas_points(gaze, parameters).xy
    labels = cluster_labels(xy, parameters)
    size = parameters.canvas
    low, high, share = bilinear_positions(size)
    return _cluster_moments(xy, labels, size, _window(size), low, high, share)


def matrix(sequences: Sequence[FloatArray], parameters: TimaParameters, work: Work) -> Pairs:
    """Return 1 − D/K of all pairs of sequences (clusters, 2); 0 and invalid without a cluster."""
    n = len(sequences)
    starts = np.concatenate(([0], np.cumsum([len(s) for s in sequences]))).astype(np.int64)
    flat: FloatArray = np.concatenate([*sequences, np.empty((0, 2))])
    out, weights = np.eye(n), (parameters.weight_mu, parameters.weight_hu)

    def rows(first: int, end: int) -> None:
        _align_rows(flat, starts, weights, first, end, out)

    run_rows(work, n, rows)
    has = np.diff(starts) > 0
    return Pairs(out, np.logical_and.outer(has, has))


@lru_cache(maxsize=8)
def _window(canvas: int) -> FloatArray:
    """Return the Gaussian a point adds: g = H/10, s = g/6, whole offsets in −g/2 … g/2 − 1."""
    half = canvas // 20
    offset = np.arange(-half, half)
    sigma = canvas / 10 / 6
    squared = offset[:, None] ** 2 + offset[None, :] ** 2
    window: FloatArray = np.exp(-squared / (2 * sigma**2))
    return window


@njit(cache=True, nogil=True)
def _add_window(heat: FloatArray, x: int, y: int, window: FloatArray) -> None:
    side, size = window.shape[0], heat.shape[0]
    left, top = x - side // 2, y - side // 2
    first, end = max(0, -left), min(side, size - left)
    for row in range(max(0, -top), min(side, size - top)):
        line, added = heat[top + row, left + first : left + end], window[row, first:end]
        for column in range(len(line)):
            line[column] += added[column]


@njit(cache=True, nogil=True)
def _bounds(xy: NDArray[np.int64], side: int, size: int) -> tuple[int, int, int, int]:
    """Return the rectangle (left, top, right, bottom) that windows around points can touch."""
    back, ahead = side // 2, side - side // 2
    left, right = max(0, xy[:, 0].min() - back), min(size, xy[:, 0].max() + ahead)
    top, bottom = max(0, xy[:, 1].min() - back), min(size, xy[:, 1].max() + ahead)
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
    low: FloatArray,
    high: FloatArray,
    share: FloatArray,
) -> FloatArray:
    """Return the 32 × 32 grey levels; only the pixels that they need are normalised."""
    count = len(low)
    corners = np.empty((2 * count, 2 * count))
    for r in range(2 * count):
        row = int(low[r // 2] if r % 2 == 0 else high[r // 2])
        for c in range(2 * count):
            column = int(low[c // 2] if c % 2 == 0 else high[c // 2])
            corners[r, c] = _grey(heat[row, column], span[0], span[1])
    even: FloatArray = np.arange(count).astype(np.float64) * 2
    odd: FloatArray = even + 1
    return resized(corners, even, odd, share, True)


@njit(cache=True, nogil=True)
def _cluster_moments(
    xy: NDArray[np.int64],
    labels: NDArray[np.int64],
    size: int,
    window: FloatArray,
    low: FloatArray,
    high: FloatArray,
    share: FloatArray,
) -> FloatArray:
    clusters = labels.max() + 1 if len(labels) else 0
    out = np.empty((clusters, 2))
    heat = np.zeros((size, size))
    for cluster in range(clusters):
        members = xy[labels == cluster]
        box = _bounds(members, window.shape[0], size)
        for k in range(len(members)):
            _add_window(heat, members[k, 0], members[k, 1], window)
        grid = _grid(heat, _range(heat, box), low, high, share)
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
def _align_rows(
    flat: FloatArray,
    starts: NDArray[np.int64],
    weights: tuple[float, float],
    first: int,
    end: int,
    out: FloatArray,
) -> None:
    n = len(starts) - 1
    longest = 1
    for i in range(n):
        longest = max(longest, starts[i + 1] - starts[i])
    total, cells = np.empty(longest), np.empty(longest, np.int64)
    for i in range(first, end):
        a = flat[starts[i] : starts[i + 1]]
        for j in range(i + 1, n):
            b = flat[starts[j] : starts[j + 1]]
            value = 0.0
            if len(a) > 0 and len(b) > 0:
                value = _align(a, b, weights, total, cells)
            out[i, j] = value
            out[j, i] = value


MEASURE = Measure("tima", "TIMA", TimaParameters, features, matrix)
