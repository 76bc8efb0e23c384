"""Moments of a 32 × 32 heat map and how far two of them differ; compiled, shared by measures."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

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


@njit(cache=True, nogil=True, error_model="numpy")
def difference(a: float, b: float) -> float:
    """Return |a − b| / max(a, b) of two moments: 1 where either is NaN, 0 where they are equal.

    Moments are 0 or more; the larger one is 0 only where both are, and equal. Without branches,
    so that the compiler takes several pairs at a time.
    """
    larger = a if a > b else b
    apart = abs(a - b) / larger
    unknown = 0.0 if a == b else 1.0
    return apart if apart == apart else unknown


@njit(cache=True, nogil=True)
def longest(starts: NDArray[np.int64]) -> int:
    """Return the most rows that one reading of a table has, at least 1."""
    found = 1
    for i in range(len(starts) - 1):
        found = max(found, starts[i + 1] - starts[i])
    return found


@dataclass(frozen=True, slots=True)
class Taps:
    """Where the half-pixel centres of a bilinear resize fall on an axis; shapes (count,).

    Value = low pixel · (1 − share) + high pixel · share, inside the axis.
    """

    low: NDArray[np.int64]
    high: NDArray[np.int64]
    share: FloatArray

    @property
    def pixels(self) -> NDArray[np.int64]:
        """Every pixel that is needed, the low ones first (2 · count,)."""
        return np.concatenate((self.low, self.high))


@lru_cache(maxsize=64)
def bilinear_taps(size: int, count: int = GRID) -> Taps:
    """Return the taps of `count` half-pixel centres on an axis of `size` pixels."""
    position = np.clip((np.arange(count) + 0.5) * size / count - 0.5, 0, size - 1)
    low = np.floor(position).astype(np.int64)
    return Taps(low, np.minimum(low + 1, size - 1), position - low)


@njit(cache=True, nogil=True)
def bilinear(corners: FloatArray, down: FloatArray, across: FloatArray) -> FloatArray:
    """Return the resized map (rows, columns), rounded to whole grey levels.

    `corners` (2 · rows, 2 · columns) holds whole grey levels at `Taps.pixels` of both axes; `down`
    (rows,) and `across` (columns,) are their shares.
    """
    rows, columns = len(down), len(across)
    grid = np.empty((rows, columns))
    for r in range(rows):
        for c in range(columns):
            v, u = down[r], across[c]
            upper = corners[r, c] * (1 - u) + corners[r, columns + c] * u
            lower = corners[rows + r, c] * (1 - u) + corners[rows + r, columns + c] * u
            grid[r, c] = np.floor(upper * (1 - v) + lower * v + 0.5)
    return grid
