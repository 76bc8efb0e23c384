"""Labelled images: what a probe learns from and is tested on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """One image with its label.

    Attributes
    ----------
    name
        Path below the folder with forward slashes, or the image's id in a study.
    path
        Where its pixels lie.
    label, patient
        Its class; the word that ties the images of one patient together.
    split
        "train", "val" or "test"; None where nothing is said.
    """

    name: str
    path: Path
    label: str
    patient: str
    split: str | None = None


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """Labelled images, and what was noticed while they were gathered."""

    images: tuple[LabelledImage, ...]
    notes: tuple[str, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels: by number if all are whole numbers, else by the alphabet."""
        return ordered_classes([image.label for image in self.images])

    @property
    def codes(self) -> IntArray:
        """Position of each image's label among the classes, shape (N,)."""
        place = {label: k for k, label in enumerate(self.classes)}
        return np.array([place[image.label] for image in self.images], np.int64)

    @property
    def patients(self) -> IntArray:
        """A number for each image's patient, shape (N,)."""
        return numbered([image.patient for image in self.images])

    @property
    def grades(self) -> FloatArray | None:
        """Values of ordinal classes (whole numbers, three or more), else None; shape (K,)."""
        values = [whole_number(label) for label in self.classes]
        if len(values) < 3 or any(v is None for v in values):
            return None
        return np.array(values, np.float64)


def ordered_classes(labels: Sequence[str]) -> tuple[str, ...]:
    """Return the distinct labels in order.

    Examples
    --------
    >>> ordered_classes(["10", "2", "2"]), ordered_classes(["b", "a", "10"])
    (('2', '10'), ('10', 'a', 'b'))
    """
    distinct = sorted(set(labels))
    if all(whole_number(label) is not None for label in distinct):
        distinct.sort(key=lambda label: whole_number(label) or 0)
    return tuple(distinct)


def whole_number(label: str) -> int | None:
    """Return the whole number that a label is, None for any other text."""
    try:
        value = float(label)
    except ValueError:
        return None
    is_plain = np.isfinite(value) and "_" not in label  # float() takes 1_0 for 10
    return int(value) if is_plain and value == int(value) else None


def numbered(words: Sequence[str]) -> IntArray:
    """Return a number for each distinct word, in order of appearance, shape (N,)."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(word, len(numbers)) for word in words], np.int64)


def patient_labels(codes: IntArray, patients: IntArray) -> dict[int, int]:
    """Return the most frequent class of each patient; the higher one where two are as frequent."""
    counts: dict[int, Counter[int]] = {}
    for code, patient in zip(codes.tolist(), patients.tolist(), strict=True):
        counts.setdefault(patient, Counter())[code] += 1
    return {
        patient: max(count, key=lambda code: (count[code], code))
        for patient, count in counts.items()
    }
