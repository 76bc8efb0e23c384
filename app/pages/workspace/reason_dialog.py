"""Asks for the reason of a choice that stands in the report."""

from collections.abc import Callable

from PySide6.QtWidgets import QLineEdit, QWidget

from app.ui.dialogs import Dialog
from app.ui.small_widgets import button, label
from app.ui.text import tr


class ReasonDialog(Dialog):
    """One line of text, needed."""

    def __init__(self, parent: QWidget, title: str, given: Callable[[str], object]) -> None:
        super().__init__(parent, "reason_dialog", title, width=440)
        self._given = given
        self.reason = QLineEdit()
        self.reason.setObjectName("reason")
        self.reason.setAccessibleName(tr("Reason"))
        self.reason.setPlaceholderText(tr("For example: the reader looked away"))
        self._ok = button("reason_ok", title, self._accept, role="primary")
        self._ok.setEnabled(False)
        self.reason.textChanged.connect(lambda text: self._ok.setEnabled(bool(text.strip())))
        why = tr("Give a reason. It is recorded in the audit trail and appears in the report.")
        self.body.addWidget(label(why, "hint"))
        self.body.addWidget(self.reason)
        self.end_with(button("reason_cancel", tr("Cancel"), self.reject), self._ok)

    def _accept(self) -> None:
        text = self.reason.text().strip()
        self.accept()
        self._given(text)
