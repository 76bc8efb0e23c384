"""Rows of the first sheet of an xlsx file, streamed."""

import itertools
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.interchange.notes import Note, note
from app.interchange.rows import BATCH_ROWS, Batch, RowSource, open_text
from devices.gaze.errors import GazeFileError
from migrations.study.processes import as_typed

SHEET_BYTES = 4 << 30
MISSING = as_typed(
    'xlsx files are read with openpyxl, which is not installed: pip install -e ".[interchange]"'
)


@dataclass(slots=True)
class SheetRows:
    """Rows of the first sheet of a workbook."""

    path: Path
    names: tuple[str, ...]
    skipped: int
    notes: tuple[Note, ...] = ()
    left_out: Counter[str] = field(default_factory=Counter)

    def batches(self) -> Iterator[Batch]:
        """Yield all rows from the first on."""
        rows, count = _cells(self.path), len(self.names)
        for _ in range(self.skipped + 1):
            next(rows)
        for number in itertools.count(0, BATCH_ROWS):
            some = [
                row[:count] + [""] * (count - len(row))
                for row in itertools.islice(rows, BATCH_ROWS)
            ]
            if not some:
                return
            first = self.skipped + 2 + number
            yield Batch(some, list(range(first, first + len(some))))


def is_sheet(path: Path) -> bool:
    """Whether a file is supposed to be a workbook."""
    return path.suffix.lower() in (".xlsx", ".xlsm")


def open_rows(path: Path, delimiter: str | None = None, skip_lines: int | None = None) -> RowSource:
    """Inspect the beginning of a table, text or sheet; see `open_text`."""
    return (
        _open_sheet(path, skip_lines) if is_sheet(path) else open_text(path, delimiter, skip_lines)
    )


def _open_sheet(path: Path, skip_lines: int | None) -> SheetRows:
    head = list(itertools.islice(_cells(path), 50))
    width = max((sum(map(bool, row)) for row in head), default=0)
    if not width:
        raise GazeFileError(f"{path} is empty.")
    found = next(i for i, row in enumerate(head) if sum(map(bool, row)) * 2 > width)
    first = found if skip_lines is None else min(skip_lines, len(head) - 1)
    names = list(head[first])
    while names and not names[-1]:
        del names[-1]
    notes = (note("preamble", count=first),) if first and skip_lines is None else ()
    return SheetRows(path, tuple(names), first, notes)


def _cells(path: Path) -> Iterator[list[str]]:
    try:
        from openpyxl import load_workbook
    except ModuleNotFoundError as error:
        raise GazeFileError(MISSING) from error
    try:
        with zipfile.ZipFile(path) as packed:
            size = sum(entry.file_size for entry in packed.infolist())
        if size > SHEET_BYTES:
            raise GazeFileError(f"{path} unpacks to {size} bytes; export tsv instead.")
        book = load_workbook(path, read_only=True, data_only=True)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise GazeFileError(f"{path} cannot be read as xlsx ({type(error).__name__}).") from error
    for row in book.worksheets[0].iter_rows(values_only=True):
        yield [_text(cell) for cell in row]


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()
