"""Runs: what was trained, in what runs differ, how they went, what the probe says."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pyqtgraph as pg
from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.ui import theme
from app.ui.page import Page
from app.ui.plots import COLOURS, ask_where, plot, save_plot
from app.ui.small_widgets import button, column, row
from app.ui.table_model import Column, TableModel, table_view, text_columns
from app.workspace.runs import RunRow, curve, differences, probe_rows, signals

_PROBE = ("Run", "Probe", "Labels", "Metric", "Mean", "95 % interval")


def _detail(name: str, form: str = "") -> Callable[[RunRow], str]:
    def text(run: RunRow) -> str:
        value = run.details.get(name)
        return "–" if value is None else f"{value:{form}}"

    return text


_COLUMNS: tuple[Column[RunRow], ...] = (
    Column("Run", lambda run: run.title),
    Column("State", lambda run: run.state),
    Column("Images", _detail("images")),
    Column("Steps", _detail("steps")),
    Column("Last loss", _detail("loss_last", ".3f")),
    Column("Positive pairs", _detail("positive_rate", ".1%")),
)


class RunsPage(Page):
    """Lists runs and compares those that are marked.

    Signals
    -------
    reproduce_wanted : str
        Start a new run with the settings of this one.
    features_wanted : str
        Show this run's features.
    export_wanted : str, object
        Copy a run's encoder to a place.
    """

    reproduce_wanted = Signal(str)
    features_wanted = Signal(str)
    export_wanted = Signal(str, object)

    def __init__(self) -> None:
        super().__init__("runs", "Runs")
        self.rows: tuple[RunRow, ...] = ()
        self.report = button("run_report", "Open report", self._open_report, picture="open")
        self.export = button("run_export", "Export encoder…", self._export)
        self.features = button("run_features", "Features", lambda: self._tell(self.features_wanted))
        self.reproduce = button(
            "run_reproduce", "Reproduce", lambda: self._tell(self.reproduce_wanted), picture="play"
        )
        for made in (self.report, self.export, self.features, self.reproduce):
            self.head.addWidget(made)
        self.model = TableModel(_COLUMNS)
        self.table = table_view(self.model, "runs_table", "Runs")
        self.table.selectionModel().selectionChanged.connect(self._compare)
        self.body.addWidget(self.table, 2)
        self.body.addWidget(self._make_tabs(), 3)
        self.show_runs(())

    def show_runs(self, rows: Sequence[RunRow]) -> None:
        """Show runs; the newest is marked."""
        self.rows = tuple(rows)
        self.model.set_rows(rows)
        self.table.resizeColumnsToContents()
        if rows:
            self.say_state(f"{len(rows)} runs. Mark two or more to compare them.")
            self.table.selectRow(0)
        else:
            self.say_state("No runs yet. Press Pretrain.")
        self._compare()

    def marked(self) -> list[RunRow]:
        """Return the runs that are marked."""
        marked = self.table.selectionModel().selectedRows()
        return [self.rows[place] for place in sorted(index.row() for index in marked)]

    def _make_tabs(self) -> QTabWidget:
        self.tabs = QTabWidget()
        self.differences = TableModel(text_columns(("Setting",)))
        self.probe = TableModel(text_columns(_PROBE))
        self._tables = (
            table_view(self.differences, "run_settings", "Settings"),
            table_view(self.probe, "run_probe", "Probe"),
        )
        self.tabs.addTab(self._tables[0], "Settings")
        self.signal = QComboBox()
        self.signal.currentIndexChanged.connect(self._draw)
        self.curves = plot("Step", "")
        self.curves.addLegend(offset=(-10, 10), labelTextColor=theme.TEXT)
        made = QWidget()
        made.setLayout(self._make_curves())
        self.tabs.addTab(made, "Curves")
        self.tabs.addTab(self._tables[1], "Probe")
        return self.tabs

    def _make_curves(self) -> QVBoxLayout:
        made = column(margin=theme.GRID)
        line = row(self.signal, button("save_curves", "Save plot…", self._save))
        line.addStretch(1)
        made.addLayout(line)
        made.addWidget(self.curves, 1)
        return made

    def _compare(self) -> None:
        marked = self.marked()
        one = len(marked) == 1
        self.report.setEnabled(one and marked[0].report is not None)
        self.export.setEnabled(one and marked[0].encoder is not None)
        self.features.setEnabled(one and marked[0].encoder is not None)
        self.reproduce.setEnabled(one)
        found = (
            [(name, [str(value)]) for name, value in marked[0].config.items()]
            if one
            else differences(marked)
        )
        self.differences.set_rows(
            [(name, *values) for name, values in found],
            text_columns(("Setting", *(run.title for run in marked))),
        )
        self.probe.set_rows([cells for run in marked for cells in _probe_cells(run)])
        for table in self._tables:
            table.resizeColumnsToContents()
        chosen = self.signal.currentText()
        self.signal.blockSignals(True)
        self.signal.clear()
        self.signal.addItems(signals(marked))
        self.signal.setCurrentIndex(max(0, self.signal.findText(chosen)))
        self.signal.blockSignals(False)
        self._draw()

    def _draw(self) -> None:
        self.curves.clear()
        name = self.signal.currentText()
        self.curves.setLabel("left", name, color=theme.MUTED)
        for k, run in enumerate(self.marked()):
            points = curve(run, name) if name else []
            if points:
                steps, values = zip(*points, strict=True)
                pen = pg.mkPen(COLOURS[k % len(COLOURS)], width=2)
                self.curves.plot(steps, values, pen=pen, name=run.title)

    def _tell(self, signal: object) -> None:
        if marked := self.marked():
            signal.emit(marked[0].id)  # type: ignore[attr-defined]

    def _open_report(self) -> None:
        marked = self.marked()
        if marked and marked[0].report is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(marked[0].report)))

    def _export(self) -> None:
        marked = self.marked()
        if not marked:
            return
        name = f"{marked[0].folder.name}.safetensors"
        path, _ = QFileDialog.getSaveFileName(self, "Export the encoder", name)
        if path:
            self.export_wanted.emit(marked[0].id, Path(path))

    def _save(self) -> None:
        item = self.curves.getPlotItem()
        ask_where(self, "runs", lambda path: save_plot(item, path))


def _probe_cells(run: RunRow) -> list[tuple[str, ...]]:
    return [
        (
            run.name,
            *(str(row.get(name, "")) for name in ("probe", "budget", "metric")),
            f"{row['mean']:.3f}",
            f"{row['low']:.3f} – {row['high']:.3f}",
        )
        for row in probe_rows(run)
    ]
