"""The nearest of each of very many readings, searched in part of them, and how many are found.

For measures whose similarity is the inner product of one vector a reading. Vectors are sorted into
cells (faiss, inverted file); a reading is compared with those of the cells beside its own. How many
cells is measured, not guessed: more are looked at until, among readings drawn by a fixed seed, the
share of the true nearest that is found reaches what is wanted. All cells are the exact search.

Where fewer dimensions suffice to name a few candidates of each, the cells hold these, and the
candidates are ranked again by all dimensions. Whether they suffice is measured likewise.
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
_DIMENSIONS = (32, 64, 128, 256)
_CANDIDATES = (2, 4)  # times as many as are wanted
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
    known = _Known.of(kept, count)
    search_in = _searcher(faiss, kept, known, count, recall)
    reached = search_in.widened(known, count, recall)

    def task(first: int) -> Task:
        def search() -> None:
            faiss.omp_set_num_threads(1)  # of this thread: the runner has as many as are allowed
            own = np.arange(first, min(first + _BLOCK, len(kept)))
            values, whose = search_in(own, count)
            best[place[own], :count] = values
            names[place[own], :count] = np.where(whose >= 0, place[whose], len(has))

        return search

    starts = range(0, len(kept), _BLOCK)
    runner.run(((task(first), 1) for first in starts), len(starts))
    return Approximate(found, reached, search_in.looked_at)


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
            "--approximate needs faiss, which is not installed. Install it with pip install "
            "faiss-cpu, or omit --approximate: the exact search takes longer but finds all pairs."
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


@dataclass(slots=True)
class _Searcher:
    """Searches cells of `low` for candidates and ranks them by `kept`; both are one or not."""

    index: Any
    kept: Vectors
    low: Vectors
    candidates: int

    @property
    def looked_at(self) -> float:
        """Share of the cells."""
        return float(self.index.nprobe / self.index.nlist)

    def __call__(
        self, own: NDArray[np.int64], count: int
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return values and places of the nearest of some readings, (Q, count)."""
        values, whose = self.index.search(self.low[own], self.candidates + 1)
        if self.low is not self.kept:
            for row, places in enumerate(whose):
                values[row] = self.kept[places] @ self.kept[own[row]]
        best, names = _others((values, whose), own)
        return best[:, :count], names[:, :count]

    def widened(self, known: "_Known", count: int, wanted: float) -> float:
        """Look at as many cells as are needed; return the recall that is reached."""
        self.index.nprobe = min(8, self.index.nlist)
        while True:
            values, _ = self(known.asked, count)
            reached = float((values >= known.least[:, None] - 1e-6).mean())
            if reached >= wanted or self.index.nprobe >= self.index.nlist:
                return reached
            more = max(self.index.nprobe + 1, self.index.nprobe * 5 // 4)
            self.index.nprobe = min(self.index.nlist, more)


@dataclass(frozen=True, slots=True)
class _Known:
    """Readings whose nearest are known: which, what is theirs (Q, N), and the least alike, (Q,)."""

    asked: NDArray[np.int64]
    true: BoolArray
    least: Vectors

    @classmethod
    def of(cls, kept: Vectors, count: int) -> "_Known":
        """Search the nearest of some readings, drawn by a fixed seed, among all."""
        asked = np.sort(np.random.default_rng(_SEED).permutation(len(kept))[:_ASKED])
        exact = kept[asked] @ kept.T
        exact[np.arange(len(asked)), asked] = -np.inf
        least = np.partition(exact, -count, axis=1)[:, -count]
        return cls(asked, exact >= least[:, None], least)


def _searcher(faiss: Any, kept: Vectors, known: _Known, count: int, wanted: float) -> _Searcher:
    """Return what searches by the fewest dimensions and candidates that may reach the recall."""
    asked, true, axes = known.asked, known.true, _axes(kept)
    for dimensions in _DIMENSIONS:
        if 4 * dimensions > kept.shape[1]:
            break
        low = np.ascontiguousarray(kept @ axes[:, :dimensions])
        rough = low[asked] @ low.T
        rough[np.arange(len(asked)), asked] = -np.inf
        for times in _CANDIDATES:
            number = times * count
            if 4 * number > len(kept):
                break
            bar = np.partition(rough, -number, axis=1)[:, -number]
            named = float((true & (rough >= bar[:, None])).sum() / true.sum())
            if named >= wanted + (1 - wanted) / 2:  # the cells may miss some, too
                return _Searcher(_index(faiss, low), kept, low, number)
    return _Searcher(_index(faiss, kept), kept, kept, count)


def _axes(kept: Vectors) -> Vectors:
    """Return the directions in which the vectors are largest, (D, D), the largest first."""
    drawn = np.random.default_rng(_SEED).permutation(len(kept))[: 10 * _ASKED]
    some = kept[np.sort(drawn)]
    _, axes = np.linalg.eigh((some.T @ some).astype(np.float64))
    return np.asarray(axes[:, ::-1], np.float32)


def _others(
    found: tuple[NDArray[np.float32], NDArray[np.int64]], own: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the values and names found (Q, K + 1) without the asking reading itself, (Q, K)."""
    values, whose = found
    left = np.where((whose == own[:, None]) | (whose < 0), -np.inf, values.astype(np.float64))
    order = np.lexsort((whose, -left), axis=1)[:, :-1]
    sorted_ = np.take_along_axis(left, order, axis=1), np.take_along_axis(whose, order, axis=1)
    return sorted_[0], np.where(np.isfinite(sorted_[0]), sorted_[1], -1)
