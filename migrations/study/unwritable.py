"""Why a file cannot be written, in words; if a disk is full, which one."""

import contextlib
import errno
import os
from pathlib import Path

import psutil

_FULL = (errno.ENOSPC, errno.EDQUOT)


def is_disk_full(error: BaseException) -> bool:
    """Whether a disk, or the user's quota on it, is full."""
    return isinstance(error, OSError) and error.errno in _FULL


def unwritable_text(path: Path | str, error: OSError, elsewhere: str = "") -> str:
    """Return why a file or folder cannot be written, and what to do.

    Parameters
    ----------
    elsewhere
        How to write to another place, such as "name another folder with --out".
    """
    if is_disk_full(error):
        return disk_full_text(error, path, elsewhere)
    said = f"{path} cannot be written: {error.strerror or error}."
    return f"{said} {elsewhere[0].upper()}{elsewhere[1:]}." if elsewhere else said


def disk_full_text(error: OSError, path: Path | str | None = None, elsewhere: str = "") -> str:
    """Return which file did not fit on which disk, and what to do.

    A failed write, unlike a failed opening, does not name its file, and a failed copy names what
    was read first: `path` is the file or folder that was written.
    """
    name = _written(error, path)
    what = f"The disk{disk_of(name)} is full: {name} cannot be written."
    return f"{what} Free some space, {f'or {elsewhere}' if elsewhere else 'then try again'}."


def _written(error: OSError, path: Path | str | None) -> str:
    named = [str(name) for name in (error.filename2, error.filename) if name]
    if path is None:
        return named[0] if named else "a file"
    below = os.path.abspath(path)
    return next((n for n in named if os.path.abspath(n).startswith(below)), str(path))


def disk_of(name: str) -> str:
    """Return where the disk of a file is mounted, after a space; "" if that is unknown."""
    with contextlib.suppress(OSError):
        path = os.path.realpath(name)
        mounts = [m.mountpoint for m in psutil.disk_partitions(all=True)]
        found = [m for m in mounts if path == m or path.startswith(m.rstrip(os.sep) + os.sep)]
        if found:
            return f" {max(found, key=len)}"
    return ""
