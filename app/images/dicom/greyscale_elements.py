"""What a DICOM file says about its grey: Modality LUT, VOI, padding, shape and shutter."""

import math
from dataclasses import dataclass
from itertools import zip_longest

from app.images.attributes import LookUpTable, Window
from app.images.dicom.elements import Elements
from app.images.dicom.look_up_tables import table_of
from app.images.dicom.shutter import Shutter, shutter_of
from app.images.dicom.stored_values import PixelFormat
from app.images.greyscale import VOI_FUNCTIONS

_ANGIOGRAPHY = (
    "1.2.840.10008.5.1.4.1.1.12.1",  # X-Ray Angiographic
    "1.2.840.10008.5.1.4.1.1.12.2",  # X-Ray Radiofluoroscopic
    "1.2.840.10008.5.1.4.1.1.12.3",  # X-Ray Angiographic Bi-Plane, retired
)


@dataclass(frozen=True, slots=True)
class Greyscale:
    """The path from stored value to grey; the fields are those of `DisplayAttributes`."""

    rescale_slope: float = 1.0
    rescale_intercept: float = 0.0
    modality_lut: LookUpTable | None = None
    windows: tuple[Window, ...] = ()
    voi_luts: tuple[LookUpTable, ...] = ()
    voi_function: str = "LINEAR"
    padding_value: int | None = None
    padding_limit: int | None = None
    presentation_shape: str | None = None
    shutter: Shutter | None = None


def greyscale_of(
    elements: Elements, pixels: PixelFormat, size: tuple[int, int, float], *, big_endian: bool
) -> Greyscale:
    """Return what a data set says; invalid values are left out and noted.

    Parameters
    ----------
    size
        Rows and columns of the image, and height over width of a pixel.
    big_endian
        How the file orders the bytes of a word.
    """
    slope, intercept, table = _modality(elements, pixels, big_endian)
    reach = _reach(pixels, slope, intercept, table)
    function = elements.choice("VOILUTFunction", VOI_FUNCTIONS) or "LINEAR"
    padding, limit = _padding(elements, pixels)
    return Greyscale(
        rescale_slope=slope,
        rescale_intercept=intercept,
        modality_lut=table,
        windows=_windows(elements, function),
        voi_luts=_luts(elements, "VOILUTSequence", reach, big_endian),
        voi_function=function,
        padding_value=padding,
        padding_limit=limit,
        presentation_shape=elements.choice("PresentationLUTShape", ("IDENTITY", "INVERSE")),
        shutter=shutter_of(elements, size),
    )


def _modality(
    elements: Elements, pixels: PixelFormat, big_endian: bool
) -> tuple[float, float, LookUpTable | None]:
    if _is_for_measuring(elements):
        elements.say("xa-modality-left-out")
        return 1.0, 0.0, None
    slope, intercept = elements.number("RescaleSlope"), elements.number("RescaleIntercept")
    if not slope and elements.has("RescaleSlope"):
        elements.say("slope-left-out")
    tables = _luts(elements, "ModalityLUTSequence", pixels.limits, big_endian)
    return slope or 1.0, intercept or 0.0, next(iter(tables), None)


def _is_for_measuring(elements: Elements) -> bool:
    """Return whether the Modality LUT leads back to X-ray intensity rather than to the screen.

    C.8.7.1.1.2: angiograms whose Pixel Intensity Relationship is LOG or DISP are shown as stored.
    """
    if elements.text("PixelIntensityRelationship").upper() not in ("LOG", "DISP"):
        return False
    named = elements.text("SOPClassUID") in _ANGIOGRAPHY
    told = elements.value("RescaleSlope") is not None or elements.items("ModalityLUTSequence")
    return named and bool(told)


def _reach(
    pixels: PixelFormat, slope: float, intercept: float, table: LookUpTable | None
) -> tuple[float, float]:
    """Return the smallest and the largest value that the Modality LUT yields."""
    if table is not None:
        return float(min(table.entries)), float(max(table.entries))
    low, high = sorted(value * slope + intercept for value in pixels.limits)
    return low, high


def _luts(
    elements: Elements, keyword: str, inputs: tuple[float, float], big_endian: bool
) -> tuple[LookUpTable, ...]:
    found = []
    for i, item in enumerate(elements.items(keyword)):
        name = (
            f"LUT {i + 1}"  # the file's own name for it is free text, which may be a person's name
        )
        scaled = keyword == "VOILUTSequence"
        table = table_of(item, inputs, big_endian=big_endian, scaled=scaled, name=name)
        found += [] if table is None else [table]
    return tuple(found)


def _windows(elements: Elements, function: str) -> tuple[Window, ...]:
    centers, widths = (
        elements.numbers(keyword, with_gaps=True) for keyword in ("WindowCenter", "WindowWidth")
    )
    found = []
    pairs = zip_longest(centers, widths, fillvalue=math.nan) if centers and widths else ()
    for i, (center, width) in enumerate(pairs):
        if math.isnan(center) or not width > 0:
            elements.say("window-left-out")
            continue
        # LINEAR is not defined below 1 (C.11.2.1.2): makers who write such widths mean
        # LINEAR_EXACT.
        exact = width < 1 and function == "LINEAR"
        if exact:
            elements.say("window-exact")
        function_here = "LINEAR_EXACT" if exact else None
        found.append(Window(center, width, f"Window {i + 1}", function=function_here))
    return tuple(dict.fromkeys(found))


def _padding(elements: Elements, pixels: PixelFormat) -> tuple[int | None, int | None]:
    value, limit = (
        elements.number(keyword) for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit")
    )
    if value is None:
        return None, None
    return _as_pixels(value, pixels), None if limit is None else _as_pixels(limit, pixels)


def _as_pixels(value: float, pixels: PixelFormat) -> int:
    """Return a padding value with the sign of the pixels: its VR is often the other one."""
    span: int = 2**pixels.allocated
    whole = int(value) % span
    return whole - span if pixels.signed and whole >= span // 2 else whole
