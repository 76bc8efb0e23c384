import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from sqlalchemy import select

import main as foveate
from migrations.study.names import names_of
from migrations.study.schema import SimilarityRun
from tests.trainer.gaze_study import StudyMaker
from tests.trainer.made_readings import gaze
from trainer.similarity import command
from trainer.similarity.registry import compare, untaught


def scan(seed: int, count: int = 120) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    places = rng.uniform(60, 740, (6, 2))[np.sort(rng.integers(0, 6, count))]
    return np.clip(places + rng.normal(0, 12, (count, 2)), 0, 799).astype(int).tolist()


READINGS = {"b10": scan(1), "b2": scan(2), "a": [], "c": scan(3), "d": [[300, 300]] * 20}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "gaze"
    path.mkdir()
    for name, points in READINGS.items():
        entry = {"gaze": points, "img": f"x/{name}.png", "case": name[:1], "gt": "x"}
        (path / f"{name}.json").write_text(json.dumps(entry))
    return path


def run(*words: object) -> int:
    return foveate.main(["similarity", *map(str, words)])


def expected(measure: str, names: list[str], settings=None):
    return compare(measure, [gaze(READINGS[n]) for n in names], settings, jobs=1)


BY_NAME = ["a", "b10", "b2", "c", "d"]  # as text: b10 before b2


def test_a_station_is_told_how_far_it_is(folder, tmp_path, capsys, monkeypatch) -> None:
    heard, said = os.pipe()
    with os.fdopen(heard) as stdin, os.fdopen(said, "w"):
        monkeypatch.setattr("sys.stdin", stdin)
        out = tmp_path / "relation.npy"
        assert run("--gaze", folder, "--out", out, "--jobs", 1, "--events", "json") == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith('{"event"')]
    told = [json.loads(line) for line in lines]
    done = [e for e in told if e["event"] == "progress" and e["unit"] == "pairs"]
    assert done[-1]["done"] == done[-1]["total"]


@pytest.mark.parametrize("measure", sorted(untaught()))
def test_a_folder_becomes_a_matrix_in_order_of_names(measure, folder, tmp_path, capsys) -> None:
    out = tmp_path / "relation.npy"
    assert run("--gaze", folder, "--measure", measure, "--out", out, "--jobs", 1) == 0
    wanted = expected(measure, BY_NAME)
    np.testing.assert_array_equal(np.load(out), wanted.matrix)
    said = json.loads(out.with_suffix(".json").read_text())
    assert said["ids"] == BY_NAME
    assert said["measure"] == measure
    assert said["parameters"]["canvas"] == 800
    assert said["valid"] == np.diagonal(wanted.valid).tolist()
    assert said["valid_pairs"] == np.triu(wanted.valid, 1).sum()
    upper = wanted.matrix[np.triu_indices(5, 1)][wanted.valid[np.triu_indices(5, 1)]]
    assert said["positive_rates"]["0.9"] == pytest.approx((upper > 0.9).mean())
    assert "800 × 800" in said["note"]
    assert "positive rate" in capsys.readouterr().out.lower()


def test_npz_holds_the_same_in_one_file(folder, tmp_path) -> None:
    out = tmp_path / "relation.npz"
    assert run("--gaze", folder, "--measure", "tima", "--out", out) == 0
    wanted = expected("tima", BY_NAME)
    with np.load(out) as found:
        assert set(found.files) == {"similarity", "valid", "ids"}
        np.testing.assert_array_equal(found["similarity"], wanted.matrix)
        np.testing.assert_array_equal(found["valid"], wanted.valid)
        assert found["ids"].tolist() == BY_NAME


def test_an_order_and_parameters_are_followed(folder, tmp_path) -> None:
    order, out = tmp_path / "names.txt", tmp_path / "r.npz"
    order.write_text("c.json\nb2\n\nx\\b10.png\n")
    words = ("--set", "min_samples_divisor=20", "--set", "weight_mu=0.5", "--set", "weight_hu=0.5")
    assert run("--gaze", folder, "--order", order, "--out", out, *words) == 0
    settings = {"min_samples_divisor": 20, "weight_mu": 0.5, "weight_hu": 0.5}
    names = ["c", "b2", "b10"]
    with np.load(out) as found:
        assert found["ids"].tolist() == names
        np.testing.assert_array_equal(found["similarity"], expected("tima", names, settings).matrix)


def test_all_dimensions_of_multimatch(folder, tmp_path) -> None:
    out = tmp_path / "r.npy"
    words = ("--measure", "multimatch", "--dimensions", "all", "--set", "grouping=false")
    assert run("--gaze", folder, *words, "--out", out) == 0
    matrix = np.load(out)
    assert matrix.shape == (5, 5, 5)
    wanted = expected("multimatch", BY_NAME, {"grouping": False})
    np.testing.assert_allclose(matrix.mean(axis=2), wanted.matrix)
    said = json.loads(out.with_suffix(".json").read_text())
    assert said["dimensions"] == ["shape", "direction", "length", "position", "duration"]


def test_a_graph_opens_in_scipy(folder, tmp_path) -> None:
    path = tmp_path / "graph.npz"
    assert run("--gaze", folder, "--measure", "moment", "--graph", path, "--threshold", 0.5) == 0
    graph = sparse.load_npz(path)
    wanted = expected("moment", BY_NAME)
    off = ~np.eye(5, dtype=bool)
    dense = np.where((wanted.matrix > 0.5) & wanted.valid & off, wanted.matrix, 0)
    np.testing.assert_allclose(graph.toarray(), dense, atol=1e-6)
    with np.load(path) as found:
        assert found["ids"].tolist() == BY_NAME
        assert str(found["measure"]) == "moment"
        assert found["valid"].tolist() == [n != "a" for n in BY_NAME]
    assert json.loads(path.with_suffix(".json").read_text())["threshold"] == 0.5
    assert run("--gaze", folder, "--graph", path, "--top-k", 2) == 0
    assert sparse.load_npz(path).nnz == 8  # "a" has no gaze
    with np.load(path) as found:
        assert found["valid"].tolist() == [n != "a" for n in BY_NAME]


def test_a_canvas_of_another_size_and_shape(folder, tmp_path) -> None:
    out = tmp_path / "r.npy"
    assert run("--gaze", folder, "--canvas", 400, "--measure", "density", "--out", out) == 0
    small = [gaze(READINGS[n], 400, 400) for n in BY_NAME]
    wanted = compare("density", small, {"canvas": 400}, jobs=1)
    np.testing.assert_array_equal(np.load(out), wanted.matrix)
    assert run("--gaze", folder, "--canvas", "1920x1080", "--out", out) == 0
    wide = [gaze(READINGS[n], 1920, 1080) for n in BY_NAME]
    wanted = compare("tima", wide, {"canvas": 1920, "proportions": "image"}, jobs=1)
    np.testing.assert_array_equal(np.load(out), wanted.matrix)
    assert run("--gaze", folder, "--image-size", "1000x900", "--out", out) == 0
    framed = [gaze(READINGS[n], 1000, 900) for n in BY_NAME]
    np.testing.assert_array_equal(np.load(out), compare("tima", framed, jobs=1).matrix)


def test_miceye_csv_of_both_versions(tmp_path) -> None:
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    names = ["c", "b10", "b2"]
    one.write_text(
        "".join(f"D:\\x\\{n}.png;1;{READINGS[n]};[];(-1, -1)\n" for n in names), encoding="utf-8"
    )
    scaled = {n: [[[2 * x, 2 * y], 2.0] for x, y in READINGS[n]] for n in names}
    two.write_text("".join(f"/x/{n}.png;1;{scaled[n]};[];(-1, -1)\n" for n in names))
    wanted = expected("tima", sorted(names)).matrix
    for path in (one, two):
        out = tmp_path / "r.npz"
        assert run("--gaze", path, "--out", out) == 0
        with np.load(out) as found:
            assert found["ids"].tolist() == sorted(names)
            np.testing.assert_array_equal(found["similarity"], wanted)


def test_an_image_with_two_lines_counts_once(tmp_path) -> None:
    path, out = tmp_path / "m.csv", tmp_path / "r.npy"
    rows = [("p", "b10"), ("q", "b2"), ("p", "c")]
    path.write_text("".join(f"{i}.png;1;{READINGS[n]};[];(-1, -1)\n" for i, n in rows))
    assert run("--gaze", path, "--measure", "moment", "--out", out) == 0
    each = expected("moment", ["b10", "c", "b2"]).matrix
    assert np.load(out)[0, 1] == pytest.approx(each[:2, 2].mean())
    assert run("--gaze", path, "--measure", "moment", "--combine", "max", "--out", out) == 0
    assert np.load(out)[0, 1] == each[:2, 2].max()


@pytest.mark.parametrize("measure", sorted(untaught()))
def test_every_parameter_is_accepted_by_name(measure, folder, tmp_path) -> None:
    out = tmp_path / "r.npy"
    assert run("--gaze", folder, "--measure", measure, "--out", out) == 0
    said = json.loads(out.with_suffix(".json").read_text())["parameters"]
    del said["reader"]
    words = [word for name, value in said.items() for word in ("--set", f"{name}={value}")]
    before = np.load(out)
    assert run("--gaze", folder, "--measure", measure, "--out", out, *words) == 0
    np.testing.assert_array_equal(np.load(out), before)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--measure", "timer"), 2, "There is no measure 'timer'"),
        (("--set", "epsilon=1"), 2, "tima has no parameter 'epsilon'"),
        (("--set", "eps"), 2, "NAME=VALUE"),
        (("--out", "r.txt"), 2, "must end in .npy or .npz"),
        (("--graph", "g.npz"), 2, "--graph needs one of"),
        (("--canvas", "bigx2"), 2, "WIDTHxHEIGHT"),
        (("--dimensions", "all"), 2, "tima has only one dimension"),
        (("--positive-rate", "2"), 2, "is not between 0 and 1"),
        (("--jobs", "-1"), 2, "a number of threads"),
    ],
)
def test_what_is_mistyped_is_named(words, code, said, folder, capsys) -> None:
    assert run("--gaze", folder, *words) == code
    shown = " ".join(capsys.readouterr().out.split())
    assert said in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("x.json", "{", "x.json cannot be read as JSON"),
        ("x.json", "[1]", "x.json is not a gaze file"),
        ("x.json", '{"points": []}', "x.json is not a gaze file"),
        ("x.json", '{"gaze": [[1, 2], [3]]}', "must be a list of pairs"),
        ("x.json", '{"gaze": [["a", 2]]}', "must be a list of pairs"),
        ("x.json", '{"gaze": [1, 2]}', "must be a list of pairs"),
    ],
)
def test_a_damaged_file_is_named(name, text, said, folder, capsys) -> None:
    (folder / name).write_text(text)
    assert run("--gaze", folder) == 1
    assert said in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("a.png;1\n", "line 1: a MicEye line has the form"),
        ("a.png;1;[[1,2];;\n", "line 1: the gaze cannot be read"),
        ("a.png;1;[[[1,2],0]];;\n", "line 1: each sample of a version 2"),
        ("a.png;1;__import__('os');;\n", "line 1: the gaze cannot be read"),
    ],
)
def test_a_damaged_csv_is_named(text, said, tmp_path, capsys) -> None:
    path = tmp_path / "m.csv"
    path.write_text(text)
    assert run("--gaze", path) == 1
    assert said in " ".join(capsys.readouterr().out.split())


def test_nothing_there(tmp_path, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        run("--gaze", tmp_path / "none")
    assert ended.value.code == 2
    assert "does not exist" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert run("--gaze", tmp_path / "empty") == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert "neither study.toml nor a gaze file" in shown


def test_gaze_on_one_image_cannot_be_compared(tmp_path, capsys) -> None:
    only = tmp_path / "one"
    only.mkdir()
    (only / "a.json").write_text(json.dumps({"gaze": scan(1), "img": "a.png"}))
    assert run("--gaze", only, "--out", tmp_path / "m.npy") == 1
    assert "has gaze on 1 image; a comparison needs at least 2" in flat(capsys)
    assert not (tmp_path / "m.npy").exists()


def test_a_study_without_gaze_is_not_done(maker: StudyMaker, capsys) -> None:
    maker.study.close()
    assert run("--study", maker.study.folder) == 1
    assert "has gaze on 0 images" in flat(capsys)


def flat(capsys) -> str:
    return " ".join(capsys.readouterr().out.split())


def test_what_the_command_wrote_into_the_folder_is_no_gaze(folder) -> None:
    for _ in range(2):
        assert run("--gaze", folder, "--out", folder / "relation.npy") == 0
    assert np.load(folder / "relation.npy").shape == (5, 5)


def test_a_lost_sample_is_left_out(folder, tmp_path) -> None:
    with_gap = [*READINGS["c"][:50], [None, None], *READINGS["c"][50:]]
    (folder / "e.json").write_text(json.dumps({"gaze": with_gap}))
    out = tmp_path / "r.npy"
    assert run("--gaze", folder, "--measure", "moment", "--out", out) == 0
    assert np.load(out)[3, 5] == 1.0


def test_a_stop_writes_nothing(folder, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(command.StopRequest, "__call__", lambda self: True)
    out = tmp_path / "r.npy"
    assert run("--gaze", folder, "--out", out) == 3
    assert "Stopped" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == [folder]


@pytest.fixture
def maker(tmp_path: Path) -> Iterator[StudyMaker]:
    made = StudyMaker.create(tmp_path / "study")
    yield made
    made.study.close()


def test_a_study_keeps_its_run_with_findings(maker: StudyMaker, tmp_path, capsys) -> None:
    still = np.repeat([(60.0, 60.0)], 60, axis=0)
    images = [maker.image() for _ in range(3)]
    for k, image in enumerate(images):
        maker.read_once(image, still + 40 * k, 1_000_000 * (k + 1) * 5)
    out = tmp_path / "r.npz"
    words = ("--measure", "density", "--out", out, "--agreement", "moment", "tima")
    assert run("--gaze", maker.study.folder, *words, "--threshold", 0.5) == 0
    with np.load(out) as found:
        assert found["ids"].tolist() == images
        matrix = found["similarity"]
    with maker.study.database.read() as session:
        row = session.scalars(select(SimilarityRun)).one()
        findings = row.details["findings"]
        assert (row.measure, row.image_count, row.threshold) == ("density", 3, 0.5)
    assert findings["items"] == 3
    assert findings["distribution"]["valid_pairs"] == 3
    upper = matrix[np.triu_indices(3, 1)]
    assert findings["matches"]["positive_rate"] == pytest.approx((upper > 0.5).mean())
    assert len(list((maker.study.cache / "gaze-features").glob("density-*.npz"))) == 1
    assert run("--gaze", maker.study.folder, "--reader", "R02") == 1
    assert "There is no reader 'R02'. Readers: R01" in capsys.readouterr().out


def test_images_of_a_study_are_told_and_ordered_by_their_names(maker, tmp_path, capsys) -> None:
    path = np.column_stack((np.linspace(10, 190, 100), np.full(100, 60.0)))
    images = [maker.image() for _ in range(3)]
    for k, image in enumerate(images):
        maker.read_once(image, path + 5 * k, 1_000_000 * (k + 1) * 5)
    with maker.study.database.read() as session:
        names = names_of(session, "image")
    order, out = tmp_path / "order.txt", tmp_path / "r.npz"
    order.write_text(f"{names[images[2]].lower()}\n{images[0]}\n{names[images[1]]}\n")
    words = ("--measure", "dhash", "--threshold", 1.5)
    assert run("--gaze", maker.study.folder, "--order", order, "--out", out, *words) == 0
    said = json.loads(out.with_suffix(".json").read_text())
    assert said["ids"] == [images[2], images[0], images[1]]
    assert said["names"] == [names[i] for i in said["ids"]]
    shown = " ".join(capsys.readouterr().out.split())
    assert "3 are positive with none: " + ", ".join(said["names"]) in shown
    order.write_text("\n".join(i[:2] for i in images))
    assert run("--gaze", maker.study.folder, "--order", order) == 1
    assert "may mean 3 images" in " ".join(capsys.readouterr().out.split())
