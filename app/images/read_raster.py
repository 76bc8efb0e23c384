"""Decode one PNG or JPEG file; runs in the worker process only."""

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage

from app.errors import ImportRefused
from app.images.attributes import DisplayAttributes
from app.images.limits import require_pixel_size
from app.images.notes import Note, note
from app.images.stored_values import PixelFormat, value_range

PNG_HEAD = b"\x89PNG\r\n\x1a\n"
JPEG_HEAD = b"\xff\xd8\xff"


def read_raster(path: Path, source_format: str) -> tuple[NDArray[Any], DisplayAttributes]:
    """Decode a PNG (8 or 16 bit) or JPEG (8 bit) to grey.

    Parameters
    ----------
    path
        The file.
    source_format
        "PNG" or "JPEG".

    Returns
    -------
    tuple
        Stored values (H, W), uint8 or uint16, and how to show them.

    Raises
    ------
    ImportRefused
        If it is damaged, too large, transparent or CMYK.
    """
    data = path.read_bytes()
    deep = source_format == "PNG" and _png_size(data) == 16
    try:
        picture = _decoded(data, source_format)
        pixels = _deep(data) if deep and picture.mode != "I;16" else np.asarray(picture)
    except (ImportRefused, MemoryError):
        raise
    except Exception as error:  # Pillow raises OSError, SyntaxError, ValueError, struct.error, …
        raise ImportRefused(f"it is no intact {source_format} file ({error})") from error
    stored, notes = _grey(pixels)
    bits = stored.dtype.itemsize * 8
    low, high = value_range(stored, PixelFormat(bits, bits, signed=False))
    return stored, DisplayAttributes(
        rows=stored.shape[0],
        columns=stored.shape[1],
        photometric="MONOCHROME2",
        bits_stored=bits,
        bits_allocated=bits,
        signed=False,
        stored_low=low,
        stored_high=high,
        source_format=source_format,
        lossy=source_format == "JPEG",
        notes=notes,
    )


def _png_size(data: bytes) -> int:
    """Check the size in the header, before any library sees the file; return its bit depth."""
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise ImportRefused("it is no intact PNG file (no header)")
    width, height = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    depth, colour = data[24], data[25]
    channels = {2: 3, 4: 2, 6: 4}.get(colour, 1)
    require_pixel_size(height, width, 1, channels * max(depth // 8, 1))
    return depth


def _decoded(data: bytes, source_format: str) -> PilImage.Image:
    PilImage.MAX_IMAGE_PIXELS = None  # our own limits come first, and know the depth
    picture: PilImage.Image = PilImage.open(io.BytesIO(data), formats=[source_format])
    require_pixel_size(picture.height, picture.width, 1, len(picture.getbands()))
    if getattr(picture, "n_frames", 1) > 1:
        raise ImportRefused("it has several frames; Foveate reads single-frame images")
    if picture.mode in ("CMYK", "YCCK"):
        raise ImportRefused("it is a CMYK image; export it as greyscale")
    picture.load()
    if picture.mode in ("1", "P", "PA") or (picture.mode == "L" and "transparency" in picture.info):
        return picture.convert("LA" if picture.mode == "L" else "RGBA")
    return picture


def _deep(data: bytes) -> NDArray[Any]:
    """Decode 16-bit colour or grey with alpha, which Pillow would cut to 8 bits."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError("its data cannot be decoded")
    if pixels.ndim == 3:  # OpenCV gives blue first
        pixels = np.concatenate((pixels[..., 2::-1], pixels[..., 3:]), axis=-1)
    return np.asarray(pixels)


def _grey(pixels: NDArray[Any]) -> tuple[NDArray[Any], tuple[Note, ...]]:
    if pixels.ndim == 2:
        return np.ascontiguousarray(pixels), ()
    if pixels.shape[2] in (2, 4):
        if (pixels[..., -1] != np.iinfo(pixels.dtype).max).any():
            raise ImportRefused("parts of it are transparent; export it without transparency")
        pixels = pixels[..., :-1]
    first = pixels[..., 0]
    if (pixels == first[..., None]).all():
        return np.ascontiguousarray(first), ()
    luminance = pixels.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return np.floor(luminance + 0.5).astype(pixels.dtype), (note("colour-to-grey"),)
