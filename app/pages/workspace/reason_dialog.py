"""Asks for the reason of a choice that stands in the report."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLineEdit, QWidget

from app.ui import theme
from app.ui.small_widgets import button, column, label, row


class ReasonDialog(QDialog):
    """One line of text, needed."""

    def __init__(self, parent: QWidget, title: str, given: Callable[[str], object]) -> None:
        super().__init__(parent)
        self.setObjectName("reason_dialog")
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(440)
        self._given = given
        self.reason = QLineEdit()
        self.reason.setObjectName("reason")
        self.reason.setPlaceholderText("e.g. the reader looked at a second screen")
        self._ok = button("reason_ok", title, self._accept, role="primary")
        self._ok.setEnabled(False)
        self.reason.textChanged.connect(lambda text: self._ok.setEnabled(bool(text.strip())))
        layout = column(self, 3 * theme.GRID, gap=2 * theme.GRID)
        layout.addWidget(label(title, "heading"))
        layout.addWidget(label("Why? The reason is recorded and stands in the report.", "hint"))
        layout.addWidget(self.reason)
        line = row()
        line.addStretch(1)
        line.addWidget(button("reason_cancel", "Cancel", self.reject))
        line.addWidget(self._ok)
        layout.addLayout(line)

    def _accept(self) -> None:
        text = self.reason.text().strip()
        self.accept()
        self._given(text)
