"""Asks for the reason for a choice, which is shown in the report."""

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from app.pages.workspace.line_dialog import LineDialog
from app.ui.text import tr


class ReasonDialog(LineDialog):
    """Asks for a reason."""

    def __init__(self, parent: QWidget, title: str, given: Callable[[str], object]) -> None:
        why = tr("Give a reason. It is recorded in the audit trail and appears in the report.")
        super().__init__(parent, "reason", title, why, title, given)
        self.line.setAccessibleName(tr("Reason"))
        self.line.setPlaceholderText(tr("For example: the reader looked away"))
