"""How an image cache comes to be: its space taken first, then its pictures decoded into place.

A file that is there is whole: it is made beside and gets its name at the end. What a killed process
left beside is swept by the next that opens a cache.
"""

import contextlib
import errno
import hashlib
import json
import math
import os
import platform
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import psutil
from numpy.typing import NDArray

from migrations.study.unwritable import unwritable_text
from trainer.data.decode_pool import Broken, Task, decode_all
from trainer.errors import BrokenPictures, Cancelled, ImageCacheError

_CANNOT_RESERVE = (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)
_BLOCK = bytes(1 << 22)


def build(
    path: Path,
    index_file: Path,
    tasks: Sequence[Task],
    side: int,
    progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> None:
    """Decode pictures into a new cache: the array at `path`, boxes and fingerprints beside it.

    Raises
    ------
    BrokenPictures
        If any cannot be decoded; names all of them.
    ImageCacheError
        If the disk cannot take the cache; says how much it takes.
    Cancelled
        If the user asked to stop; nothing half-made is left, after an error neither.
    """
    make_whole(
        path,
        index_file,
        reserve=lambda partial: reserved(partial, (len(tasks), side, side)),
        fill=lambda partial, pixels: _fill(partial, pixels, tasks, progress, cancelled),
        size_bytes=len(tasks) * side * side,
    )


def make_whole(
    path: Path,
    index_file: Path,
    *,
    reserve: Callable[[Path], "np.memmap[Any, Any]"],
    fill: Callable[[Path, Any], dict[str, Any]],
    size_bytes: int,
) -> None:
    """Write an array and its index; the array gets its name once both are whole.

    Parameters
    ----------
    path, index_file
        Where they lie at the end.
    reserve, fill
        Take the space; write the array and return the index.
    size_bytes
        What the array takes.

    Raises
    ------
    ImageCacheError
        If the disk cannot take it.
    """
    partial = path.with_name(f"{path.stem}.partial-{_machine()}-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = reserve(partial)
        index = fill(partial, pixels)
        pixels.flush()
        del pixels  # Windows renames no file that is mapped
        index_file.write_text(json.dumps(index), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        takes = f"It needs {size_text(size_bytes)}{_free(path.parent)}; smaller images need less."
        raise ImageCacheError(f"{unwritable_text(path, error)} {takes}") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def reserved(path: Path, shape: tuple[int, ...], kind: str = "|u1") -> "np.memmap[Any, Any]":
    """Return a new array mapped from a file whose space on the disk is taken already.

    `kind` is its dtype as a file of NumPy names it: bytes unless told.

    A mapped file without its space ends the process by a signal, and no word, at the first page
    that the disk cannot take.

    Raises
    ------
    OSError
        If the disk cannot take it.
    """
    with path.open("wb") as file:
        header = {"descr": kind, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        file.flush()
        _take(file, math.prod(shape) * np.dtype(kind).itemsize)
    mapped = np.load(path, mmap_mode="r+")
    assert isinstance(mapped, np.memmap)
    return mapped


def _take(file: BinaryIO, count: int) -> None:
    """Take the space of `count` zeros from where a file ends; write them where that is the way."""
    reserve = getattr(os, "posix_fallocate", None)
    if reserve is not None:
        try:
            reserve(file.fileno(), file.tell(), count)
            return
        except OSError as error:
            if error.errno not in _CANNOT_RESERVE:
                raise
    for start in range(0, count, len(_BLOCK)):
        file.write(_BLOCK[: min(len(_BLOCK), count - start)])


def _fill(
    path: Path,
    pixels: NDArray[np.uint8],
    tasks: Sequence[Task],
    progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> dict[str, Any]:
    boxes: list[tuple[int, int]] = [(0, 0)] * len(tasks)
    fingerprints, broken = [""] * len(tasks), dict[int, str]()
    for done, made in enumerate(decode_all(tasks, path, pixels), start=1):
        if isinstance(made, Broken):
            broken[made.index] = made.reason
        else:
            boxes[made.index], fingerprints[made.index] = made.box, made.fingerprint
        progress(done, len(tasks))
        if cancelled():
            raise Cancelled("Stopped while preparing images.")
    if broken:
        raise BrokenPictures(dict(sorted(broken.items())), len(tasks))
    return {"boxes": boxes, "fingerprints": fingerprints}


def sweep(folder: Path) -> None:
    """Delete what killed processes of this machine left half-made; what others make stays."""
    for path in folder.glob("*.partial-*"):
        machine, _, pid = path.name.rpartition(".partial-")[2].rpartition("-")
        ours = machine in ("", _machine())  # 0.1.0 wrote the process alone
        if ours and pid.isdecimal() and not psutil.pid_exists(int(pid)):
            with contextlib.suppress(OSError):
                path.unlink()


def _machine() -> str:
    """Return what tells the machines apart that share a folder: a process number is one's own."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


def size_text(count: float) -> str:
    """Return a number of bytes as people read it."""
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"


def _free(folder: Path) -> str:
    with contextlib.suppress(OSError):
        return f", {size_text(shutil.disk_usage(folder).free)} are free"
    return ""
