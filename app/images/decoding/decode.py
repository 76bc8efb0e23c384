"""Decode files in one spawned process, with a memory and time limit for each file.

Compressed DICOM holds the interpreter lock for up to a second, and a hostile file can kill its
process: neither may affect the station or a recording.
"""

import json
import multiprocessing
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Self

import psutil

from app.errors import ImportRefused, ImportStopped
from app.images.attributes import DisplayAttributes
from app.images.decoding.dicomdir import is_dicomdir
from app.images.decoding.worker import serve
from app.images.dicom.origin import Origin
from app.images.limits import OUT_OF_MEMORY
from app.images.masks import MaskTemplate, Rectangle, rectangle_of
from app.patience import Patience

START_TIMEOUT_S = 60.0
_LOOK_EVERY_S = 0.1
_BYTES_PER_S = 1e6


def _own_bytes(process: psutil.Process) -> int:
    """Return the memory of a process without the files it maps: a stack may exceed the limit."""
    info = process.memory_info()
    return int(getattr(info, "private", info.rss - getattr(info, "shared", 0)))


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded file; its pixels are in the requested folder.

    Attributes
    ----------
    sha256
        Hash of the file's stored values, C order, little-endian.
    kept_sha256
        Hash of the values in the folder: differs from `sha256` if rectangles were blacked out.
    origin
        Where it comes from, without names.
    attributes
        Without windows and LUTs, which are in `display.json`.
    rectangles
        What the device's mask template blacked out.
    original
        Identifiers for a linkage file; empty unless requested.
    """

    sha256: str
    kept_sha256: str
    origin: Origin
    attributes: DisplayAttributes
    rectangles: tuple[Rectangle, ...] = ()
    original: dict[str, str] = field(default_factory=dict)


class Decoder:
    """One worker for many files; started for the first, replaced when a file kills it.

    Parameters
    ----------
    key
        Hashes identifiers; given to the worker so that they never leave it.
    timeout_s
        For each file; large ones get another second per MB.
    memory_bytes
        Memory that decoding may use in addition to the worker itself.
    """

    def __init__(self, key: bytes, *, timeout_s: float = 60.0, memory_bytes: int = 3 << 30) -> None:
        self.key = key
        self.timeout_s = timeout_s
        self.memory_bytes = memory_bytes
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None
        self._base_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def decode(
        self,
        path: Path,
        folder: Path,
        *,
        masks: Sequence[MaskTemplate] = (),
        linkage: bool = False,
        sent: bytes | None = None,
    ) -> Decoded:
        """Decode a file into `stored.npy`, `display.json` and `presentation.png` in a folder.

        Parameters
        ----------
        masks
            Templates; that of the file's device is applied.
        linkage
            Whether the file's identifiers are needed for a linkage file.
        sent
            The file itself, if it came over a connection: it is passed on in memory, and `path` is
            only its name.

        Raises
        ------
        ImportRefused
            If the file cannot become a case; the next one can be tried.
        ImportStopped
            If the folder cannot be written or no worker can be started.
        """
        request = {"path": str(path.absolute()), "folder": str(folder.absolute())}
        answer = self._answer(
            request | {"masks": [asdict(mask) for mask in masks], "linkage": linkage}, sent
        )
        if "stopped" in answer:
            raise ImportStopped(
                f"The study's folder {folder.parent} cannot be written ({answer['stopped']}). "
                "Images imported so far are safe. Free some space, then import again."
            )
        return Decoded(
            answer["sha256"],
            answer["kept_sha256"],
            Origin.from_json(answer["origin"]),
            DisplayAttributes.from_json(answer["attributes"]),
            tuple(rectangle_of(values) for values in answer["rectangles"]),
            answer.get("original", {}),
        )

    def listed(self, path: Path) -> list[Path]:
        """Return the files that a DICOMDIR lists, all below its folder, or an archive contains.

        Raises
        ------
        ImportRefused
            If it cannot be read.
        """
        answer = self._answer({"path": str(path.absolute())})
        top = path.parent if is_dicomdir(path) else path
        return [top.joinpath(*parts) for parts in answer["files"]]

    def close(self) -> None:
        """End the worker."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        if self._process is not None:
            self._process.join(2.0)
        self._ended()

    def _answer(self, request: dict[str, Any], sent: bytes | None = None) -> dict[str, Any]:
        connection = self._started()
        try:
            asked = request if sent is None else request | {"sent": True}
            connection.send_bytes(json.dumps(asked).encode())
            if sent is None:
                patience_s = self._patience_s(Path(request["path"]))
            else:
                connection.send_bytes(sent)
                patience_s = self.timeout_s + len(sent) / _BYTES_PER_S
            answer = self._awaited(connection, patience_s)
        except (EOFError, OSError) as error:
            code = self._ended()
            raise ImportRefused(f"it made the decoder crash (exit code {code})") from error
        if "refused" in answer:
            raise ImportRefused(str(answer["refused"]))
        return answer

    def _started(self) -> Connection:
        if self._connection is not None and self._process is not None and self._process.is_alive():
            return self._connection
        self._ended()
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=serve, args=(theirs, self.key, self.memory_bytes), daemon=True
        )
        process.start()
        theirs.close()
        self._process, self._connection = process, ours
        try:
            self._awaited(ours, START_TIMEOUT_S)
            self._base_bytes = _own_bytes(psutil.Process(process.pid))
        except (EOFError, OSError, ImportRefused, psutil.Error) as error:
            code = self._ended()
            raise ImportStopped(
                f"The process that decodes images did not start (exit code {code}). See the "
                "log. If packages are missing, reinstall Foveate with its extra `station`."
            ) from error
        return ours

    def _awaited(self, connection: Connection, timeout_s: float) -> dict[str, Any]:
        patience = Patience(None if self._process is None else self._process.pid, timeout_s)
        while not connection.poll(_LOOK_EVERY_S):
            if patience.is_over:
                self._ended()
                raise ImportRefused(f"it took longer than {timeout_s:.0f} s to decode")
            if self._over_memory():
                self._ended()
                raise ImportRefused(OUT_OF_MEMORY)
        answer: dict[str, Any] = json.loads(connection.recv_bytes())
        return answer

    def _patience_s(self, path: Path) -> float:
        try:
            return self.timeout_s + path.stat().st_size / _BYTES_PER_S
        except OSError:  # the worker says what is wrong with it
            return self.timeout_s

    def _over_memory(self) -> bool:
        if self._process is None or self._process.pid is None or not self._base_bytes:
            return False
        try:
            used = _own_bytes(psutil.Process(self._process.pid))
        except psutil.Error:  # it has just ended; the pipe will show it next
            return False
        return bool(used - self._base_bytes > self.memory_bytes)

    def _ended(self) -> int | None:
        """Make sure that no worker is left; return its exit code."""
        process, self._process = self._process, None
        connection, self._connection = self._connection, None
        self._base_bytes = 0
        if connection is not None:
            connection.close()
        if process is None:
            return None
        process.join(0.5)  # a crashed one takes a moment to be reported as ended
        if process.is_alive():
            process.kill()
            process.join(5.0)
        code = process.exitcode
        process.close()
        return code
