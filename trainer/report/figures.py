"""Figures and tables of a finished report as files: SVG and PNG, PNG or JPEG, and CSV.

They are taken from the page itself, so that a figure in a paper is the one in the report.
"""

import base64
import re
from collections.abc import Iterable, Sequence
from html.parser import HTMLParser
from pathlib import Path

from devices.gaze.pair_rates import pair_values
from migrations.study.csv_cells import CsvWriter
from migrations.study.incomplete import marked_incomplete
from migrations.study.unwritable import unwritable_text
from trainer.drawing.raster import png
from trainer.drawing.style import standalone
from trainer.errors import ReportError
from trainer.report.data import ReportData
from trainer.report.page import MISSING

_SUFFIX = {"jpeg": ".jpg", "png": ".png"}


def write_figures(folder: Path, page: str, data: ReportData) -> list[Path]:
    """Write every chart, picture and table of a page, and the numbers behind the curves.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    ReportError
        If the folder cannot be written.
    """
    reader = _Reader()
    reader.feed(page)
    try:
        with marked_incomplete(folder):
            written = [path for item in _figures(page) for path in _write_figure(folder, *item)]
            written += [_write_table(folder, k, *t) for k, t in enumerate(reader.tables, 1)]
            written += _write_numbers(folder, data)
    except OSError as error:
        raise ReportError(unwritable_text(folder, error)) from error
    return written


def _figures(page: str) -> Iterable[tuple[str, str, str]]:
    """Yield (number and caption as a name, kind, content) of each figure."""
    found = re.findall(r"<figure>(.*?)<figcaption>(.*?)</figcaption></figure>", page, re.DOTALL)
    for number, (content, caption) in enumerate(found, 1):
        name = f"figure-{number:02d}-{_slug(caption)}"
        image = re.match(r'<img [^>]*src="data:image/(\w+);base64,([^"]+)"', content)
        if image:
            yield name, image[1], image[2]
        elif "<svg" in content:
            yield name, "svg", content


def _write_figure(folder: Path, name: str, kind: str, content: str) -> list[Path]:
    if kind == "svg":
        path = folder / f"{name}.svg"
        path.write_text(standalone(content), encoding="utf-8")
        if "<image" in content:  # a photograph among lines: its PNG is the picture itself
            return [path]
        picture = path.with_suffix(".png")
        picture.write_bytes(png(content))
        return [path, picture]
    path = folder / f"{name}{_SUFFIX.get(kind, '.png')}"
    path.write_bytes(base64.b64decode(content))
    return [path]


def _write_table(folder: Path, number: int, caption: str, rows: Sequence[Sequence[str]]) -> Path:
    path = folder / f"table-{number:02d}-{_slug(caption)}.csv"
    _csv(path, [[_plain(cell) for cell in row] for row in rows])
    return path


def _write_numbers(folder: Path, data: ReportData) -> list[Path]:
    """Write what charts only draw: each run's metrics, and the similarity of each pair."""
    written = []
    for run in data.runs:
        if run.metrics:
            columns = list(dict.fromkeys(key for row in run.metrics for key in row))
            rows = [[str(row.get(c, "")) for c in columns] for row in run.metrics]
            path = folder / f"curves-{_slug(run.folder.name)}.csv"
            _csv(path, [columns, *rows])
            written.append(path)
    if data.similarity is not None:
        values = sorted(pair_values(data.similarity.matrix, data.similarity.valid).tolist())
        path = folder / "similarity-of-pairs.csv"
        _csv(path, [["similarity"], *([f"{v:.6f}"] for v in values)])
        written.append(path)
    return written


def _csv(path: Path, rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        CsvWriter(file, end="\n").rows(rows)


def _plain(cell: str) -> str:
    """Return a number without the spaces that group it; nothing where nothing is known."""
    return "" if cell == MISSING else cell.replace("\u202f", "")


def _slug(text: str) -> str:
    words = re.sub(r"<[^>]*>|&\w+;", " ", text.lower())
    return re.sub(r"[^a-z0-9]+", "-", words).strip("-")[:50].strip("-") or "figure"


class _Reader(HTMLParser):
    """Gathers the tables of a page: caption and rows of text."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[tuple[str, list[list[str]]]] = []
        self._caption, self._rows, self._cell = "", list[list[str]](), ""
        self._in: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a table, a row or a cell."""
        if tag == "table":
            self._caption, self._rows = "", []
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th", "caption"):
            self._in, self._cell = tag, ""

    def handle_data(self, data: str) -> None:
        """Add text to the cell that is open."""
        if self._in:
            self._cell += data

    def handle_endtag(self, tag: str) -> None:
        """End a cell or a table."""
        if tag == self._in:
            if tag == "caption":
                self._caption = self._cell
            else:
                self._rows[-1].append(self._cell)
            self._in = None
        elif tag == "table":
            self.tables.append((self._caption, self._rows))
