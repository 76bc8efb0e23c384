"""Colours: converted to RGB once, at the import; shown as they are, without a window.

A picture whose three colours are equal everywhere is grey, whatever its file says.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.errors import ImportRefused
from app.images.dicom.elements import Elements
from app.images.dicom.look_up_tables import entries_of

RGB = "RGB"
_PALETTE = ("Red", "Green", "Blue")
_BYTE, _WORD = 255, 65_535


def luminance(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the brightness (H, W) of colours (H, W, 3): 0.299 R + 0.587 G + 0.114 B (BT.601)."""
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY), np.uint8)


def is_grey(rgb: NDArray[Any]) -> bool:
    """Return whether red, green and blue (…, 3) are equal everywhere."""
    first = rgb[..., 0]
    return bool(np.array_equal(first, rgb[..., 1]) and np.array_equal(first, rgb[..., 2]))


def without_colour(rgb: NDArray[Any]) -> NDArray[Any]:
    """Return the single value (…) for three equal ones (…, 3)."""
    return np.ascontiguousarray(rgb[..., 0])


def from_palette(
    indices: NDArray[Any], elements: Elements, *, big_endian: bool
) -> NDArray[np.uint8]:
    """Return the colours (…, 3) for indices (…) into a data set's palette.

    16-bit entries are reduced to 8 (PS3.3 C.7.6.3.1.5, C.7.6.3.1.6); some makers write 8 bits into
    them, which shows in the entries.

    Parameters
    ----------
    big_endian
        How the file orders the bytes of a word.

    Raises
    ------
    ImportRefused
        Naming the part of the palette that is missing.
    """
    tables = [_table(elements, name, big_endian) for name in _PALETTE]
    scale = _BYTE if max(int(entries.max()) for _, entries in tables) <= _BYTE else _WORD
    result = np.empty((*indices.shape, 3), np.uint8)
    for i, (first, entries) in enumerate(tables):
        colours = np.floor(entries * (_BYTE / scale) + 0.5).astype(np.uint8)
        values = np.arange(2 ** (8 * indices.itemsize)) - first
        by_value = colours[np.clip(values, 0, len(colours) - 1)]
        patterns = indices.view(np.uint8 if indices.itemsize == 1 else np.uint16)
        result[..., i] = by_value[patterns]
    return result


def _table(elements: Elements, name: str, big_endian: bool) -> tuple[int, NDArray[np.int64]]:
    """Return the first value and the entries of one colour's table."""
    keyword = f"{name}PaletteColorLookupTable"
    descriptor = elements.numbers(f"{keyword}Descriptor")
    if len(descriptor) != 3:
        raise ImportRefused(f"its palette is missing or damaged ({keyword}Descriptor)")
    count, first = int(descriptor[0]) % (_WORD + 1) or _WORD + 1, int(descriptor[1])
    data = elements.value(f"{keyword}Data")
    if data is None and elements.has(f"Segmented{keyword}Data"):
        data = _unrolled(elements.value(f"Segmented{keyword}Data"), big_endian)
    entries = entries_of(data, count, big_endian)
    if not len(entries):
        raise ImportRefused(f"its palette is missing or damaged ({keyword}Data)")
    return first, entries


def _unrolled(data: Any, big_endian: bool) -> list[int]:
    """Return the entries of a segmented table of 16 bits (PS3.3 C.7.9.2)."""
    words = np.frombuffer(data[: len(data) // 2 * 2], ">u2" if big_endian else "<u2").tolist()
    found: list[int] = []
    _unroll(words, 0, len(words), found)
    return found


def _unroll(words: list[int], at: int, end: int, found: list[int]) -> None:
    """Read segments from `at` to `end`: discrete (0), linear (1) and indirect (2) ones."""
    while at + 2 <= end and len(found) <= _WORD:
        kind, count = words[at], words[at + 1]
        if kind == 0:
            found += words[at + 2 : at + 2 + count]
            at += 2 + count
        elif kind == 1 and found and at + 2 < len(words):
            ramp = np.linspace(found[-1], words[at + 2], count + 1)[1:]
            found += np.floor(ramp + 0.5).astype(int).tolist()
            at += 3
        elif kind == 2 and at + 3 < len(words):
            place = (words[at + 2] + (words[at + 3] << 16)) // 2
            _again(words, place, count, found)
            at += 4
        else:
            raise ImportRefused("its palette is damaged (a segment of unknown kind)")


def _again(words: list[int], place: int, count: int, found: list[int]) -> None:
    """Read `count` segments again; segments that an indirect one points at are not indirect."""
    for _ in range(count):
        if place + 2 > len(words) or words[place] > 1:
            raise ImportRefused("its palette is damaged (a segment has an invalid offset)")
        length = 2 + words[place + 1] if words[place] == 0 else 3
        _unroll(words, place, place + length, found)
        place += length
