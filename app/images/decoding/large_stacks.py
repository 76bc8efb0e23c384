"""Stacks that may be larger than memory: read from the file and decoded frame by frame.

Tomosynthesis of a thick breast has more than 1 GB of pixels. Its frames go one by one into the
future `stored.npy`, which is mapped: the limit is the disk, whose space is reserved before the
first frame is decoded (a mapped file without disk space kills the process).
"""

import io
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import FileDataset

from app.errors import ImportRefused
from app.images.decoding.in_memory import Readable
from app.images.files import Unwritable
from app.images.limits import allow_mapping

PIXEL_DATA = 0x7FE00010
DEFERRED_BYTES = 32 << 20
"""Elements larger than this stay in the file until they are asked for."""
IN_MEMORY_BYTES = 128 << 20
"""For decoded stacks up to this size, the detour is not worthwhile."""
RESERVE_BYTES = 1 << 30
"""Space that a stack must leave free on the disk."""
_UNDEFINED = 0xFFFFFFFF
_BLOCK = bytes(8 << 20)


@contextmanager
def pixels_in_file(path: Readable, dataset: FileDataset) -> Iterator[None]:
    """Make Pixel Data that were left in the file readable from there, as needed."""
    raw: Any = dataset.get_item(PIXEL_DATA, keep_deferred=True)
    if not isinstance(raw, RawDataElement) or raw.value is not None or not raw.length:
        yield
        return
    with path.open("rb") as file:
        end = path.stat().st_size
        if raw.length != _UNDEFINED:
            end = min(end, raw.value_tell + raw.length)
        with io.BufferedReader(_Part(file, raw.value_tell, end)) as part:
            dataset[PIXEL_DATA] = DataElement(PIXEL_DATA, raw.VR or "OW", part)
            yield


def length_of(pixels: bytes | io.BufferedReader) -> int:
    """Return how many bytes of pixels there are."""
    if not isinstance(pixels, io.BufferedReader):
        return len(pixels)
    here = pixels.tell()
    length = pixels.seek(0, os.SEEK_END)
    pixels.seek(here)
    return length


def rewind(pixels: bytes | io.BufferedReader) -> None:
    """Read pixels from their beginning again."""
    if isinstance(pixels, io.BufferedReader):
        pixels.seek(0)


def on_disk(
    frames: Iterable[NDArray[Any]],
    shape: tuple[int, ...],
    room: Path,
    change: Callable[[NDArray[Any]], NDArray[Any]],
) -> NDArray[Any]:
    """Write frames into a NumPy file as they are decoded; return it mapped.

    Parameters
    ----------
    frames
        Each of shape `shape[1:]`; all integers of one type.
    change
        Applied to each before it is written.

    Raises
    ------
    ImportRefused
        If the disk does not have enough space, or the frames differ in number or size.
    Unwritable
        If the folder cannot take more.
    """
    stored, count = None, 0
    for frame in frames:
        kept = change(frame)
        if count == shape[0] or kept.shape != shape[1:] or kept.dtype.kind not in "ui":
            raise ImportRefused("it has more frames than it declares, or frames of different sizes")
        kept = kept.astype(kept.dtype.newbyteorder("<"), copy=False)
        if stored is None:
            stored = _room_for(shape, kept.dtype, room)
        stored[count] = kept
        count += 1
    if stored is None or count < shape[0]:
        raise ImportRefused(f"it is truncated: only {count:,} of {shape[0]:,} frames are present")
    return stored


def is_mapped(stored: NDArray[Any]) -> bool:
    """Return whether values are already in a file, as `on_disk` leaves them."""
    return isinstance(stored, np.memmap) and stored._mmap is not None  # type: ignore[attr-defined]


def _room_for(shape: tuple[int, ...], dtype: np.dtype[Any], room: Path) -> NDArray[Any]:
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    free = shutil.disk_usage(room.parent).free
    if size + RESERVE_BYTES > free:
        raise ImportRefused(
            f"its pixels need {size / 1e9:,.1f} GB and must leave {RESERVE_BYTES / 1e9:,.1f} GB "
            f"free, but the study's disk has only {free / 1e9:,.1f} GB free"
        )
    try:
        with room.open("xb") as file:
            header = {"descr": dtype.str, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            file.flush()
            _allocate(file, file.tell(), size)
    except OSError as error:
        raise Unwritable(error.strerror or str(error)) from error
    allow_mapping(size)
    mapped: NDArray[Any] = np.load(room, mmap_mode="r+", allow_pickle=False)
    return mapped


def _allocate(file: Any, begin: int, size: int) -> None:
    """Actually reserve the disk space that a file needs."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), begin, size)
        return
    for written in range(0, size, len(_BLOCK)):
        file.write(_BLOCK[: size - written])


class _Part(io.RawIOBase):
    """A part of a file as a file of its own, from `begin` to `end`."""

    def __init__(self, file: Any, begin: int, end: int) -> None:
        self._file, self._begin, self._end, self._at = file, begin, end, begin

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: self._begin, os.SEEK_CUR: self._at, os.SEEK_END: self._end}[whence]
        self._at = max(base + offset, self._begin)
        return self._at - self._begin

    def readinto(self, buffer: Any) -> int:
        self._file.seek(self._at)
        data = self._file.read(max(min(len(buffer), self._end - self._at), 0))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
