import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import load_npz

import main as foveate
from tests.trainer.similarity.evidence.made_cohort import made_gaze
from trainer.errors import SimilarityError
from trainer.similarity import approximate
from trainer.similarity.approximate import approximate_nearest
from trainer.similarity.base import FeatureTable
from trainer.similarity.comparison import ComparisonControl, prepare
from trainer.similarity.pair_search import search_nearest
from trainer.similarity.registry import MEASURES, make_parameters
from trainer.similarity.task_runner import TaskRunner

QUIET = ComparisonControl(jobs=2)


def vectors(count: int = 3000, dimensions: int = 16) -> FeatureTable:
    """Return readings in loose groups, two of them without gaze."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, dimensions))[rng.integers(0, 60, count)]
    rows = rows + 0.5 * rng.normal(size=rows.shape)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows[[5, 77]] = 0
    return FeatureTable.of(list(rows[:, None].astype(np.float32)))


def test_nearly_all_of_the_true_nearest_are_found_and_the_recall_told_is_that_of_all() -> None:
    table = vectors()
    nearly = approximate_nearest(table, 20, TaskRunner(2))
    exact = search_nearest(MEASURES["dwell"], table, make_parameters("dwell"), 20, TaskRunner(2))
    shared = [
        len(np.intersect1d(a, b)) / 20
        for k, (a, b) in enumerate(zip(nearly.found.names, exact.names, strict=True))
        if exact.has_value[k]
    ]
    assert nearly.looked_at < 0.8
    assert np.mean(shared) >= 0.985
    assert nearly.recall == pytest.approx(np.mean(shared), abs=0.01)
    assert nearly.found.valid == exact.valid
    np.testing.assert_array_equal(nearly.found.has_value, exact.has_value)
    assert not np.isfinite(nearly.found.best[5]).any()


def test_few_dimensions_name_candidates_that_all_dimensions_rank() -> None:
    table = vectors(3000, 12)
    spread = np.random.default_rng(1).normal(size=(12, 256))
    wide = table.flat @ spread + 0.05 * np.random.default_rng(2).normal(size=(3000, 256))
    wide /= np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-9)
    wide[[5, 77]] = 0
    kept = np.ascontiguousarray(wide.astype(np.float32))
    some, faiss = kept[kept.any(1)], pytest.importorskip("faiss")
    known = approximate._Known.of(some, 20)
    found = approximate._searcher(faiss, some, known, 20, 0.99)
    assert found.low.shape == (2998, 32)
    whole = FeatureTable.of(list(kept[:, None]))
    nearly = approximate_nearest(whole, 20, TaskRunner(2))
    exact = search_nearest(MEASURES["dwell"], whole, make_parameters("dwell"), 20, TaskRunner(2))
    assert nearly.recall >= 0.99
    there = exact.has_value
    alike = nearly.found.names[there] == exact.names[there]
    assert alike.mean() > 0.95
    np.testing.assert_allclose(nearly.found.best[there][alike], exact.best[there][alike], atol=1e-5)


def test_all_cells_give_what_the_exact_search_gives() -> None:
    table = vectors(300)
    nearly = approximate_nearest(table, 7, TaskRunner(1), recall=1.1)
    exact = search_nearest(MEASURES["dwell"], table, make_parameters("dwell"), 7, TaskRunner(1))
    assert nearly.looked_at == 1
    np.testing.assert_array_equal(nearly.found.names, exact.names)
    np.testing.assert_allclose(nearly.found.best, exact.best, atol=1e-6)


def test_threads_do_not_change_what_is_found() -> None:
    one, two = (approximate_nearest(vectors(), 9, TaskRunner(jobs)) for jobs in (1, 2))
    np.testing.assert_array_equal(one.found.names, two.found.names)
    np.testing.assert_array_equal(one.found.best, two.found.best)


def test_images_count_by_the_mean_of_their_readings_as_the_exact_search_counts_them() -> None:
    gaze, _ = made_gaze(images=60, readers=2, carries="image")
    comparison = prepare("density", gaze, {}, QUIET)
    nearly = comparison.nearly_nearest(3)
    exact = comparison.nearest(3).matrix
    found = np.sort(nearly.found.best, axis=1)
    wanted = np.sort(exact.data.reshape(60, 3), axis=1)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_hardly_any_readings_have_hardly_any_neighbours(count: int) -> None:
    nearly = approximate_nearest(vectors(count) if count > 78 else few(count), 5, TaskRunner(1))
    assert np.isfinite(nearly.found.best).sum() == (2 if count == 2 else 0)


def few(count: int) -> FeatureTable:
    return FeatureTable.of(list(np.eye(3, dtype=np.float32)[:count, None]))


def test_what_cannot_be_searched_so_is_refused_by_name(monkeypatch) -> None:
    gaze, _ = made_gaze(images=12, readers=2)
    with pytest.raises(SimilarityError, match="moment needs the exact search"):
        prepare("moment", gaze, {}, QUIET).nearly_nearest(3)
    with pytest.raises(SimilarityError, match="not by max"):
        prepare("density", gaze, {"combine": "max"}, QUIET).nearly_nearest(3)
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(SimilarityError, match="pip install faiss-cpu"):
        prepare("density", gaze, {}, QUIET).nearly_nearest(3)


def test_the_command_writes_the_graph_and_its_recall(tmp_path, capsys) -> None:
    gaze, _ = made_gaze(images=30, readers=1)
    folder, out = tmp_path / "g", tmp_path / "near.npz"
    folder.mkdir()
    for k, reading in enumerate(replace(gaze).gazes):
        points = np.rint(reading.points_image).astype(int).tolist()
        (folder / f"{k:02d}.json").write_text(json.dumps({"gaze": points}))
    words = ["similarity", "--gaze", str(folder), "--measure", "dwell", "--graph", str(out)]
    assert foveate.main([*words, "--top-k", "4", "--approximate"]) == 0
    assert load_npz(out).nnz == 120
    assert json.loads(out.with_suffix(".json").read_text())["recall"] >= 0.99
    assert "of the true 4 nearest are found" in capsys.readouterr().out
    assert foveate.main([*words, "--threshold", "0.5", "--approximate"]) == 2
