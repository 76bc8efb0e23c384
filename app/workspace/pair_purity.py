"""Before training: how often the pairs that a threshold makes positive have one label."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from app.workspace.similarity import StoredRelation
from migrations.study.folder import Study
from migrations.study.names import split_item
from migrations.study.schema import Image

_UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class PairPurity:
    """Counts over the K most similar pairs, for every K.

    Pairs of two frames of one image are left out: they are similar whatever gaze means.

    Attributes
    ----------
    same, labelled
        Shape (P + 1,), int32: of the first K pairs, how many have one label, and how many have two
        labelled images.
    """

    same: NDArray[np.int32]
    labelled: NDArray[np.int32]

    def share(self, positive: int) -> float | None:
        """Return the share with one label among the most similar pairs; None without any."""
        among = int(self.labelled[positive])
        return int(self.same[positive]) / among if among else None

    def count(self, positive: int) -> int:
        """Return on how many pairs that share is based."""
        return int(self.labelled[positive])

    @property
    def chance(self) -> float | None:
        """The same share among all pairs."""
        return self.share(len(self.labelled) - 1)


def labels_of(study: Study) -> dict[str, str]:
    """Return the label of each image that has one, by its id."""
    query = select(Image.id, Image.label).where(Image.label.is_not(None))
    with study.database.read() as session:
        return {image_id: label for image_id, label in session.execute(query) if label}


def pair_purity(relation: StoredRelation, labels: Mapping[str, str]) -> PairPurity:
    """Count the pairs of a relation by the labels of their images; runs off the GUI thread."""
    images = [split_item(item)[0] for item in relation.ids]
    label = _codes([labels.get(image, "") for image in images])
    image = _codes(images)
    first, second = (places[::-1] for places in relation.sorted_pairs)
    both = (label[first] != _UNKNOWN) & (label[second] != _UNKNOWN)
    both &= image[first] != image[second]
    return PairPurity(_counted(both & (label[first] == label[second])), _counted(both))


def _codes(words: Sequence[str]) -> NDArray[np.int32]:
    known = {word: code for code, word in enumerate(sorted({w for w in words if w}))}
    return np.array([known.get(word, _UNKNOWN) for word in words], np.int32)


def _counted(flags: NDArray[np.bool_]) -> NDArray[np.int32]:
    return np.concatenate(([0], np.cumsum(flags, dtype=np.int32))).astype(np.int32)
