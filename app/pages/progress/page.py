"""How far each reader of the study is, by arm; only for the researcher."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal

from app.ui.nothing_yet import NothingOr, nothing_yet
from app.ui.page import Page
from app.ui.small_widgets import button
from app.ui.table_model import Column, TableModel, table_view
from app.ui.text import tr, trn
from migrations.study.progress import Progress

_BAR = 20
"""Characters in a full bar."""


def _bar(row: Progress) -> str:
    full = round(_BAR * _share(row))
    return "█" * full + "░" * (_BAR - full)


def _share(row: Progress) -> float:
    return min(1.0, row.read / row.planned) if row.planned else 0.0


def _left(row: Progress) -> int:
    return max(0, row.planned - row.read)


class ProgressPage(Page):
    """A line for each reader and arm, and buttons to import plans and case sheets.

    Signals
    -------
    plan_wanted, sheets_wanted
        A csv should be chosen.
    """

    plan_wanted = Signal()
    sheets_wanted = Signal()

    def __init__(self) -> None:
        super().__init__("progress", tr("Progress"))
        self.head.addWidget(
            button("progress_sheets", tr("Case sheets from a csv…"), self.sheets_wanted.emit,
                   tip=tr("A csv with the columns case, age_group, sex, question and priors"))
        )  # fmt: skip
        self.head.addWidget(
            button("progress_plan", tr("Plan from a csv…"), self.plan_wanted.emit,
                   tip=tr("Who reads what: a csv with the columns reader, case, order and arm"))
        )  # fmt: skip
        self._columns: tuple[Column[Progress], ...] = (
            Column(tr("Reader"), lambda r: r.reader),
            Column(tr("Arm"), lambda r: r.arm or "–"),
            Column(tr("Planned"), lambda r: f"{r.planned:,}", lambda r: r.planned),
            Column(tr("Read"), lambda r: f"{r.read:,}", lambda r: r.read),
            Column(tr("Left"), lambda r: f"{_left(r):,}", _left),
            Column(tr("Share"), lambda r: f"{_share(r):.0%}", _share),
            Column("", _bar, _share),
        )
        self.model = TableModel(self._columns)
        self.table = table_view(self.model, "progress_table", tr("Progress of the readers"))
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)  # arms stay in their order
        nothing = nothing_yet(
            "progress",
            tr("No readers yet"),
            tr("They appear after their first session, or with a plan of who reads what."),
        )
        self._shown = NothingOr(nothing, self.table)
        self.body.addWidget(self._shown, 1)
        self.show_rows(())

    def show_rows(self, rows: Sequence[Progress], said: str = "") -> None:
        """Show the readers' progress, and what was just done."""
        self.model.set_rows(rows)
        self.table.resizeColumnsToContents()
        self._shown.show_content(bool(rows))
        readers = len({row.reader for row in rows})
        planned, read = sum(r.planned for r in rows), sum(min(r.read, r.planned) for r in rows)
        how = trn("One reader", "{count} readers", readers)
        done = tr("{read} of {planned} readings done", read=f"{read:,}", planned=f"{planned:,}")
        self.say_state(said or (tr("{readers}: {done}.", readers=how, done=done) if rows else ""))
