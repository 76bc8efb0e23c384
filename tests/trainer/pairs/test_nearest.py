import numpy as np
import pytest
from scipy.sparse import csr_array

from tests.trainer.tiny_study import make_study
from trainer.config.config import RunConfig
from trainer.config.layers import make_config
from trainer.data.cohort import load_cohort
from trainer.errors import ConfigError
from trainer.pairs.choose import choose_pairs, related_by
from trainer.pairs.from_file import Edges, _nearest
from trainer.pairs.nearest import nearest_of_graph, nearest_of_matrix
from trainer.similarity.task_runner import never, no_progress

# 0 was widely searched: it is the most alike of all others, whose own likeness is low.
WIDE = np.array(
    [
        [1.0, 0.9, 0.8, 0.7, 0.6],
        [0.9, 1.0, 0.5, 0.1, 0.1],
        [0.8, 0.5, 1.0, 0.1, 0.1],
        [0.7, 0.1, 0.1, 1.0, 0.5],
        [0.6, 0.1, 0.1, 0.5, 1.0],
    ]
)
VALID = np.ones((5, 5), bool)


def pairs(table) -> set[tuple[int, int]]:
    return {(int(i), int(j)) for i, j in zip(*np.nonzero(np.triu(table)), strict=True)}


def test_the_nearest_of_each_are_pairs_of_both() -> None:
    table, rate = nearest_of_matrix(WIDE, VALID, 1, mutual=False)
    assert pairs(table) == {(0, 1), (0, 2), (0, 3), (0, 4)}
    assert rate == pytest.approx(0.4)


def test_mutual_ones_are_so_both_ways_and_nobody_dominates() -> None:
    table, _ = nearest_of_matrix(WIDE, VALID, 1, mutual=True)
    assert pairs(table) == {(0, 1)}
    table, _ = nearest_of_matrix(WIDE, VALID, 2, mutual=True)
    assert pairs(table) == {(0, 1), (0, 2), (1, 2), (3, 4)}
    assert (table == table.T).all()
    assert table.sum(axis=1).max() <= 2


def test_pairs_without_a_value_are_never_near() -> None:
    valid = VALID.copy()
    valid[0] = valid[:, 0] = False
    table, rate = nearest_of_matrix(WIDE, valid, 2, mutual=False)
    assert not table[0].any()
    assert rate == table.sum() / 2 / 6


@pytest.mark.parametrize("mutual", [True, False])
def test_a_graph_of_all_pairs_gives_the_same_as_the_matrix(mutual) -> None:
    rng = np.random.default_rng(0)
    matrix = rng.random((30, 30))
    matrix = (matrix + matrix.T) / 2
    table, rate = nearest_of_matrix(matrix, np.ones((30, 30), bool), 4, mutual=mutual)
    graph = matrix - np.diag(np.diag(matrix))
    rows, columns, other = nearest_of_graph(
        csr_array(graph), np.ones(30, bool), 4, mutual=mutual
    )  # fmt: skip
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == set(
        zip(*(axis.tolist() for axis in np.nonzero(table)), strict=True)
    )
    assert other == pytest.approx(rate)
    first, second = np.nonzero(graph)
    edges = Edges(first, second, graph[first, second], np.ones(30, bool))
    near = _nearest(edges, RunConfig(neighbours=4, mutual=mutual))
    np.testing.assert_array_equal(near.rows, rows)


def test_a_run_takes_its_pairs_so(tmp_path) -> None:
    study = make_study(tmp_path / "s", images=8)
    config = RunConfig(measure="density", neighbours=2, drop=0.0)
    cohort = load_cohort(study, no_progress, never)
    chosen = choose_pairs(study, cohort, cohort.members, config, no_progress, never)
    study.close()
    assert chosen.threshold is None
    table = chosen.policy.related.table.numpy()
    assert table.sum(axis=1).max() <= 2
    assert chosen.positive_rate == pytest.approx(table.sum() / 2 / 28)


def test_without_neighbours_threshold_or_rate_decide_as_ever() -> None:
    relation, threshold, rate = related_by(RunConfig(positive_rate=0.2), WIDE, VALID)
    assert threshold == pytest.approx(0.7)
    assert rate == pytest.approx(0.2)
    assert relation.pair_count() == 2


def test_a_negative_number_of_neighbours_is_refused() -> None:
    with pytest.raises(ConfigError, match="neighbours is -1"):
        make_config({"neighbours": -1})
