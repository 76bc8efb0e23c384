"""Decode one DICOM file; runs only in the worker process, where a hostile file does no harm."""

import warnings
import zlib
from pathlib import Path
from typing import Any

import pydicom
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import FileDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import _read_file_meta_info, read_preamble
from pydicom.filewriter import write_file_meta_info

from app.errors import ImportRefused
from app.images.attributes import DisplayAttributes
from app.images.decoding.dicom_pixels import is_lossy, short, stored_values, syntax_of
from app.images.decoding.in_memory import InMemory, Readable
from app.images.decoding.large_stacks import DEFERRED_BYTES, pixels_in_file
from app.images.dicom import deidentify
from app.images.dicom.colour import RGB, from_palette, is_grey, without_colour
from app.images.dicom.elements import Elements
from app.images.dicom.functional_groups import adopt_frame
from app.images.dicom.origin import Identity
from app.images.dicom.pixel_layout import PixelLayout, layout_of, put
from app.images.limits import MAX_HEADER_BYTES, MAX_PIXEL_BYTES, OUT_OF_MEMORY, require_file_size

_DICOMDIR = "1.2.840.10008.1.3.10"


def looks_like_dicom(head: bytes) -> bool:
    """Return whether a file's first 132 bytes are those of a DICOM file, preamble or not."""
    if head[128:132] == b"DICM":
        return True
    # Without a preamble, the first element belongs to group 0002 or 0008 and its number is small.
    return head[:2] in (b"\x02\x00", b"\x08\x00") and len(head) > 8 and head[3] == 0


def read_dicom(
    path: Readable, key: bytes, room: Path | None = None
) -> tuple[NDArray[Any], DisplayAttributes, Identity]:
    """Decode and de-identify a file.

    Parameters
    ----------
    path
        The file, or what an archive sent.
    key
        Hashes what identifies the patient.
    room
        A file to create for the values of a large stack, which are then mapped.

    Returns
    -------
    tuple
        Stored values (H, W), for a stack (N, H, W), in pydicom's `pixel_array` dtype, with red,
        green and blue at the end for colour; what is stored with them, and whose it is.

    Raises
    ------
    ImportRefused
        Says why the file cannot become a case.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # files in the field break small rules of the standard
        dataset, source, deflated = _dataset(path)
        elements = Elements(dataset)
        _require_image(dataset, elements)
        syntax = syntax_of(dataset)
        layout = layout_of(dataset, elements)
        try:
            with pixels_in_file(source, dataset):
                stored = stored_values(dataset, syntax, layout, elements, room)
                if layout.is_colour:
                    stored = _coloured(dataset, stored, layout, elements, syntax)
        except MemoryError as error:
            if not layout.is_colour or layout.frames == 1:
                raise
            raise ImportRefused(
                f"it is a colour stack of {layout.frames:,} frames "
                f"({layout.shown_bytes / 1e6:,.0f} MB decoded), and {OUT_OF_MEMORY}. only grey "
                "stacks are decoded frame by frame. Export it in parts, or in grey"
            ) from error
        adopt_frame(dataset, elements, layout.frames // 2)
        named = uid.DeflatedExplicitVRLittleEndian if deflated else syntax
        kept = deidentify.display_attributes(
            dataset,
            stored,
            str(named),
            lossy=is_lossy(syntax),
            coloured=layout.is_colour,
            said=elements.notes,
        )
        return stored, kept, deidentify.identity_of(dataset, key)


def _dataset(path: Readable) -> tuple[FileDataset, Readable, bool]:
    """Return a file's data set, where its pixels can be read, and whether it was deflated."""
    try:
        inflated = _inflated(path)
        source = path if inflated is None else InMemory(inflated)
        opened = source if isinstance(source, Path) else source.open("rb")
        dataset = pydicom.dcmread(opened, force=True, defer_size=DEFERRED_BYTES)
    except (ImportRefused, MemoryError):
        raise
    except Exception as error:  # pydicom raises whatever error a broken file leads to
        raise ImportRefused(f"it is not a readable DICOM file ({short(error)})") from error
    if not len(dataset):
        raise ImportRefused(
            "it is not a readable DICOM file, or is cut off (no data element is complete)"
        )
    return dataset, source, inflated is not None


def _inflated(path: Readable) -> bytes | None:
    """Return a deflated file unpacked, up to the limit; None for any other file."""
    with path.open("rb") as file:
        preamble = read_preamble(file, force=True)
        meta = _read_file_meta_info(file)
        if meta.get("TransferSyntaxUID") != uid.DeflatedExplicitVRLittleEndian:
            return None
        require_file_size(path.stat().st_size)
        packed = file.read()
    unpacker, limit = zlib.decompressobj(-zlib.MAX_WBITS), MAX_PIXEL_BYTES + MAX_HEADER_BYTES
    data = unpacker.decompress(packed, limit)
    if unpacker.unconsumed_tail:
        raise ImportRefused(f"it unpacks to more than {limit / 1e6:,.0f} MB")
    if not unpacker.eof:
        raise ImportRefused("it is truncated: its deflated data end too early")
    meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    header = DicomBytesIO()
    write_file_meta_info(header, meta, enforce_standard=False)
    whole: bytes = (preamble or bytes(128)) + b"DICM" + header.getvalue() + data
    return whole


def _require_image(dataset: FileDataset, elements: Elements) -> None:
    if str(dataset.file_meta.get("MediaStorageSOPClassUID", "")) == _DICOMDIR:
        raise ImportRefused("it is a DICOMDIR; import its folder instead")
    if "FloatPixelData" in dataset or "DoubleFloatPixelData" in dataset:
        raise ImportRefused(
            "its pixels are floating-point numbers (Float Pixel Data); Foveate reads only integers"
        )
    if not elements.value("PixelData"):
        kind = elements.text("Modality") or "no modality"
        raise ImportRefused(f"it is a DICOM file without a picture ({kind})")


def _coloured(
    dataset: FileDataset,
    stored: NDArray[Any],
    layout: PixelLayout,
    elements: Elements,
    syntax: uid.UID,
) -> NDArray[Any]:
    """Return colours as red, green and blue, or as grey if they are grey; say which."""
    if layout.samples == 1:
        big_endian = syntax == uid.ExplicitVRBigEndian
        stored = from_palette(stored, elements, big_endian=big_endian)
        put(dataset, "BitsStored", 8)
    grey = is_grey(stored)
    put(dataset, "PhotometricInterpretation", "MONOCHROME2" if grey else RGB)
    elements.say("grey-as-colour" if grey else "colour")
    return without_colour(stored) if grey else stored
