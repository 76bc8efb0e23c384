"""Whether gaze finds the same image again, in another reader's gaze and in one reader's two."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.similarity.base import BoolArray, FloatArray
from trainer.similarity.evidence.purity import Sampled


@dataclass(frozen=True, slots=True)
class Readings:
    """Who read what.

    Attributes
    ----------
    image
        Shape (R,): 0 … images − 1.
    reader
        Shape (R,): code of the reader; without known readers each reading has its own.
    images
        How many there are.
    """

    image: NDArray[np.int64]
    reader: NDArray[np.int64]
    images: int


def between_readers(
    matrix: FloatArray, valid: BoolArray, readings: Readings, weights: FloatArray
) -> Sampled | None:
    """Return the chance that two readers are more alike on one image than on two.

    Parameters
    ----------
    matrix, valid
        Shape (R, R): of all readings.
    readings
        Who read what.
    weights
        Shape (B, images): the bootstrap samples.

    Returns
    -------
    Sampled or None
        None where no image was read by two, or there is one image only.
    """
    other = readings.reader[:, None] != readings.reader
    return _separation(matrix, valid & other, readings, weights)


def of_rereads(
    matrix: FloatArray, valid: BoolArray, readings: Readings, weights: FloatArray
) -> Sampled | None:
    """Return the same of pairs of readings by one reader."""
    own = readings.reader[:, None] == readings.reader
    return _separation(matrix, valid & own, readings, weights)


def _separation(
    matrix: FloatArray, compared: BoolArray, readings: Readings, weights: FloatArray
) -> Sampled | None:
    upper = np.triu(compared, 1)
    same = readings.image[:, None] == readings.image
    first, second = np.nonzero(upper & same)
    others = np.sort(matrix[upper & ~same])
    if not len(first) or not len(others):
        return None
    placed = _placements(matrix[first, second], others)
    owner = readings.image[first]
    sums = np.bincount(owner, placed, readings.images)
    counts = np.bincount(owner, minlength=readings.images).astype(np.float64)
    with np.errstate(invalid="ignore"):
        draws = (weights @ sums) / (weights @ counts)
    return Sampled(float(placed.mean()), draws, len(first))


def _placements(values: FloatArray, ordered: FloatArray) -> FloatArray:
    """Return the share of `ordered` that lies below each value, ties counting half."""
    below = np.searchsorted(ordered, values, "left")
    upto = np.searchsorted(ordered, values, "right")
    return np.asarray((below + upto) / (2 * len(ordered)), np.float64)
