"""Decode one PNG, JPEG or TIFF file; runs only in the worker process."""

import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage

from app.errors import ImportRefused
from app.images.attributes import DisplayAttributes
from app.images.decoding.jpeg_file import require_whole_jpeg
from app.images.decoding.png_file import png_header, require_whole_png, transparent_colour
from app.images.decoding.read_tiff import read_tiff
from app.images.dicom.colour import RGB, is_grey, without_colour
from app.images.dicom.stored_values import PixelFormat, value_range
from app.images.limits import require_pixel_size
from app.images.notes import Note, note

_ORIENTATION = 0x0112
_TRANSPARENT = "parts of it are transparent; export it without transparency"


def read_raster(path: Path, source_format: str) -> tuple[NDArray[Any], DisplayAttributes]:
    """Decode a PNG or TIFF (8 or 16 bits) or JPEG (8 bits), upright.

    Parameters
    ----------
    path
        The file.
    source_format
        "PNG", "JPEG" or "TIFF".

    Returns
    -------
    tuple
        Stored values (H, W), for colours (H, W, 3), 8 or 16 bits, and how to show them.

    Raises
    ------
    ImportRefused
        If it is damaged, cut short, too large, transparent or CMYK.
    """
    data = path.read_bytes()
    inverse, lossy = False, source_format == "JPEG"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about damaged EXIF, which does not concern the pixels
            if source_format == "TIFF":
                tiff = read_tiff(data)
                pixels, orientation = tiff.pixels, tiff.orientation
                inverse, lossy = tiff.inverse, tiff.lossy
            else:
                pixels, orientation = _png(data) if source_format == "PNG" else _jpeg(data)
    except (ImportRefused, MemoryError):
        raise
    except Exception as error:  # Pillow raises OSError, SyntaxError, ValueError, struct.error, …
        # Pillow names the stream it was given if it has nothing to say about the file.
        said = "" if " object at " in str(error) or not str(error) else f" ({error})"
        raise ImportRefused(f"it is not an intact {source_format} file{said}") from error
    stored, notes = _plain(pixels)
    if orientation in _TURNS:
        stored, notes = np.ascontiguousarray(_TURNS[orientation](stored)), (*notes, note("turned"))
    return stored, _attributes(stored, source_format, notes, inverse=inverse, lossy=lossy)


def _attributes(
    stored: NDArray[Any], source_format: str, notes: tuple[Note, ...], *, inverse: bool, lossy: bool
) -> DisplayAttributes:
    bits, signed = stored.dtype.itemsize * 8, stored.dtype.kind == "i"
    form, colours = PixelFormat(bits, bits, signed), stored.ndim == 3
    low, high = form.limits if colours else value_range(stored, form)
    return DisplayAttributes(
        rows=stored.shape[0],
        columns=stored.shape[1],
        photometric=RGB if colours else "MONOCHROME1" if inverse else "MONOCHROME2",
        samples=3 if colours else 1,
        bits_stored=bits,
        bits_allocated=bits,
        signed=signed,
        stored_low=low,
        stored_high=high,
        source_format=source_format,
        lossy=lossy,
        notes=notes,
    )


def _png(data: bytes) -> tuple[NDArray[Any], int]:
    """Return a PNG's pixels and its orientation; sizes are checked before any library sees it."""
    header = png_header(data)
    require_pixel_size(header.height, header.width, 1, header.channels * max(header.depth // 8, 1))
    require_whole_png(data, header)
    picture = _opened(data, "PNG")
    orientation = _orientation(picture)
    if header.depth < 16:
        see_through = "transparency" in picture.info
        if picture.mode in ("1", "P", "PA") or see_through:
            picture = picture.convert("LA" if picture.mode == "L" else "RGBA")
        return np.asarray(picture), orientation
    pixels = np.asarray(picture) if picture.mode == "I;16" else _deep(data)
    nothing = transparent_colour(data, header)
    if nothing is not None and _has_colour(np.atleast_3d(pixels), nothing):
        raise ImportRefused(_TRANSPARENT)
    return pixels, orientation


def _has_colour(pixels: NDArray[Any], colour: tuple[int, ...]) -> bool:
    return bool((pixels[..., : len(colour)] == colour).all(axis=-1).any())


def _jpeg(data: bytes) -> tuple[NDArray[Any], int]:
    picture = _opened(data, "JPEG")
    require_whole_jpeg(data, picture.size)
    return np.asarray(picture), _orientation(picture)


def _opened(data: bytes, source_format: str) -> PilImage.Image:
    PilImage.MAX_IMAGE_PIXELS = None  # our own limits come first, and take the depth into account
    picture: PilImage.Image = PilImage.open(io.BytesIO(data), formats=[source_format])
    require_pixel_size(picture.height, picture.width, 1, len(picture.getbands()))
    if getattr(picture, "n_frames", 1) > 1:
        raise ImportRefused("it has several frames; Foveate reads single-frame images")
    if picture.mode in ("CMYK", "YCCK"):
        raise ImportRefused("it is a CMYK image; export it as greyscale")
    picture.load()
    return picture


def _orientation(picture: PilImage.Image) -> int:
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged EXIF does not concern the pixels
        return 1


def _deep(data: bytes) -> NDArray[Any]:
    """Decode 16-bit colour or grey with alpha, which Pillow would reduce to 8 bits."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError("its data cannot be decoded")
    if pixels.ndim == 3:  # OpenCV returns blue first
        pixels = np.concatenate((pixels[..., 2::-1], pixels[..., 3:]), axis=-1)
    return np.asarray(pixels)


def _plain(pixels: NDArray[Any]) -> tuple[NDArray[Any], tuple[Note, ...]]:
    """Return grey values (H, W) or colours (H, W, 3); no part of them may be transparent."""
    if pixels.ndim == 2:
        return np.ascontiguousarray(pixels), ()
    if pixels.shape[2] in (2, 4):
        if (pixels[..., -1] != np.iinfo(pixels.dtype).max).any():
            raise ImportRefused(_TRANSPARENT)
        pixels = pixels[..., :-1]
    if pixels.shape[2] == 1 or is_grey(pixels):
        return without_colour(pixels), ()
    return np.ascontiguousarray(pixels), (note("colour"),)


_TURNS: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(pixels.swapaxes(0, 1), 2),
    8: np.rot90,
}
"""What makes an image upright, by its EXIF orientation."""
