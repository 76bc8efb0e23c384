"""Audit trail: who did what, when, at which station and why."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QFileDialog, QHeaderView

from app.pages.workspace.cohort_columns import local_time
from app.pages.workspace.filter_menu import FilterMenu, filter_button
from app.ui.column_values import searched
from app.ui.page import Page
from app.ui.search_field import search_field
from app.ui.small_widgets import button, row
from app.ui.table_model import Column, TableModel, table_view
from app.ui.table_search import search
from app.ui.text import tr, trn
from app.workspace.audit import AuditRow

_WIDEST_PX = 320


def audit_columns() -> tuple[Column[AuditRow], ...]:
    """Return the columns, titled in the language of the window."""
    return (
        Column(tr("Time"), lambda r: f"{local_time(r.time_utc)}", lambda r: r.time_utc,
               tip=lambda r: r.time_utc),
        Column(tr("Person"), lambda r: r.person or "–"),
        Column(tr("Station"), lambda r: r.station),
        Column(tr("Action"), lambda r: r.action),
        Column(tr("Subject"), lambda r: f"{r.kind} {r.subject}".strip()),
        Column(tr("Reason"), lambda r: r.reason or "–"),
        Column(tr("Details"), lambda r: r.details),
    )  # fmt: skip


class AuditPage(Page):
    """Lists the audit's rows; nothing on it can be changed.

    Signals
    -------
    save_wanted : object, object
        The rows that are shown, and where their table is to be written.
    """

    save_wanted = Signal(object, object)

    def __init__(self) -> None:
        super().__init__("audit", tr("Audit trail"))
        self._columns = audit_columns()
        self._all: tuple[AuditRow, ...] = ()
        self.model: TableModel[AuditRow] = TableModel(self._columns, _tip)
        self.head.addWidget(button("save_audit", tr("Save table…"), self._save))
        self.search = search_field(
            "audit_search",
            tr("Search all columns, or one: person:R1  time>2026-11  -action:push"),
        )
        self.search.textChanged.connect(lambda _text: self._filter())
        self.filter_menu = FilterMenu(self, self._columns, lambda: self._all, self.narrow)
        bar = row(self.search, filter_button(self.filter_menu))
        bar.setStretch(0, 1)
        self.table = table_view(self.model, "audit_table", tr("Audit trail"))
        self.table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.table.setWordWrap(False)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self.body.addLayout(bar)
        self.body.addWidget(self.table, 1)
        self.say_state(tr("Reading the audit trail…"))

    def show_rows(self, rows: Sequence[AuditRow]) -> None:
        """Show the audit's rows, the newest first."""
        self._all = tuple(rows)
        self._filter()
        self.model.set_rows(rows)
        self.table.resizeColumnsToContents()
        for place in range(len(self._columns)):
            if self.table.columnWidth(place) > _WIDEST_PX:
                self.table.setColumnWidth(place, _WIDEST_PX)
        self._say_count()

    def narrow(self, term: str) -> None:
        """Search for this too."""
        self.search.setText(f"{self.search.text().strip()} {term}".strip())

    def _filter(self) -> None:
        self.model.set_filter(search(self.search.text(), searched(self._columns)))
        self._say_count()

    def _say_count(self) -> None:
        count, shown = len(self._all), self.model.rowCount()
        if shown == count:
            self.say_state(trn("{count} entry.", "{count} entries.", count))
        else:
            self.say_state(
                tr("{shown} of {count} entries shown.", shown=f"{shown:,}", count=f"{count:,}")
            )

    def _save(self) -> None:
        ask: Callable[..., tuple[str, str]] = QFileDialog.getSaveFileName
        path, _ = ask(self, tr("Save the table"), "audit.csv", tr("Tables (*.csv)"))
        if path:
            self.save_wanted.emit(tuple(self.model.rows), Path(path))


def _tip(row: AuditRow) -> str:
    return "\n".join(part for part in (row.reason, row.details) if part)
