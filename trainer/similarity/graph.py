"""Pairs above a threshold, or the nearest neighbours of each, without an N × N matrix."""

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from devices.gaze.pair_rates import pairs_among, share_of_valid, threshold_of_values
from trainer.errors import SimilarityError
from trainer.similarity.base import BoolArray, FloatArray, Measure, Table
from trainer.similarity.dense import compare_tile, pair_count, tile_side, tiles
from trainer.similarity.task_runner import Task, TaskRunner

MAX_PAIRS = 60_000_000
"""Pairs a graph may hold: some 1.7 GB at the worst moment, when they are put in order."""
_SAMPLE = 1_000_000


@dataclass(frozen=True, slots=True)
class Graph:
    """A sparse relation of N readings.

    Attributes
    ----------
    matrix
        CSR (N, N), float32; nothing on the diagonal. A pair that is not stored is no positive.
    threshold
        Above which pairs were stored; None for nearest neighbours.
    pairs, positive_pairs
        Valid pairs that were looked at, and those stored (in either direction), i < j.
    valid
        Shape (N,): whether a reading has a value with any other; a pair is valid where both have.
    """

    matrix: csr_array
    threshold: float | None
    pairs: int
    positive_pairs: int
    valid: BoolArray

    @property
    def positive_rate(self) -> float:
        """Share of the valid pairs that is stored."""
        return share_of_valid(self.positive_pairs, self.pairs)


def threshold_graph(
    measure: Measure, table: Table, parameters: Any, threshold: float, runner: TaskRunner
) -> Graph:
    """Return all valid pairs above a threshold, both directions of each.

    Raises
    ------
    SimilarityError
        If there are more than `MAX_PAIRS`; says what to do.
    """
    n = len(table)
    found = _Found(threshold, n)

    def task(rows: slice, columns: slice) -> Task:
        def compare() -> None:
            tile = compare_tile(measure.similarity, table, parameters, rows, columns)
            allowed = _above_diagonal(tile.valid, rows, columns)
            found.add(tile.values, allowed, rows, columns)

        return compare

    side = tile_side(table, runner.threads)
    runner.run(((task(*t), pair_count(*t)) for t in tiles(n, side)), pairs_among(n))
    return found.graph()


def nearest_graph(
    measure: Measure, table: Table, parameters: Any, neighbours: int, runner: TaskRunner
) -> Graph:
    """Return the most alike readings of each, those of equal value in order.

    A reading may be among the nearest of another that is not among its own, so that the graph is
    not symmetric.
    """
    n = len(table)
    best = np.full((n, neighbours), -np.inf)
    names = np.full((n, neighbours), n, np.int64)
    side = tile_side(table, runner.threads)
    locks = [threading.Lock() for _ in range(-(-n // side))]
    valid_pairs: list[int] = []
    has_value = np.zeros(n, bool)

    def task(rows: slice, columns: slice) -> Task:
        def compare() -> None:
            tile = compare_tile(measure.similarity, table, parameters, rows, columns)
            allowed = _above_diagonal(tile.valid, rows, columns)
            values = np.where(allowed, tile.values, -np.inf)
            valid_pairs.append(int(allowed.sum()))
            _mark_valid(has_value, allowed, rows, columns)
            with locks[rows.start // side]:
                _keep_best(values, columns.start, best[rows], names[rows])
            with locks[columns.start // side]:
                turned = np.ascontiguousarray(values.T)
                _keep_best(turned, rows.start, best[columns], names[columns])

        return compare

    runner.run(((task(*t), pair_count(*t)) for t in tiles(n, side)), pairs_among(n))
    rows, places = np.nonzero(np.isfinite(best))
    matrix = _csr(n, rows, names[rows, places], best[rows, places].astype(np.float32))
    both = matrix + matrix.T
    return Graph(matrix, None, sum(valid_pairs), both.nnz // 2, has_value)


def sampled_threshold(
    measure: Measure, table: Table, parameters: Any, rate: float, runner: TaskRunner
) -> float:
    """Return the threshold that a share `rate` of pairs exceeds, from a sample of a million pairs.

    The pairs are those of some readings drawn by a fixed seed with some others; the rate reached
    is told by the graph.
    """
    n = len(table)
    side = min(n, int(np.sqrt(2 * _SAMPLE)))
    drawn = np.sort(np.random.default_rng(0).permutation(n)[:side])
    sample = table.take(drawn)
    values: list[FloatArray] = []

    def task(rows: slice, columns: slice) -> Task:
        def compare() -> None:
            tile = compare_tile(measure.similarity, sample, parameters, rows, columns)
            values.append(tile.values[_above_diagonal(tile.valid, rows, columns)])

        return compare

    width = tile_side(sample, runner.threads)
    runner.run(((task(*t), pair_count(*t)) for t in tiles(side, width)), pairs_among(side))
    return threshold_of_values(np.concatenate([*values, np.empty(0)]), rate)


class _Found:
    """Pairs as they are found by many threads."""

    def __init__(self, threshold: float, n: int) -> None:
        self._threshold, self._lock = threshold, threading.Lock()
        self._has_value = np.zeros(n, bool)
        self._parts: list[tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]] = []
        self._count = self._valid = 0

    def add(self, values: FloatArray, allowed: BoolArray, rows: slice, columns: slice) -> None:
        """Keep what lies above the threshold in one tile."""
        above, beside = np.nonzero((values > self._threshold) & allowed)
        part = (
            (above + rows.start).astype(np.int32),
            (beside + columns.start).astype(np.int32),
            values[above, beside].astype(np.float32),
        )
        _mark_valid(self._has_value, allowed, rows, columns)
        with self._lock:
            self._parts.append(part)
            self._count += len(above)
            self._valid += int(allowed.sum())
            if self._count > MAX_PAIRS:
                raise SimilarityError(
                    f"More than {MAX_PAIRS:,} pairs lie above {self._threshold:g}; that many are "
                    "hardly positives. Raise --threshold, lower --positive-rate, or take the "
                    "nearest of each with --top-k."
                )

    def graph(self) -> Graph:
        """Return both directions of all pairs; what was found is given up, part after part."""
        n = len(self._has_value)
        degrees = np.zeros(n + 1, np.int64)
        for rows, columns, _ in self._parts:
            _count(rows, columns, degrees)
        starts = np.cumsum(degrees)
        places = starts[:-1].copy()
        partners = np.empty(int(starts[-1]), np.int32)
        values = np.empty(len(partners), np.float32)
        while self._parts:
            _place(*self._parts.pop(), places, partners, values)
        matrix = csr_array((values, partners, starts), shape=(n, n))
        matrix.sort_indices()
        return Graph(matrix, self._threshold, self._valid, self._count, self._has_value)


@njit(cache=True, nogil=True)
def _count(rows: NDArray[np.int32], columns: NDArray[np.int32], degrees: NDArray[np.int64]) -> None:
    for k in range(len(rows)):
        degrees[rows[k] + 1] += 1
        degrees[columns[k] + 1] += 1


@njit(cache=True, nogil=True)
def _place(
    rows: NDArray[np.int32],
    columns: NDArray[np.int32],
    found: NDArray[np.float32],
    places: NDArray[np.int64],
    partners: NDArray[np.int32],
    values: NDArray[np.float32],
) -> None:
    """Put pairs into CSR rows, both ways; `places` says where the next one of each row goes."""
    for k in range(len(rows)):
        for row, column in ((rows[k], columns[k]), (columns[k], rows[k])):
            partners[places[row]] = column
            values[places[row]] = found[k]
            places[row] += 1


def _above_diagonal(valid: BoolArray, rows: slice, columns: slice) -> BoolArray:
    """Return which pairs of a tile count: valid ones i < j."""
    return np.triu(valid, 1) if rows == columns else valid


def _mark_valid(has_value: BoolArray, allowed: BoolArray, rows: slice, columns: slice) -> None:
    """Note which readings of a tile have a value; threads only ever write True."""
    has_value[rows][allowed.any(axis=1)] = True
    has_value[columns][allowed.any(axis=0)] = True


def _csr(
    n: int, rows: NDArray[Any], columns: NDArray[Any], values: NDArray[np.float32]
) -> csr_array:
    matrix = csr_array((values, (rows, columns)), shape=(n, n))
    matrix.sort_indices()
    return matrix


@njit(cache=True, nogil=True)
def _keep_best(
    values: FloatArray, first_name: int, best: FloatArray, names: NDArray[np.int64]
) -> None:
    """Put values (R, C) into the sorted best (R, K); of equal ones the lower name comes first."""
    last = best.shape[1] - 1
    for r in range(values.shape[0]):
        for c in range(values.shape[1]):
            value, name = values[r, c], first_name + c
            if value == -np.inf or not _before(value, name, best[r, last], names[r, last]):
                continue
            k = last
            while k > 0 and _before(value, name, best[r, k - 1], names[r, k - 1]):
                best[r, k], names[r, k] = best[r, k - 1], names[r, k - 1]
                k -= 1
            best[r, k], names[r, k] = value, name


@njit(cache=True, nogil=True)
def _before(value: float, name: int, other: float, other_name: int) -> bool:
    return value > other or (value == other and name < other_name)
