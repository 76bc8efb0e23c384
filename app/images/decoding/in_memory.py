"""A file in memory: sent by an archive, it must not be written before it is decoded.

It offers what decoding needs of `Path`, so that such an image is treated like every file.
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
"""A source that a file can be read from."""
