"""Good files come in, hostile ones are refused by reason, and the rest goes on."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import uid
from pydicom.data import get_testdata_file
from sqlalchemy import select

from app.errors import ImageUnreadable, ImportRefused, LabelsError
from app.hanging.import_command import main
from app.images.importing.importer import import_paths
from app.images.importing.labels import LabelRow, read_labels
from app.images.store import load
from migrations.study.folder import Study
from migrations.study.names import short_name
from migrations.study.schema import Audit, CaseImage, Image, StudyCase
from tests import ROOT
from tests.app.images.image_files import good, png


def test_an_accepted_file_is_an_image_a_case_and_an_audit_row(study: Study, tmp_path: Path) -> None:
    result = import_paths(study, [good(tmp_path / "x.dcm", photometric="MONOCHROME1")])[0]
    with study.database.read() as session:
        image = session.scalars(select(Image)).one()
        case = session.scalars(select(StudyCase)).one()
        link = session.scalars(select(CaseImage)).one()
        audit = session.scalars(select(Audit)).one()
    assert (image.rows, image.columns, image.bits) == (40, 30, 12)
    assert (image.photometric, image.modality, image.view) == ("MONOCHROME1", "MG", "CC")
    assert (image.laterality, image.burned_in, image.import_number) == ("L", "no", 1)
    assert image.column_spacing_mm == 0.24
    assert (case.name, case.position, case.hanging) == (short_name(image.id), 0, "one-up")
    assert short_name(case.id) == short_name(image.id)
    assert (link.case_id, link.image_id) == (case.id, image.id)
    assert (audit.action, audit.subject) == ("image imported", result.image_id)


def test_the_same_pixels_in_another_transfer_syntax_are_known(study: Study, tmp_path: Path) -> None:
    first = good(tmp_path / "x.dcm")
    packed = pydicom.dcmread(first)
    packed.compress(uid.JPEGLSLossless)
    packed.save_as(tmp_path / "y.dcm")
    results = import_paths(study, [first, tmp_path / "y.dcm"])
    assert [result.status for result in results] == ["accepted", "known"]
    assert results[0].image_id == results[1].image_id


@pytest.mark.parametrize(
    "name",
    [
        "MR_small.dcm", "MR_small_bigendian.dcm", "MR_small_RLE.dcm", "MR_small_implicit.dcm",
        "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "image_dfl.dcm",
        "JPEG2000.dcm", "ExplVR_LitEndNoMeta.dcm",
    ],
)  # fmt: skip
def test_each_transfer_syntax_gives_pydicoms_own_array(tmp_path: Path, name: str) -> None:
    import app.images.decoding.read_dicom as reader

    path = Path(get_testdata_file(name))
    dataset = pydicom.dcmread(path, force=True)
    if "TransferSyntaxUID" not in dataset.file_meta:
        with pytest.raises(ImportRefused, match=r"without a picture \(RTPLAN\)"):
            reader.read_dicom(path, b"k")
        return
    stored, attributes, _ = reader.read_dicom(path, b"k")
    expected = dataset.pixel_array
    np.testing.assert_array_equal(stored, expected)
    assert stored.dtype == expected.dtype.newbyteorder("=")
    assert attributes.signed == (dataset.PixelRepresentation == 1)


def test_rle_is_never_given_to_another_decoder_than_pydicoms() -> None:
    from app.images.decoding.dicom_pixels import PLUGINS

    assert PLUGINS[uid.RLELossless] == "pydicom"


@pytest.mark.parametrize(
    ("pixels", "note", "kind"),
    [
        (np.arange(600, dtype=np.uint16).reshape(20, 30) * 100, "", np.uint16),
        (np.arange(600, dtype=np.uint16).reshape(20, 30).astype(np.uint8), "", np.uint8),
        (np.full((9, 9, 3), 7, np.uint8), "", np.uint8),
        (np.full((9, 9, 3), (9, 0, 0), np.uint8), "colour image", np.uint8),
    ],
)
def test_png_keeps_its_depth_and_its_colour(
    study: Study, tmp_path: Path, pixels: np.ndarray, note: str, kind: type
) -> None:
    result = import_paths(study, [png(tmp_path / "x.png", pixels)])[0]
    stored = load(study, result.image_id or "").stored
    assert (result.status, stored.dtype) == ("accepted", kind)
    assert note in result.reason
    grey = pixels.ndim == 2 or not note
    np.testing.assert_array_equal(stored, pixels if pixels.ndim == 2 or note else pixels[..., 0])
    assert stored.ndim == (2 if grey else 3)


def test_sixteen_bit_colour_png_keeps_sixteen_bits(tmp_path: Path) -> None:
    import cv2

    from app.images.decoding.read_raster import read_raster

    grey = (np.arange(400, dtype=np.uint16) * 163).reshape(20, 20)
    cv2.imwrite(str(tmp_path / "x.png"), np.dstack([grey, grey, grey]))
    np.testing.assert_array_equal(read_raster(tmp_path / "x.png", "PNG")[0], grey)
    red = np.zeros((4, 4, 3), np.uint16)
    red[..., 2] = 10_000  # OpenCV writes blue first
    cv2.imwrite(str(tmp_path / "r.png"), red)
    assert read_raster(tmp_path / "r.png", "PNG")[0][0, 0].tolist() == [10_000, 0, 0]


def test_a_transparent_png_is_refused(study: Study, tmp_path: Path) -> None:
    pixels = np.zeros((5, 5, 4), np.uint8)
    result = import_paths(study, [png(tmp_path / "x.png", pixels)])[0]
    assert (result.status, "transparent" in result.reason) == ("refused", True)


def test_folders_are_walked_and_progress_counts_their_files(study: Study, tmp_path: Path) -> None:
    (tmp_path / "cd" / "SER1").mkdir(parents=True)
    good(tmp_path / "cd" / "SER1" / "IM1", 1)
    good(tmp_path / "cd" / "SER1" / "IM2", 2)
    (tmp_path / "cd" / "DICOMDIR").write_bytes(b"x")
    seen: list[tuple[int, int]] = []
    results = import_paths(
        study, [tmp_path / "cd" / "DICOMDIR"], progress=lambda *step: seen.append(step)
    )
    assert [result.path.name for result in results] == ["IM1", "IM2"]
    assert seen == [(1, 2), (2, 2)]


def test_a_missing_or_damaged_image_is_named(study: Study, tmp_path: Path) -> None:
    result = import_paths(study, [good(tmp_path / "x.dcm")])[0]
    stored = study.image_folder(result.image_id or "") / "stored.npy"
    stored.write_bytes(stored.read_bytes()[:100])
    with pytest.raises(ImageUnreadable, match="missing or damaged"):
        load(study, result.image_id or "")
    with pytest.raises(ImageUnreadable, match="nowhere"):
        load(study, "nowhere")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_labels_name_paths_whatever_separates_their_columns(tmp_path: Path, separator: str) -> None:
    text = "﻿Image,label,patient,split\nfolder/a.dcm,mass,P1,train\nb.dcm,,,\n"
    (tmp_path / "l.csv").write_text(text.replace(",", separator), encoding="utf-8")
    first, second = read_labels(tmp_path / "l.csv").lines
    assert first.parts == ("folder", "a.dcm")
    assert (first.row.label, first.row.patient, first.row.split) == ("mass", "P1", "train")
    assert (second.parts, second.row) == (("b.dcm",), LabelRow())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,label\na,b\n", "no column `image`"),
        ("image,label\na,b\na,c\n", "also appears"),
        ("image,label\nP1/a,b\n.\\P1\\a,c\n", "line 3: .* also appears in line 2"),
        ("image,label\n,c\n", "is empty"),
        ("image,split\na,tset\n", "line 2: split is 'tset'"),
        ("image,label\na,find\0ing\n", "line 2: it contains a zero byte"),
        ("", "no column"),
    ],
)
def test_a_labels_file_that_makes_no_sense_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "l.csv").write_text(text)
    with pytest.raises(LabelsError, match=said):
        read_labels(tmp_path / "l.csv")


def test_a_label_given_later_completes_a_known_image(study: Study, tmp_path: Path) -> None:
    path = good(tmp_path / "x.dcm")
    (tmp_path / "l.csv").write_text("image,label,split\nx.dcm,mass,test\n")
    import_paths(study, [path])
    assert import_paths(study, [path], labels=tmp_path / "l.csv")[0].status == "known"
    with study.database.read() as session:
        image = session.scalars(select(Image)).one()
        assert (image.label, image.split) == ("mass", "test")


def test_the_command_prints_one_object_per_file_and_nothing_else(tmp_path: Path) -> None:
    path = good(tmp_path / "x.dcm")
    (tmp_path / "bad.dcm").write_text("x")
    words = [
        "import",
        "--study",
        str(tmp_path / "s"),
        str(path),
        str(tmp_path / "bad.dcm"),
        "--json",
    ]
    run = subprocess.run(
        [sys.executable, "main.py", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    first, second = (json.loads(line) for line in run.stdout.splitlines())
    (folder,) = (tmp_path / "s" / "images").iterdir()
    name = short_name(folder.name)
    assert first == {
        "path": str(path), "status": "accepted", "reason": "", "image_name": name,
        "rows": 40, "columns": 30, "bits": 12, "photometric": "MONOCHROME2",
        "pixels_sha256": first["pixels_sha256"], "notes": [],
    }  # fmt: skip
    assert second["status"] == "refused"
    assert set(second) == {"path", "status", "reason"}


def test_the_command_says_each_file_and_fails_if_none_was_accepted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.dcm").write_text("x")
    study = ["--study", str(tmp_path / "s")]
    assert main([*study, str(tmp_path / "bad.dcm")]) == 1
    assert "refused" in capsys.readouterr().out
    assert main([*study, str(good(tmp_path / "x.dcm"))]) == 0
    assert main([*study, str(tmp_path / "x.dcm")]) == 0
    said = capsys.readouterr().out
    assert "30 × 40, 12 bit" in said
    assert "0 accepted, 1 known, 0 refused" in said
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == 2
