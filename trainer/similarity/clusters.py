"""DBSCAN over three features, compiled, without a neighbour list in memory.

The clusters, their order and their border points are those of scikit-learn's `DBSCAN`: clusters
are numbered by their first core point, and a border point belongs to the lowest-numbered cluster
with a core point in reach.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from trainer.similarity.base import FloatArray

NOISE = -1


@njit(cache=True, nogil=True)
def _near(points: FloatArray, i: int, j: int, reach_squared: float) -> bool:
    a = points[i, 0] - points[j, 0]
    b = points[i, 1] - points[j, 1]
    c = points[i, 2] - points[j, 2]
    return bool(a * a + b * b + c * c <= reach_squared)


@njit(cache=True, nogil=True)
def _core(points: FloatArray, reach_squared: float, min_samples: int) -> NDArray[np.bool_]:
    n = len(points)
    # One array an axis and no branch inside: the compiler counts several points at once.
    a, b, c = points[:, 0].copy(), points[:, 1].copy(), points[:, 2].copy()
    count = np.empty(n, np.int64)
    in_order = bool(np.all(c[1:] >= c[:-1]))
    first, end = 0, 0 if in_order else n
    for i in range(n):
        if in_order:  # of time: whoever is out of reach on that axis alone need not be asked
            while (c[i] - c[first]) * (c[i] - c[first]) > reach_squared:
                first += 1
            while end < n and (c[end] - c[i]) * (c[end] - c[i]) <= reach_squared:
                end += 1
        neighbours = 0
        for j in range(first, end):
            da, db, dc = a[i] - a[j], b[i] - b[j], c[i] - c[j]
            neighbours += 1 if da * da + db * db + dc * dc <= reach_squared else 0
        count[i] = neighbours
    return count >= min_samples


@njit(cache=True, nogil=True)
def dbscan(points: FloatArray, eps: float, min_samples: int) -> NDArray[np.int64]:
    """Return the cluster of each point, −1 for noise.

    Parameters
    ----------
    points
        Shape (N, 3).
    eps
        Euclidean reach, itself included.
    min_samples
        Points in reach, itself counted, that make a core point.

    Returns
    -------
    NDArray
        Shape (N,), numbered by each cluster's first core point.
    """
    n = len(points)
    reach_squared = eps * eps
    core = _core(points, reach_squared, min_samples)
    labels = np.full(n, NOISE, np.int64)
    unreached = np.flatnonzero(labels == NOISE)
    waiting = np.empty(n, np.int64)
    cluster = 0
    for seed in range(n):
        if not core[seed] or labels[seed] != NOISE:
            continue
        labels[seed] = cluster
        waiting[0], size = seed, 1
        while size > 0:
            size -= 1
            current = waiting[size]
            left = 0
            # Points once reached are never looked at again: the list shrinks as clusters grow.
            for k in range(len(unreached)):
                other = unreached[k]
                if labels[other] != NOISE:
                    continue
                if _near(points, current, other, reach_squared):
                    labels[other] = cluster
                    if core[other]:
                        waiting[size] = other
                        size += 1
                else:
                    unreached[left] = other
                    left += 1
            unreached = unreached[:left]
        cluster += 1
    return labels
