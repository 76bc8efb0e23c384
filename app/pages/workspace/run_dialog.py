"""Asks for the name, tags and note of a run."""

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QWidget

from app.ui.dialogs import Dialog
from app.ui.small_widgets import button, label
from app.ui.text import tr
from app.workspace.run_edits import LONGEST_NAME
from app.workspace.runs import RunRow

Given = Callable[[str, Sequence[str], str], object]


class RunDialog(Dialog):
    """Changes a run's name, tags and note.

    Parameters
    ----------
    given
        Called with name, tags and note.
    """

    def __init__(self, parent: QWidget, run: RunRow, given: Given) -> None:
        super().__init__(parent, "run_dialog", tr("Name, tags and note"), width=520)
        self._given = given
        self.name, self.tags = QLineEdit(run.name), QLineEdit(", ".join(run.tags))
        self.name.setMaxLength(LONGEST_NAME)
        self.note = QPlainTextEdit(run.note)
        self.note.setTabChangesFocus(True)
        self.note.setFixedHeight(96)
        for text, name, widget in (
            (tr("Name"), "run_name", self.name),
            (tr("Tags, separated by commas"), "run_tags", self.tags),
            (tr("Note"), "run_note", self.note),
        ):
            widget.setObjectName(name)
            widget.setAccessibleName(text)
            self.body.addWidget(label(text, "hint"))
            self.body.addWidget(widget)
        self._ok = button("run_edit_ok", tr("Save"), self._accept, role="primary")
        self.name.textChanged.connect(lambda text: self._ok.setEnabled(bool(text.strip())))
        self.end_with(button("run_edit_cancel", tr("Cancel"), self.reject), self._ok)

    def _accept(self) -> None:
        name, tags, note = self.name.text(), self.tags.text(), self.note.toPlainText()
        self.accept()
        self._given(name, tags.split(","), note)
