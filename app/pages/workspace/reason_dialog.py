"""Asks for the reason of a choice that stands in the report."""

from collections.abc import Callable

from PySide6.QtWidgets import QLineEdit, QWidget

from app.ui.dialogs import Dialog
from app.ui.small_widgets import button, label


class ReasonDialog(Dialog):
    """One line of text, needed."""

    def __init__(self, parent: QWidget, title: str, given: Callable[[str], object]) -> None:
        super().__init__(parent, "reason_dialog", title, width=440)
        self._given = given
        self.reason = QLineEdit()
        self.reason.setObjectName("reason")
        self.reason.setPlaceholderText("e.g. the reader looked at a second screen")
        self._ok = button("reason_ok", title, self._accept, role="primary")
        self._ok.setEnabled(False)
        self.reason.textChanged.connect(lambda text: self._ok.setEnabled(bool(text.strip())))
        self.body.addWidget(label("Why? The reason is recorded and stands in the report.", "hint"))
        self.body.addWidget(self.reason)
        self.end_with(button("reason_cancel", "Cancel", self.reject), self._ok)

    def _accept(self) -> None:
        text = self.reason.text().strip()
        self.accept()
        self._given(text)
