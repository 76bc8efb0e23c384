"""What a process that dies in native code leaves behind: where each of its threads was.

Such a trace names functions and lines of the program, but nothing about a patient or a file.
"""

import faulthandler
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from migrations.study.this_computer import log_folder

NAME = "crashes.log"
_MOST_BYTES = 1_000_000
_open: list[TextIO] = []
"""The file must stay open for as long as the process lives."""


def watch_crashes(what: str, folder: Path | None = None) -> Path | None:
    """Write a crash of this process beside the station's log; return the file.

    Parameters
    ----------
    what
        Which process this is; the heading of its part of the file.
    folder
        Folder of the file; None: the user's log folder. If it cannot be written, crashes are
        reported on standard error.
    """
    path = (folder or log_folder()) / NAME
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        begins_anew = path.is_file() and path.stat().st_size > _MOST_BYTES
        file = path.open("w" if begins_anew else "a", encoding="utf-8")
        file.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} {what}, pid {os.getpid()}\n")
        file.flush()
    except OSError:
        if sys.stderr is not None:
            faulthandler.enable()
        return None
    _open.append(file)
    faulthandler.enable(file)
    return path
