"""Results of `analyse` and `performance`: figures with their readings, tables, and notes."""

import csv
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from migrations.study.csv_cells import safe_cell

MOST_ROWS = 2000
TABLES = (
    "answers", "marks", "misses", "areas", "readings", "transitions", "pairs", "sensitivity", "auc",
    "roc", "localisation",
)  # fmt: skip
_NAME = re.compile(r"[a-z][a-z0-9-]{0,79}")
_COLOUR = re.compile(r"#[0-9a-fA-F]{3,6}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reading, or rows of a table, are in a figure, in units of its sheet.

    Its rows are those whose columns have the values in `where`, and at least those in `least`.
    """

    x: float
    y: float
    width: float
    height: float
    reading: str
    table: str = ""
    where: Mapping[str, str] = field(default_factory=dict)
    least: Mapping[str, float] = field(default_factory=dict)

    def holds(self, x: float, y: float) -> bool:
        """Tell whether it contains a point."""
        return 0 <= x - self.x <= self.width and 0 <= y - self.y <= self.height


@dataclass(frozen=True, slots=True)
class ResultFigure:
    """A figure as it was written.

    Attributes
    ----------
    drawing
        Its SVG.
    dark
        Colours for a dark background instead of print.
    """

    name: str
    title: str
    caption: str
    drawing: Path
    dark: Mapping[str, str]
    places: tuple[Place, ...]

    def place_at(self, x: float, y: float) -> Place | None:
        """Return the smallest place at a point of the sheet; None for none."""
        there = [place for place in self.places if place.holds(x, y)]
        return min(there, key=lambda place: place.width * place.height, default=None)


@dataclass(frozen=True, slots=True)
class ResultTable:
    """The first rows of a table, and the total number."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int


def read_figures(folder: Path) -> tuple[ResultFigure, ...]:
    """Return the figures of a folder; none where nothing was written yet."""
    index = _json(folder / "figures.json")
    colours = index.get("dark_colours", {})
    dark = {str(k): str(v) for k, v in colours.items() if _are_colours(k, v)}
    found = []
    for entry in index.get("figures", ()):
        name = str(entry.get("name", ""))
        if not _NAME.fullmatch(name):
            continue  # only files of this folder are ever read
        places = tuple(Place(**place) for place in entry.get("targets", ()))
        found.append(
            ResultFigure(
                name, str(entry.get("title", name)), str(entry.get("caption", "")),
                folder / f"{name}.svg", dark, places,
            )
        )  # fmt: skip
    return tuple(found)


def tables_in(folder: Path) -> list[str]:
    """Return the tables that were written, by name."""
    return [name for name in TABLES if (folder / f"{name}.csv").is_file()]


def read_table(folder: Path, name: str, place: Place | None = None) -> ResultTable:
    """Return the first `MOST_ROWS` rows of a table, of those at a place of a figure.

    Raises
    ------
    OSError
        It cannot be read.
    """
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        columns = tuple(next(lines, ()))
        rows, total = list[tuple[str, ...]](), 0
        for line in lines:
            if place is not None and not _is_of(place, dict(zip(columns, line, strict=False))):
                continue
            total += 1
            if total <= MOST_ROWS:
                rows.append(tuple((*line, *[""] * len(columns))[: len(columns)]))
    return ResultTable(columns, tuple(rows), total)


def notes_of(folder: Path) -> list[str]:
    """Return the notes of the commands beside their figures."""
    notes: Sequence[Any] = _json(folder / "analysis.json").get("notes", ())
    found = _json(folder / "performance.json")
    left_out = [f"Left out: {note}." for note in found.get("left_out", ())]
    not_compared = [f"Not compared: {found['not_compared']}"] if "not_compared" in found else []
    return [*map(str, notes), *not_compared, *left_out]


def _is_of(place: Place, row: Mapping[str, str]) -> bool:
    return all(row[c] == safe_cell(value) for c, value in place.where.items() if c in row) and all(
        _number(row[c]) >= value for c, value in place.least.items() if c in row
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan  # an unknown value is not above anything


def _are_colours(*values: object) -> bool:
    return all(isinstance(value, str) and _COLOUR.fullmatch(value) for value in values)


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
