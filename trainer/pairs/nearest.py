"""Pairs by nearest neighbours: the most alike of each image, or those that are so both ways.

One threshold lets images that were widely searched dominate: they are alike to many, a short look
at one spot to few. Here each image has about as many pairs as any other.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from devices.gaze.pair_rates import pairs_among, share_of_valid


def nearest_of_matrix(
    matrix: NDArray[np.float64], valid: NDArray[np.bool_], neighbours: int, *, mutual: bool
) -> tuple[NDArray[np.bool_], float]:
    """Return which images are pairs, and the share of the valid pairs that this is.

    Parameters
    ----------
    matrix, valid
        Shape (N, N), symmetric.
    neighbours
        How many of each count; of equal values the earlier.
    mutual
        Whether both must be among the nearest of the other; else one of them.

    Returns
    -------
    tuple
        Shape (N, N), symmetric, False on the diagonal; and the positive rate.
    """
    n = len(matrix)
    table = np.zeros((n, n), bool)
    for i in range(n):
        line = np.where(valid[i], matrix[i], -np.inf)
        line[i] = -np.inf
        best = np.argsort(-line, kind="stable")[:neighbours]
        table[i, best[np.isfinite(line[best])]] = True
    table = table & table.T if mutual else table | table.T
    off = valid.copy()
    np.fill_diagonal(off, False)
    return table, share_of_valid(int(table.sum()) // 2, int(off.sum()) // 2)


def nearest_of_graph(
    graph: csr_array, comparable: NDArray[np.bool_], neighbours: int, *, mutual: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64], float]:
    """Return the same of a graph (N, N): rows and columns of the pairs in both directions, rate."""
    n = graph.shape[0]
    rows = np.repeat(np.arange(n), np.diff(graph.indptr))
    order = np.lexsort((graph.indices, -graph.data, rows))
    rows, columns = rows[order], graph.indices[order].astype(np.int64)
    place = np.arange(len(rows)) - graph.indptr[rows]
    near = (place < neighbours) & (rows != columns)
    keys = rows[near] * n + columns[near]
    turned = columns[near] * n + rows[near]
    kept = np.intersect1d(keys, turned) if mutual else np.union1d(keys, turned)
    first, second = np.divmod(kept, n)
    valid = pairs_among(int(np.count_nonzero(comparable)))
    return first, second, share_of_valid(len(kept) // 2, valid)
