"""Pairs for unread images: found where pictures speak for gaze, and not made where they do not."""

import numpy as np
import pytest
import torch

from trainer.errors import SimilarityError
from trainer.pairs.policy import PairMatrix
from trainer.pairs.predicted import predict, with_predicted
from trainer.pairs.soft import WeightedPairs, soft_pairs

COUNT, READ = 90, 45
KINDS = np.arange(COUNT) % 3
PATIENTS = np.arange(COUNT) // 2


def gaze(kinds: np.ndarray = KINDS, noise: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Return a similarity that is higher within a kind, and validity: the first half was read."""
    rng = np.random.default_rng(0)
    matrix = 0.4 + 0.4 * (kinds[:, None] == kinds[None, :]) + rng.normal(0, noise, (COUNT, COUNT))
    matrix = (matrix + matrix.T) / 2
    read = np.arange(COUNT) < READ
    return matrix, read


def pictures(seed: int = 1) -> np.ndarray:
    """Return features in which the kind is one thing among many."""
    rng = np.random.default_rng(seed)
    return rng.normal(0, 1, (COUNT, 40)) + 3 * np.eye(3)[KINDS] @ rng.normal(0, 1, (3, 40))


def test_gaze_of_unread_images_is_predicted_where_pictures_speak_for_it() -> None:
    matrix, read = gaze()
    found = predict(pictures(), matrix, read, PATIENTS)
    assert found.carries
    assert found.correlation > found.by_chance + 0.2
    hard = PairMatrix.of(matrix, read, 0.75)
    more = with_predicted(hard, read, found, 0.1, 0.0)
    assert isinstance(more, PairMatrix)
    both = torch.from_numpy(read[:, None] & read[None, :])
    assert torch.equal(more.table & both, hard.table)
    assert torch.equal(more.table, more.table.T)
    assert not more.table.diagonal().any()
    added = (more.table & ~both).numpy()
    others = (~both).numpy().sum() - (~read).sum()
    assert added.sum() == pytest.approx(0.1 * others, rel=0.02)
    assert (KINDS[:, None] == KINDS[None, :])[added].mean() > 0.9


def test_gaze_that_is_not_in_the_pictures_makes_no_pairs() -> None:
    dealt = np.random.default_rng(3).permutation(KINDS)
    found = predict(pictures(), *gaze(dealt), PATIENTS)
    assert not found.carries


def test_values_of_unread_images_play_no_part() -> None:
    matrix, read = gaze()
    spoilt = np.where(read[:, None] & read[None, :], matrix, 9.0)
    one, other = (predict(pictures(), m, read, PATIENTS) for m in (matrix, spoilt))
    assert np.array_equal(one.similarity, other.similarity)


def test_weights_stay_weights() -> None:
    matrix, read = gaze()
    valid = read[:, None] & read[None, :]
    found = predict(pictures(), matrix, valid, PATIENTS)
    soft = soft_pairs(matrix, valid, 0.1, 0.5)
    more = with_predicted(soft, valid, found, 0.1, 0.5)
    assert isinstance(more, WeightedPairs)
    assert torch.equal(more.table[:READ, :READ], soft.table[:READ, :READ])
    assert 0 < float(more.table[READ:].max()) <= 1


def test_too_few_images_that_were_read_are_refused() -> None:
    matrix, read = gaze()
    with pytest.raises(SimilarityError, match="12 images have gaze"):
        predict(pictures(), matrix, read & (np.arange(COUNT) < 12), PATIENTS)
