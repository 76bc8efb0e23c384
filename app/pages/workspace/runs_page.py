"""Runs: what was trained, in what runs differ, how they went, what the probe says."""

from collections.abc import Sequence
from pathlib import Path

import pyqtgraph as pg
from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.ui import theme
from app.ui.page import Page
from app.ui.plots import COLOURS, ask_where, plot, save_plot
from app.ui.small_widgets import button, column, row
from app.workspace.runs import RunRow, curve, differences, probe_rows, signals

_COLUMNS = ("Run", "State", "Images", "Steps", "Last loss", "Positive pairs")


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
        self.table = _table(_COLUMNS)
        self.table.setObjectName("runs_table")
        self.table.itemSelectionChanged.connect(self._compare)
        self.body.addWidget(self.table, 2)
        self.body.addWidget(self._make_tabs(), 3)
        self.show_runs(())

    def show_runs(self, rows: Sequence[RunRow]) -> None:
        """Show runs; the newest is marked."""
        self.rows = tuple(rows)
        self.table.setRowCount(len(rows))
        for k, run in enumerate(rows):
            loss, rate = run.details.get("loss_last"), run.details.get("positive_rate")
            cells = (
                run.title,
                run.state,
                str(run.details.get("images", "–")),
                str(run.details.get("steps", "–")),
                "–" if loss is None else f"{loss:.3f}",
                "–" if rate is None else f"{rate:.1%}",
            )
            for c, text in enumerate(cells):
                self.table.setItem(k, c, QTableWidgetItem(text))
        self.table.resizeColumnsToContents()
        if rows:
            self.say_state(f"{len(rows)} runs. Mark two or more to compare them.")
            self.table.selectRow(0)
        else:
            self.say_state("No runs yet. Press Pretrain.")
        self._compare()

    def marked(self) -> list[RunRow]:
        """Return the runs that are marked."""
        places = sorted({index.row() for index in self.table.selectedIndexes()})
        return [self.rows[place] for place in places if place < len(self.rows)]

    def _make_tabs(self) -> QTabWidget:
        self.tabs = QTabWidget()
        self.differences = _table(("Setting",))
        self.probe = _table(("Run", "Probe", "Labels", "Metric", "Mean", "95 % interval"))
        self.tabs.addTab(self.differences, "Settings")
        self.signal = QComboBox()
        self.signal.currentIndexChanged.connect(self._draw)
        self.curves = plot("Step", "")
        self.curves.addLegend(offset=(-10, 10), labelTextColor=theme.TEXT)
        made = QWidget()
        made.setLayout(self._make_curves())
        self.tabs.addTab(made, "Curves")
        self.tabs.addTab(self.probe, "Probe")
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
        _fill(
            self.differences,
            ("Setting", *(run.title for run in marked)),
            [(name, *values) for name, values in found],
        )
        rows = [
            (
                run.name,
                row.get("probe", ""),
                row.get("budget", ""),
                row.get("metric", ""),
                f"{row['mean']:.3f}",
                f"{row['low']:.3f} – {row['high']:.3f}",
            )
            for run in marked
            for row in probe_rows(run)
        ]
        _fill(self.probe, ("Run", "Probe", "Labels", "Metric", "Mean", "95 % interval"), rows)
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


def _table(titles: Sequence[str]) -> QTableWidget:
    made = QTableWidget(0, len(titles))
    made.setHorizontalHeaderLabels(list(titles))
    made.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    made.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    made.setAlternatingRowColors(True)
    made.setShowGrid(False)
    made.verticalHeader().hide()
    made.horizontalHeader().setDefaultAlignment(
        Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    )
    made.horizontalHeader().setStretchLastSection(True)
    return made


def _fill(table: QTableWidget, titles: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    table.setColumnCount(len(titles))
    table.setHorizontalHeaderLabels(list(titles))
    table.setRowCount(len(rows))
    for k, cells in enumerate(rows):
        for c, cell in enumerate(cells):
            table.setItem(k, c, QTableWidgetItem(str(cell)))
    table.resizeColumnsToContents()
