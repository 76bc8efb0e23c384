"""TIFF of 8 and 16 bits, in both byte orders: bit for bit; other kinds are refused by name."""

import io
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as PilImage

from tests.app.images.raster_files import DEEP, RAMP, read, refusal, saved


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("pixels", [RAMP, DEEP])
def test_a_grey_tiff_comes_in_bit_for_bit(
    pixels: np.ndarray, compression: str | None, tmp_path: Path
) -> None:
    stored, attributes = read(saved(pixels, "TIFF", compression=compression), tmp_path)
    assert np.array_equal(stored, pixels)
    assert (stored.dtype, attributes.bits_stored) == (pixels.dtype, pixels.itemsize * 8)
    assert (attributes.source_format, attributes.lossy) == ("TIFF", False)


def tiff(order: str, tags: dict[int, tuple[int, int]], pixels: bytes) -> bytes:
    """Return a TIFF of one strip from its tags: number to (type, value)."""
    mark = {"<": b"II", ">": b"MM"}[order]
    count = len(tags) + 2
    start = 8 + 2 + 12 * count + 4
    tags = tags | {273: (4, start), 279: (4, len(pixels))}
    entries = b"".join(
        struct.pack(f"{order}HHI", tag, kind, 1)
        + (struct.pack(f"{order}HH", value, 0) if kind == 3 else struct.pack(f"{order}I", value))
        for tag, (kind, value) in sorted(tags.items())
    )
    head = mark + struct.pack(f"{order}HI", 42, 8) + struct.pack(f"{order}H", count)
    return head + entries + bytes(4) + pixels


def tags(bits: int = 16, **more: int) -> dict[int, tuple[int, int]]:
    numbers = {"photometric": 262, "form": 339, "samples": 277}
    plain = {256: 64, 257: 48, 258: bits, 259: 1, 262: 1, 277: 1, 278: 48}
    return {tag: (3, n) for tag, n in (plain | {numbers[k]: v for k, v in more.items()}).items()}


@pytest.mark.parametrize("order", ["<", ">"])
def test_both_byte_orders_signs_and_white_at_zero_are_understood(
    order: str, tmp_path: Path
) -> None:
    raw = DEEP.astype(f"{order}u2").tobytes()
    stored, attributes = read(tiff(order, tags(photometric=0), raw), tmp_path)
    assert np.array_equal(stored, DEEP)
    assert attributes.photometric == "MONOCHROME1"
    signed = (DEEP.astype(np.int32) - 30_000).astype(np.int16)
    stored, attributes = read(
        tiff(order, tags(form=2), signed.astype(f"{order}i2").tobytes()), tmp_path
    )
    assert np.array_equal(stored, signed)
    assert attributes.signed


def test_a_colour_tiff_keeps_its_sixteen_bits(tmp_path: Path) -> None:
    deep = np.dstack([DEEP * 0, DEEP * 0, DEEP])  # OpenCV writes blue first: this is red
    stored, attributes = read(cv2.imencode(".tiff", deep)[1].tobytes(), tmp_path)
    assert np.array_equal(stored, deep[..., ::-1])
    assert (attributes.samples, attributes.bits_stored) == (3, 16)
    assert [note.code for note in attributes.notes] == ["colour"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (tiff("<", tags(bits=32, form=3), bytes(4 * 3072)), "32 bits per sample"),
        (tiff("<", tags(form=3), DEEP.tobytes()), "floating-point"),
        (tiff("<", tags(), DEEP.tobytes())[:-200], "cut short"),
        (tiff("<", tags(photometric=3), DEEP.tobytes()), "neither a grey"),
        (tiff("<", tags() | {256: (4, 60_000)}, DEEP.tobytes()), "60,000"),
        (b"II*\0" + bytes(3), "not an intact TIFF"),
        (b"MM\0*" + b"\xff" * 40, "not an intact TIFF"),
        (tiff("<", tags(photometric=2, samples=3) | {284: (3, 2)}, DEEP.tobytes() * 3),
         "neither a grey"),
    ],
)  # fmt: skip
def test_other_tiffs_are_refused_by_name(data: bytes, said: str, tmp_path: Path) -> None:
    assert said in refusal(data, tmp_path)


def test_a_tiff_of_several_pages_is_refused(tmp_path: Path) -> None:
    first, second = PilImage.fromarray(RAMP), PilImage.fromarray(RAMP)
    buffer = io.BytesIO()
    first.save(buffer, "TIFF", save_all=True, append_images=[second])
    assert "several pages" in refusal(buffer.getvalue(), tmp_path)
