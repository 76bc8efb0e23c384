"""Compare readings by a measure of one's own: python examples/own_similarity.py STUDY.

It asks how far the middles of two readings' gaze lie apart. To have it in `python main.py
similarity` and in trainings, see examples/plugins/measure.
"""

import sys

import numpy as np

from trainer.api import Gaze, Measure, open_study
from trainer.similarity.base import CanvasParameters, FeatureTable, Pairs


def features(gaze: Gaze, parameters: CanvasParameters) -> np.ndarray:
    """Return the middle of the gaze, (1, 2), as a share of the image's width and height."""
    seen = gaze.points_image[np.isfinite(gaze.points_image).all(axis=1)]
    middle = seen.mean(axis=0) if len(seen) else np.full(2, np.nan)
    return (middle / [gaze.width, gaze.height]).reshape(1, 2)


def similarity(a: FeatureTable, b: FeatureTable, parameters: CanvasParameters) -> Pairs:
    """Return 1 for the same middle, less the further they are apart; invalid without gaze."""
    apart = np.linalg.norm(a.flat[:, None] - b.flat[None], axis=2)
    valid = np.isfinite(apart)
    return Pairs(np.where(valid, 1 / (1 + 10 * apart), 0.0), valid)


MIDDLE = Measure("middle", "Middle of the gaze", CanvasParameters, features, similarity)


def main(folder: str) -> None:
    """Print how alike readings are by this measure, and by Foveate's dwell density."""
    with open_study(folder) as study:
        for measure in (MIDDLE, "density"):
            table = study.similarity(measure)
            print(table.round(3))


if __name__ == "__main__":
    main(sys.argv[1])
