"""Modality and VOI LUTs as files really contain them (PS3.3 C.11.1.1, C.11.2.1.1).

Makers declare 16 bits and use 12, put one or two 8-bit entries into a word, or write the descriptor
as signed or unsigned regardless of the pixels. The data show what is meant.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.images.attributes import LookUpTable
from app.images.dicom.elements import Elements

_WHOLE = 65_536
_SIGN = 32_768


def table_of(
    item: Elements, inputs: tuple[float, float], *, big_endian: bool, scaled: bool, name: str
) -> LookUpTable | None:
    """Return the LUT of a sequence's item; None, with a note, if it is unusable.

    Parameters
    ----------
    inputs
        The smallest and the largest value that can reach the LUT; show how its first input value is
        meant.
    big_endian
        How the file orders the bytes of a word.
    scaled
        Whether its largest entry is white: then the number of bits of its entries matters.
    name
        What it is called.
    """
    descriptor = item.numbers("LUTDescriptor")
    if len(descriptor) != 3:
        item.say("lut-left-out")
        return None
    count, first, bits = (int(number) for number in descriptor)
    count = count % _WHOLE or _WHOLE
    entries = entries_of(item.value("LUTData"), count, big_endian)
    if not len(entries):
        item.say("lut-left-out")
        return None
    if len(entries) < count:
        item.say("lut-short")
    used = max(int(entries.max()).bit_length(), 1)
    if scaled and used != bits:
        item.say("lut-bits")
    meant = _first(first, len(entries), inputs)
    return LookUpTable(meant, used, tuple(entries.tolist()), name)


def entries_of(data: Any, count: int, big_endian: bool) -> NDArray[np.int64]:
    """Return a LUT's entries: one per word, or two if there are only as many bytes as entries."""
    if data is None:
        return np.zeros(0, np.int64)
    if isinstance(data, bytes):
        words = np.frombuffer(data[: len(data) // 2 * 2], ">u2" if big_endian else "<u2")
    else:
        words = np.atleast_1d(np.asarray(data, np.int64) % _WHOLE).astype("<u2")
    packed = words.astype("<u2").view(np.uint8)
    short = len(words) < count <= len(packed)
    return (packed if short else words)[:count].astype(np.int64)


def _first(first: int, count: int, inputs: tuple[float, float]) -> int:
    """Return the first input value: signed if inputs can be, unless only unsigned meets any."""
    low, high = inputs

    def meets(start: int) -> bool:
        return start <= high and start + count > low

    unsigned = first % _WHOLE
    signed = unsigned - _WHOLE if unsigned >= _SIGN else unsigned
    usual, other = (signed, unsigned) if low < 0 else (unsigned, signed)
    return other if meets(other) and not meets(usual) else usual
