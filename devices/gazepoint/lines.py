"""Lines of the Open Gaze API: cut from the bytes of a connection, read and written."""

import re
from dataclasses import dataclass

LONGEST = 16_384
"""Bytes. A record with all there is takes 700, the result of 13 calibration points 2,500."""

_LINE = re.compile(r'<([A-Z]+)((?:\s+\w+="[^"<>]*")*)\s*/?>')
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `kind` is ACK, NACK, CAL, REC or UPDATE; `id` is "" where it has none."""

    kind: str
    id: str
    values: dict[str, str]


def read_line(text: str) -> Line | None:
    """Return what a line says, None if it is malformed."""
    match = _LINE.fullmatch(text.strip())
    if match is None:
        return None
    pairs = _ATTRIBUTE.findall(match[2])
    values = dict(pairs)
    if len(values) != len(pairs):  # which of two would be meant?
        return None
    return Line(match[1], values.pop("ID", ""), values)


def command(verb: str, id_: str, **values: object) -> bytes:
    """Return the line that sets or gets something."""
    words = "".join(f' {name}="{value}"' for name, value in values.items())
    return f'<{verb} ID="{id_}"{words} />\r\n'.encode("ascii")


class LineCutter:
    """Cuts bytes into lines, however TCP has split them."""

    def __init__(self) -> None:
        self._rest = b""
        self._is_skipping = False

    def feed(self, received: bytes) -> list[str]:
        """Return the lines that are whole now; one without an end is cut at `LONGEST` bytes."""
        *whole, self._rest = (self._rest + received).split(b"\n")
        lines = [line.decode("ascii", "replace").strip() for line in whole]
        if self._is_skipping and lines:
            self._is_skipping = False
            del lines[0]
        if len(self._rest) > LONGEST:
            if not self._is_skipping:
                lines.append(self._rest[:80].decode("ascii", "replace") + " …")
            self._rest, self._is_skipping = b"", True
        return [line for line in lines if line]
