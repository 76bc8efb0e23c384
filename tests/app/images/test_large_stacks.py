"""Stacks larger than the memory: decoded frame by frame onto the disk, the same bit for bit."""

import errno
import os
import shutil
from collections import namedtuple
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import uid
from pydicom.pixels import compress

from app.errors import ImportRefused
from app.images.decoding import dicom_pixels, large_stacks, read_dicom
from app.images.decoding.decode_file import answer_to
from app.images.files import digest_of
from tests.app.images.image_files import good

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def small_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every stack be one that is too large for the memory."""
    monkeypatch.setattr(read_dicom, "DEFERRED_BYTES", 100)
    monkeypatch.setattr(dicom_pixels, "IN_MEMORY_BYTES", 0)


def stack(path: Path, syntax: str = "", signed: bool = False, frames: int = 7) -> Path:
    dataset = pydicom.dcmread(good(path))
    pixels = np.random.default_rng(0).integers(0, 2048, (frames, 40, 30)).astype(np.uint16)
    dataset.NumberOfFrames, dataset.PixelData = frames, pixels.tobytes()
    dataset.PixelRepresentation = int(signed)
    if syntax:
        compress(dataset, syntax)
    dataset.save_as(path)
    return path


@pytest.mark.parametrize("syntax", ["", uid.RLELossless, uid.JPEGLSLossless], ids=str)
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_frame_by_frame_gives_what_the_whole_gives(
    tmp_path: Path, small_memory: None, syntax: str, signed: bool
) -> None:
    path = stack(tmp_path / "x.dcm", syntax, signed)
    whole, shown, _ = read_dicom.read_dicom(path, b"k")
    mapped, same, _ = read_dicom.read_dicom(path, b"k", tmp_path / "stored.npy")
    assert large_stacks.is_mapped(mapped)
    assert not large_stacks.is_mapped(whole)
    assert (mapped.dtype, same) == (whole.dtype, shown)
    np.testing.assert_array_equal(mapped, whole)


def test_what_is_stored_in_the_upper_bits_is_lowered_frame_by_frame(
    tmp_path: Path, small_memory: None
) -> None:
    dataset = pydicom.dcmread(stack(tmp_path / "x.dcm"))
    dataset.HighBit, dataset.BitsStored = 15, 12
    dataset.PixelData = (dataset.pixel_array << 4).astype("<u2").tobytes()
    dataset.save_as(tmp_path / "x.dcm")
    whole = read_dicom.read_dicom(tmp_path / "x.dcm", b"k")[0]
    mapped = read_dicom.read_dicom(tmp_path / "x.dcm", b"k", tmp_path / "stored.npy")[0]
    assert whole.max() < 2048
    np.testing.assert_array_equal(mapped, whole)


def test_a_large_stack_lies_in_the_folder_as_any_image_does(
    tmp_path: Path, small_memory: None
) -> None:
    path, out = stack(tmp_path / "x.dcm"), tmp_path / "out"
    out.mkdir()
    answer = answer_to({"path": str(path), "folder": str(out)}, b"k")
    assert "refused" not in answer
    assert {file.name for file in out.iterdir()} == {
        "stored.npy", "display.json", "presentation.png",
    }  # fmt: skip
    stored = np.load(out / "stored.npy")
    assert answer["sha256"] == answer["kept_sha256"] == digest_of(stored)
    np.testing.assert_array_equal(stored, pydicom.dcmread(path).pixel_array)


def test_rectangles_are_black_on_every_frame_of_the_file_itself(
    tmp_path: Path, small_memory: None
) -> None:
    path, out = stack(tmp_path / "x.dcm"), tmp_path / "out"
    dataset = pydicom.dcmread(path)
    dataset.Manufacturer, dataset.ManufacturerModelName = "GE", "Model 1"
    dataset.save_as(path)
    out.mkdir()
    mask = {"manufacturer": "GE", "model": "Model 1", "rows": 40, "columns": 30,
            "rectangles": [[0, 0, 30, 5]]}  # fmt: skip
    answer = answer_to({"path": str(path), "folder": str(out), "masks": [mask]}, b"k")
    stored = np.load(out / "stored.npy")
    assert answer["rectangles"]
    assert len(np.unique(stored[:, :5])) == 1
    assert answer["kept_sha256"] == digest_of(stored) != answer["sha256"]


@pytest.mark.parametrize("syntax", ["", uid.RLELossless, uid.JPEGLSLossless], ids=str)
def test_a_large_stack_cut_short_is_refused(
    tmp_path: Path, small_memory: None, syntax: str
) -> None:
    dataset = pydicom.dcmread(stack(tmp_path / "x.dcm", syntax))
    dataset.NumberOfFrames = 9
    dataset.save_as(tmp_path / "x.dcm")
    with pytest.raises(ImportRefused, match=r"truncated|cut short"):
        read_dicom.read_dicom(tmp_path / "x.dcm", b"k", tmp_path / "stored.npy")


def test_a_stack_that_the_disk_cannot_take_is_refused_and_a_full_disk_stops(
    tmp_path: Path, small_memory: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = stack(tmp_path / "x.dcm"), tmp_path / "out"
    out.mkdir()
    with monkeypatch.context() as small:
        small.setattr(shutil, "disk_usage", lambda _: Usage(2 << 30, 1 << 30, 1 << 30))
        answer = answer_to({"path": str(path), "folder": str(out)}, b"k")
        assert "must leave 1.1 GB free" in answer["refused"]
        assert list(out.iterdir()) == []

    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    assert answer_to({"path": str(path), "folder": str(out)}, b"k") == {
        "stopped": "No space left on device"
    }
