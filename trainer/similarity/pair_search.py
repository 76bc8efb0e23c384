"""The search for pairs of a graph, tile after tile: all of it, or one part of several.

The tiles of a table are the same whatever part is searched and however many threads there are: what
a matrix product gives depends on its shape in the last bit, and merged parts shall equal one run.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from devices.gaze.pair_rates import pairs_among
from trainer.errors import SimilarityError
from trainer.similarity.base import BoolArray, FloatArray, Measure, Table
from trainer.similarity.dense import compare_tile, pair_count, tile_side, tiles
from trainer.similarity.task_runner import Task, TaskRunner

MAX_PAIRS = 60_000_000
"""Pairs a graph may hold: some 1.7 GB at the worst moment, when they are put in order."""
_THREADS = 8  # that tiles are cut for

PairPart = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Part:
    """One of several parts of a search: `number` of `count`, from 1."""

    number: int = 1
    count: int = 1

    def tiles(self, table: Table) -> Iterator[tuple[slice, slice]]:
        """Yield the tiles of this part: every so many of all, so that parts take equally long."""
        for place, tile in enumerate(tiles(len(table), fixed_side(table))):
            if place % self.count == self.number - 1:
                yield tile

    def pairs(self, table: Table) -> int:
        """Return how many pairs i < j it holds."""
        if self.count == 1:
            return pairs_among(len(table))
        return sum(pair_count(*tile) for tile in self.tiles(table))


WHOLE = Part()


def fixed_side(table: Table) -> int:
    """Return how many readings a tile is wide, whatever the number of threads."""
    return tile_side(table, _THREADS)


class FoundPairs:
    """Pairs above a threshold as they are found by many threads.

    Attributes
    ----------
    threshold
        Above which pairs are kept.
    has_value
        Shape (N,): whether a reading has a value with any other.
    valid, count
        Valid pairs that were looked at, and those kept, i < j.
    """

    def __init__(self, threshold: float, n: int) -> None:
        self.threshold, self._lock = threshold, threading.Lock()
        self.has_value = np.zeros(n, bool)
        self.parts: list[PairPart] = []
        self.count = self.valid = 0

    def add(self, values: FloatArray, allowed: BoolArray, rows: slice, columns: slice) -> None:
        """Keep what lies above the threshold in one tile."""
        above, beside = np.nonzero((values > self.threshold) & allowed)
        part = (
            (above + rows.start).astype(np.int32),
            (beside + columns.start).astype(np.int32),
            values[above, beside].astype(np.float32),
        )
        mark_valid(self.has_value, allowed, rows, columns)
        self.keep(part, int(allowed.sum()))

    def keep(self, part: PairPart, valid: int) -> None:
        """Keep pairs that were found among some valid ones.

        Raises
        ------
        SimilarityError
            If there are more than `MAX_PAIRS`; says what to do.
        """
        with self._lock:
            self.parts.append(part)
            self.count += len(part[0])
            self.valid += valid
            if self.count > MAX_PAIRS:
                raise SimilarityError(
                    f"More than {MAX_PAIRS:,} pairs lie above {self.threshold:g}, which is too "
                    "many for positive pairs. Raise the threshold, lower the positive rate, or "
                    "keep only the nearest of each (--top-k)."
                )

    def joined(self) -> PairPart:
        """Return all that was found as three arrays."""
        rows, columns, values = zip(*self.parts, strict=True) if self.parts else ((), (), ())
        return (
            np.concatenate([*rows, np.empty(0, np.int32)]),
            np.concatenate([*columns, np.empty(0, np.int32)]),
            np.concatenate([*values, np.empty(0, np.float32)]),
        )


@dataclass(frozen=True, slots=True)
class FoundNearest:
    """The nearest neighbours of each, as far as they were looked at.

    Attributes
    ----------
    best, names
        Shapes (N, K): their values, the highest first, −inf where there is none, and who they are;
        of equal values the lower name comes first.
    valid
        Valid pairs that were looked at.
    has_value
        Shape (N,): whether a reading has a value with any other.
    """

    best: FloatArray
    names: NDArray[np.int64]
    valid: int
    has_value: BoolArray

    def with_other(self, other: "FoundNearest") -> "FoundNearest":
        """Return the nearest of both; pairs must not have been looked at twice."""
        best, names = self.best.copy(), self.names.copy()
        _merge_best(other.best, other.names, best, names)
        either = self.has_value | other.has_value
        return FoundNearest(best, names, self.valid + other.valid, either)


def search_above(
    measure: Measure,
    table: Table,
    parameters: Any,
    threshold: float,
    runner: TaskRunner,
    part: Part = WHOLE,
) -> FoundPairs:
    """Return the valid pairs above a threshold in one part.

    Raises
    ------
    SimilarityError
        If there are more than `MAX_PAIRS`; says what to do.
    """
    found = FoundPairs(threshold, len(table))

    def task(rows: slice, columns: slice) -> Task:
        def compare() -> None:
            tile = compare_tile(measure.similarity, table, parameters, rows, columns)
            allowed = above_diagonal(tile.valid, rows, columns)
            found.add(tile.values, allowed, rows, columns)

        return compare

    runner.run(((task(*t), pair_count(*t)) for t in part.tiles(table)), part.pairs(table))
    return found


def search_nearest(
    measure: Measure,
    table: Table,
    parameters: Any,
    neighbours: int,
    runner: TaskRunner,
    part: Part = WHOLE,
) -> FoundNearest:
    """Return the most alike readings of each in one part, those of equal value in order."""
    n, side = len(table), fixed_side(table)
    best = np.full((n, neighbours), -np.inf)
    names = np.full((n, neighbours), n, np.int64)
    locks = [threading.Lock() for _ in range(-(-n // side))]
    valid_pairs: list[int] = []
    has_value = np.zeros(n, bool)

    def task(rows: slice, columns: slice) -> Task:
        def compare() -> None:
            tile = compare_tile(measure.similarity, table, parameters, rows, columns)
            allowed = above_diagonal(tile.valid, rows, columns)
            values = np.where(allowed, tile.values, -np.inf)
            valid_pairs.append(int(allowed.sum()))
            mark_valid(has_value, allowed, rows, columns)
            with locks[rows.start // side]:
                _keep_best(values, columns.start, best[rows], names[rows])
            with locks[columns.start // side]:
                turned = np.ascontiguousarray(values.T)
                _keep_best(turned, rows.start, best[columns], names[columns])

        return compare

    runner.run(((task(*t), pair_count(*t)) for t in part.tiles(table)), part.pairs(table))
    return FoundNearest(best, names, sum(valid_pairs), has_value)


def above_diagonal(valid: BoolArray, rows: slice, columns: slice) -> BoolArray:
    """Return which pairs of a tile count: valid ones i < j."""
    return np.triu(valid, 1) if rows == columns else valid


def mark_valid(has_value: BoolArray, allowed: BoolArray, rows: slice, columns: slice) -> None:
    """Note which readings of a tile have a value; threads only ever write True."""
    has_value[rows][allowed.any(axis=1)] = True
    has_value[columns][allowed.any(axis=0)] = True


@njit(cache=True, nogil=True)
def _merge_best(
    values: FloatArray, whose: NDArray[np.int64], best: FloatArray, names: NDArray[np.int64]
) -> None:
    """Put values (N, K) of named readings into the sorted best (N, K)."""
    for r in range(values.shape[0]):
        for c in range(values.shape[1]):
            if values[r, c] != -np.inf:
                _put(values[r, c], whose[r, c], best[r], names[r])


@njit(cache=True, nogil=True)
def _keep_best(
    values: FloatArray, first_name: int, best: FloatArray, names: NDArray[np.int64]
) -> None:
    """Put values (R, C) into the sorted best (R, K); of equal ones the lower name comes first."""
    for r in range(values.shape[0]):
        for c in range(values.shape[1]):
            if values[r, c] != -np.inf:
                _put(values[r, c], first_name + c, best[r], names[r])


@njit(cache=True, nogil=True)
def _put(value: float, name: int, best: FloatArray, names: NDArray[np.int64]) -> None:
    """Put one value into the sorted best (K,), if it is among them."""
    k = len(best) - 1
    if not _before(value, name, best[k], names[k]):
        return
    while k > 0 and _before(value, name, best[k - 1], names[k - 1]):
        best[k], names[k] = best[k - 1], names[k - 1]
        k -= 1
    best[k], names[k] = value, name


@njit(cache=True, nogil=True)
def _before(value: float, name: int, other: float, other_name: int) -> bool:
    return value > other or (value == other and name < other_name)
