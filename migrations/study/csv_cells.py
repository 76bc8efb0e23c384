"""Every csv and tsv that Foveate writes goes through here: no cell of it can be a formula.

A spreadsheet runs a text that begins with ``=``, ``+``, ``-`` or ``@``, also after blanks, as a
formula. Names and labels come from files of others, so such a text gets an apostrophe before it,
which a spreadsheet takes as "this is text". Numbers stay numbers.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TextIO

_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_SUSPICIOUS = frozenset((*_BEGINNINGS, " "))
"""What a cell with a formula can begin with: the others, nearly all, are told at one glance."""


def safe_cell(value: Any) -> Any:
    """Return a cell that is no formula; what is not text, or is a number, as it is."""
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
        Of each line.
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
        """Write rows by the names of their columns, which come first; what one lacks is empty.

        Raises
        ------
        ValueError
            If a row has a name that is no column.
        """
        self.row(columns)
        self.rows(self._in_order(columns, rows))

    @staticmethod
    def _in_order(
        columns: Sequence[str], rows: Iterable[Mapping[str, Any]]
    ) -> Iterator[Iterable[Any]]:
        for row in rows:
            if unknown := set(row) - set(columns):
                raise ValueError(f"no columns: {', '.join(sorted(unknown))}")
            yield [row.get(name, "") for name in columns]
