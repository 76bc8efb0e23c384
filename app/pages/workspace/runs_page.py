"""Runs: what was trained, how runs differ, their curves, the results of the probe."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QTabWidget, QWidget

from app.pages.workspace.run_curves import RunCurves
from app.pages.workspace.run_dialog import RunDialog
from app.ui import theme
from app.ui.dialogs import ConfirmDialog
from app.ui.nothing_yet import NothingOr, nothing_yet
from app.ui.page import Page
from app.ui.small_widgets import button, column, row
from app.ui.table_model import Column, TableModel, table_view, text_columns
from app.ui.text import tr, trn
from app.workspace.runs import RunRow, differences, probe_rows, write_table

_STATES = {"running": "Running", "finished": "Finished", "stopped": "Stopped", "failed": "Failed"}
_PROBE = ("Run", "Probe", "Labels", "Metric", "Mean", "95 % interval")


def _detail(name: str, form: str = "") -> Callable[[RunRow], str]:
    def text(run: RunRow) -> str:
        value = run.details.get(name)
        return "–" if value is None else f"{value:{form}}"

    return text


def _columns() -> tuple[Column[RunRow], ...]:
    return (
        Column(tr("Run"), lambda run: run.name, tip=lambda run: run.folder.name),
        Column(tr("Started"), lambda run: run.started_utc[:16].replace("T", " ")),
        Column(tr("State"), lambda run: tr(_STATES.get(run.state, run.state))),
        Column(tr("Images"), _detail("images")),
        Column(tr("Steps"), _detail("steps")),
        Column(tr("Last loss"), _detail("loss_last", ".3f")),
        Column(tr("Positive pairs"), _detail("positive_rate", ".1%")),
        Column(tr("Tags"), lambda run: ", ".join(run.tags)),
        Column(tr("Note"), lambda run: run.note.partition("\n")[0], tip=lambda run: run.note),
    )


class RunsPage(Page):
    """Lists runs and compares the selected ones.

    Signals
    -------
    reproduce_wanted : str
        Start a new run with the settings of this one.
    features_wanted : str
        Show this run's features.
    export_wanted : str, object
        Copy a run's encoder to a folder.
    edited : str, str, object, str
        Give a run another name, tags and note.
    delete_wanted : object
        These runs, by id, should be deleted; the user has agreed.
    """

    reproduce_wanted = Signal(str)
    features_wanted = Signal(str)
    export_wanted = Signal(str, object)
    edited = Signal(str, str, object, str)
    delete_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__("runs", tr("Runs"))
        self.rows: tuple[RunRow, ...] = ()
        self.report = button("run_report", tr("Open report"), self._open_report, picture="open")
        self.export = button("run_export", tr("Export encoder…"), self._export)
        self.features = button(
            "run_features", tr("Features"), lambda: self._tell(self.features_wanted)
        )
        self.reproduce = button(
            "run_reproduce",
            tr("Reproduce"),
            lambda: self._tell(self.reproduce_wanted),
            picture="play",
        )
        for made in (self.report, self.export, self.features, self.reproduce):
            self.head.addWidget(made)
        self.model = TableModel(_columns())
        self.table = table_view(self.model, "runs_table", tr("Runs"))
        self.table.selectionModel().selectionChanged.connect(self._compare)
        inside = QWidget()
        content = column(inside, gap=2 * theme.GRID)
        content.addWidget(self.table, 2)
        self.edit = button("run_edit", tr("Name, tags, note…"), self._edit)
        self.delete = button("run_delete", tr("Delete…"), self._delete)
        self.save = button("runs_save", tr("Save table…"), self._save_table)
        content.addLayout(row(self.edit, self.delete, self.save, stretch=True))
        content.addWidget(self._make_tabs(), 3)
        self._shown = NothingOr(
            nothing_yet(
                "runs",
                tr("No runs yet"),
                tr("Each run that you start on the Pretrain page is listed here, with its curves, "
                   "its settings and what the probe says about its encoder."),
            ),
            inside,
        )  # fmt: skip
        self.body.addWidget(self._shown, 1)
        self.show_runs(())

    def show_runs(self, rows: Sequence[RunRow]) -> None:
        """Show runs; the newest is selected."""
        self.rows = tuple(rows)
        self.model.set_rows(rows)
        self.table.resizeColumnsToContents()
        self._shown.show_content(bool(rows))
        if rows:
            self.say_state(trn("{count} run.", "{count} runs. Select several to compare them.",
                               len(rows)))  # fmt: skip
            self.table.selectRow(0)
        else:
            self.say_state(tr("No runs yet. Start one on the Pretrain page."))
        self._compare()

    def marked(self) -> list[RunRow]:
        """Return the selected runs."""
        marked = self.table.selectionModel().selectedRows()
        return [self.rows[place] for place in sorted(index.row() for index in marked)]

    def _make_tabs(self) -> QTabWidget:
        self.tabs = QTabWidget()
        self.differences = TableModel(text_columns((tr("Setting"),)))
        self.probe = TableModel(text_columns([tr(title) for title in _PROBE]))
        self._tables = (
            table_view(self.differences, "run_settings", tr("Settings")),
            table_view(self.probe, "run_probe", tr("Probe")),
        )
        self.curves = RunCurves()
        self.tabs.addTab(self.curves, tr("Curves"))
        self.tabs.addTab(self._tables[0], tr("Settings"))
        self.tabs.addTab(self._tables[1], tr("Probe"))
        return self.tabs

    def _compare(self) -> None:
        marked = self.marked()
        one = len(marked) == 1
        self.report.setEnabled(one and marked[0].report is not None)
        self.export.setEnabled(one and marked[0].encoder is not None)
        self.features.setEnabled(one and marked[0].encoder is not None)
        self.reproduce.setEnabled(one)
        self.edit.setEnabled(one)
        self.delete.setEnabled(bool(marked))
        self.save.setEnabled(bool(self.rows))
        found = (
            [(name, [str(value)]) for name, value in marked[0].config.items()]
            if one
            else differences(marked)
        )
        self.differences.set_rows(
            [(name, *values) for name, values in found],
            text_columns((tr("Setting"), *(run.title for run in marked))),
        )
        self.probe.set_rows([cells for run in marked for cells in _probe_cells(run)])
        for table in self._tables:
            table.resizeColumnsToContents()
        self.curves.show_runs(marked)

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
        path, _ = QFileDialog.getSaveFileName(self, tr("Export the encoder"), name)
        if path:
            self.export_wanted.emit(marked[0].id, Path(path))

    def _edit(self) -> None:
        if marked := self.marked():
            run_id = marked[0].id
            RunDialog(self, marked[0], lambda *given: self.edited.emit(run_id, *given)).open()

    def _delete(self) -> None:
        if marked := self.marked():
            ids = [run.id for run in marked]
            text = tr(
                "Delete {names} permanently, including weights, checkpoints, curves and report?",
                names=", ".join(run.name for run in marked),
            )
            act = ("run_delete_now", tr("Delete"), lambda: self.delete_wanted.emit(ids))
            ConfirmDialog(self, tr("Delete runs"), text, act, tr("Keep")).open()

    def _save_table(self) -> None:
        ask: Callable[..., tuple[str, str]] = QFileDialog.getSaveFileName
        path, _ = ask(self, tr("Save the table"), "runs.csv", tr("Tables (*.csv)"))
        if path:
            self.write(Path(path))

    def write(self, path: Path) -> None:
        """Write the table of runs, and report it."""
        try:
            write_table(self.rows, path)
        except OSError as error:
            text = tr("{path} cannot be written: {why}.", path=path, why=error.strerror)
            self.say_state(text, "error")
        else:
            self.say_state(tr("✓ Saved to {path}", path=path))


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
