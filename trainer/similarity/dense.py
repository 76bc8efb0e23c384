"""All pairs of readings as one matrix, in tiles."""

from collections.abc import Iterator
from math import isqrt
from typing import Any

import numpy as np

from devices.gaze.pair_rates import pairs_among
from trainer.similarity.base import Compare, Measure, Pairs, Table
from trainer.similarity.task_runner import Task, TaskRunner

LARGEST_TILE = 512
# Steps of the slowest kernels in a tile: some tenths of a second, so that a stop is heeded soon.
_STEPS_PER_TILE = 2e7


def tile_side(table: Table, threads: int) -> int:
    """Return how many readings a tile is wide, so that it ends soon and all threads have some."""
    mean_rows = max(float(table.lengths.mean()), 1.0) if len(table) else 1.0
    by_time: int = isqrt(int(_STEPS_PER_TILE / mean_rows**2))
    by_threads = max(16, len(table) // (4 * threads))
    return max(1, min(LARGEST_TILE, by_time, by_threads))


def tiles(count: int, side: int) -> Iterator[tuple[slice, slice]]:
    """Yield rows and columns of the tiles on and above the diagonal of a square table."""
    for top in range(0, count, side):
        for left in range(top, count, side):
            yield slice(top, min(top + side, count)), slice(left, min(left + side, count))


def pair_count(rows: slice, columns: slice) -> int:
    """Return how many pairs i < j a tile holds."""
    high, wide = int(rows.stop - rows.start), int(columns.stop - columns.start)
    return pairs_among(high) if rows == columns else high * wide


def compare_tile(
    similarity: Compare, table: Table, parameters: Any, rows: slice, columns: slice
) -> Pairs:
    """Return the similarity of one tile; one on the diagonal is made exactly symmetric.

    The first reading of a pair is the earlier one, which decides ties of alignments.
    """
    a, b = table.part(rows.start, rows.stop), table.part(columns.start, columns.stop)
    found = similarity(a, b, parameters)
    if rows == columns:
        lower = np.tril_indices(len(a), -1)
        found.values[lower] = np.swapaxes(found.values, 0, 1)[lower]
    return found


def dense(
    measure: Measure, table: Table, parameters: Any, runner: TaskRunner, *, by_dimension: bool
) -> Pairs:
    """Return all pairs, (N, N) or (N, N, D), symmetric, with the measure's diagonal."""
    n = len(table)
    similarity = _chosen(measure, by_dimension)
    shape = (n, n, len(measure.dimensions)) if by_dimension else (n, n)
    values, valid = np.empty(shape), np.empty((n, n), bool)

    def task(rows: slice, columns: slice) -> Task:
        def fill() -> None:
            found = compare_tile(similarity, table, parameters, rows, columns)
            values[rows, columns], valid[rows, columns] = found.values, found.valid
            if rows != columns:
                values[columns, rows] = np.swapaxes(found.values, 0, 1)
                valid[columns, rows] = found.valid.T

        return fill

    side = tile_side(table, runner.threads)
    runner.run(((task(*t), pair_count(*t)) for t in tiles(n, side)), pairs_among(n))
    if measure.diagonal is not None:
        values[np.arange(n), np.arange(n)] = measure.diagonal
    return Pairs(values, valid)


def _chosen(measure: Measure, by_dimension: bool) -> Compare:
    if not by_dimension:
        return measure.similarity
    if measure.by_dimension is None:
        raise ValueError(f"{measure.name} has only one dimension")
    return measure.by_dimension
