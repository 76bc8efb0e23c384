"""Rows of a delimited text or a sheet, a batch at a time: a file of any size in little memory.

A file is opened once to inspect its beginning (encoding, delimiter, preamble, header) and can then
be read as often as needed.
"""

import codecs
import csv
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TextIO

from app.interchange.notes import Note, note
from devices.gaze.errors import GazeFileError

BATCH_ROWS = 10_000
_LOOKED_AT = 200
_BLOCK = 1 << 20
_REMARKS = ("#", "MSG", "//", "%", "**")
_NAMES = {"cp1252": "Windows-1252", "utf-16": "UTF-16"}
Row = list[str]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows in order, each as long as the header; `lines` are their numbers in the file."""

    rows: list[Row]
    lines: list[int]


class RowSource(Protocol):
    """A source of rows under a header; `left_out` counts non-rows, by reason."""

    @property
    def path(self) -> Path:
        """Where it comes from, for messages."""

    @property
    def names(self) -> tuple[str, ...]:
        """Columns as written."""

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was inferred about the file as a whole."""

    @property
    def left_out(self) -> Counter[str]:
        """Remarks skipped in the last reading, by reason."""

    def batches(self) -> Iterator[Batch]:
        """Yield all rows from the first on."""


@dataclass(slots=True)
class TextRows:
    """Rows of delimited text."""

    path: Path
    names: tuple[str, ...]
    encoding: str
    delimiter: str
    first_line: int
    notes: tuple[Note, ...] = ()
    left_out: Counter[str] = field(default_factory=Counter)

    def batches(self) -> Iterator[Batch]:
        """Yield all rows from the first on.

        Raises
        ------
        GazeFileError
            Naming a line that is longer than the header, or cannot be read.
        """
        self.left_out.clear()
        with opened(self.path, self.encoding) as file:
            for _ in range(self.first_line):
                file.readline()
            reader = csv.reader(file, delimiter=self.delimiter)
            while True:
                try:
                    raw = [
                        (row, reader.line_num + self.first_line)
                        for row in itertools.islice(reader, BATCH_ROWS)
                    ]
                except csv.Error as error:
                    raise GazeFileError(
                        f"{self.path} cannot be read as a table: {error}."
                    ) from error
                if not raw:
                    return
                yield self._batch(raw)

    def _batch(self, raw: list[tuple[Row, int]]) -> Batch:
        rows, lines, count = [], [], len(self.names)
        for row, line in raw:
            if len(row) == count and row[0][:1] != "#":
                rows.append(row)
                lines.append(line)
            elif row and not self._is_remark(row):
                rows.append(self._evened(row, line))
                lines.append(line)
        return Batch(rows, lines)

    def _is_remark(self, row: Row) -> bool:
        if row[0].lstrip().startswith("#") or "MSG" in (cell.strip() for cell in row[:2]):
            self.left_out["remark or message, not a row"] += 1
            return True
        return False

    def _evened(self, row: Row, line: int) -> Row:
        count = len(self.names)
        if any(cell.strip() for cell in row[count:]):
            raise GazeFileError(
                f"{self.path}, line {line}: {len(row)} values, but the header has {count} columns."
            )
        return [*row[:count], *[""] * (count - len(row))]


def open_text(path: Path, delimiter: str | None = None, skip_lines: int | None = None) -> TextRows:
    """Inspect the beginning of a table.

    Parameters
    ----------
    delimiter
        None: the one that gives all lines the same length.
    skip_lines
        Lines before the header; None: those that are remarks, or shorter than the table.

    Raises
    ------
    GazeFileError
        If it is empty or not text.
    """
    encoding = encoding_of(path)
    with opened(path, encoding) as file:
        head = [line.rstrip("\r\n") for line in itertools.islice(file, _LOOKED_AT)]
    if not any(line.strip() for line in head):
        raise GazeFileError(f"{path} is empty.")
    first = skip_lines if skip_lines is not None else first_line_of(head, delimiter)
    if first >= len(head):
        raise GazeFileError(f"{path} has no header after {first} lines; see --skip-lines.")
    used = delimiter or delimiter_of(head[first])
    names = tuple(name.strip() for name in next(csv.reader([head[first]], delimiter=used)))
    notes = [] if encoding in ("utf-8-sig", "utf-16") else [_encoded(encoding)]
    if first and skip_lines is None:
        notes.append(note("preamble", count=first))
    return TextRows(path, names, encoding, used, first + 1, tuple(notes))


def _encoded(encoding: str) -> Note:
    return note("encoding", encoding=_NAMES.get(encoding, encoding))


def delimiter_of(line: str) -> str:
    """Return the delimiter of a header."""
    return max("\t,;", key=line.count)


def first_line_of(head: list[str], delimiter: str | None) -> int:
    """Return the index of the header among the first lines of a table.

    The header is the first line that is not a remark and is as long as most lines after it.
    """
    candidates = [i for i, line in enumerate(head) if line.strip() and not _is_comment(line)]
    for i in candidates:
        used = delimiter or delimiter_of(head[i])
        table = [row for row in csv.reader(head[i:], delimiter=used) if row]
        lengths = [len(row) for row in table]
        rest = lengths[1:]
        if all(_is_number(cell) for cell in table[0]):
            continue
        if lengths[0] > 1 and (not rest or rest.count(lengths[0]) >= len(rest) / 2):
            return i
    return candidates[0] if candidates else 0


def _is_number(cell: str) -> bool:
    return cell.strip().replace(",", "").replace(".", "").lstrip("-").isdigit()


def _is_comment(line: str) -> bool:
    return line.lstrip().lstrip('"').startswith(_REMARKS)


def encoding_of(path: Path) -> str:
    """Return how a text is encoded: UTF-8, UTF-16, or else Windows-1252.

    Raises
    ------
    GazeFileError
        If it cannot be read, or is binary.
    """
    try:
        with path.open("rb") as file:
            head = file.read(4096)
            file.seek(0)
            if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
                return "utf-16"
            nothing = head.count(0)
            if nothing > len(head) // 4:
                return "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
            if nothing > 8:
                raise GazeFileError(f"{path} is not text; check the format.")
            return _utf8_or_not(iter(lambda: file.read(_BLOCK), b""))
    except OSError as error:
        raise GazeFileError(f"{path} cannot be read: {error.strerror}.") from error


def _utf8_or_not(blocks: Iterable[bytes]) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for block in blocks:
            if not block.isascii():
                decoder.decode(block)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def opened(path: Path, encoding: str) -> TextIO:
    """Open a text; bytes that Windows-1252 does not define are replaced."""
    errors = "replace" if encoding == "cp1252" else "strict"
    return path.open(encoding=encoding, errors=errors, newline="")
