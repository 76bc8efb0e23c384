"""A study belongs to its owner alone: modes 0600 and 0700, on every system that has them.

New files get them from the process (`main.py` sets its mask, and programs that it starts inherit
it). A study that was copied or unpacked gets them back when it is opened.
"""

import contextlib
import os
import stat
from pathlib import Path

_OTHERS = 0o077


def make_private(folder: Path) -> bool:
    """Remove all other users' access to a study's folder and its contents.

    The folder's mode already protects everything inside, so the contents are checked only if the
    folder was open: opening a study of many thousand files must not take seconds.

    Returns
    -------
    bool
        Whether it was open and is now closed. A folder of another owner, or on a disk without
        modes, stays as it is.
    """
    if os.name != "posix" or not _open_to_others(folder):
        return False
    _shut(folder)
    if _open_to_others(folder):
        return False
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            _shut(Path(place, name))
    return True


def _open_to_others(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & _OTHERS)
    except OSError:
        return False


def _shut(path: Path) -> None:
    with contextlib.suppress(OSError):
        mode = path.lstat().st_mode
        if mode & _OTHERS and not stat.S_ISLNK(mode):
            path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
