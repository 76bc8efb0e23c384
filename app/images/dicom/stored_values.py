"""Which bits of a stored pattern are its value, and what follows from that."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BlackRange = tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """How a value lies in a stored pattern: in its low bits (PS3.5 8.1.1).

    Attributes
    ----------
    allocated, stored
        Bits of the pattern, and of the value in it.
    signed
        Whether the value is in two's complement.
    """

    allocated: int
    stored: int
    signed: bool

    @property
    def limits(self) -> tuple[int, int]:
        """The smallest and the largest value."""
        half: int = 2 ** (self.stored - 1)
        return (-half, half - 1) if self.signed else (0, 2 * half - 1)


def numbers(bits: int, signed: bool) -> NDArray[np.int64]:
    """Return the numbers that the patterns 0, 1, … of this many bits stand for."""
    patterns = np.arange(2**bits, dtype=np.int64)
    return patterns - ((patterns >> (bits - 1)) << bits) if signed else patterns


def over_patterns(by_value: NDArray[Any], pixels: PixelFormat) -> NDArray[Any]:
    """Extend a table over the stored bits to all patterns; the other bits are ignored."""
    return np.tile(by_value, 2**pixels.allocated // len(by_value))


def black_patterns(pixels: PixelFormat, black: BlackRange) -> NDArray[np.bool_]:
    """Return which patterns lie in a range that is not image, (2 ** allocated,).

    Padding may be given as the value or as the whole pattern: both are accepted.
    """
    low, high = black if black is not None else (1, 0)
    values = over_patterns(numbers(pixels.stored, pixels.signed), pixels)
    whole = numbers(pixels.allocated, pixels.signed)
    return ((values >= low) & (values <= high)) | ((whole >= low) & (whole <= high))


def value_range(
    stored: NDArray[Any], pixels: PixelFormat, black: BlackRange = None
) -> tuple[int, int]:
    """Return the percentiles 0.1 and 99.9 of an image's values, without padding.

    Parameters
    ----------
    stored
        Any shape; for a stack, the first axis is iterated, since it would not fit as int64.
    """
    counts = np.zeros(2**pixels.allocated, np.int64)
    kind = np.uint8 if stored.dtype.itemsize == 1 else np.uint16
    for part in stored if stored.ndim == 3 else (stored,):
        counts += np.bincount(np.ascontiguousarray(part).view(kind).ravel(), minlength=len(counts))
    left = np.where(black_patterns(pixels, black), 0, counts)
    counts = left if left.any() else counts
    values = over_patterns(numbers(pixels.stored, pixels.signed), pixels)
    least = pixels.limits[0]
    sums = np.bincount(values - least, weights=counts).cumsum()
    ends = np.searchsorted(sums, (0.001 * sums[-1], 0.999 * sums[-1])) + least
    return int(ends[0]), int(ends[1])
