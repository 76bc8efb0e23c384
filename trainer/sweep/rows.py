"""The rows of a sweep: one line of JSON for each cell, written as soon as it is done."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from migrations.study.unwritable import unwritable_text
from trainer.errors import RunFolderError


@dataclass(frozen=True, slots=True)
class Row:
    """What a cell gave: its setting and seed, the options of all cells, and the figure."""

    setting: str
    seed: int
    options: str
    metric: str
    score: float


def read_rows(path: Path) -> list[Row]:
    """Return the rows that are there; a line that was broken off is none."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            rows.append(Row(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return rows


def add_row(path: Path, row: Row) -> None:
    """Append a row.

    Raises
    ------
    RunFolderError
        If it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = not path.is_file() or path.read_bytes()[-1:] in (b"", b"\n")
        with path.open("a", encoding="utf-8") as file:
            file.write(("" if whole else "\n") + json.dumps(asdict(row)) + "\n")
    except OSError as error:
        raise RunFolderError(unwritable_text(path, error)) from error
