"""What a PNG's chunks say, read before a decoder sees them (PNG specification, third edition).

Decoders silently fill missing parts with black; a truncated picture must not be imported.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from app.errors import ImportRefused

PNG_HEAD = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_ADAM7 = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
    (0, 1, 1, 2),
)  # fmt: skip
"""First column, first row, step across, step down of each pass."""
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class PngHeader:
    """The header of a PNG.

    Attributes
    ----------
    depth
        Bits of a sample: 1 to 16.
    colour
        0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha.
    """

    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool

    @property
    def channels(self) -> int:
        """Samples of a pixel, as decoded."""
        return _CHANNELS.get(self.colour, 4)

    @property
    def data_bytes(self) -> int:
        """How many bytes all rows have, each with its filter type."""
        if not self.interlaced:
            return self._pass_bytes(self.width, self.height)
        sizes = (
            (-((x - self.width) // across), -((y - self.height) // down))
            for x, y, across, down in _ADAM7
        )
        return sum(self._pass_bytes(width, height) for width, height in sizes)

    def _pass_bytes(self, width: int, height: int) -> int:
        if width <= 0 or height <= 0:
            return 0
        return height * (1 + (width * self.channels * self.depth + 7) // 8)


def png_header(data: bytes) -> PngHeader:
    """Return a PNG's header.

    Raises
    ------
    ImportRefused
        If it is missing, or not one in the specification.
    """
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise ImportRefused("it is not an intact PNG file (no header)")
    width, height = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    if data[25] not in _CHANNELS or data[24] not in (1, 2, 4, 8, 16):
        raise ImportRefused("it is not an intact PNG file (its header is invalid)")
    return PngHeader(width, height, data[24], data[25], data[28] == 1)


def require_whole_png(data: bytes, header: PngHeader) -> None:
    """Refuse a PNG whose compressed rows end too early or fail their checksum.

    Raises
    ------
    ImportRefused
        Says how much is present.
    """
    unpacker, wanted, there = zlib.decompressobj(), header.data_bytes, 0
    try:
        for kind, body in chunks(data):
            if kind != b"IDAT":
                continue
            pending: bytes | memoryview = body
            while pending and not unpacker.eof and there <= wanted:
                there += len(unpacker.decompress(pending, _PIECE))
                pending = unpacker.unconsumed_tail
        while there <= wanted and (more := unpacker.decompress(b"", _PIECE)):
            there += len(more)
    except zlib.error as error:
        raise ImportRefused(f"it is not an intact PNG file ({error})") from error
    if there < wanted:
        raise ImportRefused(
            f"it is not an intact PNG file: it is cut short, and only {there:,} of {wanted:,} "
            "bytes are present"
        )


def transparent_colour(data: bytes, header: PngHeader) -> tuple[int, ...] | None:
    """Return the one grey or colour that means "nothing here"; None where there is none.

    This does not concern the alpha channel or that of a palette.
    """
    length = {0: 2, 2: 6}.get(header.colour)
    body = next((body for kind, body in chunks(data) if kind == b"tRNS"), b"")
    if length is None or len(body) < length:
        return None
    return tuple(int.from_bytes(body[i : i + 2]) for i in range(0, length, 2))


def chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Yield kind and body of each chunk as far as the file goes."""
    view, at = memoryview(data), len(PNG_HEAD)
    while at + 8 <= len(data):
        length = int.from_bytes(view[at : at + 4])
        yield bytes(view[at + 4 : at + 8]), view[at + 8 : at + 8 + length]
        at += 12 + length
