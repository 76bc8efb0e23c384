"""Every csv and tsv that Foveate writes goes through here: no cell can be a formula.

A spreadsheet runs a text that begins with ``=``, ``+``, ``-`` or ``@``, even after spaces, as a
formula. Names and labels come from other people's files, so an apostrophe is put before such a
text, which a spreadsheet takes to mean "this is text". Numbers stay numbers.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TextIO

_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_SUSPICIOUS = frozenset((*_BEGINNINGS, " "))
"""What a cell with a formula can begin with; nearly all others are recognised at a glance."""


def safe_cell(value: Any) -> Any:
    """Return a cell that is not a formula; numbers and anything that is not text stay unchanged."""
    if not isinstance(value, str) or value[:1] not in _SUSPICIOUS:
        return value
    if not value.lstrip(" ").startswith(_BEGINNINGS):
        return value
    return value if _is_number(value) else f"'{value}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    # float() also takes "+nan", "-1_0" and other scripts' digits, which no export writes.
    return text.isascii() and text.strip() == text and "_" not in text


class CsvWriter:
    """A `csv.writer` without formulas.

    Parameters
    ----------
    end
        Line ending.
    """

    def __init__(self, file: TextIO, *, end: str = "\r\n") -> None:
        self._writer = csv.writer(file, lineterminator=end)

    def row(self, cells: Iterable[Any]) -> None:
        """Write a line."""
        self._writer.writerow([safe_cell(cell) for cell in cells])

    def rows(self, rows: Iterable[Iterable[Any]]) -> None:
        """Write lines."""
        self._writer.writerows([safe_cell(cell) for cell in row] for row in rows)

    def table(self, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
        """Write rows by the names of their columns, header first; missing values are empty.

        Raises
        ------
        ValueError
            If a row has a name that is not a column.
        """
        self.row(columns)
        self.rows(self._in_order(columns, rows))

    @staticmethod
    def _in_order(
        columns: Sequence[str], rows: Iterable[Mapping[str, Any]]
    ) -> Iterator[Iterable[Any]]:
        for row in rows:
            if unknown := set(row) - set(columns):
                raise ValueError(f"not columns: {', '.join(sorted(unknown))}")
            yield [row.get(name, "") for name in columns]
