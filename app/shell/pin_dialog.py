"""Asks for the researcher's PIN, or for a new one if none is set."""

from collections.abc import Callable

from PySide6.QtWidgets import QLineEdit, QWidget

from app.ui.dialogs import Dialog
from app.ui.small_widgets import button, label, say
from app.ui.text import tr
from app.workspace.pin import MIN_LENGTH, PROTECTS, PinRefused, has_pin, is_pin, set_pin


class PinDialog(Dialog):
    """Opens the workspace to anyone who knows the PIN.

    Parameters
    ----------
    opened
        Called once the PIN is right, or newly set.
    """

    def __init__(self, parent: QWidget, opened: Callable[[], object]) -> None:
        super().__init__(parent, "pin_dialog", tr("Researcher's workspace"), width=440)
        self._opened, self._new = opened, not has_pin()
        self.pin, self.again = _field("pin", tr("PIN")), _field("pin_again", tr("Repeat PIN"))
        self._problem = label("", "warning")
        self._problem.hide()
        layout = self.body
        if self._new:
            text = tr(
                "Choose a PIN of at least {count} characters. It is stored only on this computer.",
                count=MIN_LENGTH,
            )
        else:
            text = tr("Cohort, gaze similarity, pre-training and runs are for researchers only.")
            self.again.hide()
        layout.addWidget(label(f"{text} {tr(PROTECTS)}", "hint"))
        for widget in (self.pin, self.again, self._problem):
            layout.addWidget(widget)
        self.end_with(
            button("pin_cancel", tr("Cancel"), self.reject),
            button("pin_ok", tr("Open"), self._accept, role="primary"),
        )

    @property
    def problem(self) -> str:
        """Why it does not open; "" at first."""
        return self._problem.text()

    def _accept(self) -> None:
        try:
            if self._new and self.pin.text() != self.again.text():
                raise PinRefused(tr("The PINs do not match."))
            if self._new:
                set_pin(self.pin.text())
            elif not is_pin(self.pin.text()):
                raise PinRefused(tr("Wrong PIN."))
        except PinRefused as error:
            say(self._problem, f"⚠ {error}", "warning")
            self._problem.show()
            self.pin.selectAll()
            self.pin.setFocus()
            return
        self.accept()
        self._opened()


def _field(name: str, title: str) -> QLineEdit:
    made = QLineEdit()
    made.setObjectName(name)
    made.setPlaceholderText(title)
    made.setAccessibleName(title)
    made.setEchoMode(QLineEdit.EchoMode.Password)
    made.setMaxLength(64)
    return made
