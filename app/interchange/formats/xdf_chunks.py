"""Checks the chunks of an XDF before it is read, for sizes and counts that are impossible."""

import gzip
import re
import struct
from pathlib import Path
from typing import IO

from devices.gaze.errors import GazeFileError

MOST_BYTES = 512 << 20
MOST_CHANNELS = 4096
MOST_HEADER = 8 << 20
_LENGTHS = {1: "<B", 4: "<I", 8: "<Q"}
_STREAM_HEADER, _SAMPLES = 2, 3
_CHANNELS = re.compile(rb"<channel_count>\s*(\d+)\s*<")


def check_chunks(path: Path) -> bool:
    """Walk over the chunks of a file without reading its samples; return whether it is cut short.

    Raises
    ------
    GazeFileError
        If it is not XDF, larger than `MOST_BYTES`, or declares more than it contains.
    """
    packed = path.suffix.lower() == ".xdfz" or path.name.lower().endswith(".xdf.gz")
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            if file.read(4) != b"XDF:":
                raise GazeFileError(
                    f"{path} cannot be read as XDF (it does not begin with `XDF:`)."
                )
            return _walk(path, file)  # type: ignore[arg-type]
    except (OSError, EOFError) as error:
        raise GazeFileError(f"{path} cannot be read as XDF ({error}).") from error


def _walk(path: Path, file: IO[bytes]) -> bool:
    at = 4
    while True:
        length = _length(file)
        if length is None:
            return False
        at += length
        if at > MOST_BYTES:
            raise GazeFileError(
                f"{path} is, or claims to be, larger than {MOST_BYTES >> 20} MB; XDF must be "
                "read at once. Split the recording, or export its gaze as csv."
            )
        tag = int.from_bytes(file.read(2), "little")
        end = file.tell() + length - 2
        if tag == _STREAM_HEADER:
            _check_header(path, file, length)
        elif tag == _SAMPLES:
            _check_samples(path, file, length)
        file.seek(end - 1)
        if length > 2 and not file.read(1):
            return True
        file.seek(end)


def _length(file: IO[bytes]) -> int | None:
    """Return the length of the next chunk with its tag; None at the end of the file."""
    size = file.read(1)
    form = _LENGTHS.get(size[0]) if size else None
    data = file.read(size[0]) if form else b""
    if form is None or len(data) < size[0]:
        return None
    length = int(struct.unpack(form, data)[0])
    return length if length >= 2 else None


def _check_header(path: Path, file: IO[bytes], length: int) -> None:
    if length > MOST_HEADER:
        raise GazeFileError(f"{path} contains a stream header of {length} bytes.")
    said = _CHANNELS.search(file.read(length - 2))
    digits = said[1] if said else b"0"
    if len(digits) > 9 or int(digits) > MOST_CHANNELS:
        raise GazeFileError(f"{path} contains a stream of {digits[:20].decode()} channels.")


def _check_samples(path: Path, file: IO[bytes], length: int) -> None:
    head = file.read(min(length - 2, 13))
    form = _LENGTHS.get(head[4]) if len(head) > 4 else None
    if form is None or len(head) < 5 + head[4]:
        return
    count = int(struct.unpack(form, head[5 : 5 + head[4]])[0])
    if count > length:
        raise GazeFileError(f"{path} declares {count} samples in a chunk of {length} bytes.")
