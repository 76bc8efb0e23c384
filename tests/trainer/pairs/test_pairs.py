"""Pair masks against a naive double loop."""

import numpy as np
import pytest
import torch

from trainer.pairs.policy import PairMatrix, PairPolicy, SameLabel


def naive_mask(similarity, valid, threshold, ids_a, ids_b):
    """Return the mask as its definition reads, cell by cell."""
    out = np.zeros((len(ids_a), len(ids_b)), dtype=bool)
    for row, i in enumerate(ids_a):
        for column, j in enumerate(ids_b):
            related = valid[i] and valid[j] and similarity[i, j] > threshold
            out[row, column] = i == j or related
    return out


@pytest.fixture
def similarity():
    rng = np.random.default_rng(3)
    matrix = rng.random((20, 20))
    matrix = (matrix + matrix.T) / 2
    np.fill_diagonal(matrix, 1)
    valid = rng.random(20) > 0.2
    matrix[~valid] = np.nan
    matrix[:, ~valid] = np.nan
    return matrix, valid


def test_mcgip_agrees_with_a_naive_double_loop(similarity) -> None:
    matrix, valid = similarity
    policy = PairPolicy(PairMatrix.of(matrix, valid, 0.5))
    ids_a, ids_b = torch.tensor([3, 0, 19, 7]), torch.tensor([7, 3, 3, 12, 1, 0])
    mask = policy.mask(ids_a, ids_b, torch.Generator())
    expected = naive_mask(matrix, valid, 0.5, ids_a.tolist(), ids_b.tolist())
    assert mask.tolist() == expected.tolist()
    assert expected.sum() > 4  # the case is not the trivial one


def test_a_similarity_at_the_threshold_is_no_pair() -> None:
    matrix = np.array([[1.0, 0.95], [0.95, 1.0]])
    ids = torch.arange(2)
    valid = np.ones((2, 2), dtype=bool)
    at = PairPolicy(PairMatrix.of(matrix, valid, 0.95)).mask(ids, ids, torch.Generator())
    below = PairPolicy(PairMatrix.of(matrix, valid, 0.9499)).mask(ids, ids, torch.Generator())
    assert at.tolist() == [[True, False], [False, True]]
    assert below.all()


def test_an_image_without_gaze_has_only_itself_even_at_the_lowest_threshold() -> None:
    valid = np.array([True, True, False])
    policy = PairPolicy(PairMatrix.of(np.ones((3, 3)), valid, -1.0))
    ids = torch.arange(3)
    mask = policy.mask(ids, ids, torch.Generator())
    assert mask.tolist() == [[True, True, False], [True, True, False], [False, False, True]]


def test_policy_none_is_the_identity() -> None:
    ids = torch.tensor([5, 2, 9])
    assert torch.equal(PairPolicy().mask(ids, ids, torch.Generator()), torch.eye(3).bool())


def test_labels_relate_images_of_the_same_label_and_none_without_one() -> None:
    labels = ["benign", None, "malignant", "benign", None]
    policy = PairPolicy(SameLabel.of(labels))
    ids = torch.arange(5)
    expected = [
        [i == j or (labels[i] is not None and labels[i] == labels[j]) for j in range(5)]
        for i in range(5)
    ]
    assert policy.mask(ids, ids, torch.Generator()).tolist() == expected
    assert policy.related is not None
    assert policy.related.pair_count() == 1


def test_dropping_keeps_an_image_with_itself_and_both_directions_alike() -> None:
    policy = PairPolicy(PairMatrix.of(np.ones((30, 30)), np.ones(30, bool), 0.5), drop=0.5)
    ids, draws = torch.randperm(30), torch.Generator().manual_seed(1)
    masks = [policy.mask(ids, ids, draws, symmetric=True) for _ in range(2)]
    for mask in masks:
        assert mask.diagonal().all()
        assert torch.equal(mask, mask.T)
        assert not mask.all()
    assert not torch.equal(*masks)  # redrawn every step


def test_dropping_keeps_the_share_that_is_asked_for() -> None:
    policy = PairPolicy(PairMatrix.of(np.ones((200, 200)), np.ones(200, bool), 0.5), drop=0.3)
    ids = torch.arange(200)
    for symmetric in (True, False):
        mask = policy.mask(ids, ids, torch.Generator().manual_seed(0), symmetric=symmetric)
        share = (int(mask.sum()) - 200) / (200 * 199)
        assert share == pytest.approx(0.7, abs=0.02)


def test_dropping_cell_by_cell_is_not_symmetric() -> None:
    policy = PairPolicy(PairMatrix.of(np.ones((30, 30)), np.ones(30, bool), 0.5), drop=0.5)
    ids = torch.arange(30)
    mask = policy.mask(ids, ids, torch.Generator().manual_seed(0))
    assert not torch.equal(mask, mask.T)


def test_expected_extra_pairs_are_those_that_batches_hold_on_average(similarity) -> None:
    matrix, valid = similarity
    policy = PairPolicy(PairMatrix.of(matrix, valid, 0.5), drop=0.5)
    draws, found = torch.Generator().manual_seed(0), 0
    for _ in range(2000):
        ids = torch.randperm(20, generator=draws)[:8]
        found += (int(policy.mask(ids, ids, draws, symmetric=True).sum()) - 8) / 2
    assert policy.extra_pairs_per_batch(20, 8) == pytest.approx(found / 2000, rel=0.05)


def test_the_hash_changes_with_any_relation(similarity) -> None:
    matrix, valid = similarity
    one = PairMatrix.of(matrix, valid, 0.5)
    table = one.table.clone()
    table[0, 1] ^= True
    assert one.hash() == PairMatrix.of(matrix, valid, 0.5).hash()
    assert one.hash() != PairMatrix(table).hash()
    assert PairPolicy().hash() == ""
