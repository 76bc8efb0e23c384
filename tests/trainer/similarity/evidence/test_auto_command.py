import json
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

import main as foveate
from migrations.study.evidence import kept_evidence
from migrations.study.schema import SimilarityRun
from tests.trainer.similarity.evidence.made_cohort import made_gaze
from tests.trainer.tiny_study import make_study


def write(folder: Path, carries: str) -> list[str]:
    """Write one file a reading, named by image and reader; return the labels of the images."""
    gaze, labels = made_gaze(images=24, carries=carries)
    folder.mkdir()
    for k, reading in enumerate(gaze.gazes):
        image = gaze.ids[gaze.owners[k]]
        content = {"gaze": np.rint(reading.points_image).astype(int).tolist(),
                   "img": f"x/{image}.png", "reader": gaze.readers[k]}  # fmt: skip
        (folder / f"{image}_{gaze.readers[k]}.json").write_text(json.dumps(content))
    return labels


def run(*words: object) -> int:
    return foveate.main(["similarity", *map(str, words)])


def table(path: Path, labels: list[str], column: str = "image") -> Path:
    lines = [f"{column},label", *(f"i{k:03d}.png,{label}" for k, label in enumerate(labels))]
    path.write_text("\n".join([*lines, "elsewhere.png,lung"]) + "\n")
    return path


def test_auto_writes_the_matrix_of_the_measure_that_it_recommends(tmp_path, capsys) -> None:
    labels = write(tmp_path / "gaze", "label")
    out, named = tmp_path / "auto.npz", tmp_path / "named.npz"
    given = table(tmp_path / "labels.csv", labels)
    assert run("--gaze", tmp_path / "gaze", "--measure", "auto", "--labels", given,
               "--out", out, "--jobs", 1) == 0  # fmt: skip
    said = json.loads(out.with_suffix(".json").read_text())
    evidence = said["evidence"]
    assert evidence["carries"]
    assert evidence["labelled_images"] == 24
    assert (evidence["items"], evidence["images"]) == (48, 24)
    assert said["measure"] == evidence["recommended"]
    printed = capsys.readouterr().out
    assert "purity" in printed
    assert "is recommended" in printed
    assert run("--gaze", tmp_path / "gaze", "--measure", said["measure"], "--out", named,
               "--jobs", 1) == 0  # fmt: skip
    with np.load(out) as first, np.load(named) as second:
        for name in ("similarity", "valid", "ids"):
            np.testing.assert_array_equal(first[name], second[name])


def test_auto_that_finds_nothing_says_so_writes_density_and_ends_well(tmp_path, capsys) -> None:
    labels = write(tmp_path / "gaze", "nothing")
    out = tmp_path / "auto.npy"
    given = table(tmp_path / "labels.csv", labels)
    assert run("--gaze", tmp_path / "gaze", "--measure", "auto", "--labels", given,
               "--out", out, "--jobs", 1) == 0  # fmt: skip
    assert json.loads(out.with_suffix(".json").read_text())["measure"] == "density"
    assert "Gaze pairs are unlikely to help" in capsys.readouterr().out


def test_auto_goes_into_a_graph_too(tmp_path) -> None:
    write(tmp_path / "gaze", "image")
    graph = tmp_path / "g.npz"
    assert run("--gaze", tmp_path / "gaze", "--measure", "auto", "--graph", graph, "--top-k", 3,
               "--jobs", 1) == 0  # fmt: skip
    with np.load(graph) as file:
        assert str(file["measure"]) in ("density", "dhash")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--set", "eps=0.1"), 2),
        (("--dimensions", "all"), 2),
        (("--labels", "missing.csv"), 2),
    ],
)
def test_what_auto_cannot_take_is_refused_before_gaze_is_read(words, code, tmp_path) -> None:
    nothing = tmp_path / "nothing"  # of it is read: a folder without gaze is an error of its own
    nothing.mkdir()
    assert run("--gaze", nothing, "--measure", "auto", *words) == code


def test_an_image_with_two_labels_is_refused(tmp_path, capsys) -> None:
    labels = write(tmp_path / "gaze", "label")
    given = table(tmp_path / "labels.csv", labels)
    given.write_text(given.read_text() + "i000_R0,other\n")
    assert run("--gaze", tmp_path / "gaze", "--measure", "auto", "--labels", given) == 1
    assert "two labels" in capsys.readouterr().out


def test_a_study_is_judged_by_its_labels_but_those_of_the_test_split(tmp_path, capsys) -> None:
    study = make_study(tmp_path / "s", images=26, test_images=4)
    out = tmp_path / "m.npz"
    assert run("--study", tmp_path / "s", "--measure", "auto", "--out", out, "--jobs", 1) == 0
    said = json.loads(out.with_suffix(".json").read_text())
    assert said["evidence"]["labelled_images"] == 22
    assert said["evidence"]["items"] == 26
    with study.database.read() as rows:
        kept = kept_evidence(rows.scalars(select(SimilarityRun.details)).one())
    study.close()
    assert kept is not None
    assert kept.recommended == said["measure"]


def test_lines_of_a_miceye_csv_are_readings_of_their_own_readers(tmp_path) -> None:
    gaze, labels = made_gaze(images=24, carries="label")
    lines = [
        f"x/{gaze.ids[owner]}.png;0;{np.rint(one.points_image).astype(int).tolist()};[];(-1, -1)"
        for owner, one in zip(gaze.owners, gaze.gazes, strict=True)
    ]
    (tmp_path / "m.csv").write_text("\n".join(lines) + "\n")
    given, out = table(tmp_path / "labels.csv", labels), tmp_path / "m.npy"
    assert run("--gaze", tmp_path / "m.csv", "--measure", "auto", "--labels", given,
               "--out", out, "--jobs", 1) == 0  # fmt: skip
    evidence = json.loads(out.with_suffix(".json").read_text())["evidence"]
    assert (evidence["items"], evidence["readings"], evidence["labelled_images"]) == (24, 48, 24)
    assert {row["measure"]: row for row in evidence["rows"]}["density"]["separation"] is not None
    assert all(row["rereads"] is None for row in evidence["rows"])
