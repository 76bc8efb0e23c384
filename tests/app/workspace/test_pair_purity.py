"""What a threshold lets in, told before a training: purity and pairs a batch."""

from itertools import combinations

import numpy as np
import pytest

from app.pages.workspace.matrix_view import colours
from app.workspace.pair_purity import pair_purity
from app.workspace.similarity import StoredRelation
from devices.gaze.pair_rates import pairs_a_batch

_STACK = "0190a0b0-0000-7000-8000-000000000001"


def _relation(seed: int = 0) -> StoredRelation:
    ids = ("a", "b", "c", "d", f"{_STACK}#00001", f"{_STACK}#00004")
    noise = np.random.default_rng(seed).random((6, 6)).astype(np.float32)
    matrix = (noise + noise.T) / 2
    matrix[0, 1] = matrix[1, 0] = np.nan
    return StoredRelation(ids, matrix)


def test_purity_counts_labelled_pairs_of_different_images_as_a_loop_does() -> None:
    relation = _relation()
    labels = {"a": "x", "b": "x", "c": "y", _STACK: "y"}
    of = [labels.get(i.partition("#")[0]) for i in relation.ids]
    image = [i.partition("#")[0] for i in relation.ids]
    purity = pair_purity(relation, labels)
    for threshold in (-1.0, 0.3, 0.5, 0.7, 2.0):
        pairs = [
            (i, j)
            for i, j in combinations(range(6), 2)
            if relation.matrix[i, j] > threshold and of[i] and of[j] and image[i] != image[j]
        ]
        same = sum(of[i] == of[j] for i, j in pairs)
        count = relation.count_above(threshold)
        assert purity.count(count) == len(pairs)
        assert purity.share(count) == (same / len(pairs) if pairs else None)
    assert purity.chance == purity.share(len(relation.sorted_values))


def test_without_labels_no_purity_is_told() -> None:
    purity = pair_purity(_relation(), {})
    assert purity.chance is None
    assert purity.share(3) is None


def test_pairs_a_batch_are_what_drawing_every_batch_gives() -> None:
    positive = {(0, 1), (2, 3), (0, 4)}
    batches = list(combinations(range(6), 3))
    mean = np.mean([sum(set(p) <= set(b) for p in positive) for b in batches])
    assert pairs_a_batch(3, 6, 3, 0.0) == pytest.approx(mean)
    assert pairs_a_batch(3, 6, 3, 0.5) == pytest.approx(mean / 2)
    assert pairs_a_batch(3, 6, 100, 0.0) == 3
    assert pairs_a_batch(0, 1, 32, 0.5) == 0


def test_the_colours_of_the_matrix_part_at_the_threshold() -> None:
    table = colours(0.5, 0.0, 1.0).astype(int)
    values = np.linspace(0, 1, 256)
    warm = table[:, 0] > table[:, 2]
    assert np.array_equal(warm, values > 0.5)
    assert colours(2.0, 0.0, 1.0).shape == (256, 3)
