"""The heat map of a whole reading, 8 bit, as moments and dHash see it.

1 at every visited pixel, a Gaussian blur of 199 taps, divided by its maximum, 255 times, cut to
whole numbers. Only some hundreds of its pixels are ever looked at, so only they are computed: the
blur is a product of one matrix for each axis, of which the needed rows are taken. The maximum of
the whole map is exact too; it is searched from coarse to fine.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.similarity.base import CanvasPoints, FloatArray
from trainer.similarity.moments import bilinear, bilinear_taps

TAPS = 199
_NEARLY_WHOLE = 1e-9
_SIDES = (16, 4, 1)
_SLACK = 1 - 1e-9  # sums in another order differ in the last bits


@lru_cache(maxsize=8)
def _blur_matrix(size: int) -> FloatArray:
    """Return (size, size): row i weighs the pixels that reach i; reflect-101 at the border."""
    sigma = 0.3 * ((TAPS - 1) * 0.5 - 1) + 0.8
    offset = np.arange(TAPS) - TAPS // 2
    weights = np.exp(-(offset**2) / (2 * sigma**2))
    weights /= weights.sum()
    period = 2 * (size - 1)
    reached = np.abs((np.arange(size)[:, None] + offset + size - 1) % period - (size - 1))
    matrix = np.zeros((size, size))
    np.add.at(matrix, (np.arange(size)[:, None], reached), weights)
    return matrix


@lru_cache(maxsize=24)
def _largest_weights(size: int, side: int) -> FloatArray:
    """Return (blocks, size): the largest weight of each pixel in any pixel of a block of `side`."""
    starts = np.arange(0, size, side)
    return np.asarray(np.maximum.reduceat(_blur_matrix(size), starts, axis=0), np.float64)


@lru_cache(maxsize=64)
def _rows_of_blur(size: int, count: int) -> FloatArray:
    return _blur_matrix(size)[bilinear_taps(size, count).pixels]


@dataclass(frozen=True, slots=True)
class _Visited:
    """Visited pixels in order of rows: their columns, the rows, and where each row begins."""

    columns: NDArray[np.int64]
    rows: NDArray[np.int64]
    starts: NDArray[np.intp]

    @classmethod
    def of(cls, points: CanvasPoints) -> "_Visited":
        codes = np.unique(points.xy[:, 1] * points.width + points.xy[:, 0])
        rows, starts = np.unique(codes // points.width, return_index=True)
        return cls(codes % points.width, rows, starts)

    def weighed(self, down: FloatArray, across: FloatArray) -> FloatArray:
        """Return (R, C): the sum over visited pixels of their weights down (R,) and across (C,)."""
        lines = np.add.reduceat(across.T[self.columns], self.starts, axis=0)
        return np.asarray(down[:, self.rows] @ lines, np.float64)


def reduced(points: CanvasPoints, height: int, width: int) -> FloatArray:
    """Return the heat map resized bilinearly (height, width), half-pixel centres, whole levels."""
    if len(points.xy) == 0:
        return np.zeros((height, width))
    down, across = bilinear_taps(points.height, height), bilinear_taps(points.width, width)
    visited = _Visited.of(points)
    needed = visited.weighed(
        _rows_of_blur(points.height, height), _rows_of_blur(points.width, width)
    )
    highest, is_one_pixel = _maximum(visited, points.height, points.width)
    scaled = 255 * (needed / highest)
    near = np.abs(scaled - np.rint(scaled)) < _NEARLY_WHOLE * 255
    if is_one_pixel:  # whatever the order of summing, it is divided by itself
        top = near & (scaled > 254.5)
        scaled[top], near[top] = 255.0, False
    if (near & (scaled > _NEARLY_WHOLE)).any():
        # So near a whole number the order of summing decides; then OpenCV's own order does.
        blurred = _blurred_by_opencv(points)
        scaled = 255 * (blurred[np.ix_(down.pixels, across.pixels)] / blurred.max())
    return np.asarray(bilinear(np.floor(scaled), down.weights, across.weights), np.float64)


def _maximum(visited: _Visited, height: int, width: int) -> tuple[float, bool]:
    """Return the maximum of the whole map, and whether one pixel alone reaches it.

    No pixel of a block lies above the sum of the largest weights that any of its pixels has. Where
    that is below a value already found, the block is left out; the others are cut into smaller
    ones, down to single pixels.
    """
    down, across, best = _largest_weights(height, 1), _largest_weights(width, 1), 0.0
    rows, columns = np.arange(-(-height // _SIDES[0])), np.arange(-(-width // _SIDES[0]))
    for side, finer in zip(_SIDES, (*_SIDES[1:], 1), strict=True):
        bounds = visited.weighed(
            _largest_weights(height, side)[rows], _largest_weights(width, side)[columns]
        )
        if side == 1:
            best = float(bounds.max())
            return best, int((bounds >= best * _SLACK).sum()) == 1
        # The likeliest block's own pixels give a value that is reached.
        r, c = np.unravel_index(int(bounds.argmax()), bounds.shape)
        block = _within(rows[[r]], side, height), _within(columns[[c]], side, width)
        best = max(best, float(visited.weighed(down[block[0]], across[block[1]]).max()))
        likely = bounds >= best * _SLACK
        rows = _within(rows[likely.any(axis=1)], side, height, finer)
        columns = _within(columns[likely.any(axis=0)], side, width, finer)
    raise AssertionError("the last side is 1")


def _within(blocks: NDArray[np.int64], side: int, size: int, finer: int = 1) -> NDArray[np.int64]:
    """Return the indices of the finer blocks within some blocks of `side`."""
    parts = blocks[:, None] * (side // finer) + np.arange(side // finer)
    return np.asarray(parts[parts < -(-size // finer)], np.int64)


def _blurred_by_opencv(points: CanvasPoints) -> FloatArray:
    canvas = np.zeros((points.height, points.width))
    canvas[points.xy[:, 1], points.xy[:, 0]] = 1.0
    return np.asarray(
        cv2.GaussianBlur(canvas, (TAPS, TAPS), 0, borderType=cv2.BORDER_REFLECT_101), np.float64
    )
