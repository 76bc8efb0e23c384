"""Nothing of the test set chooses anything; what has been seen is said."""

import json

import cv2
import numpy as np
import pytest

from tests.trainer.probe.radiographs import make_radiographs, save_encoder
from trainer.probe.command import main

pytestmark = pytest.mark.usefixtures("tiny_encoder")


def probe(made, out, *words: str, encoder=None) -> int:
    encoder = encoder or save_encoder(made.folder / "encoder.safetensors")
    return main(
        ["--encoder", str(encoder), "--images", str(made.images), "--labels", str(made.labels),
         "--label-budget", "6,all", "--repeats", "2", "--device", "cpu", "--out", str(out), *words]
    )  # fmt: skip


def read(folder, name: str):
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
def fixed(tmp_path):
    """Images whose table says who is tested: the last 16 of 40."""
    made = make_radiographs(tmp_path / "data")
    for number, row in enumerate(made.rows):
        row["split"] = "test" if number >= 24 else "train"
    made.write_labels()
    return made


def _blot(made, rows) -> None:
    for row in rows:
        path = made.images / row["image"]
        noise = np.random.default_rng(len(row["image"])).integers(0, 255, (48, 40), dtype=np.uint8)
        cv2.imencode(path.suffix, noise)[1].tofile(path)


def _swap(made, rows) -> None:
    for row in rows:
        row["label"] = {"left": "right", "right": "left"}[row["label"]]
    made.write_labels()


@pytest.mark.parametrize("change", [_swap, _blot])
def test_test_labels_and_images_change_no_fitted_choice(fixed, tmp_path, change):
    assert probe(fixed, tmp_path / "before", "--repeats", "1") == 0
    change(fixed, fixed.rows[24:])
    assert probe(fixed, tmp_path / "after", "--repeats", "1") == 0
    assert read(tmp_path / "after", "choices") == read(tmp_path / "before", "choices")
    assert read(tmp_path / "after", "probe") != read(tmp_path / "before", "probe")


@pytest.mark.parametrize("change", [_swap, _blot])
def test_a_training_image_does_change_what_is_fitted(fixed, tmp_path, change):
    assert probe(fixed, tmp_path / "before", "--repeats", "1") == 0
    change(fixed, fixed.rows[:2])
    assert probe(fixed, tmp_path / "after", "--repeats", "1") == 0
    assert read(tmp_path / "after", "choices") != read(tmp_path / "before", "choices")


def test_an_encoder_that_saw_test_images_is_refused_unless_said(fixed, tmp_path, capsys):
    seen = " ".join(fixed.fingerprint(row["image"]) for row in fixed.rows[20:26])
    encoder = save_encoder(tmp_path / "seen.safetensors", seen_images=seen)
    assert probe(fixed, tmp_path / "out", encoder=encoder) == 1
    said = capsys.readouterr().err
    assert "seen.safetensors saw 2 of the 16 test images" in said
    assert "--transductive" in said
    assert not (tmp_path / "out").exists()
    assert probe(fixed, tmp_path / "out", "--transductive", encoder=encoder) == 0
    table = capsys.readouterr().out
    rows = read(tmp_path / "out", "probe")
    own = [row for row in rows if row["encoder"] == "seen.safetensors"]
    assert own
    assert all(row["transductive"] is True for row in own)
    assert all("transductive" not in row for row in rows if row not in own)
    assert table.count("TRANSDUCTIVE") == 5  # two probes, two budgets, and the last word


def test_an_encoder_that_saw_training_images_only_is_fine(fixed, tmp_path, capsys):
    seen = " ".join(fixed.fingerprint(row["image"]) for row in fixed.rows[:24])
    encoder = save_encoder(tmp_path / "seen.safetensors", seen_images=seen)
    assert probe(fixed, tmp_path / "out", "--probes", "knn", encoder=encoder) == 0
    assert "unknown" not in capsys.readouterr().out


def test_an_encoder_that_does_not_say_is_called_unknown(fixed, tmp_path, capsys):
    assert probe(fixed, tmp_path / "out", "--probes", "knn") == 0
    assert "does not say which images were used for pre-training" in capsys.readouterr().out


def test_a_leak_is_refused(fixed, tmp_path, capsys):
    fixed.rows[0]["split"] = "test"
    fixed.write_labels()
    assert probe(fixed, tmp_path / "out") == 1
    assert "(P00)" in capsys.readouterr().err


def test_equal_pixels_never_lie_on_both_sides(tmp_path, capsys):
    made = make_radiographs(tmp_path / "data")
    copy = (made.images / made.rows[1]["image"]).read_bytes()
    (made.images / made.rows[5]["image"]).write_bytes(copy)
    assert probe(made, tmp_path / "out", "--repeats", "3", "--probes", "knn") == 0
    for part in read(tmp_path / "out", "splits")["repeats"]:
        both = [made.rows[k]["image"] in part["test"] for k in (1, 5)]
        assert both[0] == both[1]
    assert "share images with identical pixels" in capsys.readouterr().out
