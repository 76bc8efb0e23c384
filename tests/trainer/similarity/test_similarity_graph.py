import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from tests.trainer.made_readings import gaze
from trainer.errors import Cancelled, SimilarityError
from trainer.similarity import pair_search
from trainer.similarity.comparison import ComparisonControl, prepare
from trainer.similarity.graph import Graph
from trainer.similarity.registry import MEASURES
from trainer.similarity.sources import GazeList


def a_list(count: int = 90, owners: list[int] | None = None) -> GazeList:
    rng = np.random.default_rng(3)
    gazes = [gaze(np.clip(rng.normal(400, 150, (40, 2)), 0, 799)) for _ in range(count)]
    gazes[5] = gaze([])
    places = np.arange(count) if owners is None else np.array(owners)
    return GazeList(tuple(str(i) for i in range(places.max() + 1)), gazes, places)


def expected(gazes: GazeList, measure: str, threshold: float, settings=None) -> np.ndarray:
    found = prepare(measure, gazes, settings or {}, ComparisonControl(1)).matrix()
    off = ~np.eye(len(found.matrix), dtype=bool)
    return np.where((found.matrix > threshold) & found.valid & off, found.matrix, 0)


@pytest.mark.parametrize(
    ("measure", "threshold"), [("tima", 0.6), ("moment", 0.9), ("density", 0.2), ("dhash", 0.4)]
)
def test_the_graph_holds_what_the_matrix_has_above_the_threshold(measure, threshold) -> None:
    gazes = a_list()
    graph = prepare(measure, gazes, {}, ComparisonControl(2)).above(threshold)
    dense = expected(gazes, measure, threshold)
    np.testing.assert_allclose(graph.matrix.toarray(), dense, atol=1e-6)
    assert graph.matrix.dtype == np.float32
    assert graph.positive_pairs == np.count_nonzero(dense) // 2 > 20
    valid = prepare(measure, gazes, {}, ComparisonControl(1)).matrix().valid
    assert graph.pairs == np.triu(valid, 1).sum() > 3000
    assert graph.positive_rate == pytest.approx(graph.positive_pairs / graph.pairs)


def test_several_readings_of_an_image_are_combined_before_the_threshold() -> None:
    gazes = a_list(60, [0, 0, 0, 2, 2, *range(3, 58)])
    for settings in ({}, {"combine": "max"}, {"combine": "first"}):
        graph = prepare("tima", gazes, settings, ComparisonControl(2)).above(0.6)
        dense = expected(gazes, "tima", 0.6, settings)
        np.testing.assert_allclose(graph.matrix.toarray(), dense, atol=1e-6)


@pytest.mark.parametrize("jobs", [1, 3])
def test_the_nearest_of_each_are_those_of_the_matrix(jobs: int) -> None:
    gazes = a_list()
    comparison = prepare("moment", gazes, {}, ComparisonControl(jobs))
    graph = comparison.nearest(4)
    dense = comparison.matrix()
    values = np.where(dense.valid, dense.matrix, -np.inf)
    np.fill_diagonal(values, -np.inf)
    for i, line in enumerate(values):
        nearest = [j for j in np.argsort(-line, kind="stable")[:4] if np.isfinite(line[j])]
        assert (
            sorted(nearest)
            == graph.matrix.indices[graph.matrix.indptr[i] : graph.matrix.indptr[i + 1]].tolist()
        )
    assert len(graph.matrix.indices) == 89 * 4


def test_equal_values_do_not_make_threads_disagree() -> None:
    same = [gaze([(400, 400)] * 10)] * 70
    gazes = GazeList(tuple(map(str, range(70))), same, np.arange(70))
    one, many = (prepare("tima", gazes, {}, ComparisonControl(jobs)).nearest(3) for jobs in (1, 4))
    np.testing.assert_array_equal(one.matrix.indices, many.matrix.indices)
    assert one.matrix.indices[:3].tolist() == [1, 2, 3]


def test_more_neighbours_than_readings_are_all_of_them() -> None:
    graph = prepare("moment", a_list(6), {}, ComparisonControl(1)).nearest(50)
    assert np.diff(graph.matrix.indptr).tolist() == [4] * 5 + [0]
    assert graph.positive_rate == 1


def test_a_rate_gives_about_as_many_pairs() -> None:
    graph = prepare("density", a_list(), {}, ComparisonControl(1)).above_rate(0.1)
    assert graph.positive_rate == pytest.approx(0.1, abs=0.001)
    assert graph.threshold is not None


@pytest.mark.parametrize("count", [0, 1, 2])
def test_tiny_lists(count: int) -> None:
    gazes = [gaze([(100, 100)] * 9)] * count
    comparison = prepare(
        "tima", GazeList(("a", "b")[:count], gazes, np.arange(count)), {}, ComparisonControl(1)
    )
    for graph in (comparison.above(0.5), comparison.nearest(2), comparison.above_rate(0.5)):
        assert isinstance(graph, Graph)
        assert graph.matrix.shape == (count, count)
    assert comparison.above(0.5).matrix.nnz == (2 if count == 2 else 0)


def test_too_many_pairs_end_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pair_search, "MAX_PAIRS", 100)
    with pytest.raises(SimilarityError, match="More than 100 pairs lie above"):
        prepare("moment", a_list(), {}, ComparisonControl(1)).above(0.1)


def test_a_stop_between_tiles_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    stop, done = threading.Event(), []
    slow = MEASURES["moment"].similarity

    def similarity(a, b, parameters):
        done.append(1)
        stop.set()
        time.sleep(0.02)
        return slow(a, b, parameters)

    changed = replace(MEASURES["moment"], similarity=similarity)
    monkeypatch.setitem(MEASURES, "moment", changed)
    comparison = prepare("moment", a_list(300), {}, ComparisonControl(1, cancelled=stop.is_set))
    with pytest.raises(Cancelled):
        comparison.above(0.5)
    assert len(done) < 30
