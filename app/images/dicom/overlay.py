"""Overlay planes (PS3.3 C.9.2): a side letter, a line, a frame, drawn over the image by key.

A plane may also contain a name. It is kept only if its bits cannot contain text: one connected
shape that no straight line crosses more than three times, unlike any word of letters. What is kept
are the runs of its rows, so that a person can read them in `display.json`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.images.dicom.elements import Elements

Plane = NDArray[np.bool_]
Runs = tuple[tuple[int, int, int], ...]
"""Row, first column and the column after the last, of each drawn run."""
_GROUPS = range(0x6000, 0x6020, 2)
_ROWS, _COLUMNS, _FRAMES, _ORIGIN = 0x0010, 0x0011, 0x0015, 0x0050
_BIT, _DATA = 0x0102, 0x3000
_MOST_CROSSINGS, _MOST_HOLES = 3, 2


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a plane lies: its size, and the image's row and column of its first bit."""

    rows: int
    columns: int
    top: int
    left: int


def overlay_of(dataset: Any, elements: Elements, size: tuple[int, int]) -> Runs:
    """Return what may be shown of a data set's planes over an image of this size.

    Planes that may contain text, have frames or are cut short are left out and noted.
    """
    kept = np.zeros(size, bool)
    for group in _GROUPS:
        if (group, _ROWS) not in dataset and (group, _DATA) not in dataset:
            continue
        plane = _plane(dataset, group, size)
        if plane is None or may_hold_text(kept | plane):
            elements.say("overlay-left-out")
        else:
            kept |= plane
    if kept.any():
        elements.say("overlay")
    return runs_of(kept)


def runs_of(plane: Plane) -> Runs:
    """Return a plane as runs."""
    steps = np.diff(np.pad(plane, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, firsts = np.nonzero(steps == 1)
    _, ends = np.nonzero(steps == -1)
    found = zip(rows.tolist(), firsts.tolist(), ends.tolist(), strict=True)
    return tuple((row, first, end) for row, first, end in found)


def plane_of(runs: Iterable[Sequence[int]], size: tuple[int, int]) -> Plane:
    """Return the plane (rows, columns) of runs."""
    plane = np.zeros(size, bool)
    for row, first, end in runs:
        plane[row, first:end] = True
    return plane


def may_hold_text(plane: Plane) -> bool:
    """Return whether a plane could contain text: whether it is more than one simple shape."""
    rows, columns = np.nonzero(plane)
    if not len(rows):
        return False
    drawn = plane[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    shapes, _ = cv2.connectedComponents(drawn.astype(np.uint8), connectivity=8)
    grounds, _ = cv2.connectedComponents(np.pad(~drawn, 1, constant_values=True).astype(np.uint8),
                                         connectivity=4)  # fmt: skip
    if shapes - 1 > 1 or grounds - 2 > _MOST_HOLES:  # one label is the background
        return True
    ways = (drawn, drawn.T, _slanted(drawn), _slanted(drawn[:, ::-1]))
    return any(_crossings(way) > _MOST_CROSSINGS for way in ways)


def _crossings(plane: Plane) -> int:
    """Return how many strokes the row with the most of them crosses."""
    starts = np.diff(np.pad(plane, ((0, 0), (1, 0))).astype(np.int8), axis=1) == 1
    return int(starts.sum(axis=1).max())


def _slanted(plane: Plane) -> Plane:
    """Return a plane's diagonals as rows: each row shifted by one more column, read downwards."""
    rows, columns = plane.shape
    wide = np.zeros((rows, columns + rows), bool)
    wide[:, :columns] = plane
    sheared = wide.reshape(-1)[: rows * (columns + rows - 1)].reshape(rows, columns + rows - 1)
    # A diagonal stroke touches its neighbours only at corners: widened, it stays connected.
    return np.asarray((sheared | np.roll(sheared, 1, axis=1)).T)


def _plane(dataset: Any, group: int, size: tuple[int, int]) -> Plane | None:
    """Return a group's plane in the image's pixels; None if it cannot be read."""
    try:
        place = _place(dataset, group)
        if place is None:
            return None
        bits = _bits(dataset, group, place)
    except Exception:  # pydicom raises whatever error an invalid element leads to
        return None
    if bits is None:
        return None
    whole = np.zeros(size, bool)
    top, left = max(place.top, 0), max(place.left, 0)
    part = bits[top - place.top :, left - place.left :][: size[0] - top, : size[1] - left]
    whole[top : top + part.shape[0], left : left + part.shape[1]] = part
    return whole


def _place(dataset: Any, group: int) -> _Place | None:
    rows, columns = (int(dataset[group, number].value) for number in (_ROWS, _COLUMNS))
    if (group, _FRAMES) in dataset and int(dataset[group, _FRAMES].value) > 1:
        return None
    origin = dataset[group, _ORIGIN].value if (group, _ORIGIN) in dataset else (1, 1)
    within = 0 < rows <= 1 << 15 and 0 < columns <= 1 << 15
    return _Place(rows, columns, int(origin[0]) - 1, int(origin[1]) - 1) if within else None


def _bits(dataset: Any, group: int, place: _Place) -> Plane | None:
    """Return the bits of a separate plane; for a plane within the pixels, those of its bit."""
    count = place.rows * place.columns
    if (group, _DATA) in dataset:
        data = np.frombuffer(dataset[group, _DATA].value, np.uint8)
        bits = np.unpackbits(data[: -(-count // 8)], bitorder="little")[:count]
    else:
        plain = not dataset.file_meta.TransferSyntaxUID.is_compressed
        if not plain or int(dataset.BitsAllocated) != 16 or dataset.original_encoding[1] is False:
            return None
        bit = int(dataset[group, _BIT].value)
        words = np.frombuffer(dataset.PixelData, "<u2", count)
        outside = int(dataset.BitsStored) <= bit < 16
        bits = (words >> bit & 1).astype(np.uint8) if outside else np.zeros(0, np.uint8)
    return bits.astype(bool).reshape(place.rows, place.columns) if len(bits) == count else None
