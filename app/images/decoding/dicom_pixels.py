"""The stored values of a DICOM file: which decoder is trusted with what, and its result."""

import struct
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import FileDataset
from pydicom.encaps import generate_fragments, generate_frames
from pydicom.pixels.decoders.base import get_decoder

from app.errors import ImportRefused
from app.images.decoding.codestream import FrameHeader, begins_picture, frame_header, require_same
from app.images.decoding.frame_decoders import OURS, is_whole_jpeg, register
from app.images.decoding.large_stacks import IN_MEMORY_BYTES, length_of, on_disk, rewind
from app.images.dicom.elements import Elements
from app.images.dicom.pixel_layout import PixelLayout
from app.images.files import Unwritable

_NATIVE = (
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian,
)
# RLE goes to pydicom's own (pylibjpeg-rle aborts on hostile files); anything not listed is refused.
PLUGINS = {
    uid.RLELossless: "pydicom",
    uid.JPEGBaseline8Bit: "pillow",
    uid.JPEGExtended12Bit: "pillow",
    uid.JPEGLossless: "gdcm",
    uid.JPEGLosslessSV1: "gdcm",
    uid.JPEGLSLossless: OURS,
    uid.JPEGLSNearLossless: OURS,
    uid.JPEG2000Lossless: "pylibjpeg",
    uid.JPEG2000: "pylibjpeg",
    uid.HTJ2KLossless: "pylibjpeg",
    uid.HTJ2KLosslessRPCL: "pylibjpeg",
    uid.HTJ2K: "pylibjpeg",
}
_LOSSY = (
    uid.JPEGBaseline8Bit,
    uid.JPEGExtended12Bit,
    uid.JPEGLSNearLossless,
    uid.JPEG2000,
    uid.HTJ2K,
)
_UNNAMED = {
    "1.2.840.10008.1.2.4.110": "JPEG XL Lossless",
    "1.2.840.10008.1.2.4.111": "JPEG XL JPEG Recompression",
    "1.2.840.10008.1.2.4.112": "JPEG XL",
}
"""Transfer syntaxes for which pydicom has no name."""


def syntax_of(dataset: FileDataset) -> uid.UID:
    """Return how a data set is encoded, judged from its bytes if its header does not say.

    Raises
    ------
    ImportRefused
        If no decoder is trusted with it.
    """
    meta = dataset.file_meta
    if not meta.get("TransferSyntaxUID"):
        implicit, little = dataset.original_encoding
        native = uid.ImplicitVRLittleEndian if implicit else uid.ExplicitVRLittleEndian
        meta.TransferSyntaxUID = native if little else uid.ExplicitVRBigEndian
    syntax = uid.UID(str(meta.TransferSyntaxUID))
    if syntax not in _NATIVE and syntax not in PLUGINS:
        name = _UNNAMED.get(syntax, syntax.name)
        raise ImportRefused(f"its transfer syntax is not supported ({name})")
    return syntax


def is_lossy(syntax: uid.UID) -> bool:
    """Return whether values decoded from a transfer syntax may differ from the original's."""
    return syntax in _LOSSY


def stored_values(
    dataset: FileDataset,
    syntax: uid.UID,
    layout: PixelLayout,
    elements: Elements,
    room: Path | None = None,
) -> NDArray[Any]:
    """Return a data set's stored values in the shape of its layout, little-endian.

    Parameters
    ----------
    room
        A file to create for the values of a large stack, which are then mapped.

    Raises
    ------
    ImportRefused
        If they are cut short or damaged, or differ from what the data set says.
    """
    headers = _checked(dataset, syntax, layout)
    try:
        stored, shift = _decoded(dataset, syntax, layout, elements, headers, room)
    except (MemoryError, ImportRefused, Unwritable):
        raise
    except Exception as error:  # decoders raise their own kinds
        raise ImportRefused(
            f"its pixels ({_name(syntax)}) cannot be decoded: they are damaged or cut short "
            f"({_said(error)})"
        ) from error
    if stored.shape != layout.shape or stored.dtype.kind not in "ui":
        raise ImportRefused(
            f"its pixels decode to {_size(stored.shape)}, but Number of Frames, Rows and "
            f"Columns say {_size(layout.shape)}"
        )
    stored = stored.astype(stored.dtype.newbyteorder("<"), copy=False)
    return _lowered(stored, shift, layout.stored) if shift else stored


def _decoded(
    dataset: FileDataset,
    syntax: uid.UID,
    layout: PixelLayout,
    elements: Elements,
    headers: list[FrameHeader],
    room: Path | None,
) -> tuple[NDArray[Any], int]:
    register()
    shift = _high_shift(elements, syntax, layout)
    ours = any(header.dct and (header.bits > 8 or header.samples > 1) for header in headers)
    plugin = OURS if ours else PLUGINS.get(syntax, "")
    options: Any = {"correct_unused_bits": not shift, "as_rgb": not any(h.rgb for h in headers)}
    decoder = get_decoder(syntax)
    rewind(dataset.PixelData)
    is_large = layout.frames > 1 and layout.shown_bytes > IN_MEMORY_BYTES
    if room is not None and is_large and not layout.is_colour:
        each = decoder.iter_array(dataset, decoding_plugin=plugin, **options)
        frames = (frame for frame, _ in each)
        # Converted one by one, so that a whole stack is never in memory.
        lower = partial(_lowered, shift=shift, bits=layout.stored)
        return on_disk(frames, layout.shape, room, lower if shift else np.asarray), 0
    pixels, _ = decoder.as_array(dataset, decoding_plugin=plugin, **options)
    return np.ascontiguousarray(pixels), shift


def _checked(dataset: FileDataset, syntax: uid.UID, layout: PixelLayout) -> list[FrameHeader]:
    """Check the size of the pixels before anything is decoded; return the frames' headers."""
    if syntax in _NATIVE:
        expected, there = layout.frame_bytes * layout.frames, length_of(dataset.PixelData)
        if there < expected:
            raise ImportRefused(
                f"it is truncated: only {there:,} of {expected:,} bytes of pixels are present"
            )
        return []
    return [] if syntax == uid.RLELossless else _frame_headers(dataset, layout)


def _frame_headers(dataset: FileDataset, layout: PixelLayout) -> list[FrameHeader]:
    headers = []
    try:
        _require_one_picture(dataset, layout)
        for data in generate_frames(dataset.PixelData, number_of_frames=layout.frames):
            headers.append(require_same(frame_header(data), layout))
            if headers[-1].dct and not is_whole_jpeg(data):
                raise ImportRefused("it is truncated: its JPEG data end before the picture does")
    except (ValueError, EOFError, struct.error) as error:
        raise ImportRefused(
            "its compressed frames cannot be separated (the items of Pixel Data are damaged)"
        ) from error
    if len(headers) < layout.frames:
        said = f"only {len(headers):,} of {layout.frames:,} frames are present"
        raise ImportRefused(f"it is truncated: {said}")
    return headers


def _require_one_picture(dataset: FileDataset, layout: PixelLayout) -> None:
    """Refuse several frames that are declared as one: a decoder would show only the first."""
    if layout.frames > 1:
        return
    rewind(dataset.PixelData)
    pictures = sum(begins_picture(part) for part in generate_fragments(dataset.PixelData))
    rewind(dataset.PixelData)
    if pictures > 1:
        raise ImportRefused(
            f"Number of Frames is 1, but it contains {pictures:,} compressed frames"
        )


def _high_shift(elements: Elements, syntax: uid.UID, layout: PixelLayout) -> int:
    """Return how many bits lie below a value that does not start at the lowest bit.

    pydicom ignores High Bit. Codecs number their bits themselves, so only uncompressed values can
    have other bits below them.
    """
    high = elements.number("HighBit")
    shift = 0 if high is None else int(high) + 1 - layout.stored
    plain = syntax in _NATIVE or syntax == uid.RLELossless
    return shift if plain and 0 < shift <= layout.allocated - layout.stored else 0


def _lowered(stored: NDArray[Any], shift: int, bits: int) -> NDArray[Any]:
    """Return the values in the upper bits of their patterns, with the sign extended."""
    above = stored.dtype.itemsize * 8 - shift - bits
    return (stored << above) >> (above + shift)


def _size(shape: tuple[int, ...]) -> str:
    return " × ".join(f"{n:,}" for n in shape)


def _name(syntax: uid.UID) -> str:
    return str(syntax.name).partition(",")[0].replace(" Image Compression", "")


def _said(error: BaseException) -> str:
    """Return the decoder's own message, without pydicom's words around it."""
    plugin = str(error).rpartition("available plugins:")[2].strip()
    # gdcm returns nothing if it cannot decode, which pydicom does not handle.
    return "gdcm returned nothing" if "'NoneType'" in plugin else short(ValueError(plugin or error))


def short(error: BaseException) -> str:
    """Return the first line of a library's message, cut to a readable length."""
    said = " ".join(str(error).split()) or "no reason given"
    return said if len(said) <= 160 else f"{said[:157]}…"
