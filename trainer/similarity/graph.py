"""Pairs above a threshold, or the nearest neighbours of each, without an N × N matrix."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from devices.gaze.pair_rates import pairs_among, share_of_valid, threshold_of_values
from trainer.similarity.base import BoolArray, FloatArray, Measure, Table
from trainer.similarity.dense import compare_tile, pair_count, tiles
from trainer.similarity.pair_search import (
    FoundNearest,
    FoundPairs,
    above_diagonal,
    fixed_side,
    search_above,
    search_nearest,
)
from trainer.similarity.task_runner import Task, TaskRunner

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
    return graph_of_pairs(search_above(measure, table, parameters, threshold, runner))


def nearest_graph(
    measure: Measure, table: Table, parameters: Any, neighbours: int, runner: TaskRunner
) -> Graph:
    """Return the most alike readings of each, those of equal value in order.

    A reading may be among the nearest of another that is not among its own, so that the graph is
    not symmetric.
    """
    return graph_of_nearest(search_nearest(measure, table, parameters, neighbours, runner))


def graph_of_nearest(found: FoundNearest) -> Graph:
    """Return the graph of nearest neighbours, from each to its own."""
    rows, places = np.nonzero(np.isfinite(found.best))
    values = found.best[rows, places].astype(np.float32)
    matrix = _csr(len(found.best), rows, found.names[rows, places], values)
    both = matrix + matrix.T
    return Graph(matrix, None, found.valid, both.nnz // 2, found.has_value)


def graph_of_pairs(found: FoundPairs) -> Graph:
    """Return both directions of all pairs; what was found is given up, part after part."""
    n = len(found.has_value)
    degrees = np.zeros(n + 1, np.int64)
    for rows, columns, _ in found.parts:
        _count(rows, columns, degrees)
    starts = np.cumsum(degrees)
    places = starts[:-1].copy()
    partners = np.empty(int(starts[-1]), np.int32)
    values = np.empty(len(partners), np.float32)
    while found.parts:
        _place(*found.parts.pop(), places, partners, values)
    matrix = csr_array((values, partners, starts), shape=(n, n))
    matrix.sort_indices()
    return Graph(matrix, found.threshold, found.valid, found.count, found.has_value)


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
            values.append(tile.values[above_diagonal(tile.valid, rows, columns)])

        return compare

    width = fixed_side(sample)
    runner.run(((task(*t), pair_count(*t)) for t in tiles(side, width)), pairs_among(side))
    return threshold_of_values(np.concatenate([*values, np.empty(0)]), rate)


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


def _csr(
    n: int, rows: NDArray[Any], columns: NDArray[Any], values: NDArray[np.float32]
) -> csr_array:
    matrix = csr_array((values, (rows, columns)), shape=(n, n))
    matrix.sort_indices()
    return matrix
