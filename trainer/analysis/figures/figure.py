"""A figure: its drawing, the numbers behind it, and which reading lies where in it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from migrations.study.csv_cells import CsvWriter
from migrations.study.unwritable import unwritable_text
from trainer.drawing.frame import chart, line, rectangle, text
from trainer.drawing.raster import png
from trainer.drawing.style import dark_colours, standalone
from trainer.errors import AnalysisError

INDEX = "figures.json"
STYLES = 6
FILLS = 8
WIDTH = 640.0
LEFT_OVER = "other"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,79}")
_SIGN_WIDTH, _LINE = 5.6, 13


@dataclass(frozen=True, slots=True)
class Target:
    """Where a reading lies in a figure, in units of the sheet; a click there opens its replay.

    Where many readings make what is drawn, `reading` is empty, and a click lists the rows of
    `table` whose columns have the values in `where`, and at least those in `least`.
    """

    x: float
    y: float
    width: float
    height: float
    reading: str
    table: str = ""
    where: Mapping[str, str] = field(default_factory=dict)
    least: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure.

    Attributes
    ----------
    name
        Of its files: lower case, digits, hyphens.
    title, caption
        What it shows, and how it was made.
    content, width, height
        What is drawn, of the size of the sheet; notes are added below.
    columns, rows
        The numbers drawn.
    notes
        What the data do not allow; they stand in the figure itself.
    targets
        Where single readings lie.
    tells_readers
        Whether single readers or readings can be told from it.
    """

    name: str
    title: str
    caption: str
    content: str
    width: float
    height: float
    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]
    notes: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()
    tells_readers: bool = False

    def with_notes(self, notes: Sequence[str]) -> "Figure":
        """Return the same with more notes."""
        return replace(self, notes=(*self.notes, *notes))

    @property
    def svg(self) -> str:
        """The drawing with its notes, in classes of the style sheet."""
        signs = int((self.width - 16) / _SIGN_WIDTH)
        lines = [part for note in self.notes for part in wrapped(note, signs)]
        below = "".join(
            text(8, self.height + 10 + k * _LINE, part, kind="note") for k, part in enumerate(lines)
        )
        height = self.height + (len(lines) * _LINE + 8 if lines else 0)
        return chart(self.title, self.content + below, self.width, height)


def write_figures(folder: Path, figures: Sequence[Figure]) -> list[str]:
    """Write each figure as SVG, PNG and csv, and their index; return the files' names.

    Figures of an earlier call are removed: they would pass for this one's.

    Raises
    ------
    AnalysisError
        The folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_earlier(folder)
        for figure in figures:
            _write(folder, figure)
        index = {
            "figures": [_entry(figure) for figure in figures],
            "dark_colours": dark_colours(),
        }
        (folder / INDEX).write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise AnalysisError(unwritable_text(folder, error)) from error
    return [INDEX, *(f"{figure.name}.svg" for figure in figures)]


def _write(folder: Path, figure: Figure) -> None:
    svg = figure.svg
    (folder / f"{figure.name}.svg").write_text(standalone(svg), encoding="utf-8")
    (folder / f"{figure.name}.png").write_bytes(png(svg))
    with (folder / f"figure-{figure.name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = CsvWriter(file)
        writer.row(figure.columns)
        writer.rows([[_cell(value) for value in row] for row in figure.rows])


def _cell(value: Any) -> Any:
    if isinstance(value, float | np.floating):
        return f"{value:.6g}" if np.isfinite(value) else ""
    return value


def _entry(figure: Figure) -> dict[str, Any]:
    return {
        "name": figure.name, "title": figure.title, "caption": figure.caption,
        "notes": list(figure.notes), "width": figure.width,
        "tells_readers": figure.tells_readers,
        "targets": [asdict(target) for target in figure.targets],
    }  # fmt: skip


def _remove_earlier(folder: Path) -> None:
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        names = [str(entry["name"]) for entry in index["figures"]]
    except (OSError, ValueError, KeyError, TypeError):
        return
    for name in filter(_NAME.fullmatch, names):  # nothing but a name of ours is ever removed
        for file in (f"{name}.svg", f"{name}.png", f"figure-{name}.csv"):
            (folder / file).unlink(missing_ok=True)


def slug(name: str) -> str:
    """Return a name as it may stand in the name of a file."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "x"


def wrapped(words: str, signs: int) -> list[str]:
    """Return text in lines of at most so many signs, where its words allow it."""
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if len(longer) <= signs:
            lines[-1] = longer
        else:
            lines.append(word)
    return [part for part in lines if part]


def shortened(name: str, signs: int) -> str:
    """Return a name of at most so many signs."""
    return name if len(name) <= signs else f"{name[: signs - 1]}…"


def line_legend(names: Sequence[str], x: float, y: float, width: float) -> tuple[str, float]:
    """Return the legend of lines by style, and how high it is."""
    return _legend([(f"series thick s{k % STYLES}", name) for k, name in enumerate(names)],
                   x, y, width)  # fmt: skip


def fill_legend(names: Sequence[str], x: float, y: float, width: float) -> tuple[str, float]:
    """Return the legend of filled areas, each with its number, and how high it is."""
    return _legend([(fill_of(k, name), f"{k + 1} {name}" if name != LEFT_OVER else name)
                    for k, name in enumerate(names)], x, y, width)  # fmt: skip


def fill_of(number: int, name: str = "") -> str:
    """Return the class of the fill of an area by its place."""
    return "none" if name == LEFT_OVER else f"f{number % FILLS}"


def _legend(
    items: Sequence[tuple[str, str]], x: float, y: float, width: float
) -> tuple[str, float]:
    parts, at, row = [], x, 0
    for kind, name in items:
        said = shortened(name, 32)
        takes = 30 + len(said) * 6.2
        if at + takes > width and at > x:
            at, row = x, row + 1
        top = y + row * 15
        if kind.startswith("series"):
            parts.append(line((at, top + 5), (at + 18, top + 5), kind))
        else:
            parts.append(rectangle(at + 4, top, 10, 10, kind))
        parts.append(text(at + 22, top + 9, said))
        at += takes
    return "".join(parts), (row + 1) * 15.0 + 4 if items else 0.0
