"""Sums of the heat map over visited pixels, compiled: no pixel is computed that nobody asks for."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from trainer.similarity.base import FloatArray

SIDES = (16, 4, 1)
"""Sides of the blocks in which the maximum is searched, from coarse to fine."""
_SLACK = 1 - 1e-9  # sums in another order differ in the last bits


@njit(cache=True, nogil=True)
def visited(
    xy: NDArray[np.int64], width: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the visited pixels, each once, in order of rows.

    Returns
    -------
    tuple of NDArray
        Their columns; the rows that have one; and where each of these begins, one more at the end.
    """
    codes = np.sort(xy[:, 1] * width + xy[:, 0])
    columns, rows = np.empty(len(codes), np.int64), np.empty(len(codes), np.int64)
    starts = np.empty(len(codes) + 1, np.int64)
    found = lines = 0
    for k in range(len(codes)):
        if k > 0 and codes[k] == codes[k - 1]:
            continue
        row = codes[k] // width
        if lines == 0 or rows[lines - 1] != row:
            rows[lines], starts[lines] = row, found
            lines += 1
        columns[found] = codes[k] - row * width
        found += 1
    starts[lines] = found
    return columns[:found], rows[:lines], starts[: lines + 1]


@njit(cache=True, nogil=True)
def weighed(
    columns: NDArray[np.int64],
    rows: NDArray[np.int64],
    starts: NDArray[np.int64],
    down: FloatArray,
    across: FloatArray,
    high: NDArray[np.int64],
    wide: NDArray[np.int64],
) -> FloatArray:
    """Return the sums over visited pixels of their weights down and across.

    Parameters
    ----------
    columns, rows, starts
        As `visited` gives them.
    down, across
        Shapes (height, R) and (width, C): what each pixel of an axis weighs.
    high, wide
        Shapes (r,) and (c,): which of the R and C are wanted.

    Returns
    -------
    NDArray
        Shape (r, c).
    """
    out = np.zeros((len(high), len(wide)))
    line = np.empty(len(wide))
    for k in range(len(rows)):
        line[:] = 0.0
        for p in range(starts[k], starts[k + 1]):
            weights = across[columns[p]]
            for c in range(len(wide)):
                line[c] += weights[wide[c]]
        for r in range(len(high)):
            weight, sums = down[rows[k], high[r]], out[r]
            if weight != 0.0:
                for c in range(len(line)):
                    sums[c] += weight * line[c]
    return out


@njit(cache=True, nogil=True)
def maximum(
    columns: NDArray[np.int64],
    rows: NDArray[np.int64],
    starts: NDArray[np.int64],
    down: tuple[FloatArray, FloatArray, FloatArray],
    across: tuple[FloatArray, FloatArray, FloatArray],
) -> tuple[float, bool]:
    """Return the maximum of the whole map, and whether one pixel alone reaches it.

    `down` and `across` hold for each of `SIDES` the largest weight that a pixel has in any pixel of
    a block, shapes (size, blocks). No pixel of a block lies above the sum of them. Where that is
    below a value already found, the block is left out; the others are cut into smaller ones, down
    to single pixels.
    """
    height, width = len(down[0]), len(across[0])
    high, wide = np.arange(down[0].shape[1]), np.arange(across[0].shape[1])
    best = 0.0
    for level in range(2):
        side, finer = SIDES[level], SIDES[level + 1]
        if level == 0:
            bounds = weighed(columns, rows, starts, down[0], across[0], high, wide)
        else:
            bounds = weighed(columns, rows, starts, down[1], across[1], high, wide)
        # The likeliest block's own pixels give a value that is reached.
        place = bounds.argmax()
        r, c = place // bounds.shape[1], place % bounds.shape[1]
        own = (
            _within(high[r : r + 1], side, height, 1),
            _within(wide[c : c + 1], side, width, 1),
        )
        reached = weighed(columns, rows, starts, down[2], across[2], own[0], own[1]).max()
        best = max(best, reached)
        tall, broad = np.zeros(len(high), np.bool_), np.zeros(len(wide), np.bool_)
        for i in range(len(high)):
            for j in range(len(wide)):
                if bounds[i, j] >= best * _SLACK:
                    tall[i] = broad[j] = True
        high, wide = (
            _within(high[tall], side, height, finer),
            _within(wide[broad], side, width, finer),
        )
    last = weighed(columns, rows, starts, down[2], across[2], high, wide)
    best = last.max()
    return best, int((last >= best * _SLACK).sum()) == 1


@njit(cache=True, nogil=True)
def _within(blocks: NDArray[np.int64], side: int, size: int, finer: int) -> NDArray[np.int64]:
    """Return the indices of the finer blocks within some blocks of `side`."""
    each, last = side // finer, -(-size // finer)
    out = np.empty(len(blocks) * each, np.int64)
    found = 0
    for block in blocks:
        for part in range(block * each, min((block + 1) * each, last)):
            out[found] = part
            found += 1
    return out[:found]
