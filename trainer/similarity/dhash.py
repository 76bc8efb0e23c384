"""dHash: where the whole heat map falls from left to right, as 64 bits; cosine of the bits.

Definition: McGIP, AAAI 2024, arXiv 2312.06069, as the released code computes it.
"""

from collections.abc import Sequence

import numpy as np

from trainer.similarity.base import (
    CanvasParameters,
    FloatArray,
    Gaze,
    Measure,
    Pairs,
    Work,
    canvas_points,
)
from trainer.similarity.heat import reduced
from trainer.similarity.products import product_matrix


def features(gaze: Gaze, parameters: CanvasParameters) -> FloatArray:
    """Return 64 bits as 0.0 and 1.0, row after row: 1 where the right neighbour is darker."""
    grey = reduced(canvas_points(gaze, parameters).xy, parameters.canvas, 8, 9)
    return (grey[:, :-1] > grey[:, 1:]).astype(np.float64).ravel()


def matrix(found: Sequence[FloatArray], _parameters: CanvasParameters, work: Work) -> Pairs:
    """Return the cosine of the bits; 0 and invalid where either has no 1."""
    bits = np.stack(found) if found else np.empty((0, 64))
    ones = bits.sum(axis=1)
    product = product_matrix(bits, work)
    out = product / np.sqrt(np.maximum(np.outer(ones, ones), 1))
    has = ones > 0
    np.fill_diagonal(out, has.astype(np.float64))
    return Pairs(out, np.logical_and.outer(has, has))


MEASURE = Measure("dhash", "dHash", CanvasParameters, features, matrix)
