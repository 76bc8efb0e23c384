"""MultiMatch: two scanpaths aligned saccade by saccade, alike in five ways.

Definition: Jarodzka et al. 2010 and Dewhurst et al. 2012, with the numbers that multimatch_gaze
0.1.3 (MIT) gives; gaze becomes anchors as McGIP's released code makes them.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from trainer.similarity.base import (
    CanvasParameters,
    FeatureTable,
    FloatArray,
    Gaze,
    Measure,
    Pairs,
    canvas_points,
    canvas_size,
    fixations_of,
    require,
    require_one_of,
)
from trainer.similarity.scanpath import scanpath

DIMENSIONS = ("shape", "direction", "length", "position", "duration")
SOURCES = ("anchors", "fixations")
REACH_PX = 40  # a point joins its anchor within this, on each axis
LEAST_ANCHORS = 3
_LANES = 8  # the five dimensions, filled up to what a processor takes in one step
_MANY = 128


@dataclass(frozen=True, slots=True)
class MultiMatchParameters(CanvasParameters):
    """Parameters of MultiMatch; plain settings are grouping off and the canvas as the screen.

    Attributes
    ----------
    source
        "anchors" of 40 px with sample counts as durations, the released way, or "fixations" of
        Foveate's filter with their durations in milliseconds.
    grouping
        Whether short and straight saccades are joined before they are aligned.
    screen_width, screen_height
        What differences are measured against, canvas pixels.
    direction_deg, duration, amplitude_px
        Saccades that turn by less, or are shorter, are joined where fixations are shorter than
        `duration`, in the unit of durations.
    dimension
        "mean" of the five, or one of them: what is taken as the similarity.
    """

    source: str = "anchors"
    grouping: bool = True
    screen_width: float = 1920.0
    screen_height: float = 1080.0
    direction_deg: float = 45.0
    duration: float = 100.0
    amplitude_px: float = 160.0
    dimension: str = "mean"

    def __post_init__(self) -> None:
        CanvasParameters.__post_init__(self)
        require_one_of(SOURCES, "source", self.source)
        require_one_of(("mean", *DIMENSIONS), "dimension", self.dimension)
        screen = self.screen_width, self.screen_height
        fine = min(screen) > 0 and max(screen) < np.inf
        require(fine, "screen_width, screen_height", "above 0", screen)
        for name in ("direction_deg", "duration", "amplitude_px"):
            value = getattr(self, name)
            require(value >= 0, name, "0 or more", value)


def features(gaze: Gaze, parameters: MultiMatchParameters) -> FloatArray:
    """Return the saccades, shape (M, 7), simplified where asked for; none below 3 anchors.

    Columns: x and y extent, x and y of the start, direction (rad, 0 … 2π), length, duration of the
    fixation before it.
    """
    anchors = _anchors(gaze, parameters)
    if len(anchors) < LEAST_ANCHORS:
        return np.empty((0, 7))
    limits = parameters.direction_deg, parameters.duration, parameters.amplitude_px
    found: FloatArray = scanpath(anchors, parameters.grouping, limits)
    return found


def five(a: FeatureTable, b: FeatureTable, parameters: MultiMatchParameters) -> Pairs:
    """Return all five dimensions (A, B, 5) of all pairs; zeros and invalid below 3 anchors."""
    diagonal = math.hypot(parameters.screen_width, parameters.screen_height)
    values = _compared(a.flat, a.starts, b.flat, b.starts, diagonal)
    return Pairs(values, np.logical_and.outer(a.lengths > 0, b.lengths > 0))


def similarity(a: FeatureTable, b: FeatureTable, parameters: MultiMatchParameters) -> Pairs:
    """Return one number for each pair: the mean, or the dimension that was chosen."""
    found = five(a, b, parameters)
    if parameters.dimension == "mean":
        return Pairs(found.values.mean(axis=2), found.valid)
    chosen = found.values[:, :, DIMENSIONS.index(parameters.dimension)]
    return Pairs(np.ascontiguousarray(chosen), found.valid)


def _anchors(gaze: Gaze, parameters: MultiMatchParameters) -> FloatArray:
    """Return (M, 3): x, y on the canvas, duration."""
    if parameters.source == "anchors":
        found: FloatArray = group_by_anchor(canvas_points(gaze, parameters).xy, REACH_PX)
        return found
    points, duration_us = fixations_of(gaze)
    size = canvas_size(gaze, parameters)
    scaled = np.asarray(points, np.float64).reshape(-1, 2) * size / [gaze.width, gaze.height]
    seen = np.isfinite(scaled).all(axis=1)
    last = np.array(size, np.float64)
    if parameters.off_canvas == "drop":
        seen &= ((scaled >= 0) & (scaled < last)).all(axis=1)
    return np.column_stack((np.clip(scaled[seen], 0, last), duration_us[seen] / 1000))


@njit(cache=True, nogil=True)
def group_by_anchor(xy: NDArray[np.int64], reach: int) -> FloatArray:
    """Return the anchors (M, 3) of points (N, 2): x, y, number of points; the last is left out.

    A point joins while it lies less than `reach` from the anchor on both axes; else the anchor is
    done and the point becomes the next one.
    """
    out = np.empty((len(xy), 3))
    if len(xy) < 2:
        return out[:0]
    found, first = 0, 0
    for i in range(1, len(xy)):
        near = abs(xy[i, 0] - xy[first, 0]) < reach and abs(xy[i, 1] - xy[first, 1]) < reach
        if not near:
            out[found, 0], out[found, 1], out[found, 2] = xy[first, 0], xy[first, 1], i - first
            found, first = found + 1, i
    return out[:found]


@njit(cache=True, nogil=True)
def _compared(
    a: FloatArray,
    a_starts: NDArray[np.int64],
    b: FloatArray,
    b_starts: NDArray[np.int64],
    diagonal: float,
) -> FloatArray:
    rows, columns = len(a_starts) - 1, len(b_starts) - 1
    high, wide = 1, 1
    for i in range(rows):
        high = max(high, a_starts[i + 1] - a_starts[i])
    for j in range(columns):
        wide = max(wide, b_starts[j + 1] - b_starts[j])
    steps, line = np.empty((high, wide), np.int8), np.empty(wide)
    apart, costs = np.zeros((high + wide, _LANES)), np.empty((high, len(b)))
    dx, dy = b[:, 0].copy(), b[:, 1].copy()
    out = np.zeros((rows, columns, 5))
    scale = np.array([2 * diagonal, np.pi, diagonal, diagonal, 1.0])
    middle = np.empty(_LANES)
    for i in range(rows):
        one = a[a_starts[i] : a_starts[i + 1]]
        _costs(one, dx, dy, costs)
        for j in range(columns):
            first, end = b_starts[j], b_starts[j + 1]
            if len(one) == 0 or first == end:
                continue
            _find_path(costs, len(one), first, end - first, line, steps)
            cells = _along_path(one, b, costs, (first, end - first), steps, apart)
            _medians(apart[:cells], middle)
            for k in range(5):
                out[i, j, k] = 1.0 - middle[k] / scale[k]
    return out


@njit(cache=True, nogil=True)
def _costs(one: FloatArray, dx: FloatArray, dy: FloatArray, out: FloatArray) -> None:
    """Write how far each saccade of one reading and all of many lie apart as vectors.

    One run over all readings of a tile, which the compiler does several at a time.
    """
    for i in range(len(one)):
        for k in range(len(dx)):
            across, down = one[i, 0] - dx[k], one[i, 1] - dy[k]
            out[i, k] = math.sqrt(across * across + down * down)


@njit(cache=True, nogil=True)
def _find_path(
    costs: FloatArray,
    rows: int,
    first: int,
    columns: int,
    line: FloatArray,
    steps: NDArray[np.int8],
) -> None:
    """Write into `steps` where the shortest path to each cell comes from: 0 diagonal, 1 up, 2 left.

    The first cell costs nothing, since every path has it.
    """
    total = 0.0
    line[0] = 0.0
    for j in range(1, columns):
        total += costs[0, first + j]
        line[j], steps[0, j] = total, 2
    for i in range(1, rows):
        diagonal = line[0]
        total = diagonal + costs[i, first]
        line[0], steps[i, 0] = total, 1
        for j in range(1, columns):
            above = line[j]
            best, step = diagonal, 0
            if above < best:
                best, step = above, 1
            if total < best:
                best, step = total, 2
            steps[i, j] = step
            diagonal = above
            total = best + costs[i, first + j]
            line[j] = total


@njit(cache=True, nogil=True)
def _along_path(
    a: FloatArray,
    b: FloatArray,
    costs: FloatArray,
    other: tuple[int, int],
    steps: NDArray[np.int8],
    apart: FloatArray,
) -> int:
    """Write the five differences of each cell of the path, a row a cell; return how many there are.

    `other` says where the saccades of the second reading begin in `b`, and how many it has.
    """
    first = other[0]
    i, j, cells = len(a) - 1, other[1] - 1, 0
    while True:
        p, q = a[i], b[first + j]
        apart[cells, 0] = costs[i, first + j]
        turn = abs(p[4] - q[4])
        apart[cells, 1] = 2 * np.pi - turn if turn > np.pi else turn
        apart[cells, 2] = abs(p[5] - q[5])
        x, y = p[2] - q[2], p[3] - q[3]
        apart[cells, 3] = math.sqrt(x * x + y * y)
        longer = abs(max(p[6], q[6]))
        apart[cells, 4] = abs(p[6] - q[6]) / longer if longer > 0 else 0.0
        cells += 1
        if i == 0 and j == 0:
            return cells
        step = steps[i, j]
        i, j = i - (step != 2), j - (step != 1)


@njit(cache=True, nogil=True)
def _medians(values: FloatArray, out: FloatArray) -> None:
    """Write the medians of all lanes of (N, lanes); changes the order of the values.

    Few rows are put in order up to the middle by exchanges that do not branch: a processor takes
    all lanes in one step, where sorting them one by one it would guess wrong at every turn.
    """
    n = len(values)
    half = n // 2
    if n > _MANY:
        for lane in range(len(DIMENSIONS)):
            ordered = np.sort(values[:, lane])
            out[lane] = ordered[half] if n % 2 else (ordered[half - 1] + ordered[half]) / 2
        return
    for low in range(half + 1):
        upper = values[low]
        for high in range(low + 1, n):
            lower = values[high]
            for lane in range(_LANES):
                x, y = upper[lane], lower[lane]
                upper[lane], lower[lane] = (x if x < y else y), (y if x < y else x)
    for lane in range(_LANES):
        middle = values[half, lane]
        out[lane] = middle if n % 2 else (values[half - 1, lane] + middle) / 2


MEASURE = Measure(
    "multimatch",
    "MultiMatch",
    MultiMatchParameters,
    features,
    similarity,
    diagonal=None,
    pair_parameters=("screen_width", "screen_height", "dimension"),
    dimensions=DIMENSIONS,
    by_dimension=five,
)
