import json
from dataclasses import replace

import numpy as np
import pytest

import main as foveate
from tests.trainer.made_readings import gaze
from tests.trainer.similarity.evidence.made_cohort import made_gaze
from trainer.errors import SimilarityError
from trainer.similarity.base import Gaze
from trainer.similarity.cohort_pass import read_fitted, write_fitted
from trainer.similarity.comparison import ComparisonControl, prepare
from trainer.similarity.registry import compare
from trainer.similarity.sources import GazeList

QUIET = ComparisonControl(jobs=1)


def biased(images: int = 40) -> GazeList:
    """Return a cohort in which everybody looks at the middle first, wherever the image calls."""
    made, _ = made_gaze(images=images, carries="image")
    rng = np.random.default_rng(1)
    gazes = [
        Gaze(np.concatenate((400 + rng.normal(0, 40, (60, 2)), g.points_image)), 800, 800)
        for g in made.gazes
    ]
    return replace(made, gazes=gazes)


def test_a_reading_is_alike_to_itself_and_both_ways_and_nothing_has_no_value() -> None:
    found = compare("dwell", [*biased(6).gazes, gaze([])], jobs=1)
    np.testing.assert_allclose(np.diagonal(found.matrix)[:-1], 1)
    np.testing.assert_array_equal(found.matrix, found.matrix.T)
    assert np.abs(found.matrix).max() <= 1
    assert not found.valid[-1].any()
    assert found.valid[:-1, :-1].all()


def test_what_everybody_looks_at_makes_nobody_alike() -> None:
    """Beside the same maps of which the cohort's mean is not taken away."""
    cohort = biased()
    others = cohort.owners[:, None] != cohort.owners

    def of_two_images(**settings: float) -> float:
        return float(compare("dwell", cohort.gazes, settings, jobs=1).matrix[others].mean())

    assert abs(of_two_images(prior=0)) < 0.05
    assert of_two_images(prior=1e9) > of_two_images() > of_two_images(prior=0)


def test_one_reading_alone_still_has_a_value() -> None:
    found = compare("dwell", [gaze([(100, 100)] * 9)], jobs=1)
    assert found.valid.all()
    assert found.matrix[0, 0] == 1


def test_nothing_is_learnt_of_held_out_images() -> None:
    cohort = biased(12)
    held = tuple(k >= 9 for k in range(12))
    marked = replace(cohort, held_out=held)
    changed = list(cohort.gazes)
    changed[-1] = Gaze(np.full((50, 2), 20.0), 800, 800)
    first = prepare("dwell", marked, {}, QUIET)
    second = prepare("dwell", replace(marked, gazes=changed), {}, QUIET)
    assert first.fitted is not None
    assert second.fitted is not None
    np.testing.assert_array_equal(first.fitted["mean"], second.fitted["mean"])
    np.testing.assert_array_equal(first.matrix().matrix[:9, :9], second.matrix().matrix[:9, :9])
    assert not np.array_equal(
        prepare("dwell", replace(cohort, gazes=changed), {}, QUIET).matrix().matrix[:9, :9],
        first.matrix().matrix[:9, :9],
    )


def test_what_was_learnt_is_kept_and_taken_again(tmp_path) -> None:
    cohort, path = biased(10), tmp_path / "c.npz"
    whole = prepare("dwell", cohort, {}, QUIET)
    assert whole.fitted is not None
    write_fitted(path, "dwell", whole.fitted)
    few = replace(cohort, ids=cohort.ids[:2], gazes=cohort.gazes[:4], owners=cohort.owners[:4],
                  readers=cohort.readers[:4])  # fmt: skip
    again = prepare("dwell", few, {}, replace(QUIET, fitted=read_fitted(path, "dwell")))
    np.testing.assert_allclose(again.matrix().matrix, whole.matrix().matrix[:2, :2], atol=1e-6)
    with pytest.raises(SimilarityError, match="fitted for dwell"):
        read_fitted(path, "other")
    with pytest.raises(SimilarityError, match="not belong to dwell"):
        prepare("dwell", few, {"grid": 8}, replace(QUIET, fitted=whole.fitted)).matrix()


def test_the_command_keeps_it_beside_the_matrix_and_takes_it(tmp_path) -> None:
    folder, out, again = tmp_path / "g", tmp_path / "m.npy", tmp_path / "n.npy"
    folder.mkdir()
    for k, reading in enumerate(biased(8).gazes):
        points = np.rint(reading.points_image).astype(int).tolist()
        (folder / f"{k:02d}.json").write_text(json.dumps({"gaze": points}))
    words = ["similarity", "--gaze", str(folder), "--measure", "dwell", "--jobs", "1", "--out"]
    assert foveate.main([*words, str(out)]) == 0
    kept = tmp_path / "m.cohort.npz"
    assert kept.is_file()
    assert foveate.main([*words, str(again), "--cohort", str(kept)]) == 0
    np.testing.assert_array_equal(np.load(out), np.load(again))
    assert foveate.main([*words, str(again), "--cohort", str(tmp_path / "no.npz")]) == 2
