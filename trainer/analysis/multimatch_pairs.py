"""MultiMatch between the readings of one image, by fixations."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainer.analysis.definitions import defined
from trainer.analysis.looked import Looked
from trainer.similarity.base import FeatureTable, Gaze, canvas_size
from trainer.similarity.measures.multimatch import (
    DIMENSIONS,
    MultiMatchParameters,
    features,
    five,
)

_DEWHURST = "Dewhurst et al., Behavior Research Methods 44 (2012)"

DEFINITIONS = defined(
    "pair",
    [
        ("multimatch", "1", "mean of the five dimensions below", _DEWHURST),
        *((f"multimatch_{name}", "1",
            f"MultiMatch, {name}; fixations from Foveate's "
            "filter, ungrouped, in the proportions of the "
            "image", _DEWHURST) for name in DIMENSIONS),
    ],
)  # fmt: skip


def multimatch_of(looks: Sequence[Looked]) -> list[list[dict[str, Any]]]:
    """Return for every two readings of one image their values; NaN below three fixations."""
    if not looks:
        return []
    gazes = [_gaze(looked) for looked in looks]
    plain = MultiMatchParameters(source="fixations", grouping=False, proportions="image")
    width, height = canvas_size(gazes[0], plain)
    parameters = MultiMatchParameters(
        source="fixations", grouping=False, proportions="image", screen_width=float(width),
        screen_height=float(height),
    )  # fmt: skip
    table = FeatureTable.of([features(gaze, parameters) for gaze in gazes])
    found = five(table, table, parameters)
    values = np.where(found.valid[:, :, None], found.values, np.nan)
    names = ("multimatch", *(f"multimatch_{name}" for name in DIMENSIONS))
    return [
        [dict(zip(names, map(float, (row.mean(), *row)), strict=True)) for row in rows]
        for rows in values
    ]


def _gaze(looked: Looked) -> Gaze:
    return Gaze(
        looked.points_image, looked.width, looked.height, looked.start_us, looked.points_image,
        looked.duration_us,
    )  # fmt: skip
