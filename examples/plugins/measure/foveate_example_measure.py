"""Two measures for Foveate: how near the middles of two readings lie, and who looked early.

`MIDDLE` appears among the measures of `python main.py similarity` and of trainings, `EARLY` as a
column of `python main.py analyse`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.analysis.definitions import Group, defined
from trainer.analysis.looked import BoolArray, Looked
from trainer.similarity.base import CanvasParameters, FeatureTable, Gaze, Measure, Pairs

SECOND_US = 1_000_000


def features(gaze: Gaze, parameters: CanvasParameters) -> NDArray[np.float64]:
    """Return the middle of the gaze, (1, 2), as a share of the image's width and height."""
    seen = gaze.points_image[np.isfinite(gaze.points_image).all(axis=1)]
    middle = seen.mean(axis=0) if len(seen) else np.full(2, np.nan)
    return np.asarray(middle / [gaze.width, gaze.height], np.float64).reshape(1, 2)


def similarity(a: FeatureTable, b: FeatureTable, parameters: CanvasParameters) -> Pairs:
    """Return 1 for the same middle, less the further they are apart; invalid without gaze."""
    apart = np.linalg.norm(a.flat[:, None] - b.flat[None], axis=2)
    valid = np.isfinite(apart)
    return Pairs(np.where(valid, 1 / (1 + 10 * apart), 0.0), valid)


def early_share(looked: Looked, inside: BoolArray) -> dict[str, Any]:
    """Return the share of an area's fixations (F,) that began in the image's first second."""
    early = looked.start_us < looked.shown_us + SECOND_US
    share = float((inside & early).sum() / inside.sum()) if inside.any() else np.nan
    return {"early_share": share}


MIDDLE = Measure("middle", "Middle of the gaze", CanvasParameters, features, similarity)
EARLY = Group(
    defined(
        "area",
        [("early_share", "1", "share of its fixations begun in the image's first second", "")],
    ),
    early_share,
)
