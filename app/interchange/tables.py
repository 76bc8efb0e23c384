"""Delimited text as columns: numbers with point or comma, missing values as NaN."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.interchange.foreign_reading import IntArray
from app.interchange.number_text import MixedNumbers, NumberStyle, numbers
from app.interchange.rows import RowSource
from app.interchange.sheets import open_rows
from devices.gaze.errors import GazeFileError
from devices.gaze.geometry import FloatArray

TIME_UNITS_US = {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}
LARGEST_US = 9e18
Key = tuple[str, ...]


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
    lines
        Their numbers in the file.
    style
        How numbers are written; None: inferred for each column.
    """

    path: Path
    names: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]
    style: NumberStyle | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def find(self, *wanted: str) -> str | None:
        """Return the first column with one of these names, ignoring case, spaces and brackets."""
        return find_column(self.names, *wanted)

    def need(self, *wanted: str) -> str:
        """Return the first column with one of these names.

        Raises
        ------
        GazeFileError
            If there is none; the message lists the columns.
        """
        return need_column(self.path, self.names, *wanted)

    def text(self, name: str) -> list[str]:
        """Return a column as text."""
        index = self.names.index(name)
        return [row[index].strip() for row in self.rows]

    def numbers(self, name: str | None) -> FloatArray:
        """Return a column as numbers (N,), NaN for empty cells; all NaN if there is no column.

        Raises
        ------
        GazeFileError
            Naming the line and the value.
        """
        if name is None:
            return np.full(len(self.rows), np.nan)
        index = self.names.index(name)
        cells = [row[index] for row in self.rows]
        try:
            return numbers(cells, None if self.style == NumberStyle() else self.style)
        except MixedNumbers as error:
            raise GazeFileError(f"{self.path}, column `{name}`: {error}.") from error
        except ValueError as error:
            at = int(error.args[0])
            raise GazeFileError(
                f"{self.path}, line {self.lines[at]}: {cells[at].strip()[:40]!r} in column "
                f"`{name}` is not a number."
            ) from error

    def take(self, indices: Sequence[int] | IntArray) -> "Table":
        """Return some of the rows."""
        chosen = [int(i) for i in indices]
        rows, lines = [self.rows[i] for i in chosen], [self.lines[i] for i in chosen]
        return Table(self.path, self.names, rows, lines, self.style)


def read_table(path: Path, delimiter: str | None = None) -> Table:
    """Read delimited text with a header, all of it; short rows are filled up.

    Raises
    ------
    GazeFileError
        If there is no header, or a row is longer than it.
    """
    source = open_rows(path, delimiter)
    rows: list[list[str]] = []
    lines: list[int] = []
    for batch in source.batches():
        rows += batch.rows
        lines += batch.lines
    return Table(path, source.names, rows, lines)


def plain_name(name: str) -> str:
    """Return a column's name without case, spaces, brackets and underscores."""
    return re.sub(r"[^a-z0-9µμ=%]", "", name.lower())


def find_column(names: Sequence[str], *wanted: str) -> str | None:
    """Return the first column with one of some names, which may differ in case; a last * is any."""
    known = {plain_name(name): name for name in reversed(names)}
    for want in wanted:
        plain = plain_name(want)
        if want.endswith("*"):
            found = next((n for n in names if plain_name(n).startswith(plain)), None)
        else:
            found = known.get(plain)
        if found is not None:
            return found
    return None


def need_column(path: Path, names: Sequence[str], *wanted: str) -> str:
    """Return the first column of some names.

    Raises
    ------
    GazeFileError
        If there is none; the message lists the columns.
    """
    found = find_column(names, *wanted)
    if found is None:
        raise GazeFileError(
            f"{path} has no column {' or '.join(f'`{w}`' for w in wanted)}; its columns are "
            f"{', '.join(names)}. Check the format, or give the column with --columns."
        )
    return found


def groups(keys: Iterable[Key]) -> Iterator[tuple[Key, IntArray]]:
    """Yield each key once, in order of its first row, with the rows that have it."""
    found: dict[Key, list[int]] = {}
    for i, key in enumerate(keys):
        found.setdefault(key, []).append(i)
    for key, rows in found.items():
        yield key, np.array(rows, np.int64)


def microseconds(values: FloatArray, unit: str) -> IntArray:
    """Return finite times (N,) as integer microseconds.

    Raises
    ------
    GazeFileError
        If one is beyond any clock.
    """
    us = values * TIME_UNITS_US[unit]
    if len(us) and not np.abs(us).max() < LARGEST_US:
        raise GazeFileError(
            f"{np.abs(values).max():.3g} {unit} is not a time; it is beyond any clock."
        )
    return np.rint(us).astype(np.int64)


def key_columns(source: RowSource, names: Sequence[str | None]) -> list[int | None]:
    """Return the positions of the columns that identify readings; None where there is none."""
    return [None if name is None else source.names.index(name) for name in names]


def keys_of(rows: list[list[str]], places: Sequence[int | None]) -> list[Key]:
    """Return what each row belongs to, by the columns at some positions."""
    columns = [
        [""] * len(rows) if place is None else [row[place].strip() for row in rows]
        for place in places
    ]
    return list(zip(*columns, strict=True))
