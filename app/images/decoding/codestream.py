"""What a compressed frame says about itself, read before a decoder sees it.

A data set may lie about its codestream; a decoder then returns the right number of pixels in the
wrong shape. Only JPEG's SOF (ISO 10918-1, 14495-1) and JPEG 2000's SIZ (ISO 15444-1) are read.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from app.errors import ImportRefused
from app.images.dicom.pixel_layout import PixelLayout

_SOI, _SOC, _JP2 = b"\xff\xd8", b"\xff\x4f", b"\x00\x00\x00\x0cjP  "
_SIZ, _COD = b"\xff\x51", b"\xff\x52"
# C4, C8 and CC lie in the range of the start-of-frame markers but are not; F7 is JPEG-LS.
_FRAMES = frozenset((*range(0xC0, 0xD0), 0xF7)) - {0xC4, 0xC8, 0xCC}
_DCT = frozenset((0xC0, 0xC1, 0xC2))
_APP0, _APP14 = 0xE0, 0xEE
_ALONE = frozenset((0x01, *range(0xD0, 0xD9)))


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """Size of a compressed frame.

    Attributes
    ----------
    dct
        Whether it is lossy JPEG.
    rgb
        Whether JPEG 2000's own transform yields red, green and blue, whatever the data set says.
    """

    rows: int
    columns: int
    bits: int
    samples: int
    dct: bool = False
    rgb: bool = False

    @property
    def deep(self) -> bool:
        """Whether it is lossy JPEG of more than 8 bits, which few libraries read."""
        return self.dct and self.bits > 8


def frame_header(data: bytes) -> FrameHeader | None:
    """Return what a codestream says it contains; None if it is neither JPEG nor JPEG 2000."""
    if data[:2] == _SOI:
        return _jpeg(data)
    if data[:2] == _SOC or data[:8] == _JP2:
        return _jpeg_2000(data)
    return None


def begins_picture(data: bytes) -> bool:
    """Return whether a fragment is the first of a picture."""
    heads = (_SOI + b"\xff", _SOC + _SIZ, _JP2)
    return data.startswith(heads)


def require_same(header: FrameHeader | None, layout: PixelLayout) -> FrameHeader:
    """Return a frame's header; refuse a frame that differs from its data set.

    Raises
    ------
    ImportRefused
        If the codec or the sizes differ.
    """
    if header is None:
        raise ImportRefused("its pixels are not in the transfer syntax it declares")
    rows, columns, allocated = layout.rows, layout.columns, layout.allocated
    if (header.rows, header.columns) != (rows, columns) or header.bits > allocated:
        raise ImportRefused(
            f"it declares {rows} × {columns} pixels of {allocated} bits, but its compressed "
            f"pixels are {header.rows} × {header.columns} of {header.bits} bits"
        )
    if header.samples != layout.samples:
        raise ImportRefused(
            f"its Samples per Pixel is {layout.samples}, but its compressed pixels have "
            f"{header.samples}"
        )
    if header.deep and layout.samples > 1:
        raise ImportRefused(
            f"its colours are JPEG Extended with {header.bits} bits; export it with 8 bits"
        )
    return header


def is_ycc(data: bytes) -> bool | None:
    """Return whether a colour JPEG contains luminance and colour differences; None if unmarked.

    Its own markers take precedence over the data set (ISO 10918-6 6.5): files whose Photometric
    Interpretation differs are common.
    """
    said: bool | None = None
    for marker, body in _segments(data):
        if marker == _APP14 and body[:5] == b"Adobe" and len(body) > 11:
            return body[11] != 0
        if marker == _APP0 and body[:4] == b"JFIF":
            said = True
        if marker in _FRAMES and said is None and len(body) >= 15:
            return False if body[6:15:3] in (b"RGB", b"rgb") else None
        if marker in _FRAMES:
            break
    return said


def _jpeg(data: bytes) -> FrameHeader | None:
    found = (_frame(body, marker) for marker, body in _segments(data) if marker in _FRAMES)
    return next(found, None)


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield marker and body of a JPEG's segments, as far as their lengths lead."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or marker in _ALONE:  # a fill byte, or a marker without a length
            at += 1 if marker == 0xFF else 2
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        yield marker, data[at + 4 : end]
        at = end


def _frame(body: bytes, marker: int) -> FrameHeader | None:
    if len(body) < 6:
        return None
    rows, columns = int.from_bytes(body[1:3]), int.from_bytes(body[3:5])
    return FrameHeader(rows, columns, body[0], body[5], marker in _DCT)


def _jpeg_2000(data: bytes) -> FrameHeader | None:
    at = data.find(_SIZ, 0, 4096)
    body = data[at + 2 : at + 41]
    if at < 0 or len(body) < 39:
        return None
    # Lsiz, Rsiz, then image size, image offset, tile size, tile offset (x before y), components.
    width, height, left, top = (int.from_bytes(body[i : i + 4]) for i in (4, 8, 12, 16))
    samples, bits = int.from_bytes(body[36:38]), (body[38] & 0x7F) + 1
    coding = data.find(_COD, at, at + 4096)
    rgb = coding > 0 and data[coding + 8 : coding + 9] == b"\x01"  # multiple component transform
    return FrameHeader(height - top, width - left, bits, samples, rgb=rgb)
