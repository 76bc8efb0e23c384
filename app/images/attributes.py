"""What must be known to show an image's stored values correctly, to and from `display.json`.

Only these fields survive an import: this dataclass is the allow-list of de-identification.
"""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

from app.errors import ImageUnreadable
from app.images.dicom.overlay import Runs
from app.images.dicom.shutter import Shutter
from app.images.dicom.spacing import PROJECTED
from app.images.dicom.stored_values import PixelFormat
from app.images.notes import Note, note

DISPLAY_VERSION = 1


@dataclass(frozen=True, slots=True)
class Window:
    """Which values are shown between black and white.

    Attributes
    ----------
    center, width
        In output units of the Modality LUT (as DICOM's Window Center and Width).
    name
        Named by its number: a file's own names for its windows are free text and are not kept.
    lut
        Index into `DisplayAttributes.voi_luts` when a VOI LUT is meant; center and width then
        describe its range, so that a drag can start from there.
    function
        "LINEAR", "LINEAR_EXACT" or "SIGMOID"; the image's own `voi_function` if None.
    """

    center: float
    width: float
    name: str = ""
    lut: int | None = None
    function: str | None = None


@dataclass(frozen=True, slots=True)
class LookUpTable:
    """A Modality or VOI LUT (DICOM PS3.3 C.11.1, C.11.2).

    Attributes
    ----------
    first
        Input value of the first entry; smaller inputs map to the first entry, larger ones than the
        last to the last.
    bits
        Bits needed by the greatest entry: makers often declare more.
    entries
        Output values.
    name
        Named by its number, as for a window.
    """

    first: int
    bits: int
    entries: tuple[int, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class DisplayAttributes:
    """How the stored values of one image should be shown, and what is known about the picture.

    Attributes
    ----------
    rows, columns, frames
        Size in source pixels; more than one frame is a stack.
    photometric
        "MONOCHROME1", "MONOCHROME2", or "RGB" for any colours in the file.
    samples
        Per pixel: 1, or 3 for colour, which is shown without a window.
    bits_stored, bits_allocated, signed
        Of a stored value.
    stored_low, stored_high
        Percentiles 0.1 and 99.9 of the values, without padding and what a shutter hides; for
        colours, the limits of what can be stored.
    voi_function
        "LINEAR", "LINEAR_EXACT" or "SIGMOID".
    padding_value, padding_limit
        Stored values between them (inclusive) are not part of the image: always black.
    air_value
        The single stored value of the air around a breast, if a mammogram declares no padding: also
        always black.
    presentation_shape
        "IDENTITY", "INVERSE" or None; if given, it takes precedence over the photometric.
    shutter
        The visible part; None for all of it.
    row_spacing_mm, column_spacing_mm
        Distance between the centres of rows and of columns.
    spacing_source
        "calibrated" (in the patient), "detector", "scanned" (on a digitised film), or None.
    magnification
        How much larger the shadow on the detector is than the patient; None if unknown.
    view, view_modifiers
        `app.images.dicom.breast_views`: "CC", "MLO", …, of other projections "PA", …; "S" (spot), …
    kind
        For a mammogram: "2d", "synthetic" (2D made from tomosynthesis), "tomosynthesis"; else None.
    orientation
        The patient's side towards which columns and rows count up: ("P", "FL"); None if unknown.
    overlay
        What may be drawn over it, as runs (`app.images.dicom.overlay`).
    burned_in
        Whether identifying text is part of the pixels: "no", "yes" or "unknown".
    notes
        Notes of the import about the image.
    """

    rows: int
    columns: int
    photometric: str
    bits_stored: int
    bits_allocated: int
    signed: bool
    stored_low: int
    stored_high: int
    frames: int = 1
    samples: int = 1
    source_format: str = "DICOM"
    transfer_syntax: str | None = None
    lossy: bool = False
    rescale_slope: float = 1.0
    rescale_intercept: float = 0.0
    modality_lut: LookUpTable | None = None
    windows: tuple[Window, ...] = ()
    voi_luts: tuple[LookUpTable, ...] = ()
    voi_function: str = "LINEAR"
    padding_value: int | None = None
    padding_limit: int | None = None
    air_value: int | None = None
    presentation_shape: str | None = None
    shutter: Shutter | None = None
    row_spacing_mm: float | None = None
    column_spacing_mm: float | None = None
    spacing_source: str | None = None
    magnification: float | None = None
    pixel_aspect: float = 1.0
    modality: str | None = None
    body_part: str | None = None
    laterality: str | None = None
    view: str | None = None
    view_modifiers: tuple[str, ...] = ()
    kind: str | None = None
    orientation: tuple[str, str] | None = None
    overlay: Runs = ()
    for_processing: bool = False
    burned_in: str = "unknown"
    notes: tuple[Note, ...] = ()

    @property
    def is_colour(self) -> bool:
        """Whether its stored values are red, green and blue."""
        return self.samples > 1

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of `stored.npy`: (H, W), for a stack (N, H, W), with 3 at the end for colour."""
        size = (self.rows, self.columns)
        stack = (self.frames, *size) if self.frames > 1 else size
        return (*stack, self.samples) if self.is_colour else stack

    @property
    def inverse(self) -> bool:
        """Whether the greyscale is inverted: by its shape, else by MONOCHROME1."""
        if self.presentation_shape is not None:
            return self.presentation_shape == "INVERSE"
        return self.photometric == "MONOCHROME1"

    @property
    def dtype(self) -> str:
        """The type of the stored values as NumPy names it: "uint16"."""
        return f"{'' if self.signed else 'u'}int{self.bits_allocated}"

    @property
    def spacing_mm(self) -> tuple[float, float] | None:
        """Distance between columns and between rows, in `length_unit`; None where it is unknown."""
        if not self.column_spacing_mm or not self.row_spacing_mm:
            return None
        # At the detector, the shadow is larger than the breast by the magnification.
        larger = (self.magnification or 1.0) if self.spacing_source in PROJECTED else 1.0
        return self.column_spacing_mm / larger, self.row_spacing_mm / larger

    @property
    def length_unit(self) -> str:
        """Unit of lengths: "mm", "mm at the detector" (magnified by an unknown factor), "px"."""
        if self.spacing_mm is None:
            return "px"
        magnified = self.spacing_source in PROJECTED and not self.magnification
        return "mm at the detector" if magnified else "mm"

    @property
    def pixels(self) -> PixelFormat:
        """How a value lies in a stored pattern."""
        return PixelFormat(self.bits_allocated, self.bits_stored, self.signed)

    @property
    def black_range(self) -> tuple[int, int] | None:
        """Stored values (both inclusive) that are not image: padding, or a mammogram's air."""
        if self.padding_value is None and self.air_value is not None:
            return self.air_value, self.air_value
        return self.padding_range

    @property
    def padding_range(self) -> tuple[int, int] | None:
        """Stored values (both inclusive) that the file says are not image."""
        if self.padding_value is None:
            return None
        limit = self.padding_value if self.padding_limit is None else self.padding_limit
        low, high = sorted((self.padding_value, limit))
        return low, high

    def to_json(self) -> str:
        """Return the text of a `display.json`."""
        return json.dumps({"version": DISPLAY_VERSION} | asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the attributes of a `display.json`.

        Raises
        ------
        ImageUnreadable
            If the text is damaged or from a newer version.
        """
        try:
            table = json.loads(text)
            if table["version"] > DISPLAY_VERSION:
                raise ImageUnreadable(
                    "display.json was written by a newer Foveate. Install that version."
                )
            known = {f.name for f in fields(cls)}
            if table.get("note"):  # as 0.1.0 stored its only one
                table["notes"] = [asdict(note("colour-to-grey"))]
            return cls(**{k: _decoded(k, v) for k, v in table.items() if k in known})
        except (ValueError, TypeError, KeyError) as error:
            raise ImageUnreadable(f"display.json is damaged: {error!r}.") from error

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the attributes of a file."""
        return cls.from_json(path.read_text(encoding="utf-8"))


def _decoded(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name == "windows":
        return tuple(Window(**item) for item in value)
    if name == "voi_luts":
        return tuple(_table(item) for item in value)
    if name == "shutter":
        return Shutter.from_json(value)
    if name == "overlay":
        return tuple((int(row), int(first), int(end)) for row, first, end in value)
    if name in ("view_modifiers", "orientation"):
        return tuple(str(one) for one in value)
    if name == "notes":
        return tuple(Note(**item) for item in value)
    return _table(value) if name == "modality_lut" else value


def _table(item: dict[str, Any]) -> LookUpTable:
    return LookUpTable(**(item | {"entries": tuple(item["entries"])}))
