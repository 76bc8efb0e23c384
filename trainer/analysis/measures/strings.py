"""Scan paths as strings of places: Levenshtein's distance and ScanMatch.

ScanMatch (Cristino, Mathôt, Theeuwes and Gilchrist, Behavior Research Methods 42, 2010): the image
is a grid of 12 × 8 bins, a fixation stands once for every 100 ms; substitution scores fall with the
distance of the bins from a threshold of 3.5 bins, gaps cost nothing; the alignment's score is
divided by the best that the longer of the two could reach.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numba import njit

from trainer.analysis.definitions import defined
from trainer.analysis.looked import FloatArray, IntArray, Looked

COLUMNS, ROWS = 12, 8
BIN_MS = 100.0
THRESHOLD_BINS = 3.5
LETTERS = 5
"""Levenshtein's grid is 5 × 5."""

DEFINITIONS = defined(
    "pair",
    [
        ("levenshtein_similarity", "1",
            "1 minus the edit distance between the two sequences of fixated cells (5 × 5 grid, "
            "separate for each frame) divided by the length of the longer sequence",
         "Levenshtein, Soviet Physics Doklady 10 (1966)"),
        ("scanmatch", "1", "normalised ScanMatch score, bins 12 × 8, 100 ms, threshold 3.5 bins, "
         "gap 0", "Cristino et al., Behavior Research Methods 42 (2010)"),
    ],
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Strings:
    """One reading as strings of places: `letters` (F,) and `timed_bins`."""

    letters: IntArray
    bins: IntArray

    @classmethod
    def of(cls, looked: Looked) -> "Strings":
        """Return the strings of a reading."""
        return cls(letters(looked), timed_bins(looked))


def similarities(one: Strings, other: Strings) -> dict[str, Any]:
    """Return both measures of two readings of one image; NaN where one has no fixation."""
    a, b = one.letters, other.letters
    if not len(a) or not len(b):
        return {d.name: np.nan for d in DEFINITIONS}
    return {
        "levenshtein_similarity": 1 - _edit_distance(a, b) / max(len(a), len(b)),
        "scanmatch": _scan_match(one.bins, other.bins),
    }


def letters(looked: Looked) -> IntArray:
    """Return the cell of each fixation (F,), frames apart."""
    return _cells(looked, LETTERS, LETTERS) + looked.frame * LETTERS * LETTERS


def timed_bins(looked: Looked) -> IntArray:
    """Return the bin of each 100 ms of fixation, in order; a fixation counts at least once."""
    times = np.maximum(np.rint(looked.duration_us / 1000 / BIN_MS).astype(np.int64), 1)
    frames = looked.frame * COLUMNS * ROWS
    return np.repeat(_cells(looked, COLUMNS, ROWS) + frames, times)


def _cells(looked: Looked, columns: int, rows: int) -> IntArray:
    share = looked.points_image / [looked.width, looked.height]
    column = np.clip((share[:, 0] * columns).astype(np.int64), 0, columns - 1)
    row = np.clip((share[:, 1] * rows).astype(np.int64), 0, rows - 1)
    return row * columns + column


def _scan_match(a: IntArray, b: IntArray) -> float:
    places, where = np.unique(a, return_inverse=True)
    score: float = _align(places, where.astype(np.int64), b, _substitutions())
    return score / (max(len(a), len(b)) * THRESHOLD_BINS)


@cache
def _substitutions() -> FloatArray:
    """Return the score of each bin for each other (B, B): threshold less distance, in bins."""
    row, column = np.divmod(np.arange(COLUMNS * ROWS), COLUMNS)
    apart = np.hypot(row[:, None] - row, column[:, None] - column)
    return np.asarray(THRESHOLD_BINS - apart, dtype=np.float64)


@njit(cache=True, nogil=True)
def _edit_distance(a: IntArray, b: IntArray) -> int:
    before = np.arange(len(b) + 1)
    for i in range(len(a)):
        now = np.empty_like(before)
        now[0] = i + 1
        for j in range(len(b)):
            change = before[j] + (a[i] != b[j])
            now[j + 1] = min(change, before[j + 1] + 1, now[j] + 1)
        before = now
    return int(before[-1])


@njit(cache=True, nogil=True)
def _align(places: IntArray, where: IntArray, b: IntArray, scores: FloatArray) -> float:
    """Return Needleman and Wunsch's best score of `places[where]` and `b`, gaps at 0.

    Four rows go through the table side by side: each waits for its own cell to the left alone, so
    the processor works on all four at once.
    """
    rows = _rows(places, b, scores)
    count = len(b)
    none = np.full(count, -np.inf)
    above = np.zeros(count + 1)
    for first in range(0, len(where), 4):
        left = len(where) - first
        row_0 = rows[where[first]]
        row_1 = rows[where[first + 1]] if left > 1 else none
        row_2 = rows[where[first + 2]] if left > 2 else none
        row_3 = rows[where[first + 3]] if left > 3 else none
        corner, now_0, now_1, now_2, now_3 = 0.0, 0.0, 0.0, 0.0, 0.0
        for j in range(count):
            up = above[j + 1]
            cell_0 = _most(now_0, corner + row_0[j], up)
            cell_1 = _most(now_1, now_0 + row_1[j], cell_0)
            cell_2 = _most(now_2, now_1 + row_2[j], cell_1)
            now_3 = _most(now_3, now_2 + row_3[j], cell_2)
            corner, now_0, now_1, now_2 = up, cell_0, cell_1, cell_2
            above[j + 1] = now_3
    return float(above[-1])


@njit(cache=True, nogil=True)
def _most(a: float, b: float, c: float) -> float:
    ab = a if a > b else b
    return ab if ab > c else c


@njit(cache=True, nogil=True)
def _rows(places: IntArray, b: IntArray, scores: FloatArray) -> FloatArray:
    """Return the score of each place against each of `b`; bins of other frames are farthest."""
    bins, worst = len(scores), scores.min()
    rows = np.empty((len(places), len(b)))
    for i in range(len(places)):
        for j in range(len(b)):
            same = places[i] // bins == b[j] // bins
            rows[i, j] = scores[places[i] % bins, b[j] % bins] if same else worst
    return rows
