"""12-bit JPEG, JPEG-LS and HTJ2K of DICOM files: right values, no overshoot, none cut short."""

import io
import shutil
import subprocess
import warnings
from pathlib import Path

import imagecodecs
import jpeg_ls
import numpy as np
import pydicom
import pytest
from PIL import Image as PilImage
from pydicom import uid
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate

from app.errors import ImportRefused
from app.images.decoding.decode_file import read_file
from app.images.decoding.frame_decoders import is_whole_jpeg
from tests import PATIENCE_S
from tests.app.images.conformance.made_colours import Colours, meant, write
from tests.app.images.image_files import good

RAMP = np.tile(np.linspace(0, 4095, 256).astype(np.uint16), (48, 1))
NOISE = np.random.default_rng(5).integers(0, 4096, (48, 256)).astype(np.uint16)
DCMDJPEG = shutil.which("dcmdjpeg")


def compressed(path: Path, frame: bytes, syntax: str, bits: int = 12, shape=RAMP.shape) -> Path:
    """Write a DICOM file around one compressed frame."""
    dataset = pydicom.dcmread(good(path))
    dataset.Rows, dataset.Columns = shape
    dataset.BitsStored, dataset.HighBit = bits, bits - 1
    dataset.file_meta.TransferSyntaxUID = uid.UID(syntax)
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.save_as(path)
    return path


def deep_jpeg(pixels: np.ndarray, level: int = 98) -> bytes:
    return imagecodecs.jpeg8_encode(pixels, level=level, bitspersample=12)


def values(path: Path) -> np.ndarray:
    return read_file(path, b"k" * 32)[0]


def refusal(path: Path) -> str:
    with pytest.raises(ImportRefused) as refused:
        read_file(path, b"k" * 32)
    return str(refused.value)


def test_twelve_bit_jpeg_extended_is_decoded(tmp_path: Path) -> None:
    path = compressed(tmp_path / "x.dcm", deep_jpeg(RAMP), uid.JPEGExtended12Bit)
    stored, attributes, _ = read_file(path, b"k" * 32)
    assert stored.dtype == np.uint16
    assert np.abs(stored.astype(int) - RAMP).max() <= 2
    assert (attributes.bits_stored, attributes.lossy) == (12, True)


def test_what_overshoots_the_bits_stored_is_clipped(tmp_path: Path) -> None:
    steps = np.where(np.arange(256) % 10 < 5, 0, 1023).astype(np.uint16)
    frame = deep_jpeg(np.tile(steps, (48, 1)), level=30)
    assert imagecodecs.jpeg8_decode(frame).max() > 1023
    path = compressed(tmp_path / "x.dcm", frame, uid.JPEGExtended12Bit, bits=10)
    stored = values(path)
    assert stored.max() == 1023
    assert stored[:, 7:9].min() > 700  # and not wrapped round to black


@pytest.mark.skipif(DCMDJPEG is None, reason="dcmdjpeg (package dcmtk) is missing")
def test_twelve_bit_jpeg_equals_dcmtk(tmp_path: Path) -> None:
    path, plain = Path(get_testdata_file("JPGExtended.dcm")), tmp_path / "plain.dcm"
    subprocess.run([str(DCMDJPEG), str(path), str(plain)], check=True, timeout=PATIENCE_S)
    assert np.array_equal(values(path), pydicom.dcmread(plain).pixel_array)


@pytest.mark.parametrize("pixels", [RAMP, NOISE])
@pytest.mark.parametrize("missing", [4, 9, 400])
def test_twelve_bit_jpeg_cut_short_is_refused_though_it_was_closed(
    pixels: np.ndarray, missing: int, tmp_path: Path
) -> None:
    frame = deep_jpeg(pixels)
    cut = frame[:-missing] + b"\xff\xd9"
    path = compressed(tmp_path / "x.dcm", cut, uid.JPEGExtended12Bit)
    assert refusal(path) == "it is truncated: its JPEG data end before the picture does"


@pytest.mark.parametrize("pixels", [RAMP, NOISE, np.zeros((9, 7), np.uint16)])
def test_a_whole_jpeg_is_known_as_such(pixels: np.ndarray) -> None:
    frame = deep_jpeg(pixels)
    assert is_whole_jpeg(frame)
    assert is_whole_jpeg(frame + b"\0")
    assert is_whole_jpeg(frame[:-2] + b"\xff\xff\xd9")


def test_an_eight_bit_jpeg_frame_cut_short_is_refused_though_it_was_closed(tmp_path: Path) -> None:
    dataset = pydicom.dcmread(good(tmp_path / "x.dcm"))
    dataset.BitsAllocated = 8
    dataset.save_as(tmp_path / "x.dcm")
    frame = imagecodecs.jpeg8_encode((NOISE >> 4).astype(np.uint8), level=90)
    for cut in (frame, frame[:-900] + b"\xff\xd9"):
        dataset.Rows, dataset.Columns, dataset.BitsStored, dataset.HighBit = 48, 256, 8, 7
        dataset.file_meta.TransferSyntaxUID = uid.JPEGBaseline8Bit
        dataset.PixelData = encapsulate([cut])
        dataset["PixelData"].is_undefined_length = True
        dataset.save_as(tmp_path / "x.dcm")
        if cut is frame:
            assert values(tmp_path / "x.dcm").shape == (48, 256)
    assert "truncated" in refusal(tmp_path / "x.dcm")


def test_jpeg_ls_with_a_zero_before_its_end_is_decoded(tmp_path: Path) -> None:
    frame = imagecodecs.jpegls_encode(NOISE)
    padded = frame[:-2] + b"\0" + frame[-2:]  # as NEMA's own MR1 has it
    with pytest.raises(RuntimeError):
        jpeg_ls.decode_pixel_data(padded)
    for given in (frame, padded):
        path = compressed(tmp_path / "x.dcm", given, uid.JPEGLSLossless, bits=16)
        assert np.array_equal(values(path), NOISE)


@pytest.mark.parametrize(
    "syntax", [uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K], ids=lambda u: u.name
)
def test_high_throughput_jpeg_2000_is_decoded(syntax: uid.UID, tmp_path: Path) -> None:
    frame = imagecodecs.htj2k_encode(NOISE, reversible=True)
    path = compressed(tmp_path / "x.dcm", frame, syntax, bits=16)
    stored, attributes, _ = read_file(path, b"k" * 32)
    assert np.array_equal(stored, NOISE)
    assert attributes.lossy == (syntax == uid.HTJ2K)


def test_a_codec_that_nobody_decodes_is_refused_by_its_name(tmp_path: Path) -> None:
    path = compressed(tmp_path / "x.dcm", b"\xff\x0a" * 40, uid.HTJ2KLosslessRPCL)
    path.write_bytes(path.read_bytes().replace(b"10008.1.2.4.202", b"10008.1.2.4.112"))
    assert refusal(path) == "its transfer syntax is not supported (JPEG XL)"


def colour_jpeg(rgb: np.ndarray, marker: str, *, ycc: bool) -> bytes:
    """Return a JPEG whose own marker ("JFIF", "Adobe" or none) says which colours it holds."""
    buffer = io.BytesIO()
    PilImage.fromarray(rgb).save(buffer, "JPEG", quality=98, subsampling=0, keep_rgb=not ycc)
    data = buffer.getvalue()
    end = 4 + int.from_bytes(data[4:6])
    adobe = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + bytes([ycc])
    jfif = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    kept = {"JFIF": jfif, "Adobe": adobe, "": b""}[marker]
    return data[:2] + kept + data[end:]


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL", "YBR_FULL_422"])
@pytest.mark.parametrize(
    ("marker", "ycc"), [("JFIF", True), ("Adobe", True), ("Adobe", False), ("", None)]
)
def test_a_jpegs_own_markers_say_its_colours_before_the_data_set(
    marker: str, ycc: bool | None, photometric: str, tmp_path: Path
) -> None:
    smooth = meant(Colours("RGB"))
    frame = colour_jpeg(smooth, marker, ycc=photometric != "RGB" if ycc is None else ycc)
    path = write(Colours(photometric), tmp_path / "x.dcm")
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = uid.JPEGBaseline8Bit
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path)
    assert np.abs(values(path).astype(int) - smooth).mean() < 2


@pytest.mark.parametrize("offsets", [True, False])
def test_several_compressed_frames_are_not_one(tmp_path: Path, offsets: bool) -> None:
    """Without offsets they would be one frame in three pieces, of which the first is shown."""
    frame = imagecodecs.jpegls_encode(RAMP)
    dataset = pydicom.dcmread(compressed(tmp_path / "x.dcm", frame, uid.JPEGLSLossless))
    dataset.PixelData = encapsulate([frame] * 3, has_bot=offsets)
    dataset.save_as(tmp_path / "x.dcm")
    with pytest.raises(ImportRefused, match=r"Number of Frames is 1, .* contains 3"):
        values(tmp_path / "x.dcm")


def test_one_frame_in_several_fragments_is_one(tmp_path: Path) -> None:
    frame = imagecodecs.jpegls_encode(RAMP)
    dataset = pydicom.dcmread(compressed(tmp_path / "x.dcm", frame, uid.JPEGLSLossless))
    dataset.PixelData = encapsulate([frame], fragments_per_frame=3)
    dataset.save_as(tmp_path / "x.dcm")
    assert np.array_equal(values(tmp_path / "x.dcm"), RAMP)
