"""Scan paths as strings of places: Levenshtein's distance and ScanMatch.

ScanMatch (Cristino, Mathôt, Theeuwes and Gilchrist, Behavior Research Methods 42, 2010): the image
is a grid of 12 × 8 bins, a fixation stands once for every 100 ms; substitution scores fall with the
distance of the bins from a threshold of 3.5 bins, gaps cost nothing; the alignment's score is
divided by the best that the longer of the two could reach.
"""

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
        ("levenshtein_similarity", "1", "1 less the edit distance of both sequences of fixated "
         "cells (grid of 5 × 5, each frame its own) over the longer one's length",
         "Levenshtein, Soviet Physics Doklady 10 (1966)"),
        ("scanmatch", "1", "normalised ScanMatch score, bins 12 × 8, 100 ms, threshold 3.5 bins, "
         "gap 0", "Cristino et al., Behavior Research Methods 42 (2010)"),
    ],
)  # fmt: skip


def string_similarities(one: Looked, other: Looked) -> dict[str, Any]:
    """Return both measures of two readings of one image; NaN where one has no fixation."""
    if not len(one.frame) or not len(other.frame):
        return {d.name: np.nan for d in DEFINITIONS}
    a, b = letters(one), letters(other)
    distance = _edit_distance(a, b)
    return {
        "levenshtein_similarity": 1 - distance / max(len(a), len(b)),
        "scanmatch": _scan_match(timed_bins(one), timed_bins(other)),
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
    score: float = _align(a, b, _substitutions())
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
def _align(a: IntArray, b: IntArray, scores: FloatArray) -> float:
    """Return Needleman and Wunsch's best score; bins of other frames count as farthest."""
    bins, worst = len(scores), scores.min()
    before, now, row = np.zeros(len(b) + 1), np.zeros(len(b) + 1), np.empty(len(b))
    for i in range(len(a)):
        if i == 0 or a[i] != a[i - 1]:
            # Gaze rests: most bins are followed by themselves.
            for j in range(len(b)):
                same = a[i] // bins == b[j] // bins
                row[j] = scores[a[i] % bins, b[j] % bins] if same else worst
        left = 0.0
        for j in range(len(b)):
            left = max(left, max(before[j] + row[j], before[j + 1]))
            now[j + 1] = left
        before, now = now, before
    return float(before[-1])
