"""What an import brought, and the files that were refused with the reason."""

from collections.abc import Sequence

from PySide6.QtWidgets import QFrame, QPlainTextEdit

from app.pages.worklist.import_list import REFUSED, ImportListDialog, Remark
from app.ui.small_widgets import button, column, label, row
from app.ui.text import tr, trn

_LEAST_LINES, _MOST_LINES = 2, 5
_EDGES = 24
"""Of frame and margins, with room for a bar across."""


class RefusedList(QFrame):
    """Hidden until an import ended; closed by the user."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self._text = label("")
        self._list = QPlainTextEdit()
        self._list.setObjectName("refused")
        self._list.setReadOnly(True)
        self._list.setAccessibleName(tr("Refused files"))
        line = row(self._text)
        line.setStretch(0, 1)
        self.more = button("import_list", tr("Show all…"), self._show_all)
        line.addWidget(self.more)
        line.addWidget(button("close_refused", tr("Close"), self.hide, role="quiet"))
        layout = column(self, 16)
        layout.addLayout(line)
        layout.addWidget(self._list)
        self._remarks: tuple[Remark, ...] = ()
        self.hide()

    @property
    def text(self) -> str:
        """All that it says."""
        return f"{self._text.text()}\n{self._list.toPlainText()}".strip()

    def show_result(
        self, text: str, refused: Sequence[tuple[str, str]], remarks: Sequence[Remark] = ()
    ) -> None:
        """Show a summary, and one line per refused file: name and reason.

        Parameters
        ----------
        remarks
            All that the import says, for the list that can be searched; those refused by default.
        """
        self._remarks = tuple(remarks) or tuple(Remark(REFUSED, *one) for one in refused)
        count = len(self._remarks)
        self.more.setText(trn("Show {count} remark…", "Show all {count} remarks…", count))
        self.more.setVisible(count > 0)
        self._text.setText(f"⚠ {text}" if refused else f"✓ {text}")
        self._list.setPlainText("\n".join(f"{name}: {reason}" for name, reason in refused))
        lines = min(max(len(refused), _LEAST_LINES), _MOST_LINES)
        self._list.setFixedHeight(self._list.fontMetrics().lineSpacing() * lines + _EDGES)
        self._list.setVisible(bool(refused))
        self.show()

    def _show_all(self) -> None:
        ImportListDialog(self.window(), self._text.text(), self._remarks).open()
