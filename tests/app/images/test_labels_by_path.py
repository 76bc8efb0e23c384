"""Labels of equal file names in different folders, as every CD and public collection has them."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from app.hanging.import_command import main
from app.images.importing.importer import import_paths
from app.images.importing.labels import read_labels
from app.images.importing.reconciliation import CONFLICT
from app.images.importing.relabelling import set_labels
from migrations.study.folder import Study
from migrations.study.schema import CaseImage, Image, StudyCase
from tests import ROOT
from tests.app.images.image_files import good, png

HANDED = ROOT.parent / "shared" / "cases" / "images"
BLANK = np.zeros((40, 30), np.uint8)


@pytest.fixture
def disc(tmp_path: Path) -> Path:
    """Return a folder of two patients whose files are named alike."""
    for seed, patient in enumerate(("P1", "P2")):
        (tmp_path / "cd" / patient).mkdir(parents=True)
        good(tmp_path / "cd" / patient / "1-1.dcm", seed)
    return tmp_path / "cd"


def labels(folder: Path, *rows: str) -> Path:
    path = folder / "labels.csv"
    path.write_text("\n".join(("image,label", *rows)) + "\n")
    return path


def stored(study: Study, disc: Path, csv: Path) -> dict[str, str | None]:
    """Import a disc; return the labels that its patients' images got."""
    results = import_paths(study, [disc], labels=csv)
    with study.database.read() as rows:
        found = {image.id: image.label for image in rows.scalars(select(Image))}
    return {r.path.parent.name: found[r.image_id] for r in results}


def test_a_label_of_one_folder_is_not_given_to_a_file_of_another(
    study: Study, disc: Path, tmp_path: Path
) -> None:
    found = stored(study, disc, labels(tmp_path, "P1/1-1.dcm,benign"))
    assert found == {"P1": "benign", "P2": None}


def test_equal_names_in_two_folders_have_two_labels(
    study: Study, disc: Path, tmp_path: Path
) -> None:
    csv = labels(tmp_path, "P1/1-1.dcm,benign", "P2/1-1.dcm,malignant")
    assert stored(study, disc, csv) == {"P1": "benign", "P2": "malignant"}


def test_rows_that_match_no_file_are_named(tmp_path: Path, capsys) -> None:
    image = good(tmp_path / "z01.dcm")
    csv = labels(tmp_path, "z01.dcm,benign", "not_there.dcm,malignant")
    words = ["--study", str(tmp_path / "study"), str(image), "--labels", str(csv)]
    code = main(words)
    said = "".join(capsys.readouterr())
    if code != 0 or "1 accepted" not in said:
        pytest.fail(f"the file was to be accepted: {said}")
    assert "not_there.dcm" in said


def test_a_row_that_means_both_files_is_refused_and_names_them(
    study: Study, disc: Path, tmp_path: Path
) -> None:
    results = import_paths(study, [disc], labels=labels(tmp_path, "1-1.dcm,benign"))
    assert [result.status for result in results] == ["refused"] * 2
    for result in results:
        assert all(str(disc / patient / "1-1.dcm") in result.reason for patient in ("P1", "P2"))
    with study.database.read() as rows:
        assert rows.scalars(select(Image)).all() == []


def test_patient_split_case_prior_and_practice_go_the_same_way(tmp_path: Path) -> None:
    """Four images of one name each: what a row says reaches its own file only."""
    for seed, folder in enumerate(("P1/now", "P1/then", "P2/now", "P3/now")):
        (tmp_path / "cd" / folder).mkdir(parents=True)
        good(tmp_path / "cd" / folder / "IM0", seed)
    (tmp_path / "l.csv").write_text(
        "image,patient,split,case,prior,practice\n"
        "P1/now/IM0,one,train,c1,,\nP1/then/IM0,one,train,c1,yes,\nP2/now/IM0,two,test,,,yes\n"
    )
    words = ["--study", str(tmp_path / "s"), str(tmp_path / "cd"), "--labels"]
    assert main([*words, str(tmp_path / "l.csv"), "--hang", "single"]) == 0
    study = Study.open(tmp_path / "s")
    with study.database.read() as rows:
        images = rows.scalars(select(Image).order_by(Image.import_number)).all()
        links = {link.image_id: link for link in rows.scalars(select(CaseImage))}
        cases = {case.id: case for case in rows.scalars(select(StudyCase))}
    study.close()
    groups = [image.source_group for image in images]
    assert [image.split for image in images] == ["train", "train", "test", None]
    assert groups[0] == groups[1]
    assert len(set(groups)) == 3
    hung = [cases[links[image.id].case_id] for image in images]
    assert hung[0].id == hung[1].id
    assert len({case.id for case in hung}) == 3
    assert (hung[0].hanging, [links[image.id].tile for image in images[:2]]) == ("prior", [0, 1])
    assert [case.practice for case in hung] == [False, False, True, False]


def test_the_reconciliation_is_the_last_object_of_json_and_a_csv(
    disc: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = labels(tmp_path, "P1/1-1.dcm,benign", "p2/1-1.dcm,x", "old/P2/1-1.dcm,y", "none.dcm,z")
    words = ["--study", str(tmp_path / "s"), str(disc), "--labels", str(table), "--json"]
    said = tmp_path / "said.csv"
    assert main([*words, "--reconciliation", str(said)]) == 0
    *files, last = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert [file["status"] for file in files] == ["accepted"] * 2
    found = last["reconciliation"]
    assert (found["rows"], found["matched"], found["encoding"]) == (4, 1, "UTF-8")
    assert [(row["line"], row["image"]) for row in found["rows_without_file"]] == [
        (3, "p2/1-1.dcm"), (4, "old/P2/1-1.dcm"), (5, "none.dcm"),
    ]  # fmt: skip
    texts = [row["text"] for row in found["rows_without_file"]]
    assert "differs in letter case" in texts[0]
    assert "shorten the row to P2/1-1.dcm" in texts[1]
    assert [row["file"] for row in found["files_without_row"]] == [str(disc / "P2/1-1.dcm")]
    assert found["conflicts"] == []
    with said.open(encoding="utf-8-sig", newline="") as file:
        kinds = [row["kind"] for row in csv.DictReader(file)]
    assert kinds == ["row without a file"] * 3 + ["file without a row"]
    if os.name == "posix":
        assert said.stat().st_mode & 0o077 == 0


def test_the_reconciliation_never_lies_in_the_study(
    disc: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--study", str(tmp_path / "s"), str(disc), "--reconciliation"]
    table = ["--labels", str(labels(tmp_path, "P1/1-1.dcm,benign"))]
    assert main([*words, str(tmp_path / "s" / "said.csv"), *table]) == 1
    assert "inside the study" in capsys.readouterr().err
    assert not (tmp_path / "s").exists()
    with pytest.raises(SystemExit) as stopped:
        main([*words, str(tmp_path / "said.csv")])
    assert stopped.value.code == 2


def test_conflicts_are_said_of_two_splits_and_of_what_the_study_says(
    disc: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--study", str(tmp_path / "s"), str(disc), "--labels", str(tmp_path / "l.csv")]
    rows = "image,label,patient,split\nP1/1-1.dcm,{},one,train\nP2/1-1.dcm,b,one,test\n"
    (tmp_path / "l.csv").write_text(rows.format("a"))
    assert main(words) == 0
    said = capsys.readouterr().out
    assert (
        "conflict, line 3: P2/1-1.dcm (its patient is in test here but in train in line 2" in said
    )
    (tmp_path / "l.csv").write_text(rows.format("c"))
    assert main([*words, "--json"]) == 0
    known, _, last = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert [note["code"] for note in known["notes"]] == ["known", "labels-differ"]
    assert "different label" in last["reconciliation"]["conflicts"][0]["text"]


def test_equal_pixels_of_another_patient_are_an_image_of_its_own(
    study: Study, tmp_path: Path
) -> None:
    """A blank image is in many folders: P2's row does not reach the image that came from P1."""
    for patient in ("P1", "P2"):
        (tmp_path / patient).mkdir()
        png(tmp_path / patient / "1.png", BLANK)
    (tmp_path / "l.csv").write_text("image,patient,label\nP1/1.png,one,\nP2/1.png,two,malignant\n")
    files = [tmp_path / "P1", tmp_path / "P2"]
    results = import_paths(study, files, labels=tmp_path / "l.csv")
    with study.database.read() as rows:
        found = {image.id: image.label for image in rows.scalars(select(Image))}
    assert found == {results[0].image_id: None, results[1].image_id: "malignant"}
    assert "different patient" in results[1].reason


def test_a_patient_said_later_ties_images_that_named_none(study: Study, tmp_path: Path) -> None:
    for number in (1, 2):
        png(tmp_path / f"{number}.png", BLANK + number)
    (tmp_path / "l.csv").write_text("image,patient\n1.png,one\n2.png,one\n")
    files = [tmp_path / "1.png", tmp_path / "2.png"]
    import_paths(study, files)
    import_paths(study, files, labels=tmp_path / "l.csv")
    with study.database.read() as rows:
        first, second = rows.scalars(select(Image.source_group)).all()
    assert first == second


@pytest.mark.skipif(not HANDED.is_dir(), reason="the handed cases are not beside the checkout")
def test_the_handed_disc_is_labelled_right(study: Study, tmp_path: Path) -> None:
    names = {"P1": "z01_28x28.dcm", "P2": "s01_pixelspacing_equals_imager.dcm"}
    for patient, name in names.items():
        (tmp_path / "cd" / patient).mkdir(parents=True)
        (tmp_path / "cd" / patient / "1-1.dcm").write_bytes((HANDED / name).read_bytes())
    table = labels(tmp_path, "P1/1-1.dcm,benign", "P2/1-1.dcm,malignant")
    assert stored(study, tmp_path / "cd", table) == {"P1": "benign", "P2": "malignant"}


def test_a_patient_told_by_the_files_is_not_in_two_splits_without_a_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both are of one Patient ID; the second comes in later, with another csv."""
    for number, split in enumerate(("train", "test")):
        good(tmp_path / f"{split}.dcm", number)
        (tmp_path / "l.csv").write_text(f"image,split\n{split}.dcm,{split}\n")
        table = ["--labels", str(tmp_path / "l.csv"), "--json"]
        main(["--study", str(tmp_path / "s"), str(tmp_path / f"{split}.dcm"), *table])
    first, before, second, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert before["reconciliation"]["conflicts"] == []
    assert second["notes"][-1]["code"] == "split-differs"
    (conflict,) = last["reconciliation"]["conflicts"]
    assert f"image {first['image_name']} of its patient is in train" in conflict["text"]


def test_labels_alone_do_not_put_a_patient_into_two_splits_without_a_word(
    study: Study, tmp_path: Path
) -> None:
    one, two = import_paths(study, [good(tmp_path / f"{n}.dcm", n) for n in range(2)])
    (tmp_path / "l.csv").write_text(f"image,split\n{one.image_id},train\n{two.image_id},test\n")
    found = set_labels(study, read_labels(tmp_path / "l.csv"))
    assert [row.line for row in found.of(CONFLICT)] == [3]
