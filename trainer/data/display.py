"""How the stored values of an image are shown: what `display.json` says, as the trainer needs it.

The station renders (`app.images.greyscale`) by tables of 8 bits. Here the same windows are numbers,
so that a view can be cut from the values themselves.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.errors import NotDeep

_VERSION = 1
_EDGE = 1e-6  # of a window that is a step


@dataclass(frozen=True, slots=True)
class Window:
    """Values from black to white, in output units of the Modality LUT.

    Attributes
    ----------
    lower, width
        Where black ends, and how far white is from there; of a sigmoid where its tangent in the
        middle does.
    sigmoid
        Whether the curve between is a sigmoid; else it is a line.
    """

    lower: float
    width: float
    sigmoid: bool = False


@dataclass(frozen=True, slots=True)
class Display:
    """How an image is shown.

    Attributes
    ----------
    stored_bits, signed
        Of a stored value.
    slope, intercept, modality_lut
        The Modality LUT: its table (first input value, entries), else a line.
    presets
        (centre, width, function) that the file offers, then the whole range; the first is the
        image's own.
    voi_function
        Of windows that are no preset.
    inverse
        Whether low values are white.
    black
        Stored values (both inclusive) that are no image; None for none.
    frames
        How many `stored.npy` holds.
    """

    stored_bits: int
    signed: bool
    slope: float
    intercept: float
    modality_lut: tuple[int, NDArray[np.float64]] | None
    presets: tuple[tuple[float, float, str], ...]
    voi_function: str
    inverse: bool
    black: tuple[int, int] | None
    frames: int

    @property
    def own(self) -> Window:
        """The image's own window, that of its 8-bit picture."""
        return _edges(*self.presets[0])

    def window(self, center: float, width: float) -> Window:
        """Return the window that a view noted by centre and width."""
        for preset in self.presets:
            if preset[:2] == (center, width):
                return _edges(*preset)
        exact = self.voi_function == "LINEAR" and _has_fractions(self.modality_lut, self.slope)
        return _edges(center, width, "LINEAR_EXACT" if exact else self.voi_function)

    def values(self, stored: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return output of the Modality LUT, (H, W), and which pixels are image, not padding."""
        numbers = _numbers(self.stored_bits, signed=self.signed)
        by_pattern = _modality(self, numbers.astype(np.float64)).astype(np.float32)
        repeats = 2**16 // len(numbers)  # bits above those stored say nothing
        patterns = np.ascontiguousarray(stored).view(np.uint16)
        image = np.ones(2**16, bool)
        if self.black is not None:
            low, high = self.black
            own, whole = np.tile(numbers, repeats), _numbers(16, signed=self.signed)
            image = ~(((own >= low) & (own <= high)) | ((whole >= low) & (whole <= high)))
        return np.take(np.tile(by_pattern, repeats), patterns), np.take(image, patterns)


def read_display(path: Path) -> Display:
    """Return what a `display.json` says.

    Raises
    ------
    NotDeep
        If it is missing or damaged, or the image has no more in it than its 8-bit picture: colours,
        8 bits, a VOI LUT (a table, no window), a shutter.
    """
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if facts["version"] > _VERSION:
            raise NotDeep("a display.json from a newer version of Foveate")
        _refuse(facts)
        return _display(facts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotDeep("a display.json that is missing or damaged") from error


def _refuse(facts: dict[str, Any]) -> None:
    if facts.get("samples", 1) > 1:
        raise NotDeep("colours")
    if facts["bits_stored"] <= 8 or facts["bits_allocated"] != 16:
        raise NotDeep("8 bits or fewer")
    if facts.get("voi_luts"):
        raise NotDeep("a table (VOI LUT) instead of a window")
    if facts.get("shutter"):
        raise NotDeep("a shutter")


def _display(facts: dict[str, Any]) -> Display:
    table = facts.get("modality_lut")
    lut = None if table is None else (table["first"], np.array(table["entries"], np.float64))
    slope, function = facts.get("rescale_slope", 1.0), facts.get("voi_function", "LINEAR")
    shape, padding = facts.get("presentation_shape"), facts.get("padding_value")
    limit = facts.get("padding_limit")
    black = None if padding is None else _sorted(padding, padding if limit is None else limit)
    if black is None and facts.get("air_value") is not None:
        black = (facts["air_value"], facts["air_value"])
    made = Display(
        facts["bits_stored"],
        facts["signed"],
        slope,
        facts.get("rescale_intercept", 0.0),
        lut,
        tuple((w["center"], w["width"], w["function"] or function) for w in facts["windows"]),
        function,
        facts["photometric"] == "MONOCHROME1" if shape is None else shape == "INVERSE",
        black,
        facts.get("frames", 1),
    )
    ends = np.array([facts["stored_low"], facts["stored_high"]], np.float64)
    return _with_whole_range(made, *sorted(_modality(made, ends).tolist()))


def _with_whole_range(made: Display, low: float, high: float) -> Display:
    """Add the preset that the station calls the whole range."""
    if low == high:
        whole = (low + 1.0, 2.0, "LINEAR")
    elif _has_fractions(made.modality_lut, made.slope):
        whole = ((low + high) / 2, high - low, "LINEAR_EXACT")
    else:
        whole = ((low + high + 1) / 2, high - low + 1, "LINEAR")
    return replace(made, presets=(*made.presets, whole))


def _sorted(low: int, high: int) -> tuple[int, int]:
    return (low, high) if low <= high else (high, low)


def _edges(center: float, width: float, function: str) -> Window:
    """Return a window of DICOM (PS3.3 C.11.2.1.2 and .3) by its ends."""
    if function == "LINEAR":
        span = max(width, 1.0) - 1.0
        return Window(center - 0.5 - span / 2, max(span, _EDGE))
    span = max(width, _EDGE)
    return Window(center - span / 2, span, function == "SIGMOID")


def _numbers(bits: int, *, signed: bool) -> NDArray[np.int64]:
    patterns = np.arange(2**bits, dtype=np.int64)
    return patterns - ((patterns >> (bits - 1)) << bits) if signed else patterns


def _has_fractions(lut: object, slope: float) -> bool:
    return lut is None and not float(slope).is_integer()


def _modality(display: Display, values: NDArray[np.float64]) -> NDArray[np.float64]:
    if display.modality_lut is None:
        return values * display.slope + display.intercept
    first, entries = display.modality_lut
    index = np.clip(np.floor(values + 0.5) - first, 0, len(entries) - 1).astype(np.int64)
    return np.asarray(entries[index], np.float64)
