"""Tables that people write in a spreadsheet: read once, here, for all that take one."""

import csv
import io
from collections.abc import Collection, Iterator
from pathlib import Path

from migrations.study.csv_tables import delimiter_of
from trainer.errors import TrainerError


class CsvTable:
    """A csv, its columns in small letters.

    Parameters
    ----------
    path
        UTF-8, separated by comma, semicolon or tab.
    error
        What is raised where it cannot be read.

    Attributes
    ----------
    columns
        Names in the first line, in their order.

    Raises
    ------
    TrainerError
        As `error`: the file is missing, is no text in UTF-8, or names a column twice.
    """

    def __init__(self, path: Path, error: type[TrainerError]) -> None:
        self.path, self._error = path, error
        try:
            text = path.read_text(encoding="utf-8-sig")
        except OSError as failure:
            raise error(f"{path} cannot be read: {failure.strerror}.") from failure
        except UnicodeDecodeError as failure:
            raise error(f"{path} is not UTF-8 text. Save it as CSV in UTF-8.") from failure
        lines = io.StringIO(text, newline="")
        delimiter = delimiter_of(lines.readline())
        lines.seek(0)
        self._rows = csv.reader(lines, delimiter=delimiter)
        self.columns = [name.strip().lower() for name in next(self._rows, [])]
        twice = [n for n in dict.fromkeys(self.columns) if n and self.columns.count(n) > 1]
        if twice:
            raise error(f"{path} has the column {twice[0]!r} twice. Keep one of them.")

    def require(self, names: Collection[str], known: Collection[str]) -> None:
        """Refuse a table that lacks a column.

        Raises
        ------
        TrainerError
            As `error`, naming what is missing and what there may be.
        """
        missing = [name for name in names if name not in self.columns]
        if missing:
            raise self._error(
                f"{self.path} has no column {', '.join(map(repr, missing))}; it has "
                f"{', '.join(self.columns) or 'none'}. Known columns: {', '.join(known)}."
            )

    def rows(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield where each line stands, and its cells by column; empty lines are passed over.

        Raises
        ------
        TrainerError
            As `error`: a line has more cells than the first, or cannot be taken apart.
        """
        try:
            for cells in self._rows:
                where = f"{self.path}, line {self._rows.line_num}"
                if len(cells) > len(self.columns) and any(
                    c.strip() for c in cells[len(self.columns) :]
                ):
                    raise self._error(
                        f"{where} has {len(cells)} cells, but the first line has "
                        f"{len(self.columns)}. Put text that contains the separator in quotes."
                    )
                if any(cell.strip() for cell in cells):
                    padded = [*cells, *[""] * (len(self.columns) - len(cells))]
                    yield where, {c: v.strip() for c, v in zip(self.columns, padded, strict=False)}
        except csv.Error as failure:
            raise self._error(f"{self.path}, line {self._rows.line_num}: {failure}.") from failure
