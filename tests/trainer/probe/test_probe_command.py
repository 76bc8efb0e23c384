import csv
import json

import pytest

from main import main
from tests.trainer.probe.radiographs import make_radiographs, save_encoder
from tests.trainer.tiny_study import make_study

pytestmark = pytest.mark.usefixtures("tiny_encoder")
KEYS = {"encoder", "probe", "budget", "metric", "mean", "low", "high", "repeats"}


def run(*words: object) -> int:
    return main(["probe", *map(str, words), "--device", "cpu"])


@pytest.fixture
def made(tmp_path):
    return make_radiographs(tmp_path / "data")


@pytest.fixture
def encoder(tmp_path):
    return save_encoder(tmp_path / "my.safetensors")


def rows_of(out) -> list[dict]:
    return json.loads((out / "probe.json").read_text(encoding="utf-8"))


def test_a_folder_is_probed_beside_both_baselines(made, encoder, tmp_path, capsys):
    out = tmp_path / "out"
    words = ("--encoder", encoder, "--images", made.images, "--labels", made.labels, "--out", out)
    assert run(*words, "--label-budget", "6,20,all,500", "--repeats", 3) == 0
    rows = rows_of(out)
    assert all(set(row) == KEYS for row in rows)
    assert {row["encoder"] for row in rows} == {"my.safetensors", "raw-pixels", "untrained"}
    assert {row["budget"] for row in rows} == {6, 20, "all"}
    assert {row["probe"] for row in rows} == {"linear", "knn"}
    assert {row["metric"] for row in rows} == {"auc", "accuracy", "balanced_accuracy"}
    assert all(row["low"] <= row["mean"] <= row["high"] for row in rows)
    assert {row["repeats"] for row in rows} == {3}
    raw = next(r for r in rows if (r["encoder"], r["probe"], r["budget"], r["metric"])
               == ("raw-pixels", "linear", "all", "auc"))  # fmt: skip
    assert raw["mean"] > 0.9  # the disc is plain to see
    with (out / "probe.csv").open(encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert [float(r["mean"]) for r in table] == [r["mean"] for r in rows]
    said = capsys.readouterr().out
    assert "Budget 500 was left out" in said
    about = json.loads((out / "about.json").read_text(encoding="utf-8"))
    assert about["encoders"][0]["sha256"]
    assert about["settings"]["seed"] == 0
    compared = json.loads((out / "comparisons.json").read_text(encoding="utf-8"))
    pairs = {(c["encoder"], c["other"]) for c in compared}
    assert pairs == {("my.safetensors", "raw-pixels"), ("my.safetensors", "untrained")}
    assert {c["test"] for c in compared} == {"corrected resampled t"}


def test_the_same_seed_and_the_stored_splits_give_the_same_figures(made, encoder, tmp_path):
    words = ("--encoder", encoder, "--images", made.images, "--labels", made.labels,
             "--label-budget", "6", "--probes", "knn", "--repeats", 2)  # fmt: skip
    assert run(*words, "--out", tmp_path / "one", "--seed", 5) == 0
    assert run(*words, "--out", tmp_path / "two", "--seed", 5) == 0
    stored = tmp_path / "one" / "splits.json"
    assert run(*words, "--out", tmp_path / "three", "--seed", 5, "--splits", stored) == 0
    assert run(*words, "--out", tmp_path / "four", "--seed", 6) == 0
    assert rows_of(tmp_path / "one") == rows_of(tmp_path / "two") == rows_of(tmp_path / "three")
    assert rows_of(tmp_path / "one") != rows_of(tmp_path / "four")


def test_grades_have_error_and_kappa_and_a_released_split(tmp_path, encoder):
    made = make_radiographs(tmp_path / "grades", 60, ("0", "1", "2"))
    names = [row["image"] for row in made.rows]
    splits = tmp_path / "released.json"
    splits.write_text(json.dumps({"train": names[:30], "val": names[30:36], "test": names[36:]}))
    out = tmp_path / "out"
    assert run("--encoder", encoder, "--images", made.images, "--labels", made.labels, "--splits",
               splits, "--out", out, "--label-budget", "12,all", "--repeats", 2) == 0  # fmt: skip
    rows = rows_of(out)
    assert {"mae", "quadratic_kappa"} <= {row["metric"] for row in rows}
    assert {row["repeats"] for row in rows if row["budget"] == "all"} == {1}
    assert {row["repeats"] for row in rows if row["budget"] == 12} == {2}
    compared = json.loads((out / "comparisons.json").read_text(encoding="utf-8"))
    assert {c["test"] for c in compared} == {"paired bootstrap"}


def test_a_study_is_probed_with_its_own_split_by_run_name(tmp_path):
    study = make_study(tmp_path / "study", 16, test_images=6)
    for name, seed in (("gaze", 1), ("plain", 2)):
        save_encoder(study.runs / name / "encoder.safetensors", seed)
    study.close()
    assert run("--study", study.folder, "--encoder", "gaze", "--encoder", study.runs / "plain",
               "--label-budget", "4,all", "--repeats", 2) == 0  # fmt: skip
    out = study.exports / "probe"
    rows = rows_of(out)
    assert {row["encoder"] for row in rows} == {"gaze", "plain", "raw-pixels", "untrained"}
    splits = json.loads((out / "splits.json").read_text(encoding="utf-8"))
    assert len(splits["test"]) == 6


def test_finetuning_learns_and_leaves_raw_pixels_out(made, encoder, tmp_path, monkeypatch):
    monkeypatch.setattr("trainer.probe.finetune.HEAD_RATE", 0.02)
    monkeypatch.setattr("trainer.probe.finetune.RATE", 0.01)
    out = tmp_path / "out"
    assert run("--encoder", encoder, "--images", made.images, "--labels", made.labels, "--out", out,
               "--probes", "finetune", "--label-budget", "all", "--repeats", 1) == 0  # fmt: skip
    rows = rows_of(out)
    assert {row["encoder"] for row in rows} == {"my.safetensors", "untrained"}


def test_weights_beside_are_a_baseline(made, encoder, tmp_path):
    weights = save_encoder(tmp_path / "net" / "resnet18.safetensors", seed=9)
    out = tmp_path / "out"
    assert (
        run(
            "--encoder",
            encoder,
            "--images",
            made.images,
            "--labels",
            made.labels,
            "--out",
            out,
            "--imagenet",
            weights,
            "--probes",
            "knn",
            "--label-budget",
            "6",
            "--repeats",
            1,
        )
        == 0
    )
    assert "imagenet" in {row["encoder"] for row in rows_of(out)}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param(("--encoder", "none"), 2, "no such file", id="encoder"),
        pytest.param(("--probes", "linaer"), 1, "choose from linear, knn, finetune", id="probe"),
        pytest.param(("--label-budget", "0"), 1, "--label-budget 0", id="budget"),
        pytest.param(("--size", "3"), 1, "--size 3", id="size"),
    ],
)
def test_what_cannot_be_used_is_named(made, encoder, capsys, words, code, said):
    given = {"--encoder": encoder, "--images": made.images, "--labels": made.labels}
    given.update({words[0]: words[1]})
    assert run(*(part for item in given.items() for part in item)) == code
    assert said in capsys.readouterr().err


def test_a_file_that_is_no_encoder_is_named(made, tmp_path, capsys):
    wrong = tmp_path / "wrong.safetensors"
    wrong.write_bytes(b"no weights")
    assert run("--encoder", wrong, "--images", made.images, "--labels", made.labels) == 2
    assert "wrong.safetensors" in capsys.readouterr().err


def test_labels_are_needed(made, encoder, capsys):
    with pytest.raises(SystemExit) as stopped:
        run("--encoder", encoder, "--images", made.images)
    assert stopped.value.code == 2
    assert "--images needs --labels" in capsys.readouterr().err
