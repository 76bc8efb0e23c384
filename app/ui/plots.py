"""Plots in the station's style, which can be saved as PNG, SVG or CSV."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyqtgraph as pg
from pyqtgraph.exporters import ImageExporter
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QFileDialog, QWidget

from app.errors import AppError
from app.ui import theme
from app.ui.text import tr
from migrations.study.csv_cells import CsvWriter

COLOURS = ("#6cb0e0", "#dba54a", "#8fc47a", "#c58fd6", "#ec7168", "#69c9c0", "#b0b5ba", "#a98f6c")
"""Of series and classes; told apart by symbol and legend too."""
SYMBOLS = ("o", "s", "t", "d", "+", "x", "star", "h")
FORMATS = "PNG picture (*.png);;SVG drawing (*.svg);;CSV values (*.csv)"


class PlotUnwritable(AppError):
    """A plot could not be saved."""


def plot(bottom: str, left: str = "") -> Any:
    """Return an empty plot with captions (units in brackets)."""
    pg.setConfigOptions(antialias=True)
    # Without its menu, a plot is made in half the time: a page with four of them stalled the
    # window.
    made = pg.PlotWidget(background=theme.PANEL, enableMenu=False)
    made.setMenuEnabled(False)
    made.hideButtons()
    for side, text in (("bottom", bottom), ("left", left)):
        axis = made.getAxis(side)
        axis.setPen(theme.LINE)
        axis.enableAutoSIPrefix(False)
        axis.setTextPen(theme.MUTED)
        if text:
            made.setLabel(side, text, color=theme.MUTED)
    made.showGrid(x=False, y=True, alpha=0.12)
    return made


def save_plot(item: Any, path: Path) -> None:
    """Write a plot; the ending decides: .png, .svg or .csv.

    Raises
    ------
    PlotUnwritable
        If the ending is another one or the file cannot be written.
    """
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        raise PlotUnwritable(
            tr("{name}: a plot can be saved as .png, .svg or .csv.", name=path.name)
        )
    try:
        write(item, path)
    except OSError as error:
        raise PlotUnwritable(
            tr("{path} cannot be written: {why}.", path=path, why=error.strerror)
        ) from error
    if not path.is_file():
        raise PlotUnwritable(tr("{path} cannot be written.", path=path))


def _write_svg(item: Any, path: Path) -> None:
    # pyqtgraph's own exporter fails on filled paths; Qt draws them.
    area = item.sceneBoundingRect()
    generator = QSvgGenerator()
    generator.setFileName(str(path))
    generator.setViewBox(QRectF(0, 0, area.width(), area.height()))
    painter = QPainter(generator)
    try:
        item.scene().render(painter, QRectF(0, 0, area.width(), area.height()), area)
    finally:
        painter.end()


def _write_csv(item: Any, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        CsvWriter(file).rows(row for drawn in item.items for row in _values(drawn))


def _values(drawn: Any) -> Iterator[Sequence[object]]:
    """Yield what an item of a plot shows, a heading first."""
    if isinstance(drawn, pg.BarGraphItem):
        yield "from", "to", "count"
        yield from zip(*(drawn.opts[k].tolist() for k in ("x0", "x1", "height")), strict=True)
    elif isinstance(drawn, pg.ImageItem):
        yield from drawn.image.T.tolist()
    elif isinstance(drawn, pg.PlotDataItem | pg.ScatterPlotItem):
        name = drawn.name() if callable(getattr(drawn, "name", None)) else ""
        yield f"x ({name})", "y"
        yield from zip(*(values.tolist() for values in drawn.getData()), strict=True)


_WRITERS: dict[str, Callable[[Any, Path], object]] = {
    ".png": lambda item, path: ImageExporter(item).export(str(path)),
    ".svg": _write_svg,
    ".csv": _write_csv,
}


def ask_where(parent: QWidget, name: str, chosen: Callable[[Path], object]) -> None:
    """Ask where a plot is to be saved."""
    path, _ = QFileDialog.getSaveFileName(parent, tr("Save the plot"), f"{name}.png", tr(FORMATS))
    if path:
        chosen(Path(path))
