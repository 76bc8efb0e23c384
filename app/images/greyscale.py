"""Stored value → 8 bit, by one table: Modality LUT → VOI → invert once (DICOM PS3.3 C.11, C.8.11).

A table over all stored values takes under a millisecond, applying it to a screenful three; the
whole image is never converted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.images.attributes import DisplayAttributes, LookUpTable, Window
from app.images.dicom.stored_values import black_patterns, numbers, over_patterns

__all__ = [
    "DisplayLut",
    "Window",
    "by_hand",
    "default_window",
    "display_lut",
    "has_fractions",
    "presets",
    "window_shown",
]

FloatArray = NDArray[np.float64]
WHITE = 255.0
WHOLE_RANGE = "Whole range"
AS_STORED = "As stored"


@dataclass(frozen=True, slots=True, eq=False)
class DisplayLut:
    """A table from stored value to grey.

    Attributes
    ----------
    table
        Shape (256,) or (65536,), uint8; the index is the bit pattern of the stored value read as an
        unsigned number, so that signed images need no offset.
    """

    table: NDArray[np.uint8]

    def apply(self, stored: NDArray[Any]) -> NDArray[np.uint8]:
        """Return the grey values (H, W) of stored values (H, W) with 8 or 16 bits.

        For colours (H, W, 3), each channel is looked up separately.
        """
        patterns = np.ascontiguousarray(stored)
        patterns = patterns.view(np.uint8 if stored.dtype.itemsize == 1 else np.uint16)
        if patterns.dtype.itemsize == 1 and len(self.table) > 256:
            return np.take(self.table, patterns)
        return _look_up(patterns, self.table)


def display_lut(
    attributes: DisplayAttributes, window: Window | None = None, inverted: bool = False
) -> DisplayLut:
    """Return the table of one way to show an image.

    Parameters
    ----------
    attributes
        Attributes of the image.
    window
        What is shown; `default_window` if None. With its `lut`, a VOI LUT is used instead.
    inverted
        The reader's own inversion, in addition to the image's. Padding stays black under both.
    """
    window = window or default_window(attributes)
    values, padding = _modality_values(attributes)
    if window.lut is None:
        function = window.function or attributes.voi_function
        grey = _FUNCTIONS[function](values, window.center, window.width)
    else:
        table = attributes.voi_luts[window.lut]
        grey = _through(table, values) * (WHITE / (2**table.bits - 1))
    grey += 0.5  # never negative, so truncating rounds correctly
    level = grey.astype(np.uint8)
    if attributes.inverse != inverted:
        np.subtract(255, level, out=level)
    level = over_patterns(level, attributes.pixels)
    if padding is not None:
        level[padding] = 0
    return DisplayLut(level)


def default_window(attributes: DisplayAttributes) -> Window:
    """Return how an image is shown at first: its first preset."""
    return presets(attributes)[0]


def presets(attributes: DisplayAttributes) -> tuple[Window, ...]:
    """Return the presets of the file (VOI LUTs, windows), then the whole range.

    Eight-bit values that no Modality LUT changes can be shown as they are: that preset comes before
    the range. Colours are shown as stored, in no other way.
    """
    if attributes.is_colour:
        return (_as_stored(attributes),)
    luts = tuple(_lut_window(i, table) for i, table in enumerate(attributes.voi_luts))
    as_stored = (_as_stored(attributes),) if _is_grey_already(attributes) else ()
    return (*luts, *attributes.windows, *as_stored, _whole_range(attributes))


def window_shown(attributes: DisplayAttributes, center: float, width: float) -> Window:
    """Return the window that was in force when a view noted its centre and width."""
    offered = (w for w in presets(attributes) if (w.center, w.width) == (center, width))
    return next(offered, Window(center, width, function=_function_by_hand(attributes)))


def by_hand(attributes: DisplayAttributes, window: Window) -> Window:
    """Return the window from which a drag continues: without a name, its function the drags' own.

    If values have fractions, a step of 1 may be the whole range: only the exact function, which has
    no minimum width, can be dragged.
    """
    function = _function_by_hand(attributes)
    center, width = window.center, window.width
    if function is not None and window.function is None and window.lut is None and width > 1:
        center, width = center - 0.5, width - 1
    return Window(center, width, function=function)


def _function_by_hand(attributes: DisplayAttributes) -> str | None:
    exact = attributes.voi_function == "LINEAR" and has_fractions(attributes)
    return "LINEAR_EXACT" if exact else None


def has_fractions(attributes: DisplayAttributes) -> bool:
    """Return whether the Modality LUT yields fractions."""
    return attributes.modality_lut is None and not attributes.rescale_slope.is_integer()


def _is_grey_already(attributes: DisplayAttributes) -> bool:
    changed = attributes.modality_lut, attributes.rescale_slope, attributes.rescale_intercept
    return attributes.bits_stored <= 8 and changed == (None, 1.0, 0.0)


def _as_stored(attributes: DisplayAttributes) -> Window:
    low, high = attributes.pixels.limits
    return Window((low + high) / 2, float(high - low), AS_STORED, function="LINEAR_EXACT")


def _lut_window(index: int, table: LookUpTable) -> Window:
    count = len(table.entries)
    name = table.name or f"LUT {index + 1}"
    return Window(table.first + count / 2, float(max(count, 1)), name, index)


def _whole_range(attributes: DisplayAttributes) -> Window:
    ends = np.array([attributes.stored_low, attributes.stored_high], np.float64)
    low, high = sorted(_modality(attributes, ends).tolist())
    if low == high:  # a single value: the lowest grey
        return Window(low + 1.0, 2.0, WHOLE_RANGE, function="LINEAR")
    if has_fractions(attributes):
        return Window((low + high) / 2, high - low, WHOLE_RANGE, function="LINEAR_EXACT")
    # The inverse of LINEAR: `low` becomes black and `high` white.
    return Window((low + high + 1) / 2, high - low + 1, WHOLE_RANGE, function="LINEAR")


@lru_cache(maxsize=8)
def _modality_values(
    attributes: DisplayAttributes,
) -> tuple[FloatArray, NDArray[np.bool_] | None]:
    """Return Modality LUT output by the stored bits, and by all bits which patterns are padding."""
    values = numbers(attributes.bits_stored, attributes.signed)
    output = _modality(attributes, values.astype(np.float64))
    output.flags.writeable = False
    black = attributes.black_range
    return output, None if black is None else black_patterns(attributes.pixels, black)


def _modality(attributes: DisplayAttributes, values: FloatArray) -> FloatArray:
    if attributes.modality_lut is not None:
        return _through(attributes.modality_lut, values)
    return values * attributes.rescale_slope + attributes.rescale_intercept


def _through(table: LookUpTable, values: FloatArray) -> FloatArray:
    # A LUT's input is an integer; a rescaled value is rounded to the nearest one.
    index = np.floor(values + 0.5) - table.first
    index = np.clip(index, 0, len(table.entries) - 1).astype(np.int64)
    entries = np.array(table.entries, np.float64)
    return np.asarray(entries[index])


def _linear(values: FloatArray, center: float, width: float) -> FloatArray:
    """C.11.2.1.2.1; a width of 1 is a step."""
    span = max(width, 1.0) - 1.0
    if span == 0.0:
        return np.where(values <= center - 0.5, 0.0, WHITE)
    return _ramp(values, center - 0.5, span)


def _linear_exact(values: FloatArray, center: float, width: float) -> FloatArray:
    """C.11.2.1.3.2."""
    return _ramp(values, center, max(width, 1e-9))


def _ramp(values: FloatArray, center: float, span: float) -> FloatArray:
    grey = values - center
    grey /= span
    grey += 0.5
    grey *= WHITE
    return np.clip(grey, 0.0, WHITE, out=grey)


def _sigmoid(values: FloatArray, center: float, width: float) -> FloatArray:
    """C.11.2.1.3.1; the exponent is bounded, since beyond it the value is 0 or 255 anyway."""
    exponent = np.clip(-4.0 * (values - center) / max(width, 1e-9), -700.0, 700.0)
    return WHITE / (1.0 + np.exp(exponent))


_FUNCTIONS: dict[str, Callable[[FloatArray, float, float], FloatArray]] = {
    "LINEAR": _linear,
    "LINEAR_EXACT": _linear_exact,
    "SIGMOID": _sigmoid,
}
VOI_FUNCTIONS = tuple(_FUNCTIONS)


def _look_up(patterns: NDArray[Any], table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if patterns.size == 0:
        return np.zeros(patterns.shape, np.uint8)
    try:
        return np.asarray(cv2.LUT(patterns, table), np.uint8)
    except cv2.error:  # OpenCV before 4.14 has no table for 16-bit images
        return np.take(table, patterns)
