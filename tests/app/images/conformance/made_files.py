"""Small DICOM files that differ in all that decides the grey, each from one plain record."""

import itertools
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pydicom import uid
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence

SIDE = 64
ORDERS = {
    "explicit": uid.ExplicitVRLittleEndian,
    "big": uid.ExplicitVRBigEndian,
    "implicit": uid.ImplicitVRLittleEndian,
}
CR = uid.ComputedRadiographyImageStorage
XA = uid.XRayAngiographicImageStorage


@dataclass(frozen=True)
class Table:
    """A LUT as a file writes it.

    `layout`: "words" (one entry a word), "bytes" (two entries a word), "numbers" (VR US);
    `said_bits` stands in the descriptor; `sign` is the VR of the descriptor, "US" or "SS".
    """

    first: int
    entries: tuple[int, ...]
    said_bits: int
    layout: str = "words"
    sign: str = "US"


@dataclass(frozen=True)
class Made:
    """One file: everything between its stored values and the grey."""

    name: str = ""
    bits: int = 12
    allocated: int = 16
    high_bit: int | None = None
    signed: bool = False
    extended: bool = True
    photometric: str = "MONOCHROME2"
    shape: str | None = None
    slope: float | None = None
    intercept: float | None = None
    modality: Table | None = None
    center: float | None = None
    width: float | None = None
    function: str | None = None
    voi: Table | None = None
    padding: int | None = None
    limit: int | None = None
    padding_sign: str | None = None
    intensity: str | None = None
    shutter: tuple[tuple[str, object], ...] = ()
    order: str = "explicit"

    @property
    def limits(self) -> tuple[int, int]:
        half = 2 ** (self.bits - 1)
        return (-half, half - 1) if self.signed else (0, 2 * half - 1)


def values(made: Made) -> np.ndarray:
    """Return the stored values (SIDE, SIDE), int64: the whole range, the ends and odd steps."""
    low, high = made.limits
    ramp = np.linspace(low, high, SIDE * SIDE)
    return np.floor(ramp + 0.5).astype(np.int64).reshape(SIDE, SIDE)


def write(made: Made, path: Path) -> Path:
    """Write a file; some of what it says is wrong on purpose."""
    return write_dataset(_dataset(made), made.order, path)


def write_dataset(data: FileDataset, order: str, path: Path) -> Path:
    """Write a data set in a byte order, however wrong it is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        implicit, little = order == "implicit", order != "big"
        dcmwrite(path, data, implicit_vr=implicit, little_endian=little, enforce_file_format=True)
    return path


def _dataset(made: Made) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = XA if made.intensity else CR
    meta.MediaStorageSOPInstanceUID = uid.generate_uid(entropy_srcs=[repr(made)])
    meta.TransferSyntaxUID = ORDERS[made.order]
    data = FileDataset(None, {}, file_meta=meta, preamble=bytes(128))
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta[0x00020003].value
    data.Modality = "XA" if made.intensity else "CR"
    data.PatientOrientation = ["L", "F"]
    data.Rows = data.Columns = SIDE
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, made.photometric
    data.BitsAllocated, data.BitsStored = made.allocated, made.bits
    data.HighBit = made.bits - 1 if made.high_bit is None else made.high_bit
    data.PixelRepresentation = int(made.signed)
    _grey(data, made)
    pixels = _patterns(made).astype(f"<u{made.allocated // 8}").tobytes()
    words = np.frombuffer(pixels, "<u2").astype(">u2" if made.order == "big" else "<u2")
    data["PixelData"] = DataElement(0x7FE00010, "OW", words.tobytes())
    return data


def _patterns(made: Made) -> np.ndarray:
    stored = values(made) % 2**made.bits
    if made.high_bit is not None:
        return stored << (made.high_bit + 1 - made.bits)
    if made.signed and made.extended:
        return values(made) % 2**made.allocated
    return stored


def _grey(data: Dataset, made: Made) -> None:
    plain = {
        "PresentationLUTShape": made.shape, "RescaleSlope": made.slope,
        "RescaleIntercept": made.intercept, "WindowCenter": made.center,
        "WindowWidth": made.width, "VOILUTFunction": made.function,
        "PixelIntensityRelationship": made.intensity, **dict(made.shutter),
    }  # fmt: skip
    for keyword, value in plain.items():
        if value is not None:
            setattr(data, keyword, value)
    sign = made.padding_sign or ("SS" if made.signed else "US")
    for tag, value in ((0x00280120, made.padding), (0x00280121, made.limit)):
        if value is not None:
            data.add_new(tag, sign, _in_sign(value, sign))
    for keyword, table in (("ModalityLUTSequence", made.modality), ("VOILUTSequence", made.voi)):
        if table is not None:
            setattr(data, keyword, Sequence([_item(table, made.order)]))


def _item(table: Table, order: str) -> Dataset:
    item = Dataset()
    sign = table.sign
    # The first and the third are unsigned whatever the VR says.
    first = _in_sign(table.first, sign)
    item.add_new(0x00283002, sign, [len(table.entries) % 65536, first, table.said_bits])
    entries = np.array(table.entries, np.int64)
    if table.layout == "numbers":
        item.add_new(0x00283006, "US", entries.tolist())
        return item
    if table.layout == "bytes":
        words = entries.astype(np.uint8).tobytes() + bytes(len(entries) % 2)
        packed = np.frombuffer(words, "<u2")
    else:
        packed = entries
    item.add_new(0x00283006, "OW", packed.astype(">u2" if order == "big" else "<u2").tobytes())
    return item


def _in_sign(value: int, sign: str) -> int:
    whole = value % 65536
    return whole - 65536 if sign == "SS" and whole >= 32768 else whole


def curve(count: int, bits: int) -> tuple[int, ...]:
    """Return a bent table that reaches the greatest value of its bits."""
    return tuple(round((2**bits - 1) * (i / (count - 1)) ** 1.7) for i in range(count))


_FORMATS = (
    {"bits": 8, "allocated": 8}, {"bits": 10}, {"bits": 12}, {"bits": 16},
    {"bits": 12, "high_bit": 15}, {"bits": 12, "signed": True}, {"bits": 16, "signed": True},
    {"bits": 12, "signed": True, "extended": False},
)  # fmt: skip
_INVERSIONS = (
    {}, {"photometric": "MONOCHROME1"}, {"shape": "IDENTITY"},
    {"photometric": "MONOCHROME1", "shape": "IDENTITY"},
    {"photometric": "MONOCHROME1", "shape": "INVERSE"}, {"shape": "INVERSE"},
)  # fmt: skip
_SLOPES = (
    {}, {"slope": 1, "intercept": -1024}, {"slope": 0.684, "intercept": -300.5},
    {"slope": 2, "intercept": 7}, {"slope": -1, "intercept": 500},
    {"slope": 0.0005, "intercept": 0},
)  # fmt: skip
_WINDOWS = (
    "none",
    "wide",
    "narrow",
    "one",
    "below one",
    "sigmoid",
    "exact",
    "lut",
    "lut8",
    "lut8w",
)
_PADDINGS = ("none", "value", "range", "other sign")


def matrix(every: int = 23) -> list[Made]:
    """Return each `every`-th of all combinations; by a prime none of the choices is left out."""
    product = itertools.product(
        range(len(_FORMATS)), range(len(_INVERSIONS)), (*range(len(_SLOPES)), "lut"), _WINDOWS,
        _PADDINGS, ORDERS,
    )  # fmt: skip
    return [_made(i, *chosen) for i, chosen in enumerate(product) if i % every == 0]


def _made(
    number: int, pixels: int, turned: int, slope: int | str, window: str, padding: str, order: str
) -> Made:
    made = Made(f"matrix-{number}", order=order, **_FORMATS[pixels], **_INVERSIONS[turned])
    made = _with_modality(made, slope)
    return _with_padding(_with_window(made, window), padding)


def _with_modality(made: Made, slope: int | str) -> Made:
    if isinstance(slope, int):
        return replace(made, **_SLOPES[slope])
    low, high = made.limits
    count = min(high - low + 1, 3000)
    sign = "SS" if made.signed else "US"
    return replace(made, modality=Table(low + 20, curve(count, 14), 16, sign=sign))


def reach(made: Made) -> tuple[float, float]:
    """Return the least and the greatest value after the Modality LUT."""
    if made.modality is not None:
        return min(made.modality.entries), max(made.modality.entries)
    slope, intercept = made.slope or 1.0, made.intercept or 0.0
    low, high = sorted(value * slope + intercept for value in made.limits)
    return low, high


def _with_window(made: Made, window: str) -> Made:
    low, high = reach(made)
    middle, whole = round((low + high) / 2, 6), round(high - low, 6)
    plain = {
        "none": (None, None, None), "wide": (middle, max(whole, 2), None),
        "narrow": (middle, max(whole / 5, 1.5), None), "one": (middle, 1, None),
        "below one": (middle, 0.75, None), "sigmoid": (middle, max(whole / 3, 1), "SIGMOID"),
        "exact": (middle, max(whole / 2, 0.5), "LINEAR_EXACT"),
    }  # fmt: skip
    if window in plain:
        center, width, function = plain[window]
        return replace(made, center=center, width=width, function=function)
    first = int(np.clip(np.floor(low) + 3, -32768, 65000))  # what 16 bits can say
    count = int(np.clip(high - first - 6, 2, 5000))
    bits, layout = {"lut": (12, "words"), "lut8": (8, "bytes"), "lut8w": (8, "words")}[window]
    return replace(made, voi=Table(first, curve(count, bits), bits, layout))


def _with_padding(made: Made, padding: str) -> Made:
    low, high = made.limits
    if padding == "none":
        return made
    sign = {"other sign": "US" if made.signed else "SS"}.get(padding)
    limit = low + (high - low) // 10 if padding == "range" else None
    return replace(
        made,
        padding=low if made.signed or padding != "other sign" else high,
        limit=limit,
        padding_sign=sign,
    )


_RECTANGLE = {
    "ShutterLeftVerticalEdge": 6, "ShutterRightVerticalEdge": 50, "ShutterUpperHorizontalEdge": 3,
    "ShutterLowerHorizontalEdge": 60,
}  # fmt: skip
_CIRCLE = {"CenterOfCircularShutter": [30, 20], "RadiusOfCircularShutter": 15}
_TRIANGLE = {"VerticesOfThePolygonalShutter": [5, 5, 5, 60, 60, 5]}


def _shuttered(shape: str | list[str], *elements: dict[str, object], grey: int = 0) -> Made:
    said = {"ShutterShape": shape, "ShutterPresentationValue": grey}
    for more in elements:
        said |= more
    name = f"shutter {shape} {grey}"
    return Made(name, shutter=tuple(said.items()), center=2048, width=4096)


SHUTTERS = [
    _shuttered("RECTANGULAR", _RECTANGLE),
    _shuttered("CIRCULAR", _CIRCLE),
    _shuttered("POLYGONAL", _TRIANGLE),
    _shuttered(["RECTANGULAR", "CIRCULAR"], _RECTANGLE, _CIRCLE),
    _shuttered("RECTANGULAR", _RECTANGLE, grey=0xFFFF),
]
