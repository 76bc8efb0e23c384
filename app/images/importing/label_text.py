"""The text of a csv in the encodings that Excel and others write, in one Unicode form."""

import codecs
import unicodedata

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_LOOKED_AT = 400


def decoded_text(content: bytes) -> tuple[str, str]:
    """Return the text of a file in Unicode form NFC, and the name of its encoding.

    A byte order mark decides. Without one, zero bytes at every other place mean UTF-16; then UTF-8
    is tried, and Windows-1252 (which includes the letters of Latin-1) is what remains.

    Raises
    ------
    UnicodeDecodeError
        If the text is cut off, or is not in the encoding of its mark.

    Examples
    --------
    >>> decoded_text("é".encode("latin-1")), decoded_text(b"a")
    (('é', 'Windows-1252'), ('a', 'UTF-8'))
    """
    codec, name = _encoding(content)
    return unicodedata.normalize("NFC", content.decode(codec)), name


def _encoding(content: bytes) -> tuple[str, str]:
    for mark, codec, name in _MARKS:
        if content.startswith(mark):
            return codec, name
    start = content[: _LOOKED_AT - _LOOKED_AT % 2]
    if start and start[1::2].count(0) > 0.8 * len(start[1::2]):
        return "utf-16-le", "UTF-16"
    if start and start[::2].count(0) > 0.8 * len(start[::2]):
        return "utf-16-be", "UTF-16"
    return _eight_bits(content)


def _eight_bits(content: bytes) -> tuple[str, str]:
    for codec, name in (("utf-8", "UTF-8"), ("cp1252", "Windows-1252")):
        try:
            content.decode(codec)
        except UnicodeDecodeError:
            continue
        return codec, name
    # Five bytes have no meaning in Windows-1252.
    return "latin-1", "Latin-1"
