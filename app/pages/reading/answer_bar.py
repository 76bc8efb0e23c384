"""The only question of a study without a form, under the images, with its answers to click."""

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QPushButton, QWidget

from app.ui import theme
from app.ui.small_widgets import button, label
from app.ui.text import tr
from migrations.study.forms import Question

_MOST_IN_A_ROW = 5


class AnswerBar(QFrame):
    """A question and its answers in one line, or two. Never takes the focus from the images.

    Attributes
    ----------
    buttons
        One per answer, in the order of the digit keys.

    Signals
    -------
    chosen : int
        Which answer (from 0) was clicked.
    """

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("answer_bar")
        self.setProperty("role", "strip")
        self.buttons: tuple[QPushButton, ...] = ()
        self._asked = label("", "body")
        self._asked.setMinimumWidth(200)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(16, theme.GRID // 2, 16, theme.GRID // 2)
        self._grid.setHorizontalSpacing(theme.GRID)
        self._grid.setVerticalSpacing(theme.GRID // 2)
        self._grid.setColumnStretch(_MOST_IN_A_ROW + 1, 1)
        self._pixels = 0.0

    @property
    def text(self) -> str:
        """Its question."""
        return self._asked.text()

    def ask(self, question: Question) -> None:
        """Ask this from now on."""
        for made in self.buttons:
            self._grid.removeWidget(made)
            made.hide()
            made.deleteLater()
        self._asked.setText(question.text)
        rows = -(-max(len(question.choices), 1) // _MOST_IN_A_ROW)
        self._grid.addWidget(self._asked, 0, 0, rows, 1)
        self.buttons = tuple(self._button(i, text) for i, text in enumerate(question.choices))
        for i, made in enumerate(self.buttons):
            self._grid.addWidget(made, i // _MOST_IN_A_ROW, 1 + i % _MOST_IN_A_ROW)
        self.set_text_size(self._pixels)

    def set_text_size(self, pixels: float) -> None:
        """Use a text size of this many `_view` pixels from now on; 0 for the default."""
        self._pixels = pixels
        size = f"font-size: {round(pixels)}px;" if pixels else ""
        for widget in self.findChildren(QWidget):
            widget.setStyleSheet(size)

    def show_answer(self, index: int | None) -> None:
        """Mark the answer in force; None for none."""
        for i, made in enumerate(self.buttons):
            made.setChecked(i == index)

    def _button(self, index: int, text: str) -> QPushButton:
        made = button(
            f"answer_{index + 1}", f"{index + 1}  {text}", role="answer",
            tip=tr("Key {key}", key=index + 1),
        )  # fmt: skip
        made.setAccessibleName(text)
        made.setCheckable(True)
        made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        made.clicked.connect(partial(self._clicked, index))
        return made

    def _clicked(self, index: int, _checked: bool = False) -> None:
        self.chosen.emit(index)
