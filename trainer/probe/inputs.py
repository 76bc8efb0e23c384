"""Pixels of labelled images: decoded once, squashed to the sizes that are asked for."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.probe.labelled import LabelledImage
from trainer.probe.pixels import pixel_fingerprint, read_grey

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Inputs:
    """Images as encoders take them.

    Attributes
    ----------
    by_size
        Shape (N, size, size), uint8, for each size; the whole image, its aspect given up.
    fingerprints
        Of each image's 8-bit pixels, shape (N,): the first 16 hex digits, as encoders keep them.
    """

    by_size: dict[int, NDArray[np.uint8]]
    fingerprints: tuple[str, ...]


def read_inputs(
    images: Sequence[LabelledImage],
    sizes: Sequence[int],
    progress: Progress = lambda done, total: None,
) -> Inputs:
    """Decode each image once, with a thread for each core.

    Raises
    ------
    ProbeError
        Naming the first file that cannot be read.
    """
    arrays = {size: np.empty((len(images), size, size), np.uint8) for size in set(sizes)}

    def place(k: int) -> str:
        grey = read_grey(images[k].path)
        for size, array in arrays.items():
            array[k] = squashed(grey, size)
        return pixel_fingerprint(grey)[:16]

    prints = []
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for done, text in enumerate(pool.map(place, range(len(images))), start=1):
            prints.append(text)
            progress(done, len(images))
    return Inputs(arrays, tuple(prints))


def squashed(grey: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Return an image (H, W) as (size, size), averaged where it shrinks."""
    smaller = max(grey.shape) > size
    method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (size, size), interpolation=method), np.uint8)
