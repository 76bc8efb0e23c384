"""Delimited text as columns: numbers with point or comma, missing values as NaN."""

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.interchange.foreign_reading import IntArray
from devices.gaze.errors import GazeFileError
from devices.gaze.foreign_values import read_text
from devices.gaze.geometry import FloatArray

_MISSING = {"", "nan", "na", "n/a", "none", "null", "."}
TIME_UNITS_US = {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a header.

    Attributes
    ----------
    path
        Where it comes from, for messages.
    names
        Its columns as written.
    rows
        Each as long as `names`.
    """

    path: Path
    names: tuple[str, ...]
    rows: list[list[str]]

    def __len__(self) -> int:
        return len(self.rows)

    def find(self, *wanted: str) -> str | None:
        """Return the first column of these names, case, spaces and brackets aside."""
        known = {plain_name(name): name for name in reversed(self.names)}
        return next((known[plain_name(w)] for w in wanted if plain_name(w) in known), None)

    def need(self, *wanted: str) -> str:
        """Return the first column of these names.

        Raises
        ------
        GazeFileError
            If none is there; names those that are.
        """
        found = self.find(*wanted)
        if found is None:
            raise GazeFileError(
                f"{self.path} has no column {' or '.join(f'`{w}`' for w in wanted)}; its columns "
                f"are {', '.join(self.names)}. Check the format, or name the column with --columns."
            )
        return found

    def text(self, name: str) -> list[str]:
        """Return a column as text."""
        index = self.names.index(name)
        return [row[index].strip() for row in self.rows]

    def numbers(self, name: str | None) -> FloatArray:
        """Return a column as numbers (N,), NaN where nothing stands; all NaN for no column.

        Raises
        ------
        GazeFileError
            Naming the line and what stands there.
        """
        if name is None:
            return np.full(len(self.rows), np.nan)
        index = self.names.index(name)
        values = np.empty(len(self.rows))
        for i, row in enumerate(self.rows):
            values[i] = self._number(row[index], i, name)
        return values

    def take(self, indices: Sequence[int] | IntArray) -> "Table":
        """Return some of the rows."""
        return Table(self.path, self.names, [self.rows[int(i)] for i in indices])

    def _number(self, text: str, row: int, name: str) -> float:
        text = text.strip()
        if text.lower() in _MISSING:
            return math.nan
        try:
            return float(text)
        except ValueError:
            pass
        try:
            return float(text.replace(",", "."))
        except ValueError as error:
            raise GazeFileError(
                f"{self.path}, line {row + 2}: {text!r} in column `{name}` is no number."
            ) from error


def read_table(path: Path, delimiter: str | None = None) -> Table:
    """Read delimited text with a header; short rows are filled up.

    Raises
    ------
    GazeFileError
        If there is no header, or a row longer than it.
    """
    text = read_text(path)
    first = text.split("\n", 1)[0]
    used = delimiter or max("\t,;", key=first.count)
    try:
        lines = [row for row in csv.reader(io.StringIO(text), delimiter=used) if row]
    except csv.Error as error:
        raise GazeFileError(f"{path} cannot be read as a table: {error}.") from error
    if not lines:
        raise GazeFileError(f"{path} is empty.")
    names = tuple(name.strip() for name in lines[0])
    for number, row in enumerate(lines[1:], 2):
        if len(row) > len(names) and any(cell.strip() for cell in row[len(names) :]):
            raise GazeFileError(
                f"{path}, line {number}: {len(row)} values, but the header names {len(names)}."
            )
        row[len(names) :] = []
        row += [""] * (len(names) - len(row))
    return Table(path, names, lines[1:])


def plain_name(name: str) -> str:
    """Return a column's name without case, spaces, brackets and underscores."""
    return re.sub(r"[^a-z0-9µμ=%]", "", name.lower())


def groups(keys: Iterable[tuple[str, ...]]) -> Iterator[tuple[tuple[str, ...], IntArray]]:
    """Yield each key once, in order of its first row, with the rows that have it."""
    found: dict[tuple[str, ...], list[int]] = {}
    for i, key in enumerate(keys):
        found.setdefault(key, []).append(i)
    for key, rows in found.items():
        yield key, np.array(rows, np.int64)


def microseconds(values: FloatArray, unit: str) -> IntArray:
    """Return finite times (N,) as integer microseconds."""
    return np.rint(values * TIME_UNITS_US[unit]).astype(np.int64)
