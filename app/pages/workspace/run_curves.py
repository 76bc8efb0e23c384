"""Curves of the selected runs: one plot for each ticked signal, all over the same steps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QGridLayout, QSlider, QWidget

from app.ui import theme
from app.ui.plots import COLOURS, ask_where, plot, save_plot
from app.ui.small_widgets import button, column, label, row
from app.ui.text import tr
from app.workspace.runs import CURVES, RunRow, curve, signals
from app.workspace.smoothing import smoothed

_AT_FIRST = ("loss", "knn")


class RunCurves(QWidget):
    """Draws runs.

    Attributes
    ----------
    boxes
        A tick box for each signal, by name; hidden if no selected run has it.
    plots
        The plots drawn, by signal.
    """

    def __init__(self) -> None:
        super().__init__()
        self._runs: Sequence[RunRow] = ()
        self.plots: dict[str, Any] = {}
        self.boxes: dict[str, QCheckBox] = {}
        for name, title in CURVES.items():
            box = self.boxes[name] = QCheckBox(tr(title))
            box.setObjectName(f"curve_{name}")
            box.setChecked(name in _AT_FIRST)
            box.toggled.connect(lambda _on: self._draw())
        self.smoothing = QSlider(Qt.Orientation.Horizontal)
        self.smoothing.setObjectName("runs_smoothing")
        self.smoothing.setAccessibleName(tr("Smoothing"))
        self.smoothing.setRange(0, 99)
        self.smoothing.setMaximumWidth(140)
        self.smoothing.valueChanged.connect(lambda _value: self._draw())
        layout = column(self, theme.GRID)
        boxes = list(self.boxes.values())
        ticks = column(gap=theme.GRID // 2)
        for part in (boxes[:3], boxes[3:6], boxes[6:]):  # one line would be wider than a page
            ticks.addLayout(row(*part, stretch=True))
        line = row()
        line.addLayout(ticks, 1)
        line.addWidget(label(tr("Smoothing"), "hint", wrap=False))
        line.addWidget(self.smoothing)
        line.addWidget(button("save_curves", tr("Save plots…"), self._ask))
        layout.addLayout(line)
        self._grid = QGridLayout()
        layout.addLayout(self._grid, 1)

    def show_runs(self, runs: Sequence[RunRow]) -> None:
        """Draw these runs."""
        self._runs = tuple(runs)
        there = set(signals(runs))
        for name, box in self.boxes.items():
            box.setVisible(name in there)
        self._draw()

    def save(self, path: Path) -> list[Path]:
        """Save each plot; if there are several, the signal's name is put before the file's ending.

        Raises
        ------
        PlotUnwritable
            If the ending is not one of a plot, or a file cannot be written.
        """
        made = []
        for name, drawn in self.plots.items():
            one = len(self.plots) == 1
            made.append(path if one else path.with_name(f"{path.stem}-{name}{path.suffix}"))
            save_plot(drawn.getPlotItem(), made[-1])
        return made

    def _draw(self) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()  # at once: it is deleted only at the next turn of the event loop
                old.deleteLater()
        there = set(signals(self._runs))
        wanted = [n for n, box in self.boxes.items() if box.isChecked() and n in there]
        self.plots = {name: self._plot(name, named=name == wanted[0]) for name in wanted}
        for place, made in enumerate(self.plots.values()):
            self._grid.addWidget(made, place // 3, place % 3)

    def _plot(self, name: str, *, named: bool) -> Any:
        made = plot("", "")
        made.setMinimumHeight(96)
        made.setTitle(tr(CURVES[name]), color=theme.MUTED, size="9pt")
        made.getAxis("bottom").setStyle(maxTickLevel=0)
        if named and len(self._runs) > 1:
            made.addLegend(offset=(-10, 10), labelTextColor=theme.TEXT)
        for k, run in enumerate(self._runs):
            if points := curve(run, name):
                steps, values = zip(*points, strict=True)
                drawn = smoothed(values, self.smoothing.value() / 100)
                pen = pg.mkPen(COLOURS[k % len(COLOURS)], width=2)
                made.plot(steps, drawn, pen=pen, name=run.title)
        return made

    def _ask(self) -> None:
        ask_where(self, "runs", self.save)
