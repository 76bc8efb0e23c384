"""A made-up cohort of which is known what gaze carries: label, image, or nothing."""

import numpy as np

from trainer.similarity.base import Gaze
from trainer.similarity.items import owners_of
from trainer.similarity.sources import GazeList

CLASSES = {"lung": (200.0, 250.0), "heart": (450.0, 500.0), "hip": (620.0, 160.0)}


def made_gaze(images: int = 36, readers: int = 2, *, carries: str = "label", seed: int = 0):
    """Return a gaze list and the true label of each image.

    Where gaze carries the label, it rests where the label lies; where it carries the image, at a
    place of the image's own; else anywhere.
    """
    rng = np.random.default_rng(seed)
    labels = [list(CLASSES)[k % len(CLASSES)] for k in range(images)]
    own = rng.uniform(100, 700, (images, 2))
    gazes = []
    for image, label in enumerate(labels):
        for _ in range(readers):
            centre = {"label": CLASSES[label], "image": own[image]}.get(carries)
            places = rng.uniform(100, 700, (3, 2))
            if centre is not None:
                places[:2] = centre + rng.normal(0, 40, (2, 2))
            points = np.repeat(places, 12, axis=0) + rng.normal(0, 6, (36, 2))
            gazes.append(Gaze(np.clip(points, 0, 799), 800, 800))
    names = tuple(f"R{k % readers}" for k in range(images * readers)) if readers > 1 else ()
    ids = tuple(f"i{k:03d}" for k in range(images))
    return GazeList(ids, gazes, owners_of([readers] * images), names), labels
