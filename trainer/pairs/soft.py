"""Soft positives: what a pair weighs follows from how alike its gaze is and how readers agree.

A threshold makes yes and no of a similarity, though pairs just below it are hardly worse than
those just above. Here the weight falls with the rank of a pair among all pairs: from 1 to 0 about
the place where the threshold would cut, so that all weights sum to as many pairs as the threshold
would let through. And a pair counts less where two readers of its images looked no more alike than
readers of different images do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from trainer.errors import SimilarityError
from trainer.pairs.policy import table_hash
from trainer.similarity.base import BoolArray, FloatArray
from trainer.similarity.comparison import ComparisonControl, prepare
from trainer.similarity.evidence.halves import by_halves, learns
from trainer.similarity.sources import GazeList, readings_alone

LARGEST = 5000
"""Readings beyond which agreement is not asked: it needs all pairs of readings in memory."""


@dataclass(frozen=True)
class WeightedPairs:
    """Images related by gaze, each pair with its weight.

    Attributes
    ----------
    table
        Shape (N, N), float32, symmetric, 0 to 1, 0 on the diagonal.
    """

    table: Tensor

    def lookup(self, ids_a: Tensor, ids_b: Tensor) -> Tensor:
        """Return weights (A, B); see `Related`."""
        return self.table[ids_a][:, ids_b]

    def pair_count(self) -> int:
        """Return the number of unordered pairs that weigh anything."""
        return int(self.table.count_nonzero()) // 2

    def mass(self) -> float:
        """Return the sum of the weights of unordered pairs."""
        return float(self.table.double().sum()) / 2

    def hash(self) -> str:
        """Return 16 hex digits of the table."""
        return table_hash(self.table.cpu().numpy().tobytes())


def soft_pairs(
    matrix: FloatArray,
    valid: BoolArray,
    rate: float,
    softness: float,
    agreement: FloatArray | None = None,
) -> WeightedPairs:
    """Return the weights of the pairs of N images.

    Parameters
    ----------
    matrix, valid
        Similarity (N, N), and which pairs have one.
    rate
        Share of the valid pairs that the weights sum to.
    softness
        s: the weight falls from 1 at a rank of (1 − s) times that number of pairs to 0 at (1 + s)
        times; 0 cuts there.
    agreement
        Of each image's readers, (N,), 0 to 1; a pair's weight is multiplied by the root of the
        product of both. None: not asked.
    """
    table = _rank_weights(matrix, valid, rate, softness)
    if agreement is not None:
        root = np.sqrt(agreement)
        table *= root[:, None] * root[None, :]
    return WeightedPairs(torch.from_numpy(table.astype(np.float32)))


def _rank_weights(matrix: FloatArray, valid: BoolArray, rate: float, softness: float) -> FloatArray:
    rows, columns = np.triu_indices(len(matrix), k=1)
    usable = valid[rows, columns] & np.isfinite(matrix[rows, columns])
    rows, columns = rows[usable], columns[usable]
    # Pairs that are alike by the same amount share one rank, and so one weight.
    rank = stats.rankdata(-matrix[rows, columns]) - 0.5
    wanted = rate * len(rows)
    width = max(2 * softness * wanted, 1e-9)
    weight = np.clip(((1 + softness) * wanted - rank) / width, 0, 1)
    table = np.zeros(matrix.shape)
    table[rows, columns] = table[columns, rows] = weight
    return table


def agreement_of(
    gaze: GazeList, measure: str, settings: Mapping[str, Any], control: ComparisonControl
) -> FloatArray:
    """Return how far the readers of each image agree, (N,), 0 to 1.

    0: no more than readers of different images do; 1: more than any of these. An image that one
    reader alone read has the mean of the others.

    Raises
    ------
    SimilarityError
        If no image was read by two readers, or there are more than `LARGEST` readings.
    """
    if len(gaze.gazes) > LARGEST:
        raise SimilarityError(
            f"agreement compares every reading with every other and works with up to {LARGEST}; "
            f"there are {len(gaze.gazes)}. Set agreement to false."
        )
    alone = readings_alone(gaze)
    settings = {name: value for name, value in settings.items() if name != "combine"}
    compare = by_halves if learns(measure) else _compared
    found = compare(measure, alone, settings, control)
    return _agreement(found.matrix, found.valid, gaze.owners, gaze.readers, len(gaze.ids))


def _compared(
    measure: str, alone: GazeList, settings: Mapping[str, Any], control: ComparisonControl
) -> Any:
    return prepare(measure, alone, settings, control).matrix()


def _agreement(
    matrix: FloatArray, valid: BoolArray, owners: Any, readers: Sequence[str], images: int
) -> FloatArray:
    """Return the agreement of images from the similarity (R, R) of their readings."""
    rows, columns = np.triu_indices(len(owners), k=1)
    usable = valid[rows, columns] & np.isfinite(matrix[rows, columns])
    if readers:  # one reader agrees with himself
        names = np.array(readers)
        usable &= names[rows] != names[columns]
    rows, columns = rows[usable], columns[usable]
    values, same = matrix[rows, columns], owners[rows] == owners[columns]
    if not same.any() or same.all():
        raise SimilarityError(
            "agreement is on, but fewer than two comparable images were read by two readers each. "
            "Let a second reader read some cases, or set agreement to false."
        )
    apart = np.sort(values[~same])
    below = np.searchsorted(apart, values[same], "left")
    share = (below + np.searchsorted(apart, values[same], "right")) / (2 * len(apart))
    place = owners[rows[same]]
    count = np.bincount(place, minlength=images)
    total = np.bincount(place, weights=share, minlength=images)
    agreed = np.clip(2 * total / np.maximum(count, 1) - 1, 0, 1)
    return np.where(count > 0, agreed, agreed[count > 0].mean())
