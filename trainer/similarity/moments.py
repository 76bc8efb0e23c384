"""Moments of a 32 × 32 heat map and how far two of them differ; compiled, shared by measures."""

import numpy as np
from numba import njit

from trainer.similarity.base import FloatArray

GRID = 32


@njit(cache=True, nogil=True)
def moments(grid: FloatArray) -> tuple[float, float]:
    """Return (mu, Hu) of a grid: its sum, and eta20 + eta02; Hu is NaN where mu is 0."""
    mu = rows = columns = 0.0
    for r in range(grid.shape[0]):
        for c in range(grid.shape[1]):
            mu += grid[r, c]
            rows += r * grid[r, c]
            columns += c * grid[r, c]
    if mu == 0.0:
        return 0.0, np.nan
    row_mean, column_mean = rows / mu, columns / mu
    spread = 0.0
    for r in range(grid.shape[0]):
        for c in range(grid.shape[1]):
            spread += ((r - row_mean) ** 2 + (c - column_mean) ** 2) * grid[r, c]
    return mu, spread / (mu * mu)


@njit(cache=True, nogil=True)
def difference(a: float, b: float) -> float:
    """Return |a − b| / |max(a, b)|: 1 where either is NaN or the larger is 0, 0 where equal."""
    if np.isnan(a) or np.isnan(b):
        return 1.0
    if a == b:
        return 0.0
    larger = max(a, b)
    if larger == 0.0:
        return 1.0
    return abs(a - b) / abs(larger)


def bilinear_positions(size: int, count: int = GRID) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return where `count` half-pixel centres fall on an axis of `size` pixels.

    Returns
    -------
    low, high, share
        Shape (count,) each: value = low pixel · (1 − share) + high pixel · share, inside the axis.
    """
    position = np.clip((np.arange(count) + 0.5) * size / count - 0.5, 0, size - 1)
    low = np.floor(position)
    return low, np.minimum(low + 1, size - 1), position - low


@njit(cache=True, nogil=True)
def resized(
    values: FloatArray, low: FloatArray, high: FloatArray, share: FloatArray, whole: bool
) -> FloatArray:
    """Return a square map resized bilinearly; rounded to whole grey levels if `whole`.

    `values` holds whole grey levels; `low`, `high`, `share` are `bilinear_positions` of its side.
    """
    count = len(low)
    grid = np.empty((count, count))
    for r in range(count):
        top, bottom, v = int(low[r]), int(high[r]), share[r]
        for c in range(count):
            left, right, u = int(low[c]), int(high[c]), share[c]
            upper = values[top, left] * (1 - u) + values[top, right] * u
            lower = values[bottom, left] * (1 - u) + values[bottom, right] * u
            value = upper * (1 - v) + lower * v
            grid[r, c] = np.floor(value + 0.5) if whole else value
    return grid
