"""The order in which a similarity matrix is drawn, so that alike items lie side by side."""

import numpy as np
from numpy.typing import NDArray

from devices.gaze.geometry import FloatArray


def cluster_order(matrix: FloatArray, valid: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the leaves of average linkage on 1 − similarity.

    Parameters
    ----------
    matrix
        Similarity of N items, shape (N, N); both directions of a pair count by their mean.
    valid
        Shape (N, N): pairs that have a value; the others count as similarity 0.

    Returns
    -------
    NDArray[np.int64]
        Shape (N,): each item once.
    """
    # Half a second to import, and only those who draw a matrix need it.
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    if len(matrix) < 3:
        return np.arange(len(matrix))
    distance = 1.0 - np.where(valid, matrix, 0.0)
    distance = np.maximum((distance + distance.T) / 2, 0.0)
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(distance, checks=False), "average")
    return np.asarray(leaves_list(tree), np.int64)
