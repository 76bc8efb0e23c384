"""`taught` and `encoder` learn of labels and readers, and are judged on what they did not see."""

import csv
import json
import sys
from dataclasses import replace

import numpy as np
import pytest

import main as foveate
from tests.trainer.similarity.evidence.made_cohort import made_gaze
from trainer.errors import NothingToLearnError, SimilarityError
from trainer.similarity.base import Gaze
from trainer.similarity.comparison import ComparisonControl, prepare
from trainer.similarity.evidence.halves import by_halves
from trainer.similarity.evidence.judge import Judging, PairRule, judge
from trainer.similarity.sources import GazeList, readings_alone

QUIET = ComparisonControl(jobs=1)
RULE = PairRule(0.05)


def hidden(images: int = 80) -> tuple[GazeList, list[str]]:
    """Return a cohort whose label is in one of four places only; each image also has its own."""
    made, _ = made_gaze(images=images, readers=1, carries="image")
    labels = [("left", "right")[k % 2] for k in range(images)]
    rng = np.random.default_rng(3)
    gazes = []
    for reading, label in zip(made.gazes, labels, strict=True):
        spot = np.array((250.0 if label == "left" else 550.0, 700.0))
        seen = spot + rng.normal(0, 15, (12, 2))
        gazes.append(Gaze(np.concatenate((reading.points_image, seen)), 800, 800))
    return replace(made, gazes=gazes, labels=tuple(labels)), labels


def purity_of(measure: str, gaze: GazeList, labels: list[str]):
    row = judge(gaze, labels, Judging(RULE, {}, (measure,)), QUIET).rows[0]
    assert row.purity is not None
    return row.purity


def test_labels_bring_out_what_gaze_carries_beside_much_else() -> None:
    gaze, labels = hidden()
    taught = purity_of("taught", gaze, labels)
    assert taught.low > 1
    assert taught.value > purity_of("dwell", gaze, labels).value + 0.2


def test_labels_that_mean_nothing_are_not_made_to_mean_something() -> None:
    """Judged on what it learnt of, the same measure would seem to know them all."""
    gaze, _ = made_gaze(images=80, readers=1, carries="image")
    labels = list(np.random.default_rng(5).permutation(["a", "b"] * 40))
    taught = purity_of("taught", gaze, labels)
    assert taught.low < 1 < taught.high
    seen = prepare("taught", replace(gaze, labels=tuple(labels)), {"label_weight": 1}, QUIET)
    matrix = seen.matrix().matrix[np.triu_indices(80, 1)]
    same = np.equal.outer(labels, labels)[np.triu_indices(80, 1)]
    assert same[matrix > np.quantile(matrix, 0.95)].mean() > 0.8


def test_no_pair_is_judged_of_which_one_was_seen() -> None:
    gaze, _ = hidden()
    found = by_halves("taught", readings_alone(gaze), {}, QUIET)
    linked = found.valid.astype(int)
    assert linked.diagonal().all()
    assert (linked @ linked > 0).sum() == linked.sum()  # two groups with nothing between
    assert sorted({int(row.sum()) for row in linked}) == [40]


def test_nothing_is_learnt_of_the_test_split() -> None:
    gaze, _ = hidden()
    held = tuple(k >= 60 for k in range(80))
    other = (*gaze.labels[:60], *("right",) * 20)
    first, second = (
        prepare("taught", replace(gaze, held_out=held, labels=labels), {}, QUIET).fitted
        for labels in (gaze.labels, other)
    )
    assert first is not None
    assert second is not None
    for name, learnt in first.items():
        np.testing.assert_array_equal(learnt, second[name])


def test_too_few_labels_or_one_label_only_are_refused_by_name() -> None:
    gaze, labels = hidden(30)
    few = tuple(label if k < 19 else "" for k, label in enumerate(labels))
    for known in (few, ("a",) * 30, ()):
        with pytest.raises(NothingToLearnError, match="Add labels"):
            prepare("taught", replace(gaze, labels=known), {}, QUIET)


def test_the_encoder_finds_the_image_in_the_gaze_of_others_whom_it_never_saw() -> None:
    gaze, _ = made_gaze(images=40, readers=2, carries="image")
    row = judge(gaze, [None] * 40, Judging(RULE, {}, ("encoder",)), QUIET).rows[0]
    assert row.separation is not None
    assert row.separation.low > 0.8


def test_the_encoder_learns_the_same_again_and_changes_something() -> None:
    gaze, _ = made_gaze(images=24, readers=2, carries="image")
    first, second = (prepare("encoder", gaze, {}, QUIET) for _ in range(2))
    np.testing.assert_array_equal(first.matrix().matrix, second.matrix().matrix)
    assert first.fitted is not None
    assert np.abs(first.fitted["matrix"] - np.eye(len(first.fitted["matrix"]))).max() > 0.01


def test_the_encoder_refuses_what_nobody_read_twice_and_a_place_without_torch(monkeypatch) -> None:
    alone, _ = made_gaze(images=24, readers=1)
    with pytest.raises(NothingToLearnError, match="read by two people; there are 0"):
        prepare("encoder", alone, {}, QUIET)
    gaze, _ = made_gaze(images=24, readers=2)
    fitted = prepare("encoder", gaze, {}, QUIET).fitted
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(SimilarityError, match=r"pip install foveate\[train\]"):
        prepare("encoder", gaze, {}, QUIET)
    prepare("encoder", gaze, {}, replace(QUIET, fitted=fitted)).matrix()  # needs NumPy alone


@pytest.mark.parametrize("measure", ["taught", "encoder"])
def test_readings_without_gaze_are_invalid_and_values_lie_within_one(measure: str) -> None:
    gaze, _ = made_gaze(images=30, readers=2)
    empty = [*gaze.gazes[:-2], Gaze(np.empty((0, 2)), 800, 800), Gaze(np.ones((1, 2)), 800, 800)]
    labels = tuple("ab"[k % 2] for k in range(30))
    alone = readings_alone(replace(gaze, gazes=empty, labels=labels))
    found = prepare(measure, alone, {}, QUIET).matrix()
    assert np.isfinite(found.matrix).all()
    assert np.abs(found.matrix).max() <= 1
    np.testing.assert_array_equal(found.matrix, found.matrix.T)
    assert not found.valid[-2].any()
    assert found.valid[-1].sum() == 59


def test_the_command_teaches_keeps_what_was_learnt_and_takes_it_again(tmp_path) -> None:
    gaze, labels = hidden(40)
    folder, table = tmp_path / "g", tmp_path / "labels.csv"
    folder.mkdir()
    for k, reading in enumerate(gaze.gazes):
        points = np.rint(reading.points_image).astype(int).tolist()
        (folder / f"{k:02d}.json").write_text(json.dumps({"gaze": points}))
    with table.open("w", newline="") as file:
        csv.writer(file).writerows(
            [("image", "label"), *((f"{k:02d}", v) for k, v in enumerate(labels))]
        )
    words = ["similarity", "--gaze", str(folder), "--measure", "taught", "--jobs", "1"]
    out, again = tmp_path / "m.npy", tmp_path / "n.npy"
    assert foveate.main([*words, "--out", str(out)]) == 1  # no labels, nothing to learn of
    assert foveate.main([*words, "--labels", str(table), "--out", str(out)]) == 0
    kept = str(tmp_path / "m.cohort.npz")
    assert foveate.main([*words, "--cohort", kept, "--out", str(again)]) == 0
    np.testing.assert_array_equal(np.load(out), np.load(again))
