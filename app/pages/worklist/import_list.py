"""All that an import has to say, file by file: searched, copied, as long as it is."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import QComboBox, QTableView, QWidget

from app.ui import theme
from app.ui.column_widths import ColumnWidths
from app.ui.dialogs import Dialog
from app.ui.search_field import search_field
from app.ui.small_widgets import button, label, row
from app.ui.table_model import Column, TableModel, table_view
from app.ui.text import tr

REFUSED, NOTED = "refused", "noted"
_SHARES = (1, 3, 6)
_SIZE = (960, 600)


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that an import says.

    Attributes
    ----------
    kind
        `REFUSED`, `NOTED`, or the kind of a mismatch with the csv of labels.
    name
        File, or line of the csv.
    text
        What is the matter.
    """

    kind: str
    name: str
    text: str


_COLUMNS: tuple[Column[Remark], ...] = (
    Column("Type", lambda one: tr(one.kind).capitalize()),
    Column("File or line", lambda one: one.name, tip=lambda one: one.name),
    Column("Reason", lambda one: one.text, tip=lambda one: one.text),
)


class ImportListDialog(Dialog):
    """Lists every remark; a word and a kind narrow the list, Ctrl+C copies it."""

    def __init__(self, parent: QWidget, summary: str, remarks: Sequence[Remark]) -> None:
        super().__init__(parent, "import_list", tr("Import results"), width=_SIZE[0])
        self.resize(*_SIZE)
        self._total = len(remarks)
        self.model = TableModel(_COLUMNS)
        self.words = search_field("find_remark", tr("Search files and reasons"))
        self.kind = QComboBox()
        self.kind.setObjectName("remark_kind")
        self.kind.setAccessibleName(tr("Type"))
        self.kind.addItem(tr("Everything"), "")
        for kind in dict.fromkeys(one.kind for one in remarks):
            self.kind.addItem(tr(kind).capitalize(), kind)
        self.table = self._make_table()
        self._found = label("", "small", wrap=False)
        self._fill(summary)
        self.model.set_rows(remarks)
        self.words.textChanged.connect(self._find)
        self.kind.activated.connect(self._find)
        QShortcut(QKeySequence.StandardKey.Copy, self.table, self.copy,
                  context=Qt.ShortcutContext.WidgetShortcut)  # fmt: skip
        self._find()

    def copy(self) -> None:
        """Copy the marked lines, or all that are listed, as tab-separated text."""
        marked = sorted({index.row() for index in self.table.selectionModel().selectedRows()})
        rows = [self.model.rows[k] for k in marked] or self.model.rows
        lines = [[column.text(one) for column in _COLUMNS] for one in rows]
        QGuiApplication.clipboard().setText("\n".join("\t".join(line) for line in lines))

    def _fill(self, summary: str) -> None:
        self.body.addWidget(label(summary))
        line = row(self.words, self.kind, self._found)
        line.setStretch(0, 1)
        self.body.addLayout(line)
        self.body.addWidget(self.table, 1)
        tip = tr("Copies the selected lines, or all of them if none is selected")
        self.end_with(
            button("copy_remarks", tr("Copy"), self.copy, tip=tip),
            button("close_remarks", tr("Close"), self.accept, role="primary"),
        )

    def _make_table(self) -> QTableView:
        made = table_view(self.model, "remarks", tr("Import results"))
        made.setSelectionMode(QTableView.SelectionMode.ExtendedSelection)
        made.verticalHeader().setDefaultSectionSize(4 * theme.GRID)
        head = made.horizontalHeader()
        head.setSortIndicatorClearable(True)
        head.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        made.setSortingEnabled(True)
        ColumnWidths(made, _SHARES)
        return made

    def _find(self) -> None:
        words, kind = self.words.text().casefold().split(), self.kind.currentData()

        def passes(one: Remark) -> bool:
            said = f"{one.name} {one.text}".casefold()
            return kind in ("", one.kind) and all(word in said for word in words)

        self.model.set_filter(passes)
        count = len(self.model.rows)
        self._found.setText(tr("{count} of {total}", count=f"{count:,}", total=f"{self._total:,}"))
