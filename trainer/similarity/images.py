"""From readings to images: how one image that was read several times counts.

By default two images are as alike as the mean over all pairs of their readings ("mean"): no reader
counts more than another, and one odd reading is outvoted. "max" takes the most alike pair,
"first" the first reading of each image; to follow one reader, hand in that reader's readings only.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.cohort import Member
from trainer.similarity import registry
from trainer.similarity.base import (
    BoolArray,
    FloatArray,
    Gaze,
    Progress,
    Similarity,
    never,
    no_progress,
    require,
)

COMBINE = ("mean", "max", "first")


@dataclass(frozen=True, slots=True)
class ReadingList:
    """The readings of a list of images.

    Attributes
    ----------
    gazes
        One for each reading of an image.
    owners
        Shape (readings,): index of the image; ascending.
    """

    gazes: list[Gaze]
    owners: NDArray[np.int64]


def readings_of(members: Sequence[Member], reader_id: str | None = None) -> ReadingList:
    """Return the readings of members, of one reader if named."""
    gazes, owners = [], []
    for index, member in enumerate(members):
        for reading in member.readings:
            if reader_id in (None, reading.reader_id):
                size = float(member.width), float(member.height)
                gazes.append(Gaze(reading.points_image, *size, reading.time_us))
                owners.append(index)
    return ReadingList(gazes, np.array(owners, np.int64))


def compare_images(
    measure: str,
    members: Sequence[Member],
    parameters: Mapping[str, Any] | None = None,
    progress: Progress = no_progress,
    cancelled: Callable[[], bool] = never,
    *,
    combine: str = "mean",
    reader_id: str | None = None,
    jobs: int = 0,
) -> Similarity:
    """Return how alike the images of a cohort are by gaze, in the order of `members`.

    `parameters` of the result hold `combine` and `reader_id` too. See `compare` for the rest.
    """
    readings = readings_of(members, reader_id)
    by_reading = registry.compare(
        measure, readings.gazes, parameters, progress, cancelled, jobs=jobs
    )
    result = image_similarity(by_reading, readings.owners, len(members), combine)
    said = {**result.parameters, "reader_id": reader_id}
    return replace(result, parameters=said)


def image_similarity(
    readings: Similarity, owners: NDArray[np.int64], count: int, combine: str = "mean"
) -> Similarity:
    """Turn similarity of readings into similarity of images.

    Parameters
    ----------
    readings
        Of R readings.
    owners
        Shape (R,): the image of each reading, 0 … count − 1.
    count
        Images; those without a reading are alike to none (0, invalid).
    combine
        "mean", "max" or "first", over the valid pairs of readings.

    Returns
    -------
    Similarity
        Shape (count, count), diagonal 1; a pair is valid if one pair of its readings is.
    """
    require(combine in COMBINE, "combine", ", ".join(COMBINE), combine)
    if combine == "first":
        chosen = np.unique(owners, return_index=True)[1]
    else:
        chosen = np.argsort(owners, kind="stable")
    square = np.ix_(chosen, chosen)
    values, valid = readings.matrix[square], readings.valid[square]
    reduced, is_valid = _reduced(values, valid, owners[chosen], combine)
    present = np.ix_(np.unique(owners), np.unique(owners))
    matrix, allowed = np.eye(count), np.zeros((count, count), bool)
    matrix[present], allowed[present] = reduced, is_valid
    np.fill_diagonal(matrix, 1.0)
    parameters = {**readings.parameters, "combine": combine}
    return replace(readings, matrix=matrix, valid=allowed, parameters=parameters)


def _reduced(
    values: FloatArray, valid: BoolArray, owners: NDArray[np.int64], combine: str
) -> tuple[FloatArray, BoolArray]:
    """Reduce (R, R) over runs of equal owners to (images, images); 0 where nothing is valid."""
    if len(owners) == 0:
        return np.empty((0, 0)), np.empty((0, 0), bool)
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    pairs = _blocks(np.add, valid.astype(np.float64), starts)
    if combine == "mean":
        sums = _blocks(np.add, np.where(valid, values, 0.0), starts)
        return sums / np.maximum(pairs, 1), pairs > 0
    best = _blocks(np.maximum, np.where(valid, values, -np.inf), starts)
    return np.where(pairs > 0, best, 0.0), pairs > 0


def _blocks(operation: np.ufunc, values: FloatArray, starts: NDArray[np.intp]) -> FloatArray:
    columns = operation.reduceat(values, starts, axis=1)
    return np.asarray(operation.reduceat(columns, starts, axis=0), np.float64)
