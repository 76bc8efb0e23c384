"""Which image a file is: by pixels, their shape and meaning, and the patient."""

import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
from sqlalchemy import select

from app.hanging.import_command import main
from app.images.importing.importer import import_paths
from app.images.importing.results import ImportResult
from migrations.study.erasure import erase_images
from migrations.study.folder import Study
from migrations.study.names import short_name
from migrations.study.schema import Image
from tests.app.images.image_files import good, png


def changed(source: Path, name: str, **elements: object) -> Path:
    """Write a copy of a DICOM file that says otherwise."""
    dataset = pydicom.dcmread(source)
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    path = source.with_name(name)
    dataset.save_as(path)
    return path


def statuses(results: list[ImportResult]) -> list[str]:
    return [result.status for result in results]


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"Rows": 30, "Columns": 40}, "shape"),
        ({"PhotometricInterpretation": "MONOCHROME1"}, "photometric interpretation"),
        ({"BitsStored": 16, "HighBit": 15, "PixelRepresentation": 1}, "number format"),
        ({"PatientID": "FICT-10", "SOPInstanceUID": "1.2.3"}, "patient"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_same_bytes_may_be_another_image_and_it_says_what_is_another(
    study: Study, tmp_path: Path, other: dict[str, object], what: str
) -> None:
    first = good(tmp_path / "a.dcm")
    results = import_paths(study, [first, changed(first, "b.dcm", **other)])
    assert statuses(results) == ["accepted", "accepted"]
    assert results[0].pixels_sha256 == results[1].pixels_sha256
    (note,) = (one for one in results[1].notes if one.code == "same-pixels")
    name = short_name(str(results[0].image_id))
    assert f"image {name} has the same pixels but a different {what};" in note.text
    again = import_paths(study, [first, tmp_path / "b.dcm"])
    assert statuses(again) == ["known", "known"]
    assert [r.image_id for r in again] == [r.image_id for r in results]


def test_a_known_image_is_named_with_what_the_file_says_otherwise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = good(tmp_path / "a.dcm")
    other = changed(first, "b.dcm", ImageLaterality="R", WindowCenter=[9, 9, 9])
    assert main(["--study", str(tmp_path / "s"), str(first), str(other), "--json"]) == 0
    new, other = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert other["status"] == "known"
    assert other["image_name"] == new["image_name"]
    assert [note["text"] for note in other["notes"]][-2:] == [
        f"it is image {new['image_name']}, which is already in the study",
        "this file has a different laterality, windows, which was ignored",
    ]


def test_a_file_is_known_though_a_csv_named_its_patient_before(
    study: Study, tmp_path: Path
) -> None:
    file = good(tmp_path / "a.dcm")
    (tmp_path / "l.csv").write_text("image,patient\na.dcm,one\n")
    first = import_paths(study, [file], labels=tmp_path / "l.csv")[0]
    assert statuses(import_paths(study, [file])) == ["known"]
    (tmp_path / "l.csv").write_text("image,patient\na.dcm,two\n")
    again = import_paths(study, [file], labels=tmp_path / "l.csv")[0]
    assert (again.status, again.image_id) == ("known", first.image_id)
    assert "gives a different patient" in again.reason


def test_a_picture_that_names_nobody_is_whichever_there_is(study: Study, tmp_path: Path) -> None:
    file = png(tmp_path / "a.png", np.zeros((9, 9), np.uint8))
    (tmp_path / "l.csv").write_text("image,patient\na.png,one\n")
    first = import_paths(study, [file], labels=tmp_path / "l.csv")[0]
    assert import_paths(study, [file])[0].image_id == first.image_id


def test_erased_pixels_do_not_come_back_as_another_patients(study: Study, tmp_path: Path) -> None:
    first = good(tmp_path / "a.dcm")
    (image_id,) = (result.image_id for result in import_paths(study, [first]))
    erase_images(study.database, [str(image_id)])
    other = changed(
        first, "b.dcm", PatientID="FICT-10", SOPInstanceUID="1.2.3", Rows=30, Columns=40
    )
    assert statuses(import_paths(study, [first, other])) == ["refused", "refused"]
    with study.database.read() as rows:
        assert rows.scalars(select(Image)).all() == []


def test_a_patient_with_decomposed_accents_is_the_one_the_csv_names(
    study: Study, tmp_path: Path
) -> None:
    first = good(tmp_path / "a.dcm")
    utf8 = {"SpecificCharacterSet": "ISO_IR 192", "SOPInstanceUID": "1.2.3"}
    changed(first, "b.dcm", PatientID="Jose\u0301", **utf8)
    (tmp_path / "l.csv").write_text("image,patient\na.dcm,Jos\u00e9\n", encoding="utf-8")
    import_paths(study, [first, tmp_path / "b.dcm"], labels=tmp_path / "l.csv")
    with study.database.read() as rows:
        assert len({image.source_group for image in rows.scalars(select(Image))}) == 1
