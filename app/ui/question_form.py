"""The questions of a form beside the images: asked one at a time, answered by key or click."""

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from app.recording.form_state import FormState, Said
from app.ui import theme
from app.ui.small_widgets import button, column, label
from app.ui.text import tr
from migrations.study.errors import SettingsError
from migrations.study.forms import Question, checked_value, chosen_of

WIDTH = 264


class _Line(QLineEdit):
    """A line that keeps its Enter, since the page's own Enter leaves the case."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Accept the key, and keep Enter."""
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.accept()


class QuestionForm(QFrame):
    """Shows a form and accepts its answers.

    Attributes
    ----------
    state
        The reader's position in it.

    Signals
    -------
    said : object
        An answer to write (`Said`).
    problem : str
        The text typed is not a valid answer, and why.
    typed
        A typed answer was accepted: the focus can return to the images.
    """

    said = Signal(object)
    problem = Signal(str)
    typed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("question_form")
        self.setProperty("role", "strip")
        self.setFixedWidth(WIDTH)
        self.state = FormState(())
        self._line: QLineEdit | None = None
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column(self).addWidget(self._scroll)

    def begin(self, questions: tuple[Question, ...]) -> None:
        """Ask a form from its first question on."""
        self.state = FormState(questions)
        self.draw()

    def choose(self, index: int) -> bool:
        """Answer the current question by a digit key; False if it has no such answer."""
        said = self.state.choose(index)
        if said is not None:
            self._tell(said)
        return said is not None

    def enter(self) -> bool:
        """Accept the choices made; False if Enter does not belong to the form now."""
        said = self.state.enter()
        if said is not None:
            self._tell(said)
        return said is not None

    def ask_of_mark(self, mark: str) -> None:
        """Ask about a mark that was just made, if the form has questions about marks."""
        if any(q.scope == "mark" for q in self.state.questions):
            self.state.begin_mark(mark)
            self.draw()

    def drop_mark(self, mark: str) -> None:
        """Stop asking about a mark that was undone."""
        self.state.drop_mark(mark)
        self.draw()

    def forget(self, key: str, mark: str | None = None) -> None:
        """Undo an answer and those that depended on it, and ask that question again."""
        self.state.forget(key, mark)
        for each in self.state.withdrawn():
            self.said.emit(each)
        self.draw()

    def step(self, by: int) -> None:
        """Ask the question after or before this one."""
        self.state.step(by)
        self.draw()

    def draw(self) -> None:
        """Show the form as it is now; a question with typed answers gets the focus."""
        inside = QWidget()
        layout = column(inside, 2 * theme.GRID, gap=theme.GRID)
        number = self.state.mark_number()
        where = tr("Mark {number}", number=number) if number else tr("Case")
        layout.addWidget(label(where, "caption"))
        current, line = self.state.current, None
        for question in self.state.shown:
            layout.addWidget(self._head(question, question == current))
            if question == current:
                line = self._add_choices(layout, question)
        layout.addStretch(1)
        former = self._scroll.takeWidget()
        if former is not None:
            former.deleteLater()  # one of its buttons may have been pressed just now
        self._scroll.setWidget(inside)
        self._line = line
        if line is not None and self.isVisible():
            line.setFocus()

    def _head(self, question: Question, is_current: bool) -> QWidget:
        said = self.state.value(question.key)
        words = "" if said is None else ", ".join(chosen_of(question.kind, said)) or tr("none")
        text = question.text
        if not question.required:
            text = tr("{question} (optional)", question=question.text)
        if is_current:
            made = label(f"▸ {text}" + (f"  {words}" if words else ""))
            made.setObjectName("question_now")
            made.setAccessibleName(f"{text}  {words}".strip())
            return made
        go = button(f"question_{question.key}", f"{text}  {words or '–'}",
                    lambda: self._go_to(question.key), role="quiet")  # fmt: skip
        go.setAccessibleName(f"{text}  {words or tr('not answered')}")
        go.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        go.setStyleSheet("text-align: left;")
        return go

    def _add_choices(self, layout: QVBoxLayout, question: Question) -> QLineEdit | None:
        """Add the widgets for answering a question; return the line for typing, if there is one."""
        chosen = chosen_of(question.kind, self.state.value(question.key) or "[]")
        for index, word in enumerate(question.choices):
            sign = "✓ " if word in chosen else ""
            press = partial(self.choose, index)
            choice = button(f"choice_{index + 1}", f"{sign}{index + 1}  {word}", press)
            choice.setAccessibleName(f"{index + 1}  {word}")
            choice.setAccessibleDescription(question.text)
            choice.setCheckable(True)
            choice.setChecked(word in chosen)
            choice.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            choice.setStyleSheet("text-align: left;")
            layout.addWidget(choice)
        if question.kind == "multiple":
            layout.addWidget(label(tr("Choose any number, then press Enter"), "small"))
        return None if question.choices else self._add_line(layout, question)

    def _add_line(self, layout: QVBoxLayout, question: Question) -> QLineEdit:
        line = _Line(self.state.value(question.key) or "")
        line.setObjectName("question_line")
        line.setAccessibleName(question.text)
        line.returnPressed.connect(lambda: self._take_line(question, line.text()))
        layout.addWidget(line)
        bounds = question.bounds
        hint = tr("Type an answer, then press Enter.")
        if bounds:
            hint = tr(
                "Type a number from {low:g} to {high:g}, then press Enter.",
                low=bounds[0], high=bounds[1],
            )  # fmt: skip
        optional = "" if question.required else tr("May be left empty.")
        line.setAccessibleDescription(f"{hint} {optional}".strip())
        layout.addWidget(label(line.accessibleDescription(), "small"))
        return line

    def _take_line(self, question: Question, text: str) -> None:
        if not text.strip() and not question.required:
            self.state.step(1)
            self.draw()
            self.typed.emit()
            return
        try:
            value = checked_value(question, text.strip())
        except SettingsError as error:
            self.problem.emit(str(error))
            return
        said = self.state.put(value)
        if said is not None:
            self._tell(said)
        self.typed.emit()

    def _tell(self, said: Said) -> None:
        withdrawn = self.state.withdrawn()
        self.draw()
        self.said.emit(said)
        for each in withdrawn:
            self.said.emit(each)
        if self._line is None:
            self.typed.emit()

    def _go_to(self, key: str) -> None:
        self.state.go_to(key)
        self.draw()
