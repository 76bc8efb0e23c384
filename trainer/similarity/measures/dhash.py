"""dHash: which of two neighbouring places of a small heat map was looked at more, in 64 bits.

Definition: McGIP, AAAI 2024, arXiv 2312.06069, as the released code computes it.
"""

import numpy as np

from trainer.similarity.base import (
    FeatureTable,
    FloatArray,
    Gaze,
    Measure,
    Pairs,
    PointParameters,
    canvas_points,
)
from trainer.similarity.heat import reduced


def features(gaze: Gaze, parameters: PointParameters) -> FloatArray:
    """Return 64 bits as 0.0 and 1.0, (1, 64), row after row: 1 where the right one is darker."""
    grey = reduced(canvas_points(gaze, parameters), 8, 9)
    return (grey[:, :-1] > grey[:, 1:]).astype(np.float64).reshape(1, 64)


def similarity(a: FeatureTable, b: FeatureTable, _parameters: PointParameters) -> Pairs:
    """Return the cosine of the bits; 0 and invalid where either has no 1."""
    ones = [table.flat.sum(axis=1) for table in (a, b)]
    values = (a.flat @ b.flat.T) / np.sqrt(np.maximum(np.outer(*ones), 1))
    return Pairs(values, np.logical_and.outer(ones[0] > 0, ones[1] > 0))


MEASURE = Measure("dhash", "dHash", PointParameters, features, similarity, diagonal=None)
