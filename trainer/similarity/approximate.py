"""The nearest of each of very many readings, searched in part of them, and how many are found.

For measures whose similarity is the inner product of one vector a reading. Vectors are sorted into
cells (faiss, inverted file); a reading is compared with those of the cells beside its own. How many
cells is measured, not guessed: more are looked at until, among readings drawn by a fixed seed, the
share of the true nearest that is found reaches what is wanted. All cells are the exact search.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.gaze.pair_rates import pairs_among
from trainer.errors import SimilarityError
from trainer.similarity.base import BoolArray, FeatureTable, Table
from trainer.similarity.items import ItemTable
from trainer.similarity.pair_search import FoundNearest
from trainer.similarity.task_runner import Task, TaskRunner

WANTED_RECALL = 0.99
"""Of the true nearest that are found, on average; what was reached is told."""
_ASKED = 500
_BLOCK = 4096
_SEED = 0

Vectors = NDArray[np.float32]
"""Shape (N, D)."""


@dataclass(frozen=True, slots=True)
class Approximate:
    """The nearest of each, and how good they are.

    Attributes
    ----------
    found
        As the exact search gives them.
    recall
        Share of the true nearest that is found, among some readings.
    looked_at
        Share of the cells that each reading was compared with.
    """

    found: FoundNearest
    recall: float
    looked_at: float


def approximate_nearest(
    table: Table, neighbours: int, runner: TaskRunner, recall: float = WANTED_RECALL
) -> Approximate:
    """Return nearly the most alike items of each.

    Parameters
    ----------
    table
        Of readings with one vector each, or of items that count by the mean of their readings.
    neighbours
        How many of each.
    runner
        Threads, progress and stop.
    recall
        Share of the true nearest that is to be found.

    Raises
    ------
    SimilarityError
        If faiss is not installed.
    Cancelled
        Soon after the work was cancelled.
    """
    faiss = _faiss()
    vectors, has = vectors_of(table)
    place = np.flatnonzero(has)
    kept = np.ascontiguousarray(vectors[place])
    pairs, count = pairs_among(len(kept)), min(neighbours, max(len(kept) - 1, 0))
    best = np.full((len(has), neighbours), -np.inf)
    names = np.full((len(has), neighbours), len(has), np.int64)
    found = FoundNearest(best, names, pairs, has & (len(kept) > 1))
    if count == 0:
        return Approximate(found, 1.0, 1.0)
    index = _index(faiss, kept)
    reached = _widened(index, kept, count, recall)

    def task(first: int) -> Task:
        def search() -> None:
            faiss.omp_set_num_threads(1)  # of this thread: the runner has as many as are allowed
            own = np.arange(first, min(first + _BLOCK, len(kept)))
            values, whose = _others(index.search(kept[own], count + 1), own)
            best[place[own], :count] = values
            names[place[own], :count] = np.where(whose >= 0, place[whose], len(has))

        return search

    starts = range(0, len(kept), _BLOCK)
    runner.run(((task(first), 1) for first in starts), len(starts))
    return Approximate(found, reached, index.nprobe / index.nlist)


def vectors_of(table: Table) -> tuple[Vectors, BoolArray]:
    """Return the vector of each (N, D), and whether it has one; items the mean of their readings.

    The mean over all pairs of readings is the inner product of the means of both.
    """
    if not isinstance(table, ItemTable):
        assert isinstance(table, FeatureTable)
        return np.asarray(table.flat, np.float32), np.asarray(table.flat.any(axis=1))
    rows = table.readings.flat
    has = rows.any(axis=1).astype(np.float32)
    owner = np.repeat(np.arange(len(table)), np.diff(table.starts))
    sums = np.zeros((len(table), rows.shape[1]), np.float32)
    np.add.at(sums, owner, rows)
    counts = np.bincount(owner, has, len(table))
    return (sums / np.maximum(counts, 1)[:, None]).astype(np.float32), counts > 0


def _faiss() -> Any:
    try:
        import faiss
    except ImportError as error:
        raise SimilarityError(
            "--approximate needs faiss, which is not installed: pip install faiss-cpu. Or leave "
            "it out: the exact search gives the same and more, and takes longer."
        ) from error
    return faiss


def _index(faiss: Any, kept: Vectors) -> Any:
    """Return the vectors in cells, some four times the root of their number."""
    dimensions = kept.shape[1]
    cells = int(max(1, min(4 * np.sqrt(len(kept)), len(kept) / 10)))
    nearest_cell = faiss.IndexFlatIP(dimensions)
    index = faiss.IndexIVFFlat(nearest_cell, dimensions, cells, faiss.METRIC_INNER_PRODUCT)
    index.cp.seed, index.cp.min_points_per_centroid = _SEED, 1
    taught = np.random.default_rng(_SEED).permutation(len(kept))[: 40 * cells]
    index.train(kept[np.sort(taught)])
    index.add(kept)
    return index


def _widened(index: Any, kept: Vectors, count: int, wanted: float) -> float:
    """Let the index look at as many cells as are needed; return the recall that it reaches."""
    asked = np.sort(np.random.default_rng(_SEED).permutation(len(kept))[:_ASKED])
    exact = kept[asked] @ kept.T
    exact[np.arange(len(asked)), asked] = -np.inf
    least = np.partition(exact, -count, axis=1)[:, -count]
    index.nprobe = min(8, index.nlist)
    while True:
        values, _ = _others(index.search(kept[asked], count + 1), asked)
        reached = float((values >= least[:, None] - 1e-6).mean())
        if reached >= wanted or index.nprobe >= index.nlist:
            return reached
        index.nprobe = min(index.nlist, max(index.nprobe + 1, index.nprobe * 5 // 4))


def _others(
    found: tuple[NDArray[np.float32], NDArray[np.int64]], own: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the values and names found (Q, K + 1) without the asking reading itself, (Q, K)."""
    values, whose = found
    left = np.where((whose == own[:, None]) | (whose < 0), -np.inf, values.astype(np.float64))
    order = np.lexsort((whose, -left), axis=1)[:, :-1]
    sorted_ = np.take_along_axis(left, order, axis=1), np.take_along_axis(whose, order, axis=1)
    return sorted_[0], np.where(np.isfinite(sorted_[0]), sorted_[1], -1)
