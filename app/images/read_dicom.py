"""Decode one DICOM file; runs in the worker process only, where a hostile file does no harm."""

import io
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import FileDataset
from pydicom.encaps import generate_frames
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import _read_file_meta_info, read_preamble
from pydicom.filewriter import write_file_meta_info

from app.errors import ImportRefused
from app.images import deidentify
from app.images.attributes import DisplayAttributes
from app.images.codestream import frame_header, require_same
from app.images.functional_groups import adopt_frame
from app.images.limits import MAX_HEADER_BYTES, MAX_PIXEL_BYTES, require_pixel_size
from app.images.origin import Identity

# Which decoder is trusted with which transfer syntax. RLE goes to pydicom's own (pylibjpeg-rle
# aborts on hostile files); what is not listed is refused.
_NATIVE = (
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian,
)
_PLUGINS = {
    uid.RLELossless: "pydicom",
    uid.JPEGBaseline8Bit: "pillow",
    uid.JPEGExtended12Bit: "pillow",
    uid.JPEGLossless: "gdcm",
    uid.JPEGLosslessSV1: "gdcm",
    uid.JPEGLSLossless: "pyjpegls",
    uid.JPEGLSNearLossless: "pyjpegls",
    uid.JPEG2000Lossless: "pylibjpeg",
    uid.JPEG2000: "pylibjpeg",
}
_LOSSY = (
    uid.JPEGBaseline8Bit,
    uid.JPEGExtended12Bit,
    uid.JPEGLSNearLossless,
    uid.JPEG2000,
)
_DICOMDIR = "1.2.840.10008.1.3.10"


def looks_like_dicom(head: bytes) -> bool:
    """Return whether a file's first 132 bytes are those of a DICOM file, with preamble or not."""
    if head[128:132] == b"DICM":
        return True
    # Without the preamble the first element is one of group 0002 or 0008, with a small number.
    return head[:2] in (b"\x02\x00", b"\x08\x00") and len(head) > 8 and head[3] == 0


def read_dicom(path: Path, key: bytes) -> tuple[NDArray[Any], DisplayAttributes, Identity]:
    """Decode and de-identify a file.

    Parameters
    ----------
    path
        The file.
    key
        Hashes what identifies the patient.

    Returns
    -------
    tuple
        Stored values (H, W), of a stack (N, H, W), in pydicom's `pixel_array` dtype, what is kept
        beside them, and who it is of.

    Raises
    ------
    ImportRefused
        Saying why the file cannot become a case.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # files in the field break small rules of the standard
        dataset, deflated = _dataset(path)
        _require_image(dataset)
        syntax = _syntax(dataset)
        shape = _require_size(dataset, syntax)
        stored = _pixels(dataset, syntax, shape)
        adopt_frame(dataset, shape[0] // 2 if len(shape) == 3 else 0)
        lossy = syntax in _LOSSY
        named = uid.DeflatedExplicitVRLittleEndian if deflated else syntax
        kept = deidentify.display_attributes(dataset, stored, str(named), lossy=lossy)
        return stored, kept, deidentify.identity_of(dataset, key)


def _dataset(path: Path) -> tuple[FileDataset, bool]:
    """Return a file's data set, and whether it was deflated."""
    try:
        inflated = _inflated(path)
        dataset = pydicom.dcmread(inflated or path, force=True)
    except (ImportRefused, MemoryError):
        raise
    except Exception as error:  # pydicom raises whatever a broken file makes it stumble over
        raise ImportRefused(f"it is no readable DICOM file ({short(error)})") from error
    if not len(dataset):
        raise ImportRefused("it is no readable DICOM file, or cut off (no data element is whole)")
    return dataset, inflated is not None


def _inflated(path: Path) -> io.BytesIO | None:
    """Return a deflated file unpacked, never larger than the limit; None for any other file."""
    with path.open("rb") as file:
        preamble = read_preamble(file, force=True)
        meta = _read_file_meta_info(file)
        if meta.get("TransferSyntaxUID") != uid.DeflatedExplicitVRLittleEndian:
            return None
        packed = file.read()
    unpacker, limit = zlib.decompressobj(-zlib.MAX_WBITS), MAX_PIXEL_BYTES + MAX_HEADER_BYTES
    data = unpacker.decompress(packed, limit)
    if unpacker.unconsumed_tail:
        raise ImportRefused(f"it unpacks to more than {limit / 1e6:,.0f} MB")
    if not unpacker.eof:
        raise ImportRefused("it is truncated: its deflated data end too soon")
    meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    header = DicomBytesIO()
    write_file_meta_info(header, meta, enforce_standard=False)
    return io.BytesIO((preamble or bytes(128)) + b"DICM" + header.getvalue() + data)


def _require_image(dataset: FileDataset) -> None:
    if str(dataset.file_meta.get("MediaStorageSOPClassUID", "")) == _DICOMDIR:
        raise ImportRefused("it is a DICOMDIR: name its folder instead")
    if "FloatPixelData" in dataset or "DoubleFloatPixelData" in dataset:
        raise ImportRefused("its pixels are floating-point numbers; Foveate reads whole ones")
    if "PixelData" not in dataset:
        kind = str(dataset.get("Modality", "")) or "no modality"
        raise ImportRefused(f"it is a DICOM file without a picture ({kind})")
    photometric = str(dataset.get("PhotometricInterpretation", ""))
    if not photometric:
        raise ImportRefused(
            "it does not say how its pixels are meant (no Photometric Interpretation)"
        )
    if photometric not in ("MONOCHROME1", "MONOCHROME2"):
        raise ImportRefused(
            f"it is a colour image ({photometric}); Foveate reads greyscale images. Export it as "
            "MONOCHROME2 or as PNG"
        )


def _syntax(dataset: FileDataset) -> uid.UID:
    meta = dataset.file_meta
    if "TransferSyntaxUID" not in meta:
        implicit, little = dataset.original_encoding
        native = uid.ImplicitVRLittleEndian if implicit else uid.ExplicitVRLittleEndian
        meta.TransferSyntaxUID = native if little else uid.ExplicitVRBigEndian
    syntax = uid.UID(str(meta.TransferSyntaxUID))
    if syntax not in _NATIVE and syntax not in _PLUGINS:
        raise ImportRefused(f"its transfer syntax is not supported ({syntax.name})")
    return syntax


def _require_size(dataset: FileDataset, syntax: uid.UID) -> tuple[int, ...]:
    """Check sizes before anything is decoded; return the shape (H, W) or (N, H, W) to come."""
    allocated = _whole(dataset, "BitsAllocated", 0)
    stored = _whole(dataset, "BitsStored", allocated)
    if allocated not in (8, 16) or not 1 <= stored <= allocated:
        raise ImportRefused(
            f"it has {stored} bits stored in {allocated}; Foveate reads up to 16 bits in 8 or 16"
        )
    samples = _whole(dataset, "SamplesPerPixel", 1)
    if samples != 1:
        raise ImportRefused(f"it says it is greyscale but has {samples} samples per pixel")
    rows, columns = _whole(dataset, "Rows", 0), _whole(dataset, "Columns", 0)
    frames = _whole(dataset, "NumberOfFrames", 1)
    require_pixel_size(rows, columns, frames, allocated // 8)
    if syntax in _NATIVE:
        expected, there = rows * columns * frames * allocated // 8, len(dataset.PixelData)
        if there < expected:
            raise ImportRefused(
                f"it is truncated: {there:,} of {expected:,} bytes of pixels are there"
            )
    elif syntax != uid.RLELossless:
        _require_frames(dataset, rows, columns, frames, allocated)
    return (rows, columns) if frames == 1 else (frames, rows, columns)


def _require_frames(
    dataset: FileDataset, rows: int, columns: int, frames: int, allocated: int
) -> None:
    try:
        found = generate_frames(dataset.PixelData, number_of_frames=frames)
        headers = [frame_header(data) for data in found]
    except (ValueError, EOFError, struct.error) as error:
        said = short(error)
        raise ImportRefused(f"its compressed frames cannot be told apart ({said})") from error
    for header in headers:
        require_same(header, rows, columns, allocated)
    if len(headers) < frames:
        raise ImportRefused(f"it is truncated: {len(headers):,} of {frames:,} frames are there")


def _pixels(dataset: FileDataset, syntax: uid.UID, shape: tuple[int, ...]) -> NDArray[Any]:
    try:
        shift = _high_shift(dataset, syntax)
        dataset.pixel_array_options(
            decoding_plugin=_PLUGINS.get(syntax, ""), correct_unused_bits=not shift
        )
        stored = np.ascontiguousarray(dataset.pixel_array)
    except MemoryError:
        raise
    except Exception as error:  # decoders raise their own kinds
        raise ImportRefused(
            f"its pixels cannot be decoded, they are damaged or cut short ({_said(error)})"
        ) from error
    if stored.shape != shape or stored.dtype.kind not in "ui":
        raise ImportRefused(f"its pixels come out as {stored.shape} {stored.dtype}")
    stored = stored.astype(stored.dtype.newbyteorder("<"), copy=False)
    return _lowered(stored, shift, int(dataset.BitsStored)) if shift else stored


def _high_shift(dataset: FileDataset, syntax: uid.UID) -> int:
    """Return how many bits lie below a value that does not begin at the lowest.

    pydicom looks for it there whatever High Bit says. Codecs number their bits themselves, so that
    only what is stored plainly can have other bits below it.
    """
    allocated, stored = int(dataset.BitsAllocated), int(dataset.BitsStored)
    shift = _whole(dataset, "HighBit", stored - 1) + 1 - stored
    plain = syntax in _NATIVE or syntax == uid.RLELossless
    return shift if plain and 0 < shift <= allocated - stored else 0


def _lowered(stored: NDArray[Any], shift: int, bits: int) -> NDArray[Any]:
    """Return values from the upper bits of their patterns; a sign is extended."""
    above = stored.dtype.itemsize * 8 - shift - bits
    return (stored << above) >> (above + shift)


def _whole(dataset: FileDataset, keyword: str, default: int) -> int:
    value = dataset.get(keyword)
    try:
        return default if value is None or value == "" else int(value)
    except (TypeError, ValueError) as error:
        raise ImportRefused(f"its {keyword} is no number") from error


def _said(error: BaseException) -> str:
    """Return what the decoder itself said, without pydicom's words around it."""
    plugin = str(error).rpartition("available plugins:")[2].strip()
    # gdcm gives nothing where it cannot decode, which pydicom stumbles over.
    return "gdcm gives nothing" if "'NoneType'" in plugin else short(ValueError(plugin or error))


def short(error: BaseException) -> str:
    """Return the first line of what a library said, cut to a readable length."""
    said = " ".join(str(error).split()) or type(error).__name__
    return said if len(said) <= 160 else f"{said[:157]}…"
