"""The station beside DCMTK and beside the formula: alike, different for a known reason, or not."""

import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pydicom
from pydicom import uid
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

from app.images.decoding.decode import Decoded, Decoder
from tests.app.images.conformance import made_colours, reference
from tests.app.images.conformance.made_colours import Colours, meant
from tests.app.images.conformance.made_files import Made, values, write
from tests.app.images.conformance.renderings import (
    colours_shown,
    dcmtks,
    dcmtks_colours,
    others_colours,
    ours,
    same_order,
)

MOST = 2
"""Grey levels by which two pictures may differ where a window or a LUT applies."""
SAME = "same"
REASONS = {
    "padding": "padding is black; DCMTK draws it as any other value",
    "shutter": "what lies outside a display shutter is hidden; DCMTK draws it",
    "narrow window": "a window narrower than 1 is taken exactly; DCMTK leaves it out",
    "exact window": "LINEAR_EXACT is drawn as such; DCMTK 3.6.7 draws it as LINEAR",
    "fractions": "rescaled values keep their fractions; DCMTK rounds them to whole numbers",
    "angiogram": "a Modality LUT is left out where it is LOG or DISP; DCMTK leaves it out always",
    "LUT bits": "a VOI LUT is scaled by the bits that its entries use; DCMTK by those it declares",
    "palette bits": "a palette is scaled by the bits that its entries use; DCMTK by those said",
    "overshoot": "lossy JPEG beyond the bits stored is clipped to them; DCMTK draws other values",
    "JPEG colours": "a JPEG's own markers (JFIF, Adobe) say its colours; DCMTK asks the data set",
}


@dataclass
class Tally:
    """What a comparison found.

    `counts`: pictures by `SAME` or the reason of their difference; `refused`: file names and why;
    `unexplained`: file names and what differs.
    """

    counts: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)

    def add(self, name: str, verdict: str | None, worst: float) -> None:
        if verdict is None:
            self.unexplained.append(f"{name}: {worst:.0f} grey levels")
        else:
            self.counts[verdict] += 1


def compare_made(files: Iterable[Made], folder: Path) -> Tally:
    """Compare made files; the formula is that of `reference`."""
    tally = Tally()
    with Decoder(b"k" * 32) as decoder:
        for made in files:
            path = write(made, folder / "made.dcm")
            shown = ours(decoder, path, folder / "out")
            if isinstance(shown, Exception):
                tally.refused.append(f"{made.name}: {shown}")
                continue
            preset = "lut" if made.voi else "window" if made.center is not None else ""
            theirs = dcmtks(path, folder, *_options(preset, 1))
            hidden = np.zeros(values(made).shape, bool)
            if made.padding is not None:
                hidden = reference.blackened(made, values(made), np.ones(hidden.shape)) == 0
            formula = reference.grey(made)
            pictures = _Pictures(shown[0], theirs, formula, bool(preset), hidden)
            tally.add(made.name, *_verdict(pictures, _reasons_of(made)))
    return tally


def compare_colours(files: Iterable[Colours], folder: Path) -> Tally:
    """Compare made colour files; the formula is what they were made from."""
    tally = Tally()
    with Decoder(b"k" * 32) as decoder:
        for made in files:
            path = made_colours.write(made, folder / "made.dcm")
            shown = ours(decoder, path, folder / "out")
            if isinstance(shown, Exception):
                tally.refused.append(f"{made.name}: {shown}")
                continue
            reason = "palette bits" if made.entries == "8 in 16" else None
            verdict = _colour_verdict(path, shown[1], folder, meant(made), reason)
            tally.add(made.name, *verdict)
    return tally


def compare_files(paths: Iterable[Path], folder: Path) -> Tally:
    """Compare files; the formula is pydicom's, for colours GDCM's.

    DCMTK gets what it cannot decode (JPEG 2000, JPEG-LS) as the values that pydicom decodes.
    """
    tally = Tally()
    with Decoder(b"k" * 32) as decoder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in paths:
            shown = ours(decoder, path, folder / "out")
            if isinstance(shown, Exception):
                tally.refused.append(f"{path.name}: {shown}")
            elif shown[1].attributes.source_format == "DICOM":
                dataset = pydicom.dcmread(path, force=True)
                if not str(dataset.PhotometricInterpretation).upper().startswith("MONO"):
                    _add_colours(tally, path, dataset, shown[1], folder)
                    continue
                tally.add(path.name, *_file_verdict(path, *shown, folder))
    return tally


def _add_colours(
    tally: Tally, path: Path, dataset: FileDataset, decoded: Decoded, folder: Path
) -> None:
    """Add a colour file; what DCMTK cannot (JPEG 2000, JPEG-LS, segments) others do."""
    marked = decoded.attributes.lossy and dataset.PhotometricInterpretation == "RGB"
    formula = others_colours(dataset, decoded.attributes.frames // 2)
    reason = "JPEG colours" if marked else None
    tally.add(path.name, *_colour_verdict(path, decoded, folder, formula, reason))


def _colour_verdict(
    path: Path, decoded: Decoded, folder: Path, formula: np.ndarray | None, reason: str | None
) -> tuple[str | None, float]:
    """Return `SAME` or why not; the formula, (H, W, 3), also stands in where DCMTK has nothing."""
    middle = decoded.attributes.frames // 2
    shown = colours_shown(folder / "out", decoded.attributes)
    theirs = dcmtks_colours(path, folder, "+F", str(middle + 1))
    theirs = formula if theirs is None else theirs
    if theirs is None or theirs.shape != shown.shape:
        return None, np.inf
    away = float(np.abs(shown.astype(float) - theirs).max())
    if away <= MOST:
        return SAME, away
    right = formula is not None and np.abs(shown.astype(float) - formula).max() <= MOST
    return (reason if right else None), away


def _file_verdict(
    path: Path, shown: np.ndarray, decoded: Decoded, folder: Path
) -> tuple[str | None, float]:
    dataset = pydicom.dcmread(path, force=True)
    frames = decoded.attributes.frames
    stored = np.load(folder / "out" / "stored.npy")
    stored = stored[frames // 2] if frames > 1 else stored
    preset, formula = _formula(dataset, stored)
    options = _options(preset, frames // 2 + 1)
    theirs = dcmtks(path, folder, *options)
    if theirs is None:
        theirs = dcmtks(_decoded(dataset, stored, folder), folder, *_options(preset, 1))
    hidden = np.zeros(stored.shape, bool)
    if dataset.get("PixelPaddingValue") is not None:
        ends = (
            int(dataset.PixelPaddingValue),
            int(dataset.get("PixelPaddingRangeLimit") or dataset.PixelPaddingValue),
        )
        hidden = (stored >= min(ends)) & (stored <= max(ends))
    pictures = _Pictures(shown, theirs, formula, bool(preset), hidden)
    return _verdict(pictures, _reasons_in(dataset))


@dataclass(frozen=True)
class _Pictures:
    """One file's pictures, (H, W): ours, DCMTK's, the formula's where there is one.

    `windowed`: whether a window or a LUT applies; `hidden`: which pixels are padding.
    """

    shown: np.ndarray
    theirs: np.ndarray | None
    formula: np.ndarray | None
    windowed: bool
    hidden: np.ndarray

    def alike(self, seen: np.ndarray) -> bool:
        if not self.windowed:
            return same_order(self.theirs[seen], self.shown[seen])
        return self.away(self.theirs, seen) <= MOST

    def away(self, other: np.ndarray, seen: np.ndarray) -> float:
        return float(np.abs(self.shown.astype(float) - other)[seen].max(initial=0))


def _verdict(pictures: _Pictures, reasons: list[str]) -> tuple[str | None, float]:
    """Return `SAME` or the reason; None, and the worst difference, where nothing explains it."""
    shown, theirs, hidden = pictures.shown, pictures.theirs, pictures.hidden
    if theirs is None or theirs.shape != shown.shape:
        return None, np.inf
    if pictures.alike(np.ones_like(hidden)):
        return SAME, 0.0
    if pictures.alike(~hidden):
        return ("padding" if not shown[hidden].any() else None), pictures.away(theirs, hidden)
    formula = pictures.formula
    right = formula is not None and pictures.away(formula, ~hidden) <= MOST
    # Without a window the formula has nothing to say but the order, which shutters hide.
    right = right or (not pictures.windowed and bool(reasons))
    return (reasons[0] if right and reasons else None), pictures.away(theirs, ~hidden)


def _options(preset: str, frame: int) -> list[str]:
    chosen = {"lut": ["+Wl", "1"], "window": ["+Wi", "1"], "": []}[preset]
    return ["--no-overlays", "+F", str(frame), *chosen]


def _reasons_of(made: Made) -> list[str]:
    """Return why DCMTK may differ; a reason without which nothing is left to explain."""
    slope = float(made.slope or 1)
    return [
        reason
        for reason, holds in (
            ("shutter", bool(made.shutter)),
            ("narrow window", made.width is not None and made.width < 1),
            ("exact window", made.function == "LINEAR_EXACT" and slope.is_integer()),
            ("fractions", not slope.is_integer() or not float(made.intercept or 0).is_integer()),
            ("angiogram", made.intensity == "LIN"),
            ("LUT bits", _says_other_bits(made)),
        )
        if holds
    ]


def _says_other_bits(made: Made) -> bool:
    table = made.voi
    return table is not None and max(table.entries).bit_length() != table.said_bits


def _reasons_in(dataset: pydicom.Dataset) -> list[str]:
    slope = float(dataset.get("RescaleSlope") or 1)
    found = {
        "shutter": "ShutterShape" in dataset,
        "narrow window": _width(dataset) < 1,
        "exact window": dataset.get("VOILUTFunction") == "LINEAR_EXACT",
        "fractions": not slope.is_integer(),
        "angiogram": dataset.get("PixelIntensityRelationship") == "LIN",
        "LUT bits": bool(dataset.get("VOILUTSequence")),
        "overshoot": dataset.file_meta.get("TransferSyntaxUID") == uid.JPEGExtended12Bit,
    }
    return [reason for reason, holds in found.items() if holds]


def _formula(dataset: pydicom.Dataset, stored: np.ndarray) -> tuple[str, np.ndarray | None]:
    """Return which preset a file has and what pydicom makes of it, 0 to 255, where it can."""
    tables = [item for item in dataset.get("VOILUTSequence") or [] if item.get("LUTData")]
    window = dataset.get("WindowCenter") not in (None, "")
    preset = "lut" if tables else "window" if window and _width(dataset) > 0 else ""
    try:
        return preset, _pydicoms_grey(dataset, stored, preset) if preset else None
    except (TypeError, ValueError, AttributeError):  # of empty LUT items, for one
        return preset, None


def _pydicoms_grey(dataset: pydicom.Dataset, stored: np.ndarray, preset: str) -> np.ndarray:
    if preset == "window" and _width(dataset) < 1:
        dataset.VOILUTFunction = "LINEAR_EXACT"
    rescaled = apply_modality_lut(stored, dataset)
    shown = apply_voi_lut(rescaled, dataset).astype(float)
    if preset == "lut":
        low, high = 0, 2 ** int(dataset.VOILUTSequence[0].LUTDescriptor[2]) - 1
    else:
        low, high = _ends(dataset)
    grey = (shown - low) / (high - low) * 255
    shape = dataset.get("PresentationLUTShape")
    turned = shape == "INVERSE" if shape else dataset.PhotometricInterpretation == "MONOCHROME1"
    return 255 - grey if turned else grey


def _width(dataset: pydicom.Dataset) -> float:
    """Return the width of a file's first window; 1 where it has none."""
    width = dataset.get("WindowWidth")
    return 1.0 if width in (None, "") else float(np.atleast_1d(width)[0])


def _ends(dataset: pydicom.Dataset) -> tuple[float, float]:
    """Return what pydicom's windowing calls black and white (C.11.2.1.2 leaves it open)."""
    bits = int(dataset.BitsStored)
    signed = int(dataset.PixelRepresentation)
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    slope, intercept = dataset.get("RescaleSlope"), dataset.get("RescaleIntercept")
    if slope is not None and intercept is not None:
        return low * float(slope) + float(intercept), high * float(slope) + float(intercept)
    return low, high


def _decoded(dataset: pydicom.Dataset, stored: np.ndarray, folder: Path) -> Path:
    """Write what decides the grey again, with one frame's values for the compressed pixels."""
    path, meta = folder / "decoded.dcm", FileMetaDataset()
    meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    plain = FileDataset(None, {}, file_meta=meta, preamble=bytes(128))
    needed = {tag_for_keyword(keyword) for keyword in _NEEDED}
    for tag in list(dataset.keys()):
        if tag.group in (0x0028, 0x2050) or tag in needed:
            plain[tag] = dataset.get_item(tag)
    plain.NumberOfFrames = 1
    kind = f"<{stored.dtype.kind}{stored.dtype.itemsize}"
    data = stored.astype(kind).tobytes()
    plain["PixelData"] = DataElement(0x7FE00010, "OW", data + bytes(len(data) % 2))
    pydicom.dcmwrite(path, plain, implicit_vr=False, little_endian=True)
    return path


_NEEDED = ("SOPClassUID", "SOPInstanceUID", "Modality", "PixelIntensityRelationship")
