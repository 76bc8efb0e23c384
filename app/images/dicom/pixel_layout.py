"""How a data set describes its pixels; what it omits is inferred as by other readers.

Files in the field omit Bits Stored or Number of Frames, or write the photometric interpretation in
lowercase. What can be inferred from the rest is put into the data set and noted; anything else is
refused, naming its element.
"""

from dataclasses import dataclass
from typing import Any

from app.errors import ImportRefused
from app.images.dicom.elements import Elements
from app.images.limits import require_pixel_size

GREY = ("MONOCHROME1", "MONOCHROME2")
PALETTE = "PALETTE COLOR"
COLOURS = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")


@dataclass(frozen=True, slots=True)
class PixelLayout:
    """Size and kind of a data set's pixels.

    Attributes
    ----------
    photometric
        As in the file, in capitals.
    samples
        Per pixel as stored: 1 for grey and for indices into a palette, 3 for colour.
    allocated, stored
        Bits of a sample's pattern, and of the value in it.
    """

    photometric: str
    samples: int
    rows: int
    columns: int
    frames: int
    allocated: int
    stored: int

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame as stored without compression."""
        # YBR_FULL_422 shares its two colour differences between two pixels of a row (C.7.6.3.1.2).
        halved = self.photometric == "YBR_FULL_422"
        samples = self.rows * self.columns * self.samples
        return (samples * 2 // 3 if halved else samples) * self.allocated // 8

    @property
    def shown_bytes(self) -> int:
        """Bytes of all frames decoded."""
        samples = self.samples * self.rows * self.columns * self.frames
        return samples * self.allocated // 8

    @property
    def is_colour(self) -> bool:
        """Whether its pixels are colours, stored directly or by a palette."""
        return self.photometric not in GREY

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the stored values: (H, W), of a stack (N, H, W), with 3 at the end in colour."""
        size = (self.rows, self.columns)
        stack = size if self.frames == 1 else (self.frames, *size)
        return stack if self.samples == 1 else (*stack, self.samples)


def layout_of(dataset: Any, elements: Elements) -> PixelLayout:
    """Return how a data set's pixels are laid out, and put into it what it omits.

    Parameters
    ----------
    elements
        Those of the data set; gets a note for each inferred element.

    Raises
    ------
    ImportRefused
        Naming the element that is missing or has a value that Foveate does not read.
    """
    photometric = _photometric(dataset, elements)
    allocated, stored = _bits(dataset, elements)
    samples = _samples(dataset, elements, photometric)
    if photometric in GREY:
        _concluded(dataset, elements, "PixelRepresentation", 0, at_most=1)
    else:  # colours have no lower value
        put(dataset, "PixelRepresentation", 0)
    if samples > 1:
        _concluded(dataset, elements, "PlanarConfiguration", 0, at_most=1)
    elif "PlanarConfiguration" in dataset:  # meaningless for one sample
        del dataset["PlanarConfiguration"]
    rows, columns = _whole(elements, "Rows"), _whole(elements, "Columns")
    if rows is None or columns is None:
        raise ImportRefused(f"it has no {'Rows' if rows is None else 'Columns'}")
    put(dataset, "Rows", rows)
    put(dataset, "Columns", columns)
    frames = _frames(dataset, elements)
    shown = 1 if photometric in GREY else 3
    require_pixel_size(rows, columns, frames, shown * allocated // 8)
    return PixelLayout(photometric, samples, rows, columns, frames, allocated, stored)


def _photometric(dataset: Any, elements: Elements) -> str:
    said = elements.text("PhotometricInterpretation")
    if not said:
        raise ImportRefused("it does not say what its pixels mean (no Photometric Interpretation)")
    meant = " ".join(said.upper().split())
    if meant not in (*GREY, PALETTE, *COLOURS):
        raise ImportRefused(
            f"its Photometric Interpretation is not one that Foveate reads ({meant[:16]})"
        )
    if meant != said:
        elements.say("pixel-element-concluded", keyword="PhotometricInterpretation", value=meant)
    put(dataset, "PhotometricInterpretation", meant)
    return meant


def _bits(dataset: Any, elements: Elements) -> tuple[int, int]:
    allocated = _whole(elements, "BitsAllocated")
    if allocated is None:
        raise ImportRefused("it has no Bits Allocated")
    stored = _whole(elements, "BitsStored")
    if stored is None or stored == 0:
        stored = _conclude(dataset, elements, "BitsStored", allocated)
    if allocated not in (8, 16) or not 1 <= stored <= allocated:
        raise ImportRefused(
            f"it has {stored} bits stored in {allocated}; Foveate reads up to 16 bits in 8 or 16"
        )
    high = _whole(elements, "HighBit")
    put(dataset, "BitsAllocated", allocated)
    put(dataset, "BitsStored", stored)
    put(dataset, "HighBit", stored - 1 if high is None or high < 0 else high)
    return allocated, stored


def _samples(dataset: Any, elements: Elements, photometric: str) -> int:
    meant = 3 if photometric in COLOURS else 1
    samples = _whole(elements, "SamplesPerPixel")
    if samples is None or samples == 0:
        return _conclude(dataset, elements, "SamplesPerPixel", meant)
    if samples != meant:
        raise ImportRefused(
            f"its Samples per Pixel ({samples}) and its Photometric Interpretation "
            f"({photometric}) contradict each other"
        )
    put(dataset, "SamplesPerPixel", samples)
    return samples


def _frames(dataset: Any, elements: Elements) -> int:
    if not elements.has("NumberOfFrames"):
        put(dataset, "NumberOfFrames", 1)
        return 1
    frames = _whole(elements, "NumberOfFrames")
    if frames is None or frames < 1:
        return _conclude(dataset, elements, "NumberOfFrames", 1)
    put(dataset, "NumberOfFrames", frames)
    return frames


def _concluded(dataset: Any, elements: Elements, keyword: str, value: int, *, at_most: int) -> int:
    """Return a small number of the data set, or what it is assumed to be."""
    found = _whole(elements, keyword)
    if found is not None and 0 <= found <= at_most:
        put(dataset, keyword, found)
        return found
    return _conclude(dataset, elements, keyword, value)


def _conclude(dataset: Any, elements: Elements, keyword: str, value: int) -> int:
    put(dataset, keyword, value)
    elements.say("pixel-element-concluded", keyword=keyword, value=value)
    return value


def put(dataset: Any, keyword: str, value: int | str) -> None:
    """Put a value into the data set; an invalid one there would be read before it is replaced."""
    if keyword in dataset:
        del dataset[keyword]
    setattr(dataset, keyword, value)


def _whole(elements: Elements, keyword: str) -> int | None:
    """Return an element's first number as an integer; None where there is none."""
    number = elements.number(keyword)
    return None if number is None else int(number)
