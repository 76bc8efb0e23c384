"""Cohort: the readings, their quality, which of them count, and what is missing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QTableView,
)

from app.pages.workspace.changes_by import ChangesBy
from app.pages.workspace.cohort_columns import cohort_columns, why
from app.pages.workspace.cohort_figures import CohortFigures
from app.pages.workspace.filter_menu import FilterMenu, filter_button
from app.pages.workspace.reason_dialog import ReasonDialog
from app.pages.workspace.word_delegate import WordDelegate
from app.remarks import Sentence
from app.ui import theme
from app.ui.column_values import searched
from app.ui.page import Page
from app.ui.search_field import search_field
from app.ui.small_widgets import button, label, panel, row
from app.ui.table_model import Column, TableModel, table_view
from app.ui.table_search import search
from app.ui.text import told, tr, trn
from app.workspace.cohort import CohortRow
from app.workspace.cohort_edits import SPLITS

_WIDEST_PX = 260
_COUNTING = (("Included and excluded", ""), ("Included", "in"), ("Excluded", "out"))


class CohortPage(Page):
    """Lists readings; includes or excludes them, and edits labels and splits in place.

    Signals
    -------
    decided : object, object, str
        Reading ids, include (True), exclude (False) or undo (None), the reason.
    told : str, str, str
        A case, "label" or "split", and what was typed.
    replay_wanted : str
        The reading to replay.
    """

    decided = Signal(object, object, str)
    told = Signal(str, str, str)
    replay_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__("cohort", tr("Cohort"))
        self._columns = cohort_columns()
        self._words: Mapping[str, str] = {}
        self._all: tuple[CohortRow, ...] = ()
        self._images: frozenset[str] = frozenset()
        self._mark_all = False
        self.model: TableModel[CohortRow] = TableModel(self._columns, why)
        self.by = ChangesBy()
        self.model.edited.connect(self._edited)
        self.figures = CohortFigures()
        self._make_head()
        self.body.addLayout(self._make_search())
        self.body.addWidget(self._make_table(), 1)
        self.body.addLayout(self._make_foot())
        self.say_state(tr("Reading the cohort…"))
        self._marked()

    def show_rows(
        self,
        rows: Sequence[CohortRow],
        missing: Sequence[Sentence],
        words: Mapping[str, str] | None = None,
    ) -> None:
        """Show readings and what is missing; `words` as `searched_words` returns them."""
        chosen, current = set(self.chosen()), self.table.verticalScrollBar().value()
        first = not self.model.rowCount()
        self._words = searched_words(self._columns, rows) if words is None else words
        self._all = tuple(rows)
        self._filter(fill=False)
        self.model.set_rows(rows)
        self._offer_words(rows)
        if first:
            self._size_columns(rows)
        if self._mark_all:
            self.table.selectAll()
            self._mark_all = False
        self._mark(chosen)
        self.table.verticalScrollBar().setValue(current)
        self.figures.show_rows(rows)
        self._say_count(rows)
        said = map(told, missing)
        self._missing.setText("\n".join(f"• {text}" for text in said))
        self._missing_panel.setVisible(bool(missing))
        self._marked()

    def narrow_to(self, image_ids: Iterable[str]) -> None:
        """Show and select only the readings of these images, until all are requested again."""
        self._images, self._mark_all = frozenset(image_ids), True
        self.search.clear()
        self.counting.setCurrentIndex(0)
        self.whole.show()
        self._filter()
        self.table.selectAll()

    def widen(self) -> None:
        """Show the readings of all images again."""
        self._images, self._mark_all = frozenset(), False
        self.whole.hide()
        self._filter()

    @property
    def plots(self) -> Mapping[str, Any]:
        """The histograms by name."""
        return self.figures.plots

    def chosen(self) -> list[str]:
        """Return the selected readings."""
        marked = self.table.selectionModel().selectedRows()
        return [self.model.rows[index.row()].reading_id for index in marked]

    def _say_count(self, rows: Sequence[CohortRow]) -> None:
        if not rows:
            self.say_state(tr("No readings yet. Read some cases, or import gaze."))
            return
        kept = sum(row.counts for row in rows)
        cases = len({row.case_id for row in rows if row.counts})
        said = [
            trn("{count} reading, {kept} included", "{count} readings, {kept} included",
                len(rows), kept=f"{kept:,}"),
            trn("of {count} case", "of {count} cases", cases),
        ]  # fmt: skip
        if (badges := sum(bool(r.badge) for r in rows)) > 0:
            said.append(
                trn("{count} is not a person's gaze", "{count} are not a person's gaze", badges)
            )
        shown = self.model.rowCount()
        if shown != len(rows):
            said.append(tr("{count} shown", count=f"{shown:,}"))
        self.say_state(", ".join(said) + ".")

    def _make_head(self) -> None:
        self._needs_marked = (
            button("keep_readings", tr("Include…"), lambda: self._ask(True)),
            button("drop_readings", tr("Exclude…"), lambda: self._ask(False)),
            button("undo_choice", tr("Reset to automatic"), self._undo),
            button("replay_reading", tr("Replay"), self._replay, picture="play"),
        )
        for made in self._needs_marked:
            made.setToolTip(tr("Select one or more readings first."))
            self.head.addWidget(made)

    def _make_search(self) -> QHBoxLayout:
        self.search = search_field(
            "cohort_search", tr("Search all columns, or one: reader:R1  lost>10  -label:normal")
        )
        self.search.textChanged.connect(lambda _text: self._filter())
        self.counting = QComboBox()
        self.counting.setAccessibleName(tr("Included or excluded"))
        for text, value in _COUNTING:
            self.counting.addItem(tr(text), value)
        self.counting.currentIndexChanged.connect(lambda _i: self._filter())
        self.filter_menu = FilterMenu(self, self._columns, lambda: self._all, self.narrow)
        self.whole = button("whole_cohort", tr("Show all readings"), self.widen)
        self.whole.hide()
        by = label(tr("Changes by"), "hint", wrap=False)
        bar = row(self.search, filter_button(self.filter_menu), self.counting, self.whole)
        bar.addWidget(by)
        bar.addWidget(self.by)
        bar.setStretch(0, 1)
        return bar

    def narrow(self, term: str) -> None:
        """Search for this too."""
        self.search.setText(f"{self.search.text().strip()} {term}".strip())

    def _make_table(self) -> QTableView:
        table = self.table = table_view(self.model, "cohort_table", tr("Readings"))
        table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.setWordWrap(False)
        table.setSortingEnabled(True)
        table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        table.horizontalHeader().setSectionsMovable(True)
        triggers = QAbstractItemView.EditTrigger
        table.setEditTriggers(triggers.DoubleClicked | triggers.EditKeyPressed)
        table.doubleClicked.connect(self._double_clicked)
        table.selectionModel().selectionChanged.connect(lambda _s, _d: self._marked())
        self._delegates = {
            "label": WordDelegate(self, typed=True),
            "split": WordDelegate(self, typed=False),
        }
        for place, column in enumerate(self._columns):
            if column.edited:
                table.setItemDelegateForColumn(place, self._delegates[column.edited])
        return table

    def _make_foot(self) -> QHBoxLayout:
        self._missing_panel, inner = panel()
        self._missing_panel.setMaximumWidth(420)
        inner.addWidget(label(tr("Before you press Pretrain"), "heading"))
        self._missing = label("")
        inner.addWidget(self._missing)
        inner.addStretch(1)
        line = row(self._missing_panel, self.figures, gap=2 * theme.GRID)
        line.setStretch(0, 2)
        line.setStretch(1, 5)
        return line

    def _size_columns(self, rows: Sequence[CohortRow]) -> None:
        self.table.resizeColumnsToContents()
        for place, column in enumerate(self._columns):
            if self.table.columnWidth(place) > _WIDEST_PX:
                self.table.setColumnWidth(place, _WIDEST_PX)
            if column.title == tr("Arm"):
                self.table.setColumnHidden(place, not any(r.arm for r in rows))

    def _offer_words(self, rows: Sequence[CohortRow]) -> None:
        words = sorted({word for r in rows for word in r.labels if word})
        self._delegates["label"].words = ("", *words)
        self._delegates["split"].words = ("", *SPLITS)

    def _mark(self, reading_ids: set[str]) -> None:
        """Select the readings again that were selected before the rows were read again."""
        flags = QItemSelectionModel.SelectionFlag
        if not 0 < len(reading_ids) <= 500:  # each selected row costs the window time
            return
        for place, shown in enumerate(self.model.rows):
            if shown.reading_id in reading_ids:
                index = self.model.index(place, 0)
                self.table.selectionModel().select(index, flags.Select | flags.Rows)

    def _marked(self) -> None:
        any_marked = self.table.selectionModel().hasSelection()
        for made in self._needs_marked:
            made.setEnabled(any_marked)

    def _ask(self, include: bool) -> None:
        ids = self.chosen()
        if not ids:
            return
        if include:
            title = trn("Include this reading", "Include {count} readings", len(ids))
        else:
            title = trn("Exclude this reading", "Exclude {count} readings", len(ids))

        def decide(reason: str) -> None:
            self.decided.emit(ids, include, reason)

        self.by.known(lambda: ReasonDialog(self, title, decide).open())

    def _undo(self) -> None:
        if ids := self.chosen():
            self.by.known(lambda: self.decided.emit(ids, None, ""))

    def _edited(self, reading: CohortRow, what: str, typed: str) -> None:
        self.by.known(lambda: self.told.emit(reading.case_id, what, typed))

    def _replay(self) -> None:
        if ids := self.chosen():
            self.replay_wanted.emit(ids[0])

    def _double_clicked(self, index: QModelIndex) -> None:
        if not self._columns[index.column()].edited:
            self._replay()

    def _filter(self, *, fill: bool = True) -> None:
        found = search(self.search.text(), searched(self._columns), self._haystack)
        counting = self.counting.currentData()

        def passes(reading: CohortRow) -> bool:
            if counting and reading.counts != (counting == "in"):
                return False
            if self._images and self._images.isdisjoint(reading.image_ids):
                return False
            return found(reading)

        self.model.set_filter(passes)
        self._marked()
        if fill and self._all:
            self._say_count(self._all)

    def _haystack(self, reading: CohortRow) -> str:
        return self._words.get(reading.reading_id, "")


def searched_words(
    columns: Sequence[Column[CohortRow]], rows: Sequence[CohortRow]
) -> dict[str, str]:
    """Return the text in which a search looks for each reading, by id; off the GUI thread."""
    texts: Sequence[Callable[[CohortRow], str]] = [column.text for column in columns]
    return {r.reading_id: "\n".join(text(r) for text in texts).lower() for r in rows}
