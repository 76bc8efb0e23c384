"""Cohort: which readings there are, how good, which count, what is missing."""

from collections.abc import Callable, Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHeaderView,
    QLineEdit,
    QVBoxLayout,
)

from app.pages.workspace.cohort_columns import COLUMNS, reasons_of
from app.pages.workspace.reason_dialog import ReasonDialog
from app.ui import theme
from app.ui.page import Page
from app.ui.plots import ask_where, plot, save_plot
from app.ui.small_widgets import button, column, label, panel, row
from app.ui.table_model import TableModel, table_view
from app.workspace.cohort import CohortFilter, CohortRow

_FIGURES: dict[str, tuple[str, Callable[[CohortRow], float | None]]] = {
    "loss": ("Lost samples (%)", lambda r: None if r.loss is None else 100 * r.loss),
    "accuracy": ("Accuracy (°)", lambda r: r.accuracy_deg),
    "duration": ("Reading time (s)", lambda r: r.duration_s),
    "fixations": ("Fixations", lambda r: float(r.fixations)),
}
_BINS = 24
_VERDICTS = (
    ("Every verdict", ""),
    ("Good", "good"),
    ("Doubtful", "doubtful"),
    ("Bad", "bad"),
)
_COUNTING = (("Kept and left out", ""), ("Kept", "kept"), ("Left out", "left out"))


class CohortPage(Page):
    """Lists readings; keeps or drops them.

    Signals
    -------
    decided : object, object, str
        Reading ids, keep (True), drop (False) or undo (None), the reason.
    replay_wanted : str
        The reading to be replayed.
    """

    decided = Signal(object, object, str)
    replay_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__("cohort", "Cohort")
        self.model = TableModel(COLUMNS, reasons_of)
        self.plots = {name: plot(caption) for name, (caption, _) in _FIGURES.items()}
        self.head.addWidget(button("keep_readings", "Keep…", lambda: self._ask(True)))
        self.head.addWidget(button("drop_readings", "Drop…", lambda: self._ask(False)))
        self.head.addWidget(button("undo_choice", "Let the verdict decide", self._undo))
        self.head.addWidget(button("replay_reading", "Replay", self._replay, picture="play"))
        content = row(gap=2 * theme.GRID)
        content.addLayout(self._make_list(), 3)
        content.addLayout(self._make_figures(), 2)
        self.body.addLayout(content, 1)
        self.show_rows((), [])

    def show_rows(self, rows: Sequence[CohortRow], missing: Sequence[str]) -> None:
        """Show readings, and what is missing before a pre-training makes sense."""
        self.model.set_rows(rows)
        self.table.resizeColumnsToContents()
        self._fill_readers(rows)
        for name, (_, value) in _FIGURES.items():
            self._draw(name, [v for r in rows if (v := value(r)) is not None])
        kept = sum(row.counts for row in rows)
        cases = len({row.case_id for row in rows if row.counts})
        if rows:
            self.say_state(f"{len(rows)} readings, {kept} kept, of {cases} cases.")
        else:
            self.say_state("No readings yet. Read some cases, or import gaze.")
        self._missing.setText("\n".join(f"• {text}" for text in missing))
        self._missing_panel.setVisible(bool(missing))

    def chosen(self) -> list[str]:
        """Return the readings that are marked."""
        marked = self.table.selectionModel().selectedRows()
        return [self.model.rows[index.row()].reading_id for index in marked]

    def _ask(self, keep: bool) -> None:
        ids = self.chosen()
        if not ids:
            self.say_state("Mark one or more readings first.", "warning")
            return
        verb = "Keep" if keep else "Drop"
        count = f"{len(ids)} readings" if len(ids) > 1 else "this reading"
        ReasonDialog(self, f"{verb} {count}", lambda why: self.decided.emit(ids, keep, why)).open()

    def _undo(self) -> None:
        if ids := self.chosen():
            self.decided.emit(ids, None, "")

    def _replay(self) -> None:
        if ids := self.chosen():
            self.replay_wanted.emit(ids[0])

    def _make_list(self) -> QVBoxLayout:
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search name or reason")
        self.search.setObjectName("cohort_search")
        self.reader, self.verdict, self.counting = QComboBox(), QComboBox(), QComboBox()
        for box, entries in (
            (self.reader, (("Every reader", ""),)),
            (self.verdict, _VERDICTS),
            (self.counting, _COUNTING),
        ):
            for text, value in entries:
                box.addItem(text, value)
            box.currentIndexChanged.connect(self._filter)
        self.search.textChanged.connect(self._filter)
        self.table = table_view(self.model, "cohort_table", "Readings")
        self.table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self.table.doubleClicked.connect(lambda _index: self._replay())
        made = column(gap=theme.GRID)
        bar = row(self.search, self.reader, self.verdict, self.counting)
        bar.setStretch(0, 1)
        made.addLayout(bar)
        made.addWidget(self.table, 1)
        return made

    def _make_figures(self) -> QVBoxLayout:
        made = column(gap=theme.GRID)
        self._missing_panel, inner = panel()
        inner.addWidget(label("Before you press Pretrain", "heading"))
        self._missing = label("")
        inner.addWidget(self._missing)
        made.addWidget(self._missing_panel)
        grid = QGridLayout()
        grid.setSpacing(theme.GRID)
        for k, (name, drawn) in enumerate(self.plots.items()):
            drawn.setToolTip("Double-click to save as PNG, SVG or CSV")
            drawn.scene().sigMouseClicked.connect(lambda e, n=name: self._clicked(e, n))
            grid.addWidget(drawn, k // 2, k % 2)
        made.addLayout(grid, 1)
        return made

    def _clicked(self, event: object, name: str) -> None:
        if getattr(event, "double", lambda: False)():
            item = self.plots[name].getPlotItem()
            ask_where(self, f"cohort-{name}", lambda path: save_plot(item, path))

    def _fill_readers(self, rows: Sequence[CohortRow]) -> None:
        chosen = self.reader.currentData()
        self.reader.blockSignals(True)
        self.reader.clear()
        self.reader.addItem("Every reader", "")
        for name in sorted({r.reader for r in rows}):
            self.reader.addItem(name, name)
        self.reader.setCurrentIndex(max(0, self.reader.findData(chosen)))
        self.reader.blockSignals(False)
        self._filter()

    def _filter(self) -> None:
        self.model.set_filter(
            CohortFilter(
                self.search.text(),
                self.reader.currentData() or "",
                self.verdict.currentData() or "",
                self.counting.currentData() or "",
            ).passes
        )

    def _draw(self, name: str, values: Sequence[float]) -> None:
        drawn = self.plots[name]
        drawn.clear()
        drawn.showGrid(y=bool(values), alpha=0.12)
        for side in ("left", "bottom"):
            drawn.getAxis(side).setStyle(showValues=bool(values), tickLength=-5 if values else 0)
        if not values:
            drawn.setTitle("none known", color=theme.MUTED, size="9pt")
            return
        counts, edges = np.histogram(values, bins=min(_BINS, max(4, len(values))))
        bars = pg.BarGraphItem(
            x0=edges[:-1],
            x1=edges[1:],
            y0=0,
            height=counts,
            brush=theme.ACCENT_DEEP,
            pen=theme.PANEL,
        )
        drawn.addItem(bars)
        step = max(1, round(counts.max() / 4))  # whole readings
        drawn.getAxis("left").setTickSpacing(step, step)
        median = float(np.median(values))
        line = pg.InfiniteLine(median, pen=pg.mkPen(theme.ACCENT, width=2))
        drawn.addItem(line)
        drawn.setTitle(f"median {median:.3g}", color=theme.MUTED, size="9pt")
