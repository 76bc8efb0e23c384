"""The station's few dialogs. None blocks the event loop: recording continues behind them."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLineEdit, QPushButton, QWidget

from app.ui import theme
from app.ui.small_widgets import button, column, label, row, rule
from app.ui.text import tr, trn


class Dialog(QDialog):
    """A heading, what the dialog is about, and a row of buttons at the bottom right.

    Enter presses the button with the focus, or from anywhere else the last one; Esc rejects.

    Attributes
    ----------
    body
        Where its content lies, under the heading.
    """

    def __init__(
        self, parent: QWidget, name: str, title: str, *, heading: str = "", width: int = 480
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(width)
        self.body = column(self, 3 * theme.GRID, gap=2 * theme.GRID)
        self.body.addWidget(label(heading or title, "heading"))

    def end_with(self, *buttons: QPushButton) -> None:
        """Set the buttons; the last is the dialog's purpose, and Enter's."""
        line = row()
        line.addStretch(1)
        for made in buttons:
            line.addWidget(made)
        self.body.addLayout(line)
        buttons[-1].setDefault(True)


class MessageDialog(Dialog):
    """Says something in words, with one button."""

    def __init__(self, parent: QWidget, title: str, text: str) -> None:
        super().__init__(parent, "message_dialog", title)
        words = label(text)
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.body.addWidget(words)
        self.end_with(button("message_close", tr("Close"), self.accept, role="primary"))


class ChoiceDialog(Dialog):
    """Asks for one of two things; Enter chooses the first, Esc the second.

    Parameters
    ----------
    first, second
        Object name, text and what is called, of each button.
    """

    def __init__(
        self,
        parent: QWidget,
        title: str,
        text: str,
        first: tuple[str, str, Callable[[], object]],
        second: tuple[str, str, Callable[[], object]],
    ) -> None:
        super().__init__(parent, "choice_dialog", title)
        self._second = second[2]
        self.body.addWidget(label(text))
        self.end_with(
            button(second[0], second[1], self.reject),
            button(first[0], first[1], lambda: self._take(first[2]), role="primary"),
        )

    def reject(self) -> None:
        """Take the second."""
        super().reject()
        self._second()

    def _take(self, act: Callable[[], object]) -> None:
        self.accept()
        act()


class ConfirmDialog(Dialog):
    """Asks before something that cannot be taken back; Enter and Esc let things be.

    Parameters
    ----------
    act
        Object name, text and what is called, of the button that does it.
    keep
        Text of the button that does not.
    kept
        Called if it is not done.
    """

    def __init__(
        self,
        parent: QWidget,
        title: str,
        text: str,
        act: tuple[str, str, Callable[[], object]],
        keep: str,
        kept: Callable[[], object] = lambda: None,
    ) -> None:
        super().__init__(parent, "confirm_dialog", title)
        self.rejected.connect(kept)
        self.accepted.connect(act[2])
        self.body.addWidget(label(text))
        self.end_with(
            button(act[0], act[1], self.accept),
            button("keep", keep, self.reject, role="primary"),
        )


class SavingDialog(Dialog):
    """Says that the window will close once everything is saved.

    Parameters
    ----------
    stay
        Called when the user wants the window to stay open.
    insist
        Called when the user wants it closed, even if data are lost.
    """

    def __init__(
        self, parent: QWidget, stay: Callable[[], object], insist: Callable[[], object]
    ) -> None:
        heading = tr("Saving the recording")
        super().__init__(parent, "saving_dialog", tr("Saving"), heading=heading, width=520)
        self._stay = stay
        self._said = label("")
        self._insist = button("close_and_lose", "", insist)
        self._insist.hide()
        self.body.addWidget(self._said)
        self.end_with(
            self._insist, button("keep_open", tr("Keep Foveate open"), stay, role="primary")
        )

    @property
    def text(self) -> str:
        """What it says."""
        return self._said.text()

    def show_waiting(self, writes: int, problem: str) -> None:
        """Say how much is waiting, and for what; losing it is offered only if there is trouble."""
        closes = tr("Foveate closes when everything is saved.")
        self._said.setText(f"{problem}\n\n{closes}".strip())
        self._insist.setText(
            trn("Close and lose {count} unsaved write", "Close and lose {count} unsaved writes",
                writes)
        )  # fmt: skip
        self._insist.setVisible(bool(problem) and writes > 0)

    def reject(self) -> None:
        """Esc keeps the window."""
        self._stay()


class ConsentDialog(Dialog):
    """Shows the study's consent text; asks a new reader for a pseudonym.

    Parameters
    ----------
    consent
        The text that the reader agrees to.
    pseudonym
        That of a known reader; "" asks for one.
    taken
        Tells whether a pseudonym is in use.
    agreed
        Called with the pseudonym once the reader agrees.
    declined
        Called if the reader does not agree.
    """

    def __init__(
        self,
        parent: QWidget,
        consent: str,
        pseudonym: str,
        taken: Callable[[str], bool],
        agreed: Callable[[str], object],
        declined: Callable[[], object] = lambda: None,
    ) -> None:
        heading = tr("Your consent") if pseudonym else tr("New reader")
        super().__init__(parent, "consent_dialog", tr("Reader"), heading=heading, width=520)
        self.rejected.connect(declined)
        self._known, self._taken, self._agreed = pseudonym, taken, agreed
        self._name = QLineEdit(pseudonym)
        self._name.setObjectName("pseudonym")
        self._name.setPlaceholderText("R1")
        self._name.setAccessibleName(tr("Pseudonym"))
        self._name.setMaxLength(32)
        self._name.setReadOnly(bool(pseudonym))
        if pseudonym:  # nothing to type, so the buttons get the focus
            self._name.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._problem = label("", "warning")
        self._agree = button("consent_agree", tr("I agree"), self._accept, role="primary")
        self._fill(consent)
        self._name.textChanged.connect(self._check)
        self._check()

    def _fill(self, consent: str) -> None:
        layout = self.body
        if not self._known:
            layout.addWidget(
                label(tr("Use a pseudonym, not a name: it is stored with every reading."), "hint")
            )
        layout.addWidget(self._name)
        layout.addWidget(rule())
        layout.addWidget(label(consent))
        layout.addWidget(self._problem)
        self.end_with(button("consent_decline", tr("Not now"), self.reject), self._agree)

    def _check(self) -> None:
        name = self._name.text().strip()
        taken = not self._known and bool(name) and self._taken(name)
        said = tr("{name} is already in use.", name=name)
        self._problem.setText(f"⚠ {said}" if taken else "")
        self._problem.setVisible(taken)
        self._agree.setEnabled(bool(name) and not taken)

    def _accept(self) -> None:
        name = self._name.text().strip()
        self.accept()
        self._agreed(name)
