"""Whether a JPEG's data are complete: decoders silently paint missing parts grey.

libjpeg's warning goes unseen. JPEG XL's encoder, which takes over a JPEG's coefficients unchanged,
reads the same data strictly: a file it refuses has lost some.
"""

import io

import imagecodecs
import numpy as np
from PIL import Image as PilImage

from app.errors import ImportRefused

JPEG_HEAD = b"\xff\xd8\xff"
_EOI = b"\xff\xd9"
_SOS, _ALONE = 0xDA, frozenset((0x01, *range(0xD0, 0xD9)))
_STRICTLY_READ = frozenset((0xC0, 0xC1, 0xC2))
"""Baseline, extended and progressive with Huffman codes; others are left to the decoder."""
_PROGRESSIVE = 0xC2
_UNIMPORTANT = frozenset((*range(0xE0, 0xF0), 0xFE))
_MOST_PIXELS = 100_000_000
_ZEROS = bytes(64)


def require_whole_jpeg(data: bytes, picture_size: tuple[int, int]) -> None:
    """Refuse a JPEG whose picture data are cut short, whatever marker follows them.

    Raises
    ------
    ImportRefused
        If they are.
    """
    parts = _parts(data)
    if parts is None or picture_size[0] * picture_size[1] > _MOST_PIXELS:
        return
    frame, plain = parts
    if not _read_strictly(plain):
        if frame == _PROGRESSIVE or _ends_flat(data):
            raise ImportRefused(
                "it is not an intact JPEG file: it is cut short, and its data end before the "
                "picture does"
            )
    elif _reads_without_its_zeros(plain):
        raise ImportRefused("it is not an intact JPEG file: part of its data is replaced by zeros")


def _parts(data: bytes) -> tuple[int, bytes] | None:
    """Return the kind of frame, and the file without application data; None for unusual ones."""
    kept, at, frame = [data[:2]], 2, 0
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0xD9:
            break
        end = at + 2 if marker in _ALONE else at + 2 + int.from_bytes(data[at + 2 : at + 4])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            frame = marker
        if marker == _SOS:
            end = _scan_end(data, end)
        if marker not in _UNIMPORTANT:
            kept.append(data[at:end])
        at = end
    strict = frame in _STRICTLY_READ and not _is_oddly_sampled(b"".join(kept), frame)
    return (frame, b"".join(kept) + _EOI) if strict else None


def _scan_end(data: bytes, at: int) -> int:
    """Return where the entropy-coded data end: at a marker other than a restart."""
    while (at := data.find(b"\xff", at)) >= 0:
        following = data[at + 1 : at + 2]
        if following and following[0] != 0 and not 0xD0 <= following[0] <= 0xD7:
            if following[0] != 0xFF:
                return at
            at += 1
        else:
            at += 2
    return len(data)


def _is_oddly_sampled(plain: bytes, frame: int) -> bool:
    """Return whether components are sampled in ratios other than 1 or 2, or there are four."""
    at = plain.find(bytes((0xFF, frame)))
    count = plain[at + 9]
    factors = [plain[at + 11 + 3 * i] for i in range(count)]
    plain_ratio = all(f >> 4 in (1, 2) and f & 15 in (1, 2) for f in factors)
    return count not in (1, 3) or not plain_ratio


def _read_strictly(plain: bytes) -> bool:
    try:
        imagecodecs.jpegxl_encode_jpeg(plain)
    except imagecodecs.JpegxlError:
        return False
    return True


def _ends_flat(data: bytes) -> bool:
    """Return whether the last block has a single value, as decoders fill it without data."""
    picture = PilImage.open(io.BytesIO(data), formats=["JPEG"])
    picture.draft("L", None)
    grey = np.asarray(picture.convert("L"))
    block = grey[(grey.shape[0] - 1) // 8 * 8 :, (grey.shape[1] - 1) // 8 * 8 :]
    return bool(block.min() == block.max())


def _reads_without_its_zeros(plain: bytes) -> bool:
    """Return whether a long run of zeros could be halved without anything being lost."""
    start = plain.rfind(bytes((0xFF, _SOS)))
    at = plain.find(_ZEROS, start)
    if at < 0:
        return False
    rest = plain[at:].lstrip(b"\0")
    zeros = len(plain) - at - len(rest)
    return _read_strictly(plain[: at + zeros // 2] + _EOI)
