"""The bytes of a row that are hashed: identical on every computer, whatever wrote the row.

Each value is a letter for its kind, the length of its bytes (8, big-endian) and the bytes: N none,
I a whole number as decimal text, F a number as IEEE 754 double (big-endian), T text as it is stored
(UTF-8), B bytes. No two different rows have the same bytes.
"""

import hashlib
import struct
from collections.abc import Callable, Sequence
from typing import Any

_ROW = b"foveate row 1\0"
_KEY = b"foveate key 1\0"
_KEY_BYTES = 16


class StoredText(bytes):
    """Text as SQLite stores it, undecoded: damaged text can be read too, and differs from bytes."""


def row_digest(table: str, values: Sequence[Any]) -> bytes:
    """Return the SHA-256 of a row (32 bytes).

    Parameters
    ----------
    values
        Values of its sealed columns, in the registry's order; text as `StoredText`.
    """
    parts = [_ROW, _counted(b"T", table.encode())]
    for value in values:
        kind, data = _KINDS[type(value)](value)
        parts += (kind, len(data).to_bytes(8, "big"), data)
    return hashlib.sha256(b"".join(parts)).digest()


def row_key(table: str, id_: bytes) -> bytes:
    """Return what stands for a row in the chain (16 bytes): after an erasure, it names no one."""
    return hashlib.sha256(_KEY + table.encode() + b"\0" + id_).digest()[:_KEY_BYTES]


def _counted(kind: bytes, data: bytes) -> bytes:
    return kind + len(data).to_bytes(8, "big") + data


_pack_double = struct.Struct(">d").pack
_KINDS: dict[type, Callable[[Any], tuple[bytes, bytes]]] = {
    type(None): lambda _: (b"N", b""),
    StoredText: lambda value: (b"T", value),
    int: lambda value: (b"I", b"%d" % value),
    float: lambda value: (b"F", _pack_double(value)),
    bytes: lambda value: (b"B", value),
}
"""Encoders by the types that SQLite returns. A dictionary for speed: each commit waits for this."""
