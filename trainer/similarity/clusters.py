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
def _reach(
    points: FloatArray, reach_squared: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return how many points lie in reach of each, itself among them, and which need be asked.

    The latter as first and end: whoever is out of reach in time alone is left out.
    """
    n = len(points)
    # One array an axis and no branch inside: the compiler counts several points at once.
    a, b, c = points[:, 0].copy(), points[:, 1].copy(), points[:, 2].copy()
    count, starts, ends = np.ones(n, np.int64), np.zeros(n, np.int64), np.full(n, n)
    in_order = bool(np.all(c[1:] >= c[:-1]))
    first, end = 0, 0 if in_order else n
    for i in range(n):
        if in_order:
            while (c[i] - c[first]) * (c[i] - c[first]) > reach_squared:
                first += 1
            while end < n and (c[end] - c[i]) * (c[end] - c[i]) <= reach_squared:
                end += 1
            starts[i], ends[i] = first, end
        # Each pair once: it counts for both.
        ahead, later = 0, count[i + 1 : end]
        x, y, z = a[i + 1 : end], b[i + 1 : end], c[i + 1 : end]
        for j in range(len(later)):
            da, db, dc = a[i] - x[j], b[i] - y[j], c[i] - z[j]
            near = 1 if da * da + db * db + dc * dc <= reach_squared else 0
            ahead += near
            later[j] += near
        count[i] += ahead
    return count, starts, ends


@njit(cache=True, nogil=True)
def _next_free(following: NDArray[np.int64], at: int) -> int:
    """Return the first point from `at` on that no cluster has reached; shortens the way to it."""
    found = at
    while following[found] != found:
        found = following[found]
    while following[at] != found:
        following[at], at = found, following[at]
    return found


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
    count, starts, ends = _reach(points, reach_squared)
    labels = np.full(n, NOISE, np.int64)
    following = np.arange(n + 1)  # the next point that is not reached; n is the end
    waiting = np.empty(n, np.int64)
    cluster = 0
    for seed in range(n):
        if count[seed] < min_samples or labels[seed] != NOISE:
            continue
        labels[seed], following[seed] = cluster, seed + 1
        waiting[0], size = seed, 1
        while size > 0:
            size -= 1
            current = waiting[size]
            other = _next_free(following, starts[current])
            # Points once reached are never looked at again.
            while other < ends[current]:
                if _near(points, current, other, reach_squared):
                    labels[other], following[other] = cluster, other + 1
                    if count[other] >= min_samples:
                        waiting[size] = other
                        size += 1
                other = _next_free(following, other + 1)
        cluster += 1
    return labels
