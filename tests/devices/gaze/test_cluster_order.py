import itertools

import numpy as np
import pytest

from devices.gaze.cluster_order import cluster_order


def test_alike_items_lie_side_by_side_whatever_their_order() -> None:
    group = np.random.default_rng(0).integers(0, 3, 30)
    matrix = np.where(group[:, None] == group, 0.9, 0.1)
    order = cluster_order(matrix, np.ones_like(matrix, bool))
    assert sorted(order) == list(range(30))
    assert sum(group[a] != group[b] for a, b in itertools.pairwise(order)) == 2


def test_a_pair_without_a_value_counts_as_not_alike() -> None:
    matrix = np.array([[1, 0.9, 0.2, 0], [0.9, 1, 0.3, 0], [0.2, 0.3, 1, 0.4], [0, 0, 0.4, 1]])
    valid = np.ones_like(matrix, bool)
    beside = cluster_order(matrix, valid).tolist()
    assert abs(beside.index(0) - beside.index(1)) == 1
    valid[0, 1] = valid[1, 0] = False
    np.testing.assert_array_equal(
        cluster_order(matrix, valid), cluster_order(np.where(valid, matrix, 0), valid | True)
    )


@pytest.mark.parametrize("count", [0, 1, 2])
def test_fewer_than_three_items_stay_as_they_are(count: int) -> None:
    matrix = np.ones((count, count))
    assert cluster_order(matrix, matrix > 0).tolist() == list(range(count))
