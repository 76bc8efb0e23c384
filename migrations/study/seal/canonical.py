"""The bytes of a row that are hashed: the same on every computer, whatever wrote the row.

Each value is a letter for its kind, the length of its bytes (8, big-endian) and the bytes: N none,
I a whole number as decimal text, F a number as IEEE 754 double (big-endian), T text as it is stored
(UTF-8), B bytes. No two different rows have the same bytes.
"""

import hashlib
import struct
from collections.abc import Sequence
from typing import Any

_ROW = b"foveate row 1\0"
_KEY = b"foveate key 1\0"
_KEY_BYTES = 16


class StoredText(bytes):
    """Text as SQLite stores it, undecoded: damaged text is read, too, and differs from bytes."""


def row_digest(table: str, values: Sequence[Any]) -> bytes:
    """Return the SHA-256 of a row (32 bytes).

    Parameters
    ----------
    values
        Of its sealed columns, in the registry's order; text as `StoredText`.
    """
    parts = [_ROW, _counted(b"T", table.encode())]
    parts.extend(_canonical(value) for value in values)
    return hashlib.sha256(b"".join(parts)).digest()


def row_key(table: str, id_: bytes) -> bytes:
    """Return what stands for a row in the chain (16 bytes): after an erasure it names nobody."""
    return hashlib.sha256(_KEY + table.encode() + b"\0" + id_).digest()[:_KEY_BYTES]


def _canonical(value: Any) -> bytes:
    if value is None:
        return _counted(b"N", b"")
    if isinstance(value, StoredText):
        return _counted(b"T", value)
    if isinstance(value, int):
        return _counted(b"I", b"%d" % value)
    if isinstance(value, float):
        return _counted(b"F", struct.pack(">d", value))
    return _counted(b"B", bytes(value))


def _counted(kind: bytes, data: bytes) -> bytes:
    return kind + len(data).to_bytes(8, "big") + data
