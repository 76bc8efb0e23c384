"""Probe: choose runs, press Probe, see how well each distinguishes the classes."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QLineEdit, QListWidget, QListWidgetItem, QSpinBox

from app.ui import theme
from app.ui.nothing_yet import NothingOr, nothing_yet
from app.ui.page import Page
from app.ui.small_widgets import button, indented, label, panel, row
from app.ui.table_model import TableModel, table_view, text_columns
from app.ui.text import tr
from app.ui.work_bar import WorkBar
from app.workspace.probes import KINDS, ProbeAsked, cells
from app.workspace.runs import RunRow

_TITLES = ("Encoder", "Probe", "Labels", "Metric", "Mean", "95 % interval")
_WIDTH = 336
_WIDEST = 180
"""Width of a column; the full name of a run is its tool tip."""


class ProbePage(Page):
    """Sets up a probe, and shows the results.

    Attributes
    ----------
    work
        How far the probe is, with Stop.

    Signals
    -------
    probe_wanted : object
        The `ProbeAsked`.
    """

    probe_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__("probe", tr("Probe"))
        self.start = button("probe_start", tr("Probe"), self._start, role="primary", picture="play")
        self.head.addWidget(self.start)
        self.work = WorkBar("probe_work")
        self.runs = QListWidget()
        self.runs.setObjectName("probe_runs")
        self.runs.setAccessibleName(tr("Runs"))
        self.runs.setSpacing(theme.GRID // 4)
        self.runs.itemChanged.connect(lambda _item: self._allow())
        self.kinds = {name: QCheckBox(tr(words)) for name, words in KINDS.items()}
        for name, box in self.kinds.items():
            box.setObjectName(f"probe_{name}")
            box.setChecked(name != "finetune")
            box.toggled.connect(lambda _on: self._allow())
        self.budgets = QLineEdit(ProbeAsked((), ()).budgets)
        self.budgets.setObjectName("probe_budgets")
        self.budgets.setAccessibleName(tr("Labelled images"))
        self.repeats = indented(QSpinBox())
        self.repeats.setObjectName("probe_repeats")
        self.repeats.setAccessibleName(tr("Repeats"))
        self.repeats.setRange(1, 100)
        self.repeats.setValue(10)
        self.transductive = QCheckBox(tr("Allow transductive runs"))
        self.transductive.setToolTip(
            tr("Encoders that were also trained on test images, without their labels.")
        )
        self.transductive.setObjectName("probe_transductive")
        self._running = False
        self._arrange()
        self.show_runs(())

    def show_runs(self, runs: Sequence[RunRow]) -> None:
        """List the runs that have an encoder; those that were ticked stay ticked."""
        ticked = set(self._ticked()) or {run.folder.name for run in runs[:1]}
        self.runs.blockSignals(True)
        self.runs.clear()
        for run in runs:
            if run.encoder is not None:
                item = QListWidgetItem(run.title)
                item.setData(Qt.ItemDataRole.UserRole, run.folder.name)
                item.setToolTip(run.folder.name)
                on = run.folder.name in ticked
                item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
                self.runs.addItem(item)
        self.runs.blockSignals(False)
        if not self.runs.count():
            self.say_state(tr("No encoder yet. Press Pretrain first."))
        elif not self._running:
            self.say_state(tr("Tick one or more runs and press Probe. Raw pixels and an untrained "
                              "network are shown beside them."))  # fmt: skip
        self._allow()

    def show_rows(self, rows: Sequence[dict[str, Any]]) -> None:
        """Show the figures of a probe."""
        self.model.set_rows([cells(row) for row in rows])
        self.table.resizeColumnsToContents()
        self._shown.show_content(bool(rows))

    def show_running(self, running: bool) -> None:
        """Show that a probe is running, or has ended."""
        self._running = running
        if running:
            self.say_state("")
            self.work.begin(tr("Probing…"))
        else:
            self.work.end()
        self._allow()

    def asked(self) -> ProbeAsked:
        """Return the probe as set up."""
        kinds = tuple(name for name, box in self.kinds.items() if box.isChecked())
        return ProbeAsked(
            tuple(self._ticked()), kinds, self.budgets.text().replace(" ", ""),
            self.repeats.value(), self.transductive.isChecked(),
        )  # fmt: skip

    def _ticked(self) -> list[str]:
        items = [self.runs.item(place) for place in range(self.runs.count())]
        return [i.data(Qt.ItemDataRole.UserRole) for i in items
                if i.checkState() == Qt.CheckState.Checked]  # fmt: skip

    def _allow(self) -> None:
        asked = self.asked()
        self.start.setEnabled(bool(asked.runs and asked.kinds) and not self._running)

    def _start(self) -> None:
        self.probe_wanted.emit(self.asked())

    def _arrange(self) -> None:
        self.body.addWidget(self.work)
        frame, layout = panel()
        frame.setFixedWidth(_WIDTH)
        layout.addWidget(label(tr("Runs"), "heading"))
        layout.addWidget(self.runs, 1)
        layout.addWidget(label(tr("Method"), "heading"))
        for box in self.kinds.values():
            layout.addWidget(box)
        layout.addWidget(label(tr("Labelled images (numbers or “all”)"), "hint"))
        layout.addWidget(self.budgets)
        layout.addLayout(row(label(tr("Repeats"), "hint", wrap=False), self.repeats))
        layout.addWidget(self.transductive)
        self.model = TableModel(
            text_columns([tr(title) for title in _TITLES]), tip=lambda shown: shown[0]
        )
        self.table = table_view(self.model, "probe_table", tr("Results"))
        self.table.horizontalHeader().setMaximumSectionSize(_WIDEST)
        self.table.resizeColumnsToContents()
        self.table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        content = row(gap=2 * theme.GRID)
        content.addWidget(frame)
        nothing = nothing_yet(
            "check",
            tr("No results yet"),
            tr("A probe predicts the labels of the test images from an encoder's features. For "
               "each encoder and number of labelled images you see its score with a 95 % "
               "interval."),
        )  # fmt: skip
        self._shown = NothingOr(nothing, self.table)
        content.addWidget(self._shown, 1)
        self.body.addLayout(content, 1)
