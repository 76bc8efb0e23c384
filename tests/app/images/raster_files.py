"""Small PNG, JPEG and TIFF files, and what the import makes of them."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PilImage

from app.errors import ImportRefused
from app.images.attributes import DisplayAttributes
from app.images.decoding.decode_file import read_file

RAMP = np.linspace(0, 255, 48 * 64).reshape(48, 64).astype(np.uint8)
DEEP = (np.arange(48 * 64, dtype=np.uint16) * 21).reshape(48, 64)
NOISE = np.random.default_rng(7).integers(0, 255, (200, 240)).astype(np.uint8)


def read(data: bytes, folder: Path) -> tuple[np.ndarray, DisplayAttributes]:
    (folder / "x").write_bytes(data)
    return read_file(folder / "x", b"k" * 32)[:2]


def refusal(data: bytes, folder: Path) -> str:
    with pytest.raises(ImportRefused) as refused:
        read(data, folder)
    return str(refused.value)


def saved(pixels: np.ndarray, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    PilImage.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()
