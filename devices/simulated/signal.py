"""What a tracker adds to true gaze: angular errors, noise, blinks and short losses.

Noise is a function of the sample's index and spells of loss are drawn in order of time, so that
the signal is the same bit for bit however often and in what pieces it is read.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from devices.gaze.geometry import FloatArray, ScreenGeometry

BLOCK = 1024


def displaced(
    geometry: ScreenGeometry, points_norm: FloatArray, x: FloatArray, y: FloatArray
) -> FloatArray:
    """Turn the line of sight by small angles.

    Parameters
    ----------
    geometry
        Of the screen.
    points_norm
        Shape (..., 2).
    x, y
        Angles at the eye in radians, right and down, across the line of sight; so an error of
        1° is 1° everywhere on the screen.

    Returns
    -------
    NDArray
        Shape (..., 2), `_norm`.
    """
    depth, width, height = geometry.distance_mm, geometry.width_mm, geometry.height_mm
    right = (points_norm[..., 0] - 0.5) * width
    down = (points_norm[..., 1] - 0.5) * height
    in_plane = np.sqrt(down * down + depth * depth)
    x_over = x / in_plane
    y_times = y * np.sqrt(in_plane * in_plane + right * right) / in_plane
    shrunk = 1.0 - x_over * right
    scale = depth / (depth * shrunk - y_times * down)
    turned = np.empty((*scale.shape, 2))
    turned[..., 0] = scale * (right + x * in_plane) / width + 0.5
    turned[..., 1] = scale * (down * shrunk + y_times * depth) / height + 0.5
    return turned


class IndexedNoise:
    """Standard normal numbers, each a function of seed, sample index and column."""

    def __init__(self, key: int, columns: int) -> None:
        self._key, self._columns = key, columns
        self._blocks: dict[int, NDArray[np.float32]] = {}

    def rows(self, first: int, last: int) -> NDArray[np.float32]:
        """Return rows `first` up to, not including, `last`; shape (last - first, columns)."""
        blocks = range(first // BLOCK, max(last - 1, first) // BLOCK + 1)
        joined = np.concatenate([self._block(b) for b in blocks])
        offset = first - blocks[0] * BLOCK
        return joined[offset : offset + last - first]

    def _block(self, index: int) -> NDArray[np.float32]:
        block = self._blocks.get(index)
        if block is None:
            key = np.array([self._key, index], np.uint64)
            rng = np.random.Generator(np.random.Philox(key=key))
            block = rng.standard_normal((BLOCK, self._columns), dtype=np.float32)
            while len(self._blocks) >= 4:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[index] = block
        return block


class Spells:
    """Spells of something (blinks, loss) at random intervals, drawn in order of time.

    Parameters
    ----------
    rng
        Its own; nothing else may draw from it.
    start_us
        From when on; host clock.
    mean_gap_us
        Mean of the exponential gaps between spells; infinite for none at all.
    length_us
        Draws the length of one spell.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        start_us: int,
        mean_gap_us: float,
        length_us: Callable[[np.random.Generator], float],
    ) -> None:
        self._rng, self._mean_gap_us, self._length_us = rng, mean_gap_us, length_us
        self._drawn_to_us = float(start_us)
        self.starts_us: list[float] = []
        self.ends_us: list[float] = []

    def ranges(self, time_us: NDArray[np.int64]) -> list[tuple[int, int]]:
        """Return which ranges of the ascending times (N,) lie in a spell."""
        return [(a, b) for a, b, _, _ in self._within(time_us)]

    def depth(self, time_us: NDArray[np.int64]) -> FloatArray:
        """Return 0 outside of spells, rising to 1 at a spell's middle (N,)."""
        depth = np.zeros(len(time_us))
        for a, b, start, end in self._within(time_us):
            share = (time_us[a:b] - start) / (end - start)
            depth[a:b] = np.maximum(1.0 - np.abs(2.0 * share - 1.0), 1e-9)
        return depth

    def _within(self, time_us: NDArray[np.int64]) -> list[tuple[int, int, float, float]]:
        if len(time_us) == 0:
            return []
        self._draw_to(int(time_us[-1]))
        first = bisect_right(self.ends_us, float(time_us[0]))
        last = bisect_left(self.starts_us, float(time_us[-1]) + 1)
        return [
            (*np.searchsorted(time_us, (start, end)).tolist(), start, end)
            for start, end in zip(self.starts_us[first:last], self.ends_us[first:last], strict=True)
        ]

    def _draw_to(self, until_us: int) -> None:
        while self._drawn_to_us <= until_us and math.isfinite(self._mean_gap_us):
            start = self._drawn_to_us + self._rng.exponential(self._mean_gap_us)
            end = start + max(self._length_us(self._rng), 1.0)
            self.starts_us.append(start)
            self.ends_us.append(end)
            self._drawn_to_us = end


def mean_gap_us(share: float, mean_length_us: float) -> float:
    """Return the mean gap that makes spells of a mean length cover a share of the time."""
    return mean_length_us * (1.0 - share) / share if share > 0 else math.inf
