"""A file that lies in memory: what an archive sent, which must not be written before it is decoded.

It offers of `Path` what decoding needs, so that such an image goes the way of every file.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Size:
    """What `InMemory.stat` tells."""

    st_size: int


@dataclass(frozen=True, slots=True)
class InMemory:
    """The bytes of a file that is on no disk."""

    data: bytes

    def stat(self) -> Size:
        """Return how large it is."""
        return Size(len(self.data))

    def open(self, mode: str = "rb") -> BinaryIO:
        """Open it for reading."""
        assert mode == "rb"
        return io.BytesIO(self.data)


Readable = Path | InMemory
"""Where a file can be read from."""
