"""Asks for one line of text, which must not be empty."""

from collections.abc import Callable

from PySide6.QtWidgets import QLineEdit, QWidget

from app.ui.dialogs import Dialog
from app.ui.small_widgets import button, label
from app.ui.text import tr
from migrations.study.clean_text import clean


class LineDialog(Dialog):
    """One required line of text.

    Parameters
    ----------
    name
        Object name of the line; those of the dialog and its buttons begin with it.
    said
        The purpose of the line.
    ok
        The words of the button that continues.
    given
        Called with the text, cleaned; not if the dialog is cancelled.
    """

    def __init__(
        self,
        parent: QWidget,
        name: str,
        title: str,
        said: str,
        ok: str,
        given: Callable[[str], object],
    ) -> None:
        super().__init__(parent, f"{name}_dialog", title, width=440)
        self._given = given
        self.line = QLineEdit()
        self.line.setObjectName(name)
        self._ok = button(f"{name}_ok", ok, self._accept, role="primary")
        self._ok.setEnabled(False)
        self.line.textChanged.connect(lambda _text: self._ok.setEnabled(bool(self._text())))
        self.body.addWidget(label(said, "hint"))
        self.body.addWidget(self.line)
        self.end_with(button(f"{name}_cancel", tr("Cancel"), self.reject), self._ok)

    def _text(self) -> str:
        return clean(self.line.text()).strip()

    def _accept(self) -> None:
        text = self._text()
        self.accept()
        self._given(text)
