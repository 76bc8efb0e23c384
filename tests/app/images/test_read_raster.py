"""PNG, JPEG and TIFF: whole, upright, opaque, as exported; anything else is refused by name."""

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as PilImage

from app.images.greyscale import display_lut
from tests import ROOT
from tests.app.images.raster_files import DEEP, NOISE, RAMP, read, refusal, saved

HANDED = ROOT.parent / "shared" / "cases"


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(header: tuple[int, ...], rows: bytes, *more: bytes) -> bytes:
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", *header))
    return start + b"".join(more) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def plain_rows(samples: np.ndarray) -> bytes:
    big = samples.astype(samples.dtype.newbyteorder(">"))
    return b"".join(b"\0" + row.tobytes() for row in big)


# Cut short


@pytest.mark.parametrize("interlaced", [0, 1])
@pytest.mark.parametrize("rows", [0, 15, 47])
def test_a_png_whose_rows_end_too_soon_is_refused(
    rows: int, interlaced: int, tmp_path: Path
) -> None:
    data = png((64, 48, 8, 0, 0, 0, interlaced), plain_rows(RAMP[:rows]))
    assert "cut short" in refusal(data, tmp_path)


def test_a_png_whose_data_fail_their_checksum_is_refused(tmp_path: Path) -> None:
    packed = bytearray(zlib.compress(plain_rows(NOISE), 0))
    packed[500] ^= 1
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 240, 200, 8, 0, 0, 0, 0))
    data = start + chunk(b"IDAT", bytes(packed)) + chunk(b"IEND", b"")
    assert "not an intact PNG" in refusal(data, tmp_path)


@pytest.mark.parametrize("pixels", [RAMP, DEEP, np.dstack([RAMP] * 3)])
def test_whole_pngs_come_in_however_they_are_packed(pixels: np.ndarray, tmp_path: Path) -> None:
    for options in ({}, {"optimize": True}, {"compress_level": 0}):
        stored, _ = read(saved(pixels, "PNG", **options), tmp_path)
        assert np.array_equal(stored, pixels if pixels.ndim == 2 else pixels[..., 0])


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (9, 2), (33, 17)])
@pytest.mark.parametrize("depth", [1, 4, 8])
def test_the_size_of_interlaced_rows_is_that_of_the_seven_passes(
    size: tuple[int, int], depth: int
) -> None:
    from app.images.decoding.png_file import PngHeader

    width, height = size
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
              (0, 1, 1, 2)]  # fmt: skip
    expected = 0
    for x, y, across, down in passes:
        columns, rows = len(range(x, width, across)), len(range(y, height, down))
        expected += rows * (1 + -(-columns * depth // 8)) if columns else 0
    assert PngHeader(width, height, depth, 0, True).data_bytes == expected


def cut_jpeg(data: bytes, share: float) -> bytes:
    """Return a JPEG that loses the end of its last scan and is closed as if it were whole."""
    start = data.rfind(b"\xff\xda") + 12
    end = start + int((len(data) - start) * share)
    while data[end - 1] == 0xFF:
        end -= 1
    return data[:end] + b"\xff\xd9"


COLOUR = np.dstack([NOISE, NOISE[::-1], NOISE[:, ::-1]])
JPEGS = {
    "grey": (NOISE, {"quality": 90}),
    "smooth": (cv2.GaussianBlur(NOISE, (0, 0), 5), {"quality": 75}),
    "best": (NOISE, {"quality": 100}),
    "optimised": (NOISE, {"quality": 80, "optimize": True}),
    "progressive": (NOISE, {"quality": 90, "progressive": True}),
    "restarts": (NOISE, {"quality": 90, "restart_marker_blocks": 7}),
    "colour": (COLOUR, {"quality": 90}),
    "colour 4:4:4": (COLOUR, {"quality": 90, "subsampling": "4:4:4"}),
    "progressive colour": (COLOUR, {"quality": 60, "progressive": True}),
}


@pytest.mark.parametrize("kind", JPEGS)
def test_a_jpeg_cut_short_and_closed_again_is_refused_and_the_whole_one_comes_in(
    kind: str, tmp_path: Path
) -> None:
    pixels, options = JPEGS[kind]
    whole = saved(pixels, "JPEG", **options)
    expected = np.asarray(PilImage.open(io.BytesIO(whole)))
    stored, attributes = read(whole, tmp_path)
    assert attributes.lossy
    assert np.abs(stored.astype(int) - expected).max() <= 1
    for share in (0.1, 0.5, 0.9):
        assert "cut short" in refusal(cut_jpeg(whole, share), tmp_path), share


def test_a_black_picture_and_one_with_a_flat_end_come_in(tmp_path: Path) -> None:
    half = NOISE.copy()
    half[80:] = 0
    for pixels in (np.zeros((200, 240), np.uint8), half, np.full((64, 64), 200, np.uint8)):
        for options in ({}, {"optimize": True}, {"progressive": True}, {"quality": 100}):
            assert read(saved(pixels, "JPEG", **options), tmp_path)[0].shape == pixels.shape


def test_a_jpeg_with_zeros_for_its_data_is_refused(tmp_path: Path) -> None:
    whole = saved(NOISE, "JPEG", quality=90)
    start = whole.rfind(b"\xff\xda") + 10
    for kept in (0, 9000):
        zeros = bytes(len(whole) - start - kept - 2)
        data = whole[: start + kept] + zeros + whole[-2:]
        assert any(word in refusal(data, tmp_path) for word in ("replaced by zeros", "cut short"))


def test_what_follows_a_jpeg_does_not_matter(tmp_path: Path) -> None:
    whole = saved(NOISE, "JPEG", comment=b"x" * 300)
    for tail in (bytes(5000), b"\xff\xd8\xff\xe0 another", b"\n"):
        assert read(whole + tail, tmp_path)[0].shape == NOISE.shape


@pytest.mark.skipif(not HANDED.is_dir(), reason="the handed files are not here")
@pytest.mark.parametrize(
    "name", ["png_80_of_256_rows_accepted.png", "jpeg_half_with_eoi_accepted.jpg"]
)
def test_the_handed_pictures_that_are_cut_short_are_refused(name: str, tmp_path: Path) -> None:
    assert "cut short" in refusal((HANDED / "trust" / name).read_bytes(), tmp_path)


# Upright


def oriented(kind: str, orientation: int, pixels: np.ndarray = RAMP) -> bytes:
    exif = PilImage.Exif()
    exif[0x0112] = orientation
    return saved(pixels, kind, exif=exif, **({"quality": 100} if kind == "JPEG" else {}))


UPRIGHT = {
    1: RAMP, 2: RAMP[:, ::-1], 3: RAMP[::-1, ::-1], 4: RAMP[::-1], 5: RAMP.T,
    6: RAMP[::-1].T, 7: RAMP[::-1, ::-1].T, 8: RAMP[:, ::-1].T,
}  # fmt: skip


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_a_picture_hangs_upright_as_its_orientation_says_and_it_is_noted(
    kind: str, orientation: int, tmp_path: Path
) -> None:
    stored, attributes = read(oriented(kind, orientation), tmp_path)
    expected = UPRIGHT[orientation]
    assert stored.shape == expected.shape == (attributes.rows, attributes.columns)
    assert np.abs(stored.astype(int) - expected).max() <= (2 if kind == "JPEG" else 0)
    assert [note.code for note in attributes.notes] == ([] if orientation == 1 else ["turned"])


def test_damaged_exif_says_nothing_of_the_pixels(tmp_path: Path) -> None:
    data = saved(RAMP, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12")
    assert read(data, tmp_path)[0].shape == RAMP.shape


# As exported


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_eight_bits_open_as_exported(kind: str, tmp_path: Path) -> None:
    flat = np.full((200, 200), 110, np.uint8)
    flat[:40] = np.arange(200, dtype=np.uint8) // 10 + 100
    flat[100, 50:75] = np.arange(230, 255)
    stored, attributes = read(saved(flat, kind), tmp_path)
    assert np.array_equal(display_lut(attributes).apply(stored), stored)


# Transparent


def test_a_transparent_colour_is_refused_where_a_pixel_has_it(tmp_path: Path) -> None:
    grey, deep = RAMP // 2, DEEP
    red = np.dstack([RAMP, RAMP * 0, RAMP * 0])
    deep_red = np.dstack([DEEP, DEEP * 0, DEEP * 0])
    cases = [
        ((64, 48, 8, 0, 0, 0, 0), grey, (int(grey[9, 9]),), (200,)),
        ((64, 48, 16, 0, 0, 0, 0), deep, (int(deep[9, 9]),), (5,)),
        ((64, 48, 8, 2, 0, 0, 0), red, (int(red[9, 9, 0]), 0, 0), (7, 7, 7)),
        ((64, 48, 16, 2, 0, 0, 0), deep_red, (int(deep[9, 9]), 0, 0), (5, 5, 5)),
    ]
    for header, pixels, there, nowhere in cases:
        says = [chunk(b"tRNS", struct.pack(f">{len(c)}H", *c)) for c in (there, nowhere)]
        assert "transparent" in refusal(png(header, plain_rows(pixels), says[0]), tmp_path)
        assert read(png(header, plain_rows(pixels), says[1]), tmp_path)[0].shape == pixels.shape
