"""Read files of gaze in one spawned process, with limits on memory and on silence.

Files come from elsewhere: if one would exhaust the memory or never ends, its process is ended, the
file is refused, and the next one gets a new process. Readings come one by one, and the pipe makes
the process wait while they are stored.
"""

import multiprocessing
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Self

from app.interchange.foreign_reading import RowCounts, SourceFile, SourceReading
from app.interchange.options import ImportOptions
from app.interchange.parse_worker import serve
from app.interchange.wire import notes_of, options_as_dict, packed, unpack_reading, unpacked
from app.patience import Patience
from devices.gaze.errors import GazeFileError

MEMORY_BYTES = 3 << 30
START_TIMEOUT_S = 60.0
SILENCE_S = 60.0
BYTES_PER_S = 1e6
"""A file may be looked at so slowly before its process counts as stuck."""
_LOOK_EVERY_S = 0.1


class ReadingProcess:
    """One process for many files; started for the first, replaced when a file ends it.

    Parameters
    ----------
    memory_bytes
        Memory that reading may use in addition to the process itself.
    silence_s
        Of its own work without a word (`app.patience`), beside a second for every megabyte.
    """

    def __init__(self, memory_bytes: int = MEMORY_BYTES, silence_s: float = SILENCE_S) -> None:
        self.memory_bytes = memory_bytes
        self.silence_s = silence_s
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def read(self, format_name: str, path: Path, options: ImportOptions) -> SourceFile:
        """Read a file; its readings come as they are requested.

        Raises
        ------
        GazeFileError
            If it is refused, or its process had to be ended.
        """
        self._start()
        request = {
            "format": format_name,
            "path": str(path),
            "options": options_as_dict(options),
        }
        self._send(packed(request, {}))
        patience_s = self.silence_s + _size(path) / BYTES_PER_S
        message, _ = self._receive(path, patience_s)
        counts = RowCounts(int(message["rows"]))
        file = SourceFile((), counts)
        return SourceFile(self._readings(path, patience_s, file), counts, file.notes)

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        if process is None:
            return
        process.join(0.2)
        if process.is_alive():
            process.kill()
            process.join(5.0)
        process.close()

    def _readings(self, path: Path, patience_s: float, file: SourceFile) -> Iterator[SourceReading]:
        while True:
            message, arrays = self._receive(path, patience_s)
            if message["kind"] == "reading":
                yield unpack_reading(message, arrays)
                continue
            file.counts.read = int(message["rows"])
            file.counts.dropped.update(message["dropped"])
            file.notes.extend(notes_of(message["notes"]))
            return

    def _start(self) -> None:
        if self._process is not None:
            return
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs, self.memory_bytes), daemon=True)
        process.start()
        theirs.close()
        self._process, self._connection = process, ours
        self._receive(Path("The process that reads gaze"), START_TIMEOUT_S)

    def _send(self, data: bytes) -> None:
        assert self._connection is not None
        self._connection.send_bytes(data)

    def _receive(self, path: Path, patience_s: float) -> tuple[dict[str, Any], dict[str, Any]]:
        assert self._connection is not None
        try:
            patience = Patience(None if self._process is None else self._process.pid, patience_s)
            while not self._connection.poll(_LOOK_EVERY_S):
                if patience.is_over:
                    self.close()
                    raise GazeFileError(
                        f"{path} was abandoned: it took longer than {patience_s:.0f} s."
                    )
            data = self._connection.recv_bytes()
        except (EOFError, OSError) as error:
            self.close()
            raise GazeFileError(
                f"{path} made the reading process end: it is damaged, or needs too much memory."
            ) from error
        message, arrays = unpacked(data)
        if message["kind"] == "refused":
            raise GazeFileError(str(message["reason"]))
        return message, arrays


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # reading it reports what is wrong
        return 0
