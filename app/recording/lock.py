"""One recording station per study: a file that the operating system locks for the process.

The lock disappears when the process dies, however it dies; the file itself may stay.
"""

import json
import os
import sys
from pathlib import Path
from typing import IO, Self

from app.errors import StationBusy

NAME = "station.lock"
_LOCKED_BYTE = 1 << 20  # beyond the text, which Windows would otherwise not let others read


class StationLock:
    """Held by the process that records into a study.

    Attributes
    ----------
    path
        The file.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._file: IO[bytes] | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._file is not None

    def acquire(self) -> None:
        """Take the lock.

        Raises
        ------
        StationBusy
            If another process, or another lock object of this one, holds it.
        """
        if self._file is not None:
            return
        file = self.path.open("r+b" if self.path.exists() else "w+b")
        try:
            _lock(file)
        except OSError as error:
            file.close()
            raise StationBusy(
                f"{self.path.parent} is being recorded into by {self._holder()}. Close that "
                "station first; only one station can read a study at a time."
            ) from error
        self._file = file
        file.seek(0)
        file.truncate()
        file.write(json.dumps({"pid": os.getpid()}).encode())
        file.flush()

    def release(self) -> None:
        """Give the lock back; safe to call twice."""
        if self._file is not None:
            _unlock(self._file)
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_error: object) -> None:
        self.release()

    def _holder(self) -> str:
        try:
            return f"process {json.loads(self.path.read_bytes())['pid']}"
        except (OSError, ValueError, KeyError):
            return "another process"


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        file.seek(_LOCKED_BYTE)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

    def _unlock(file: IO[bytes]) -> None:
        file.seek(_LOCKED_BYTE)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(file: IO[bytes]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_UN)
