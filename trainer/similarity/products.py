"""All inner products of feature vectors, in blocks of rows."""

from functools import partial

import numpy as np

from trainer.similarity.base import FloatArray, Work

_ROWS = 512


def product_matrix(vectors: FloatArray, work: Work) -> FloatArray:
    """Return vectors (N, D) times their transpose, (N, N), exactly symmetric.

    Cancellable between blocks.
    """
    n = len(vectors)
    out = np.empty((n, n))
    starts = range(0, n, _ROWS)
    # BLAS brings its own threads; blocks beside each other would only fight for cores.
    alone = Work(1, work.progress, work.cancelled)
    tasks = [partial(_fill, vectors, out, first) for first in starts]
    alone.run(tasks, [(n - first) * min(_ROWS, n - first) for first in starts])
    return out


def _fill(vectors: FloatArray, out: FloatArray, first: int) -> None:
    end = min(first + _ROWS, len(vectors))
    block = vectors[first:end] @ vectors[first:].T
    square = block[:, : end - first]
    block[:, : end - first] = np.maximum(square, square.T)  # they may differ in the last bit
    out[first:end, first:] = block
    out[end:, first:end] = block[:, end - first :].T
