"""Good files come in, hostile ones are refused by reason, and the rest goes on."""

import io
import json
import logging
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image as PilImage
from pydicom import uid
from pydicom.data import get_testdata_file
from sqlalchemy import select

from app.demo.phantom_files import Encoding, dicom_file
from app.errors import ImageUnreadable, ImportRefused, ImportStopped, LabelsError
from app.images import deidentify
from app.images.command import main
from app.images.decode import Decoder
from app.images.importer import import_files, import_paths
from app.images.labels import read_labels
from app.images.store import load
from migrations.errors import DiskFull
from migrations.schema import Audit, CaseImage, Image, StudyCase
from migrations.settings import StudySettings
from migrations.study import Study

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FOVEATE_CONFIG_DIR", str(tmp_path / "config"))
    return tmp_path / "config"


@pytest.fixture
def study(tmp_path: Path):
    study = Study.create(tmp_path / "study", StudySettings())
    yield study
    study.close()


def good(path: Path, seed: int = 0, photometric: str = "MONOCHROME2") -> Path:
    brightness = np.random.default_rng(seed).random((40, 30), np.float32)
    brightness[0] = 0
    who = ("FICT-9", "Quill^Ada")
    dicom_file(path, brightness, Encoding(12, photometric, "explicit"), who, "L CC", seed + 1)
    return path


def png(path: Path, pixels: np.ndarray) -> Path:
    PilImage.fromarray(pixels).save(path, "PNG")
    return path


def hostile(folder: Path) -> dict[str, Path]:
    """Return files that must be refused, by what their reason must say."""
    source = good(folder / "whole.tmp").read_bytes()
    files = {"truncated": folder / "a.dcm", "neither DICOM": folder / "b.dcm"}
    files["truncated"].write_bytes(source[:-700])
    files["neither DICOM"].write_text("this is no image")
    files["65,535 × 65,535"] = _edited(folder / "c.dcm", source, rle=True)
    files["unpacks to more than"] = _bomb(folder / "d.dcm")
    files["is empty"] = folder / "e.dcm"
    files["is empty"].touch()
    lying = b"\x89PNG\r\n\x1a\n" + _chunk(
        b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0)
    )
    files["60,000 × 60,000"] = folder / "f.png"
    files["60,000 × 60,000"].write_bytes(lying + _chunk(b"IDAT", b"x"))
    short = lying.replace(struct.pack(">II", 60000, 60000), struct.pack(">II", 500, 500))
    files["no intact PNG"] = folder / "g.png"
    files["no intact PNG"].write_bytes(short)
    jpeg = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (99, 99)).astype(np.uint8)
    PilImage.fromarray(noise).save(jpeg, "JPEG")
    files["no intact JPEG"] = folder / "h.jpg"
    files["no intact JPEG"].write_bytes(jpeg.getvalue()[:2000])
    files["without a picture (SR)"] = Path(get_testdata_file("test-SR.dcm"))
    files["12-bit JPEG Extended"] = Path(get_testdata_file("JPGExtended.dcm"))
    files["colour image"] = Path(get_testdata_file("SC_rgb_rle.dcm"))
    files["no such file"] = folder / "missing.dcm"
    (folder / "whole.tmp").unlink()
    return files


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _edited(path: Path, source: bytes, *, rle: bool) -> Path:
    dataset = pydicom.dcmread(io.BytesIO(source))
    if rle:
        dataset.compress(uid.RLELossless)
    dataset.Rows = dataset.Columns = 65535
    dataset.save_as(path)
    return path


def _bomb(path: Path) -> Path:
    """Write a deflated file of half a megabyte that unpacks to 400 MB."""
    dataset = pydicom.dcmread(good(path))
    dataset.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
    dataset.save_as(path)
    data = path.read_bytes()
    meta_end = 144 + struct.unpack("<I", data[140:144])[0]
    inner = zlib.decompress(data[meta_end:], -15)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(inner + b"\xff\xff\xff\xff"[:0])
    block = bytes(4 << 20)
    packed += b"".join(packer.compress(block) for _ in range(100)) + packer.flush()
    path.write_bytes(data[:meta_end] + packed)
    assert path.stat().st_size < 1_000_000
    return path


def test_each_hostile_file_is_refused_by_reason_and_the_good_ones_go_on(
    study: Study, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    bad = hostile(folder)
    paths = [good(folder / "first.dcm", 1), *bad.values(), good(folder / "last", 2)]
    results = import_paths(study, paths)
    assert [results[0].status, results[-1].status] == ["accepted", "accepted"]
    for reason, result in zip(bad, results[1:-1], strict=True):
        assert result.status == "refused"
        assert reason in result.reason, result
    assert len(list((study.folder / "images").iterdir())) == 2


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
    assert (case.name, case.position, case.hanging) == ("Case 001", 0, "one-up")
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
    import app.images.read_dicom as reader

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
    from app.images.read_dicom import _PLUGINS

    assert _PLUGINS[uid.RLELossless] == "pydicom"


@pytest.mark.parametrize(
    ("pixels", "note", "kind"),
    [
        (np.arange(600, dtype=np.uint16).reshape(20, 30) * 100, "", np.uint16),
        (np.arange(600, dtype=np.uint16).reshape(20, 30).astype(np.uint8), "", np.uint8),
        (np.full((9, 9, 3), 7, np.uint8), "", np.uint8),
        (np.full((9, 9, 3), (9, 0, 0), np.uint8), "colour converted", np.uint8),
    ],
)
def test_png_keeps_its_depth_and_colour_becomes_grey(
    study: Study, tmp_path: Path, pixels: np.ndarray, note: str, kind: type
) -> None:
    result = import_paths(study, [png(tmp_path / "x.png", pixels)])[0]
    stored = load(study, result.image_id or "").stored
    assert (result.status, stored.dtype) == ("accepted", kind)
    assert note in result.reason
    if pixels.ndim == 2:
        np.testing.assert_array_equal(stored, pixels)
    assert stored.shape == pixels.shape[:2]


def test_sixteen_bit_colour_png_keeps_sixteen_bits(tmp_path: Path) -> None:
    import cv2

    from app.images.read_raster import read_raster

    grey = (np.arange(400, dtype=np.uint16) * 163).reshape(20, 20)
    cv2.imwrite(str(tmp_path / "x.png"), np.dstack([grey, grey, grey]))
    np.testing.assert_array_equal(read_raster(tmp_path / "x.png", "PNG")[0], grey)
    red = np.zeros((4, 4, 3), np.uint16)
    red[..., 2] = 10_000  # OpenCV writes blue first
    cv2.imwrite(str(tmp_path / "r.png"), red)
    assert read_raster(tmp_path / "r.png", "PNG")[0][0, 0] == 2990


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


def test_a_file_that_kills_the_decoder_is_refused_and_the_next_one_decoded(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = good(tmp_path / "a.dcm", 1), good(tmp_path / "b.dcm", 2)
    with Decoder(b"k" * 32) as decoder:
        connection = decoder._started()
        assert decoder._process is not None
        decoder._process.kill()  # what an abort in a codec looks like from here
        decoder._process.join()
        decoder._process = _SaysAlive(decoder._process)
        with pytest.raises(ImportRefused, match="crash"):
            decoder.decode(first, tmp_path)
        assert connection.closed
        out = tmp_path / "out"
        out.mkdir()
        assert len(decoder.decode(second, out).sha256) == 64


class _SaysAlive:
    """A process that died between the look at it and the request."""

    def __init__(self, process: object) -> None:
        self._process = process
        self._asked = False

    def is_alive(self) -> bool:
        first, self._asked = not self._asked, True
        return first

    def __getattr__(self, name: str) -> object:
        return getattr(self._process, name)


def test_a_file_that_takes_too_long_is_refused_and_its_process_ended(tmp_path: Path) -> None:
    with Decoder(b"k" * 32, timeout_s=-1.0) as decoder:
        with pytest.raises(ImportRefused, match="took longer"):
            decoder.decode(_slow(tmp_path / "x.png"), tmp_path)
        assert decoder._process is None


def _slow(path: Path) -> Path:
    return png(path, np.random.default_rng(0).integers(0, 65535, (3000, 3000)).astype(np.uint16))


@pytest.mark.skipif(sys.platform != "linux", reason="the address space is limited on Linux only")
def test_a_file_that_needs_too_much_memory_is_refused(tmp_path: Path) -> None:
    with (
        Decoder(b"k" * 32, memory_bytes=20 << 20) as decoder,
        pytest.raises(ImportRefused, match="memory"),
    ):
        decoder.decode(_slow(tmp_path / "x.png"), tmp_path)


def test_a_full_disk_stops_the_import_and_keeps_what_was_committed(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import app.images.importer as importer

    def full(*_: object) -> None:
        raise DiskFull("The disk is full.")

    files = [good(tmp_path / f"{i}.dcm", i) for i in range(2)]
    running = import_files(study, files)
    assert next(running).status == "accepted"
    monkeypatch.setattr(importer, "_add_case", full)
    with pytest.raises(DiskFull):
        next(running)
    with study.database.read() as session:
        image = session.scalars(select(Image)).one()
    assert [folder.name for folder in (study.folder / "images").iterdir()] == [image.id]


def test_a_study_that_cannot_be_written_stops_the_import(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "stored.npy").touch()  # the worker never writes over a file
    with Decoder(b"k" * 32) as decoder, pytest.raises(ImportStopped, match="cannot be written"):
        decoder.decode(good(tmp_path / "a.dcm"), out)


def test_the_key_is_made_once_readable_by_its_owner_alone(config: Path) -> None:
    key = deidentify.identifier_key()
    assert (len(key), deidentify.identifier_key()) == (32, key)
    if os.name == "posix":
        assert (config / "identifier.key").stat().st_mode & 0o777 == 0o600
    (config / "identifier.key").write_text("00")
    with pytest.raises(ImportStopped, match="damaged"):
        deidentify.identifier_key()


def test_a_group_is_the_same_for_a_patient_and_unlike_without_the_key() -> None:
    group = deidentify.source_group(b"a" * 32, "patient", "FICT-1")
    assert group == deidentify.source_group(b"a" * 32, "patient", " FICT-1 ")
    assert group != deidentify.source_group(b"b" * 32, "patient", "FICT-1")
    assert group != deidentify.source_group(b"a" * 32, "study", "FICT-1")


def test_a_name_in_free_text_of_a_window_is_not_kept(tmp_path: Path) -> None:
    from app.images.read_dicom import read_dicom

    dataset = pydicom.dcmread(good(tmp_path / "x.dcm"))
    dataset.WindowCenterWidthExplanation = ["Ms QUILL", "Bone", ""]
    dataset.BodyPartExamined = "QUILL"
    dataset.save_as(tmp_path / "x.dcm")
    attributes = read_dicom(tmp_path / "x.dcm", b"k")[1]
    assert [window.name for window in attributes.windows] == ["Window 1", "Bone", "Window 3"]
    assert attributes.body_part is None
    assert "quill" not in attributes.to_json().lower()


def test_modality_and_voi_luts_of_real_files_are_kept() -> None:
    from app.images.read_dicom import read_dicom

    for name, keyword in (("mlut_18.dcm", "modality_lut"), ("vlut_04.dcm", "voi_luts")):
        path = Path(get_testdata_file(name, download=False) or "")
        if not path.is_file():
            pytest.skip("pydicom-data is not installed")
        dataset = pydicom.dcmread(path)
        tables = dataset.get("ModalityLUTSequence") or dataset.VOILUTSequence
        kept = getattr(read_dicom(path, b"k")[1], keyword)
        kept = kept[0] if isinstance(kept, tuple) else kept
        values = np.asarray(tables[0].LUTData, np.int64)
        assert kept.first == tables[0].LUTDescriptor[1]
        assert kept.entries == tuple((values & (2**kept.bits - 1)).tolist())


def test_logs_name_no_file(study: Study, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    (tmp_path / "Quill_Ada_bad.dcm").write_text("x")
    import_paths(study, [good(tmp_path / "Quill_Ada.dcm"), tmp_path / "Quill_Ada_bad.dcm"])
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("app")]
    assert ours == ["file 1 of this import: accepted", "file 2 of this import: refused"]


def test_a_missing_or_damaged_image_is_named(study: Study, tmp_path: Path) -> None:
    result = import_paths(study, [good(tmp_path / "x.dcm")])[0]
    stored = study.image_folder(result.image_id or "") / "stored.npy"
    stored.write_bytes(stored.read_bytes()[:100])
    with pytest.raises(ImageUnreadable, match="missing or damaged"):
        load(study, result.image_id or "")
    with pytest.raises(ImageUnreadable, match="nowhere"):
        load(study, "nowhere")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_labels_join_by_file_name_whatever_separates_them(tmp_path: Path, separator: str) -> None:
    text = "﻿Image,label,patient,split\nfolder/a.dcm,mass,P1,train\nb.dcm,,,\n"
    (tmp_path / "l.csv").write_text(text.replace(",", separator), encoding="utf-8")
    rows = read_labels(tmp_path / "l.csv")
    assert (rows["a.dcm"].label, rows["a.dcm"].patient, rows["a.dcm"].split) == (
        "mass", "P1", "train",
    )  # fmt: skip
    assert rows["b.dcm"].label is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,label\na,b\n", "no column `image`"),
        ("image,label\na,b\na,c\n", "twice"),
        ("image,label\n,c\n", "is empty"),
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
    assert first == {
        "path": str(path), "status": "accepted", "reason": "", "rows": 40, "columns": 30,
        "bits": 12, "photometric": "MONOCHROME2",
        "pixels_sha256": first["pixels_sha256"],
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
