"""The one DICOM file in an answer of WADO-RS (multipart/related, RFC 2387)."""

from email.message import Message

from app.errors import ImportRefused


class CutShort(Exception):
    """The answer ends before its last boundary: it must be requested again."""


def file_in(kind: str, body: bytes) -> bytes:
    """Return the file in an answer.

    Parameters
    ----------
    kind
        The answer's Content-Type.

    Raises
    ------
    CutShort
        If its end is missing.
    ImportRefused
        If it contains no file, or several.
    """
    header = Message()
    header["Content-Type"] = kind
    if header.get_content_type() == "application/dicom":
        return body
    boundary = header.get_param("boundary")
    if header.get_content_type() != "multipart/related" or not isinstance(boundary, str):
        raise ImportRefused("the archive sends something that is not a DICOM file")
    mark = b"--" + boundary.encode("latin-1", "replace")
    begin = 0 if body.startswith(mark) else body.find(b"\r\n" + mark) + 2
    if begin == 1:  # find returned -1
        raise CutShort
    head_end = body.find(b"\r\n\r\n", begin)
    length = _length_said(body[begin:head_end]) if head_end >= 0 else None
    start = head_end + 4
    after = -1 if head_end < 0 else _end_of(body, start, length, mark)
    if after < 0:
        raise CutShort
    rest = body[after + 2 + len(mark) :]
    if not rest.startswith(b"--"):
        if mark + b"--" not in rest:
            raise CutShort
        raise ImportRefused("the archive sends several files instead of one")
    return body[start:after]


def _length_said(head: bytes) -> int | None:
    """Return the Content-Length of a part, which not every archive gives."""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return int(value)
    return None


def _end_of(body: bytes, start: int, length: int | None, mark: bytes) -> int:
    """Return where a part ends; -1 where its end is missing."""
    if length is not None and body.startswith(b"\r\n" + mark, start + length):
        return start + length
    return body.find(b"\r\n" + mark, start)
