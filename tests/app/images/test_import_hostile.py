"""Hostile files, dead workers, full disks: refused by reason, and nothing is lost."""

import io
import struct
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

from app.errors import ImportRefused, ImportStopped
from app.images.decoding.decode import Decoder
from app.images.importing.importer import import_files, import_paths
from migrations.study.errors import DiskFull
from migrations.study.folder import Study
from migrations.study.schema import Image
from tests.app.images.image_files import good, png


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
    files["not an intact PNG"] = folder / "g.png"
    files["not an intact PNG"].write_bytes(short)
    jpeg = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (99, 99)).astype(np.uint8)
    PilImage.fromarray(noise).save(jpeg, "JPEG")
    files["not an intact JPEG"] = folder / "h.jpg"
    files["not an intact JPEG"].write_bytes(jpeg.getvalue()[:2000])
    files["without a picture (SR)"] = Path(get_testdata_file("test-SR.dcm"))
    files["32 bits stored in 32"] = Path(get_testdata_file("SC_rgb_rle_32bit.dcm"))
    files["does not exist"] = folder / "missing.dcm"
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
    with Decoder(b"k" * 32, timeout_s=-100.0) as decoder:
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
    import app.images.importing.importer as importer

    def full(*_: object) -> None:
        raise DiskFull("The disk is full.")

    files = [good(tmp_path / f"{i}.dcm", i) for i in range(2)]
    running = import_files(study, files)
    assert next(running).status == "accepted"
    monkeypatch.setattr(importer, "add_case", full)
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
