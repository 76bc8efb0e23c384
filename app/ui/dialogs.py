"""The station's few dialogs. None blocks the event loop: recording goes on behind them."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLineEdit, QWidget

from app.ui import theme
from app.ui.small_widgets import button, column, label, row, rule


class MessageDialog(QDialog):
    """Says something in words, with one button."""

    def __init__(self, parent: QWidget, title: str, text: str) -> None:
        super().__init__(parent)
        self.setObjectName("message_dialog")
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(480)
        layout = column(self, 3 * theme.GRID, gap=2 * theme.GRID)
        layout.addWidget(label(title, "heading"))
        words = label(text)
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout.addWidget(words)
        line = row()
        line.addStretch(1)
        line.addWidget(button("message_close", "Close", self.accept, role="primary"))
        layout.addLayout(line)


class ChoiceDialog(QDialog):
    """Asks for one of two things; Esc is the second.

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
        super().__init__(parent)
        self.setObjectName("choice_dialog")
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(480)
        self._second = second[2]
        layout = column(self, 3 * theme.GRID, gap=2 * theme.GRID)
        layout.addWidget(label(title, "heading"))
        layout.addWidget(label(text))
        line = row()
        line.addStretch(1)
        line.addWidget(button(second[0], second[1], self.reject))
        line.addWidget(button(first[0], first[1], lambda: self._take(first[2]), role="primary"))
        layout.addLayout(line)

    def reject(self) -> None:
        """Take the second."""
        super().reject()
        self._second()

    def _take(self, act: Callable[[], object]) -> None:
        self.accept()
        act()


class SavingDialog(QDialog):
    """Says that the window closes once all is saved.

    Parameters
    ----------
    stay
        Called when the user wants the window to stay.
    insist
        Called when the user wants it closed, whatever is lost.
    """

    def __init__(
        self, parent: QWidget, stay: Callable[[], object], insist: Callable[[], object]
    ) -> None:
        super().__init__(parent)
        self.setObjectName("saving_dialog")
        self.setWindowTitle("Saving")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(520)
        self._stay = stay
        self._said = label("")
        self._insist = button("close_and_lose", "", insist)
        self._insist.hide()
        layout = column(self, 3 * theme.GRID, gap=2 * theme.GRID)
        layout.addWidget(label("Saving what was recorded", "heading"))
        layout.addWidget(self._said)
        line = row()
        line.addStretch(1)
        line.addWidget(self._insist)
        line.addWidget(button("keep_open", "Keep Foveate open", stay, role="primary"))
        layout.addLayout(line)

    @property
    def text(self) -> str:
        """What it says."""
        return self._said.text()

    def show_waiting(self, writes: int, problem: str) -> None:
        """Say how much waits, and for what; losing it is offered only where there is trouble."""
        self._said.setText(f"{problem}\n\nFoveate closes when all is saved.".strip())
        self._insist.setText(f"Close and lose {writes} unsaved writes")
        self._insist.setVisible(bool(problem) and writes > 0)

    def reject(self) -> None:
        """Esc keeps the window."""
        self._stay()


class ConsentDialog(QDialog):
    """Shows the study's consent text; asks a new reader for a pseudonym.

    Parameters
    ----------
    consent
        What the reader agrees to.
    pseudonym
        Of a known reader; empty asks for one.
    taken
        Tells whether a pseudonym is in use.
    agreed
        Called with the pseudonym once the reader agrees.
    """

    def __init__(
        self,
        parent: QWidget,
        consent: str,
        pseudonym: str,
        taken: Callable[[str], bool],
        agreed: Callable[[str], object],
    ) -> None:
        super().__init__(parent)
        self.setObjectName("consent_dialog")
        self.setWindowTitle("Reader")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(520)
        self._known, self._taken, self._agreed = pseudonym, taken, agreed
        self._name = QLineEdit(pseudonym)
        self._name.setObjectName("pseudonym")
        self._name.setPlaceholderText("R1")
        self._name.setMaxLength(32)
        self._name.setReadOnly(bool(pseudonym))
        if pseudonym:  # nothing to type: the keyboard goes to the buttons
            self._name.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._problem = label("", "warning")
        self._agree = button("consent_agree", "I agree", self._accept, role="primary")
        self._fill(consent)
        self._name.textChanged.connect(self._check)
        self._check()

    def _fill(self, consent: str) -> None:
        layout = column(self, 3 * theme.GRID, gap=2 * theme.GRID)
        layout.addWidget(label("New reader" if not self._known else "Your consent", "heading"))
        if not self._known:
            layout.addWidget(
                label("A pseudonym, never a name: it is stored with every reading.", "hint")
            )
        layout.addWidget(self._name)
        layout.addWidget(rule())
        layout.addWidget(label(consent))
        layout.addWidget(self._problem)
        line = row()
        line.addStretch(1)
        line.addWidget(button("consent_decline", "Not now", self.reject))
        line.addWidget(self._agree)
        layout.addLayout(line)

    def _check(self) -> None:
        name = self._name.text().strip()
        taken = not self._known and bool(name) and self._taken(name)
        self._problem.setText(f"⚠ {name} is in use already." if taken else "")
        self._problem.setVisible(taken)
        self._agree.setEnabled(bool(name) and not taken)

    def _accept(self) -> None:
        name = self._name.text().strip()
        self.accept()
        self._agreed(name)
