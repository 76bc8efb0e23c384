"""Small colour DICOM files of each way to store a colour, and the colours that are meant."""

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom import uid
from pydicom.dataelem import DataElement
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.tag import Tag

from tests.app.images.conformance.made_files import ORDERS, write_dataset

ROWS, COLUMNS = 24, 32
_NAMES = ("Red", "Green", "Blue")


@dataclass(frozen=True)
class Colours:
    """One colour file.

    `entries` of a palette: "8" (one byte each), "16" (words), "8 in 16" (words below 256);
    `first`: the first index that has an entry of its own; `frames`: all of one picture.
    """

    photometric: str
    planar: int = 0
    allocated: int = 8
    order: str = "explicit"
    entries: str = ""
    first: int = 0
    frames: int = 1
    signed: bool = False
    grey: bool = False

    @property
    def name(self) -> str:
        said = (self.photometric, self.order, f"planar {self.planar}", f"{self.allocated} bits")
        return " ".join((*said, self.entries, str(self.first), str(self.frames)))


def meant(made: Colours) -> np.ndarray:
    """Return the colours (ROWS, COLUMNS, 3), uint8, that a file stands for."""
    if made.photometric == "PALETTE COLOR":
        return palette(made)[np.clip(indices() - made.first, 0, 199)]
    y, x = np.mgrid[0:ROWS, 0:COLUMNS]
    x = x // 2 * 2 if made.photometric == "YBR_FULL_422" else x  # two pixels share a colour
    flat = np.stack((x * 8, y * 10, 255 - x * 4 - y * 5), axis=-1)
    colours = np.repeat(flat[..., :1], 3, axis=-1) if made.grey else flat
    return colours.astype(np.uint8)


def indices() -> np.ndarray:
    return (np.arange(ROWS * COLUMNS) % 256).reshape(ROWS, COLUMNS)


def palette(made: Colours) -> np.ndarray:
    at = np.arange(200)
    return np.stack((at, 255 - at, (at * 7) % 256), axis=-1).astype(np.uint8)


def ybr(rgb: np.ndarray) -> np.ndarray:
    """PS3.3 C.7.6.3.1.2."""
    matrix = np.array([[0.299, 0.587, 0.114], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]])
    return np.clip(np.floor(rgb @ matrix.T + [0, 128, 128] + 0.5), 0, 255).astype(np.uint8)


def write(made: Colours, path: Path) -> Path:
    """Write a file."""
    return write_dataset(_dataset(made), made.order, path)


def _dataset(made: Colours) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = uid.SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = uid.generate_uid(entropy_srcs=[repr(made)])
    meta.TransferSyntaxUID = ORDERS[made.order]
    data = FileDataset(None, {}, file_meta=meta, preamble=bytes(128))
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta[0x00020003].value
    data.Modality, data.Rows, data.Columns = "OT", ROWS, COLUMNS
    data.PhotometricInterpretation = made.photometric
    indexed = made.photometric == "PALETTE COLOR"
    data.SamplesPerPixel = 1 if indexed else 3
    if not indexed:
        data.PlanarConfiguration = made.planar
    if made.frames > 1:
        data.NumberOfFrames = made.frames
    data.BitsAllocated = data.BitsStored = made.allocated
    data.HighBit, data.PixelRepresentation = made.allocated - 1, int(made.signed)
    data.WindowCenter, data.WindowWidth = "10", "5"  # which is not for colours
    if indexed:
        _put_palette(data, made)
    frame = _ordered(_samples(made), made)
    pixels = b"".join([frame] * made.frames)
    if made.order == "big" and made.allocated == 8:
        pixels = _swapped(pixels)
    data["PixelData"] = DataElement(0x7FE00010, "OW", pixels + bytes(len(pixels) % 2))
    return data


def _samples(made: Colours) -> np.ndarray:
    """Return what is stored of one frame, in the order of the file."""
    if made.photometric == "PALETTE COLOR":
        return indices()
    if made.photometric == "YBR_FULL_422":
        full = ybr(meant(made).astype(float))
        pairs = np.concatenate((full[:, 0::2, :1], full[:, 1::2, :1], full[:, 0::2, 1:]), axis=-1)
        return pairs
    found = ybr(meant(made).astype(float)) if made.photometric == "YBR_FULL" else meant(made)
    deep = found.astype(np.int64) * (257 if made.allocated == 16 else 1)
    return np.moveaxis(deep, -1, 0) if made.planar else deep


def _ordered(samples: np.ndarray, made: Colours) -> bytes:
    order = ">" if made.order == "big" else "<"
    return samples.astype(f"{order}u{made.allocated // 8}").tobytes()


def _swapped(data: bytes) -> bytes:
    """Bytes in words: in big endian the second stands first (PS3.5 A.3)."""
    return np.frombuffer(data, "<u2").astype(">u2").tobytes()


def _put_palette(data: FileDataset, made: Colours) -> None:
    bits = 8 if made.entries == "8" else 16
    for i, name in enumerate(_NAMES):
        entries = palette(made)[:, i].astype(np.int64)
        entries = entries * 257 if made.entries == "16" else entries
        raw = entries.astype("u1" if bits == 8 else "<u2").tobytes()
        raw = _swapped(raw) if made.order == "big" else raw
        table = f"{name}PaletteColorLookupTable"
        sign = "SS" if made.signed else "US"
        data[f"{table}Descriptor"] = DataElement(
            Tag(f"{table}Descriptor"), sign, [200, made.first, bits]
        )
        data[f"{table}Data"] = DataElement(Tag(f"{table}Data"), "OW", raw)


def colour_matrix() -> list[Colours]:
    """Return a file of each combination that archives hold."""
    orders = ("explicit", "implicit", "big")
    plain = [
        Colours(photometric, planar, allocated, order)
        for photometric, planar, allocated, order in itertools.product(
            ("RGB", "YBR_FULL"), (0, 1), (8, 16), orders
        )
        if (photometric, allocated) != ("YBR_FULL", 16)
    ]
    shared = [Colours("YBR_FULL_422", order=order) for order in orders]
    indexed = [
        Colours("PALETTE COLOR", allocated=allocated, order=order, entries=entries, first=first)
        for allocated, order, entries, first in itertools.product(
            (8, 16), orders, ("8", "16", "8 in 16"), (0, 20)
        )
    ]
    return [*plain, *shared, *indexed, Colours("RGB", frames=3), Colours("RGB", grey=True)]
