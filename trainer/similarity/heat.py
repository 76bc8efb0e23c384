"""The heat map of a whole reading, 8 bit, as moments and dHash see it.

1 at every visited pixel, a Gaussian blur of 199 taps, divided by its maximum, 255 times, cut to
whole numbers. Only some hundreds of its pixels are ever looked at, so only they are computed: the
blur is a product of one matrix for each axis, of which the needed rows are taken. The maximum of
the whole map is exact too; it is searched from coarse to fine.
"""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.similarity.base import CanvasPoints, FloatArray
from trainer.similarity.heat_sums import SIDES, maximum, visited, weighed
from trainer.similarity.moments import Taps, bilinear, bilinear_taps

TAPS = 199
_NEARLY_WHOLE = 1e-9
Pixels = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


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


@lru_cache(maxsize=8)
def _by_side(size: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return for each of `SIDES` the largest weight of a pixel in any of a block, (size, blocks).

    The weights are turned, so that those of one pixel lie side by side.
    """
    coarse, middle, fine = (
        np.ascontiguousarray(np.maximum.reduceat(_blur_matrix(size), starts, axis=0).T)
        for starts in (np.arange(0, size, side) for side in SIDES)
    )
    return coarse, middle, fine


@lru_cache(maxsize=64)
def _rows_of_blur(size: int, count: int) -> FloatArray:
    """Return (size, 2 · count): what each pixel of an axis weighs at the taps of a resize."""
    return np.ascontiguousarray(_blur_matrix(size)[bilinear_taps(size, count).pixels].T)


def reduced(points: CanvasPoints, height: int, width: int) -> FloatArray:
    """Return the heat map resized bilinearly (height, width), half-pixel centres, whole levels."""
    if len(points.xy) == 0:
        return np.zeros((height, width))
    down, across = bilinear_taps(points.height, height), bilinear_taps(points.width, width)
    pixels = visited(points.xy, points.width)
    needed = _needed(points, pixels, down, across)
    highest, is_one_pixel = highest_of(points, pixels)
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


def highest_of(points: CanvasPoints, pixels: Pixels) -> tuple[float, bool]:
    """Return the maximum of the blurred map of visited pixels, and whether one alone reaches it."""
    highest, is_one = maximum(*pixels, _by_side(points.height), _by_side(points.width))
    return highest, is_one


def _needed(points: CanvasPoints, pixels: Pixels, down: Taps, across: Taps) -> FloatArray:
    """Return the blurred map at the taps of both axes; 0 where no tap weighs anything."""
    high, wide = _weighing(down), _weighing(across)
    axes = (
        _rows_of_blur(points.height, len(down.pixels) // 2),
        _rows_of_blur(points.width, len(across.pixels) // 2),
    )
    needed = np.zeros((len(down.pixels), len(across.pixels)))
    needed[: len(high), : len(wide)] = weighed(*pixels, *axes, high, wide)
    return needed


def _weighing(taps: Taps) -> NDArray[np.int64]:
    """Return the places of the taps up to the last that weighs anything."""
    half = len(taps.pixels) // 2
    return np.arange(2 * half if taps.weights[half:].any() else half)


def _blurred_by_opencv(points: CanvasPoints) -> FloatArray:
    canvas = np.zeros((points.height, points.width))
    canvas[points.xy[:, 1], points.xy[:, 0]] = 1.0
    return np.asarray(
        cv2.GaussianBlur(canvas, (TAPS, TAPS), 0, borderType=cv2.BORDER_REFLECT_101), np.float64
    )
