"""Moments of a 32 × 32 heat map and how far two of them differ; compiled, shared by measures."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from trainer.similarity.base import FloatArray

GRID = 32
_WHOLE = 2048


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
    """Where the half-pixel centres of a bilinear resize fall on an axis of whole grey levels.

    Attributes
    ----------
    pixels
        Shape (2 · count,): every pixel that is needed, the lower ones first.
    weights
        Shape (2 · count,): of those pixels, in 2048ths, as OpenCV resizes 8-bit images.
    """

    pixels: NDArray[np.int64]
    weights: NDArray[np.int64]


@lru_cache(maxsize=64)
def bilinear_taps(size: int, count: int = GRID) -> Taps:
    """Return the taps of `count` half-pixel centres on an axis of `size` pixels."""
    position = ((np.arange(count) + 0.5) * (size / count) - 0.5).astype(np.float32)
    low = np.floor(position).astype(np.int64)
    share = position - low.astype(np.float32)
    share[(low < 0) | (low >= size - 1)] = 0  # beyond the outermost centres: the pixel itself
    low = np.clip(low, 0, size - 1)
    whole = np.float32(_WHOLE)
    weights = np.concatenate((np.rint((1 - share) * whole), np.rint(share * whole)))
    pixels = np.concatenate((low, np.minimum(low + 1, size - 1)))
    return Taps(pixels, weights.astype(np.int64))


@njit(cache=True, nogil=True)
def bilinear(corners: FloatArray, down: NDArray[np.int64], across: NDArray[np.int64]) -> FloatArray:
    """Return the resized map (rows, columns) in whole grey levels, bit for bit as OpenCV does.

    `corners` (2 · rows, 2 · columns) holds whole grey levels at `Taps.pixels` of both axes; `down`
    and `across` are the `Taps.weights`. The shifts are those of OpenCV's fixed-point arithmetic:
    exact rounding would give another grey level here and there, which sums do not forgive.
    """
    rows, columns = len(down) // 2, len(across) // 2
    grid = np.empty((rows, columns))
    for r in range(rows):
        for c in range(columns):
            left, right = across[c], across[columns + c]
            upper = int(corners[r, c]) * left + int(corners[r, columns + c]) * right
            lower = int(corners[rows + r, c]) * left + int(corners[rows + r, columns + c]) * right
            value = (down[r] * (upper >> 4)) >> 16
            value += (down[rows + r] * (lower >> 4)) >> 16
            grid[r, c] = (value + 2) >> 2
    return grid
