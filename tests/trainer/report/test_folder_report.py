"""A folder of radiographs and a labels file, no study: train, probe and report on them."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from tests.trainer.probe.radiographs import Radiographs, make_radiographs
from tests.trainer.report.test_report import Page
from trainer.command import main as train
from trainer.data.image_folder import find_images
from trainer.errors import ReportError
from trainer.probe.command import main as probe
from trainer.report.command import main as report
from trainer.report.folder_data import FolderFiles, gather_folder

pytestmark = pytest.mark.usefixtures("tiny_encoder")


@pytest.fixture
def made(tmp_path: Path) -> Radiographs:
    """40 images of 20 patients; those of every fourth patient are tested."""
    radiographs = make_radiographs(tmp_path / "data")
    for row in radiographs.rows:
        row["split"] = "test" if int(row["patient"][1:]) % 4 in (0, 1) else "train"
    radiographs.write_labels()
    return radiographs


def run_of(made: Radiographs, out: Path, *more: str) -> Path:
    words = ["--images", str(made.images), "--labels", str(made.labels), "--out", str(out)]
    words += ["--size", "32", "--batch", "8", "--epochs", "2", "--set", "onnx=false"]
    assert train([*words, "--device", "cpu", *more]) == 0
    return out


def relation_of(made: Radiographs, folder: Path) -> dict[str, Path]:
    """Write how alike the images are, by their class and chance, whole and as a graph."""
    names = list(find_images(made.images))
    labels = {row["image"]: row["label"] for row in made.rows}
    own = np.array([labels[name] for name in names])
    noise = np.random.default_rng(0).normal(0, 0.1, (len(names), len(names)))
    values = 0.4 + 0.3 * (own[:, None] == own[None, :]) + (noise + noise.T) / 2
    np.fill_diagonal(values, 1)
    np.savez(folder / "whole.npz", similarity=values, ids=np.array(names))
    graph = sparse.csr_array(np.where(values > 0.6, values, 0) * ~np.eye(len(names), dtype=bool))
    sparse.save_npz(folder / "graph.npz", graph)
    with np.load(folder / "graph.npz") as stored:
        np.savez(folder / "graph.npz", ids=np.array(names), **stored)
    return {"whole": folder / "whole.npz", "graph": folder / "graph.npz"}


def test_from_a_folder_to_a_report(made: Radiographs, tmp_path: Path, capsys) -> None:
    paths = relation_of(made, tmp_path)
    plain = run_of(made, tmp_path / "plain", "--pairs", "none")
    gaze = run_of(made, tmp_path / "gaze", "--relation", str(paths["whole"]),
                  "--positive-rate", "0.2")  # fmt: skip
    source = ["--images", str(made.images), "--labels", str(made.labels)]
    out = tmp_path / "probe"
    words = ["--encoder", str(plain), str(gaze), *source, "--label-budget", "6,all"]
    assert probe([*words, "--splits", str(gaze / "splits.json"), "--out", str(out)]) == 0
    rows = json.loads((out / "probe.json").read_text())
    assert {r["encoder"] for r in rows} == {"plain", "gaze", "raw-pixels", "untrained"}
    assert not any(r.get("transductive") for r in rows)  # those tested were held back by the run
    splits = json.loads((out / "splits.json").read_text())
    assert sorted(splits["test"]) == sorted(json.loads((gaze / "splits.json").read_text())["test"])

    page = tmp_path / "r.html"
    asked = [*source, "--runs", str(plain), str(gaze), "--probes", str(out), "--out", str(page)]
    assert report([*asked, "--relation", str(paths["whole"]), "--figures"]) == 0
    shown = Page(page)
    assert all(s.startswith(("#", "data:")) for s in shown.sources)
    assert shown.without_name == []
    text = " ".join(shown.text.split())
    for said in (
        "20 held out for testing", "Pair purity", "gaze, from a relation file", "0.2",
        "AUC of the linear probe", "raw-pixels", "were in a folder", "a/000.png", "all pairs",
        "their gaze similarity",
    ):  # fmt: skip
        assert said in text, said
    for unsaid in ("Data quality", "database schema", "cohort has changed", "measure tima"):
        assert unsaid not in text, unsaid
    figures = {path.name for path in (tmp_path / "r-figures").iterdir()}
    assert {"curves-plain.csv", "curves-gaze.csv", "similarity-of-pairs.csv"} <= figures


def test_a_graph_is_shown_and_a_shared_report_names_no_image(
    made: Radiographs, tmp_path: Path, capsys
) -> None:
    graph = relation_of(made, tmp_path)["graph"]
    gaze = run_of(made, tmp_path / "gaze", "--relation", str(graph), "--positive-rate", "0.2")
    page = tmp_path / "r.html"
    words = ["--images", str(made.images), "--labels", str(made.labels), "--runs", str(gaze)]
    assert report([*words, "--relation", str(graph), "--out", str(page), "--share"]) == 0
    text = Page(page).text
    assert "pairs that are not in the graph count as not positive" in text
    with made.labels.open() as file:
        names = [row["image"] for row in csv.DictReader(file)]
    assert not [name for name in names if name in page.read_text(encoding="utf-8")]
    assert "image/jpeg" not in page.read_text(encoding="utf-8")


def test_a_relation_is_cut_as_training_cuts_it(made: Radiographs, tmp_path: Path) -> None:
    paths = relation_of(made, tmp_path)
    with np.load(paths["whole"]) as stored:
        values, ids = stored["similarity"], stored["ids"]
    values[3] = values[:, 3] = np.nan
    np.savez(paths["whole"], similarity=values, ids=ids)
    with np.load(paths["graph"]) as stored:
        table = dict(stored)
    graph = sparse.csr_array((table["data"], table["indices"], table["indptr"]))
    sparse.save_npz(paths["graph"], sparse.csr_array(sparse.triu(graph)))  # one direction of each
    with np.load(paths["graph"]) as stored:
        np.savez(paths["graph"], ids=ids, **stored)
    whole, half = (
        gather_folder(FolderFiles(made.images, relation=path), []).similarity
        for path in (paths["whole"], paths["graph"])
    )
    assert whole is not None
    assert half is not None
    assert not whole.valid[3].any()
    assert np.isfinite(whole.matrix[whole.valid]).all()
    assert (half.valid == half.valid.T).all()
    assert half.valid.sum() == graph.nnz


def test_a_folder_without_runs_or_labels_says_what_is_missing(
    made: Radiographs, tmp_path: Path
) -> None:
    data = gather_folder(FolderFiles(made.images), [])
    assert {m.label for m in data.cohort.members} == {"a", "b"}  # of the parent folders
    page = tmp_path / "r.html"
    assert report(["--images", str(made.images), "--out", str(page)]) == 0
    text = " ".join(Page(page).text.split())
    assert "python main.py train --images images" in text
    assert "No encoder has been probed yet" in text
    with pytest.raises(ReportError, match=r"no run\.json"):
        gather_folder(FolderFiles(made.images), [tmp_path])


def test_files_of_a_folder_do_not_go_with_a_study(tmp_path: Path, capsys) -> None:
    for name in ("study.toml", "x.csv"):
        (tmp_path / name).touch()
    with pytest.raises(SystemExit):
        report(["--study", str(tmp_path), "--labels", str(tmp_path / "x.csv")])
    assert "only work with --images" in capsys.readouterr().err
