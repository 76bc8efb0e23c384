"""Tables that people write in a spreadsheet, as they are read."""

import csv
from pathlib import Path

from migrations.study.errors import StudyError


def delimiter_of(first_line: str) -> str:
    """Return the separator of a table's cells: the most frequent of comma, semicolon and tab."""
    return max(",;\t", key=first_line.count)


def read_table(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Return the columns of a csv, and its lines by column; surplus cells are under None.

    Raises
    ------
    StudyError
        If it cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            separator = delimiter_of(file.readline())
            file.seek(0)
            table = csv.DictReader(file, strict=True, delimiter=separator)
            lines = list(table)
            return [(name or "").strip() for name in table.fieldnames or ()], lines
    except UnicodeDecodeError as error:
        raise StudyError(f"{path} is not UTF-8 text; save it as CSV in UTF-8.") from error
    except (OSError, csv.Error) as error:
        raise StudyError(f"{path} cannot be read as a csv: {error}.") from error
