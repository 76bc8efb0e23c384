"""Measure areas in a way of one's own: python examples/own_area_measure.py STUDY.

It asks which share of the fixations in the left half of an image came in the first second. To have
such a column in `python main.py analyse`, see examples/plugins/measure.
"""

import sys

import pandas as pd

from trainer.api import Looked, open_study

SECOND_US = 1_000_000


def early_share(looked: Looked) -> float:
    """Return the share, NaN without a fixation there."""
    inside = looked.points_image[:, 0] < looked.width / 2
    early = looked.start_us < looked.shown_us + SECOND_US
    return float((inside & early).sum() / inside.sum()) if inside.any() else float("nan")


def main(folder: str) -> None:
    """Print the measure of each reading beside one of Foveate's own."""
    with open_study(folder) as study:
        rows = [(look.reading, look.image, early_share(look)) for look in study.looks()]
        own = pd.DataFrame(rows, columns=["reading", "image", "early_share_left"])
        areas = study.measures(plain="halves")["areas"]
        left = areas[areas["area"] == "image left"][["reading", "image", "dwell_ms"]]
        print(own.merge(left, on=["reading", "image"]))


if __name__ == "__main__":
    main(sys.argv[1])
