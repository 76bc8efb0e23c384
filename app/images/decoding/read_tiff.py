"""Decode one greyscale or RGB TIFF with 8 or 16 bits; runs only in the worker process."""

import io
from dataclasses import dataclass
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from app.errors import ImportRefused
from app.images.limits import require_pixel_size

TIFF_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_SUBFILE, _WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC = 254, 256, 257, 258, 259, 262
_ORIENTATION, _SAMPLES, _PLANAR, _FORMAT = 274, 277, 284, 339
_PARTS = ((273, 279), (324, 325))
"""Tags for where strips and tiles begin and how long they are."""
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2
_LOSSY = (6, 7)
_MOST_PAGES = 1000
Tags = dict[int, Any]


@dataclass(frozen=True, slots=True)
class Tiff:
    """A decoded TIFF.

    Attributes
    ----------
    pixels
        Shape (H, W) or (H, W, samples), as stored; uint8, int8, uint16 or int16.
    inverse
        Whether 0 is white.
    orientation
        1 to 8, as in EXIF.
    lossy
        Whether it is compressed as JPEG.
    """

    pixels: NDArray[Any]
    inverse: bool
    orientation: int
    lossy: bool


def read_tiff(data: bytes) -> Tiff:
    """Decode a TIFF.

    Raises
    ------
    ImportRefused
        If it is damaged, cut short, too large, or of a kind that is not a radiograph.
    """
    page = _only_page(_pages(data))
    bits, samples = _depth(page), int(page.get(_SAMPLES, 1))
    width, height = int(page.get(_WIDTH, 0)), int(page.get(_LENGTH, 0))
    require_pixel_size(height, width, 1, samples * bits // 8)
    _require_kind(page, samples)
    _require_whole(page, len(data))
    try:
        pixels = np.asarray(imagecodecs.tiff_decode(data))
    except imagecodecs.TiffError as error:
        raise ImportRefused(
            "it is not an intact TIFF file: its pixels cannot be decoded"
        ) from error
    if pixels.shape not in ((height, width), (height, width, samples)):
        raise ImportRefused(f"its pixels decode to {pixels.shape} {pixels.dtype}")
    inverse = page.get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    lossy = int(page.get(_COMPRESSION, 1)) in _LOSSY
    return Tiff(pixels, inverse, int(page.get(_ORIENTATION, 1)), lossy)


def _pages(data: bytes) -> list[Tags]:
    """Return the tags of each page."""
    file = io.BytesIO(data)
    pages: list[Tags] = []
    seen: set[int] = set()
    try:
        directory = ImageFileDirectory_v2(data[: 16 if b"+" in data[2:4] else 8])
        while directory.next and directory.next not in seen and len(pages) < _MOST_PAGES:
            seen.add(directory.next)
            file.seek(directory.next)
            directory.load(file)
            pages.append(dict(directory))
    except Exception as error:  # Pillow raises SyntaxError, struct.error, OverflowError, …
        raise ImportRefused(
            "it is not an intact TIFF file (its directory cannot be read)"
        ) from error
    return pages


def _only_page(pages: list[Tags]) -> Tags:
    """Return the picture; reduced copies and masks beside it do not count."""
    pictures = [page for page in pages if _WIDTH in page and _LENGTH in page]
    full = [page for page in pictures if not int(page.get(_SUBFILE, 0)) & 5]
    if not full:
        raise ImportRefused("it is not an intact TIFF file (no picture in it)")
    if len(full) > 1:
        raise ImportRefused("it has several pages; Foveate reads single-frame images")
    if full[0] is not pages[0]:
        raise ImportRefused("its picture is not its first page; export it without a preview")
    return full[0]


def _depth(page: Tags) -> int:
    given = page.get(_BITS, (1,))
    bits = {int(number) for number in (given if isinstance(given, tuple) else (given,))}
    if bits not in ({8}, {16}):
        raise ImportRefused(
            f"it has {', '.join(map(str, sorted(bits)))} bits per sample; Foveate reads 8 and 16"
        )
    return bits.pop()


def _require_kind(page: Tags, samples: int) -> None:
    form = page.get(_FORMAT, (1,))
    forms = set(form) if isinstance(form, tuple) else {form}
    if not forms <= {1, 2}:
        raise ImportRefused("its pixels are floating-point numbers; Foveate reads only integers")
    photometric, planar = page.get(_PHOTOMETRIC), page.get(_PLANAR, 1)
    grey = photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO) and samples in (1, 2)
    colour = photometric == _RGB and samples in (3, 4) and forms == {1}
    if not (grey or colour) or (samples > 1 and planar != 1):
        raise ImportRefused("it is neither a grey nor a plain RGB TIFF; export it as greyscale")


def _require_whole(page: Tags, length: int) -> None:
    for starts, counts in _PARTS:
        begin, size = (_numbers(page.get(tag)) for tag in (starts, counts))
        missing = sum(max(a + n - length, 0) for a, n in zip(begin, size, strict=False))
        if missing:
            raise ImportRefused(f"it is cut short: {missing:,} bytes of its pixels are missing")


def _numbers(value: Any) -> list[int]:
    if value is None:
        return []
    return [int(n) for n in value] if isinstance(value, tuple) else [int(value)]
