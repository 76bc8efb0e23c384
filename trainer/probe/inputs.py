"""Pixels of labelled images: decoded once, squashed to the sizes that are asked for."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.data.cache import load_grey, pixel_fingerprint
from trainer.probe.labelled import LabelledImage

Progress = Callable[[int, int], None]
View = tuple[int, int]
"""Height and width, pixels."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Images as encoders take them.

    Attributes
    ----------
    by_view
        Shape (N, height, width), uint8, for each height and width; the whole image, squashed.
    fingerprints
        Of each image's 8-bit pixels, shape (N,): the first 16 hex digits, as encoders keep them.
    """

    by_view: dict[View, NDArray[np.uint8]]
    fingerprints: tuple[str, ...]


def read_inputs(
    images: Sequence[LabelledImage],
    views: Sequence[View],
    progress: Progress = lambda done, total: None,
) -> Inputs:
    """Decode each image once, with a thread for each core.

    Raises
    ------
    ImageCacheError
        Naming the first file that cannot be read.
    """
    arrays = {view: np.empty((len(images), *view), np.uint8) for view in set(views)}

    def place(k: int) -> str:
        grey = load_grey(images[k].path)
        for view, array in arrays.items():
            array[k] = squashed(grey, view)
        return pixel_fingerprint(grey)[:16]

    prints = []
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for done, text in enumerate(pool.map(place, range(len(images))), start=1):
            prints.append(text)
            progress(done, len(images))
    return Inputs(arrays, tuple(prints))


def squashed(grey: NDArray[np.uint8], view: View) -> NDArray[np.uint8]:
    """Return an image at the height and width of a view, averaged where it shrinks."""
    smaller = grey.shape[0] > view[0] or grey.shape[1] > view[1]
    method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (view[1], view[0]), interpolation=method), np.uint8)
