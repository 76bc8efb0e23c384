"""Reading: the images fill the screen; one thin strip shows the state."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QApplication, QWidget

from app.hanging.lightbox import Hung
from app.pages.reading.answer_bar import AnswerBar
from app.pages.reading.canvas import ImageCanvas
from app.pages.reading.case_sheet import CaseSheet
from app.pages.reading.note_side import NoteSide
from app.pages.reading.panel_stack import PanelStack
from app.pages.reading.panels import PRESSING, ReadingPanel
from app.pages.reading.strip import ReadingStrip
from app.ui import theme
from app.ui.keys import KeyMap, class_index
from app.ui.question_form import QuestionForm
from app.ui.small_widgets import column, row
from app.ui.text import tr
from migrations.study.forms import Question

_READING = ("reading", "addendum")
_MESSAGE_MS = 4000
_NOT_ASKED = {
    "box": "This study does not ask for boxes.",
    "keypoint": "This study does not ask for marks.",
    "note": "This study does not ask for notes.",
    "confidence_up": "This study does not ask for your confidence.",
    "confidence_down": "This study does not ask for your confidence.",
}


class ReadingPage(QWidget):
    """Shows a case and takes the answer; the station writes what happens.

    Attributes
    ----------
    state
        "idle", "loading", "reading", "paused", "addendum", "between" or "complete".
    current_case_id
        The case on the screen, if any.
    answer
        The class chosen for it, if any.
    may_resume
        Called before a paused reading resumes; returns what speaks against it, "" for nothing.

    Signals
    -------
    view_changed : str, int
        What the reader sees of a tile has changed (`TileView.kind`).
    answered : str
        A class was chosen; in the state "addendum", for the previous case.
    next_wanted
        The case is answered and done with.
    paused, resumed, left
        A panel covers the images, they are back, or the reader wants to leave.
    end_wanted
        The session should be ended.
    back_wanted
        Back to the worklist.
    correct_wanted, correct_ended
        The last answer should be corrected; the correction is over.
    went_on
        The reader continues after a break or feedback.
    asked : str
        An action of the key map that the station performs: undo, flag, keypoint, confidence_up, ….
    note_written : str
        A free note.
    code_given : str
        What the reader typed as the code that `ask_code` asks for.
    """

    view_changed = Signal(str, int)
    answered = Signal(str)
    next_wanted = Signal()
    paused = Signal()
    resumed = Signal()
    left = Signal()
    end_wanted = Signal()
    back_wanted = Signal()
    correct_wanted = Signal()
    correct_ended = Signal()
    went_on = Signal()
    asked = Signal(str)
    note_written = Signal(str)
    code_given = Signal(str)

    def __init__(self, keys: KeyMap | None = None) -> None:
        super().__init__()
        self.name = "reading"
        self.setObjectName("reading_page")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.state = "idle"
        self.current_case_id: str | None = None
        self.answer: str | None = None
        self.may_resume: Callable[[], str] = lambda: ""
        self._classes: tuple[str, ...] = ()
        self._allowed: frozenset[str] = frozenset()
        self._questions: tuple[Question, ...] = ()
        self._time_is_up = self._asks_code = False
        self.keys = keys or KeyMap()
        self.canvas = ImageCanvas(keys=self.keys)
        self.canvas.view_changed.connect(self._on_view_changed)
        self.canvas.message.connect(self.say_shortly)
        policy = self.canvas.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.canvas.setSizePolicy(policy)
        self.strip = ReadingStrip()
        self._quiet = QTimer(self)
        self._quiet.setSingleShot(True)
        self._quiet.timeout.connect(self._say_what_to_do)
        self.form = QuestionForm()
        self.form.hide()
        self.form.problem.connect(lambda words: self.strip.show_message(words, warn=True))
        self.form.typed.connect(self.canvas.setFocus)
        self.bar = AnswerBar()
        self.bar.chosen.connect(self._clicked)
        self.note = NoteSide()
        self.note.written.connect(self.note_written)
        self.note.closed.connect(self._note_closed)
        layout = column(self, gap=0)
        self.sheet = CaseSheet()
        beside = row(self.canvas, self.sheet, self.form, self.note, gap=0)
        beside.setStretch(0, 1)
        layout.addLayout(beside, 1)
        layout.addWidget(self.bar)
        layout.addWidget(self.strip)
        self.setAutoFillBackground(True)
        shade = self.palette()
        shade.setColor(QPalette.ColorRole.Window, QColor(theme.CASE_BACKGROUND))
        self.setPalette(shade)
        self._panels = self._make_panels()
        self._doing: dict[str | None, Callable[[], object]] = {
            "next": self._next,
            "leave": self._pause,
            "back": self.correct_wanted.emit,
            "help": lambda: self._covered(self._panels.help),
            "question_next": lambda: self.form.step(1),
            "question_back": lambda: self.form.step(-1),
        }

    @property
    def panel(self) -> ReadingPanel | None:
        """The panel that is up, if any."""
        return self._panels.up

    def use_keys(self, keys: KeyMap) -> None:
        """Use other keys from now on."""
        self.keys = self.canvas.keys = keys
        self._panels.use_keys(keys)

    def set_study(
        self,
        classes: Sequence[str],
        annotations: Sequence[str] = (),
        questions: tuple[Question, ...] = (),
        *,
        with_sheet: bool = False,
    ) -> None:
        """Offer the answers and the annotations of the study, and its form if it has one.

        `with_sheet`: whether the study shows anything of the cases' sheets.
        """
        self.sheet.setVisible(with_sheet)
        self._classes = tuple(classes)
        self._questions = questions if len(questions) > 1 else ()
        self.form.setVisible(bool(self._questions))
        self.bar.setVisible(not self._questions)
        if questions:
            self.bar.ask(questions[0])
        kinds = set(annotations) | ({"confidence_up", "confidence_down"}
                                    if "confidence" in annotations else set())  # fmt: skip
        self._allowed = frozenset(kinds)

    def set_text_size(self, pixels: float) -> None:
        """Use a text size of this many `_view` pixels in strip and questions."""
        self.strip.set_text_size(pixels)
        self.bar.set_text_size(pixels)
        self.note.set_text_size(pixels)
        self.sheet.set_text_size(pixels)

    def show_loading(self) -> None:
        """Wait for the first case."""
        self.state, self.current_case_id, self.answer = "loading", None, None
        self.canvas.set_image(None)
        self._hide_panels()
        self.strip.show_answer("")
        self.strip.show_message(tr("Opening the case…"))

    def show_case(
        self,
        case_id: str,
        images: Sequence[Hung],
        hanging: str,
        name: str,
        number: int,
        count: int,
        notice: str = "",
        sheet: Sequence[str] = (),
    ) -> None:
        """Show a case, the `number`-th of `count`, with a notice in the strip and its sheet.

        `view_changed("open")` follows at once.
        """
        self.state, self.current_case_id, self.answer = "reading", case_id, None
        self._time_is_up = False
        self.form.begin(self._questions)
        self.sheet.show_words(sheet)
        self._hide_panels()
        self.bar.show_answer(None)
        self.strip.show_case(name, number, count)
        self.strip.show_answer("")
        message = f"{notice}   {self._choices()}" if notice else self._choices()
        self.strip.show_message(message, warn=bool(notice))
        self.canvas.setFocus()
        # What has just changed round the canvas takes its place now: a turn of the event loop
        # later the image would jump under the reader's eye, and a resize would be recorded. The
        # case before has no part in it.
        self.canvas.set_image(None)
        QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest.value)
        self.canvas.set_case(images, hanging)
        self._show_views()

    def show_addendum(self, answer: str) -> None:
        """Allow the answer of the case on the canvas to be corrected; nothing is recorded."""
        self.state = "addendum"
        self._hide_panels()
        self.sheet.cover(True)  # it does not belong to the previous case
        self.bar.show_answer(self._index_of(answer))
        self.strip.show_answer(tr("Answer given: {answer}", answer=answer))
        # The answers and their keys are in the bar above, if it is shown: a small screen has no
        # space for them twice.
        choices = f"   {self._choices()}" if self._questions else ""
        back = tr("Correcting the previous case. Enter: return to the current case")
        self.strip.show_message(f"{back}{choices}", warn=True)
        self.canvas.setFocus()

    def end_addendum(self) -> None:
        """Show the open case's own state again."""
        self.state = "reading"
        self.sheet.cover(False)
        self.bar.show_answer(self._index_of(self.answer))
        self.strip.show_answer(tr("Answer: {answer}", answer=self.answer) if self.answer else "")
        self._say_what_to_do()

    def leading_said(self, label: str) -> None:
        """Note the class that the form gave the case."""
        self.answer = label
        self.strip.show_answer(tr("Answer: {answer}", answer=label))

    def forget_answer(self) -> None:
        """Undo the chosen answer."""
        self.answer = None
        self.bar.show_answer(None)
        self.strip.show_answer("")

    def show_between(self, heading: str, text: str, *, may_go_on: bool = True) -> None:
        """Say something between two cases: a break, or how the answer compares."""
        self.state, self.current_case_id = "between", None
        self.canvas.set_image(None)
        self.strip.show_message("")
        self._panels.between.say(text, heading)
        self._panels.between.buttons["go_on"].setEnabled(may_go_on)
        self._show_panel(self._panels.between)

    def show_complete(self, text: str, *, correctable: bool = False) -> None:
        """Say that there is nothing left to read."""
        self.state, self.current_case_id = "complete", None
        self.canvas.set_image(None)
        self.strip.show_message("")
        self.strip.show_answer("")
        self._panels.complete.say(text)
        self._panels.complete.buttons["correct"].setVisible(correctable)
        self._show_panel(self._panels.complete)

    def hold(self, text: str, heading: str = "") -> None:
        """Pause from outside, saying why."""
        if self.state == "addendum":
            self.correct_ended.emit()
        self.canvas.flush()
        self.state = "paused"
        self._panels.paused.say(text, heading or tr("Paused"))
        self._show_panel(self._panels.paused)
        self.paused.emit()

    def ask_code(self, text: str) -> None:
        """Pause, and resume only when `code_accepted` says so: the reader may be another person."""
        self._asks_code = True
        self._panels.code.ask(text)
        if self.state == "paused":
            self._show_panel(self._panels.code)
            return
        self.hold(text)
        self._show_panel(self._panels.code)

    def code_accepted(self) -> None:
        """Resume: the reader's code was right."""
        self._asks_code = False
        self._resume()

    def cover(self, text: str) -> None:
        """Hide the images permanently, with the answer still to be given (time is up)."""
        self.canvas.flush()
        self._time_is_up = True
        self._hide_panels()
        self.strip.show_message(f"{text}   {self._choices()}", warn=True)

    def leave(self) -> None:
        """Clear the screen."""
        self.state, self.current_case_id = "idle", None
        self._asks_code = False
        self._hide_panels()
        self.note.drop()
        self.canvas.set_image(None)

    def say_shortly(self, text: str) -> None:
        """Show a message in the strip for a few seconds."""
        self.strip.show_message(text)
        self._quiet.start(_MESSAGE_MS)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Answer, continue, leave; the canvas has already had the keys of the view."""
        action = self.keys.action(event)
        index = class_index(event)
        if self.panel is not None and event.key() in PRESSING:
            # A click beside a panel takes the focus from it.
            self.panel.keyPressEvent(event)
        elif self.state == "paused" and action in ("leave", "help"):
            self._resume()
        elif self.state == "between" and action == "next":
            self._go_on()
        elif self.state not in _READING:
            event.ignore()
        elif index is not None:
            self._digit(index)
        elif self.state == "addendum":
            self._end_correction(action, event)
        elif action in self._doing:
            self._doing[action]()
        elif action in _NOT_ASKED:
            self._annotate(action)
        elif action in ("undo", "flag"):
            self.asked.emit(action)
        else:
            event.ignore()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the panels in the middle."""
        self._panels.center()

    def _digit(self, index: int) -> None:
        if self._questions and self.state == "reading":
            self._choose(index)
        else:
            self._answer(index)

    def _answer(self, index: int) -> None:
        if index >= len(self._classes):
            missing = tr("There is no answer {number}.", number=index + 1)
            self.strip.show_message(f"{missing} {self._choices()}", warn=True)
            return
        chosen = self._classes[index]
        self.bar.show_answer(index)
        if self.state == "reading":
            self.answer = chosen
            self.strip.show_answer(tr("Answer: {answer}", answer=f"{index + 1} {chosen}"))
            self.strip.show_message(tr("Enter: next case"))
        else:
            self.strip.show_answer(tr("Corrected: {answer}", answer=f"{index + 1} {chosen}"))
        self.answered.emit(chosen)

    def _choose(self, index: int) -> None:
        if not self.form.choose(index):
            missing = tr("There is no answer {number}.", number=index + 1)
            self.strip.show_message(missing, warn=True)

    def _annotate(self, action: str) -> None:
        if action not in self._allowed:
            self.say_shortly(tr(_NOT_ASKED[action]))
        elif action == "note":
            self.note.open()
        elif action == "box":
            self.canvas.use_tool("" if self.canvas.tool == "box" else "box")
            on = tr("Draw a box: drag, or use the arrow keys and Enter; Shift+arrows resize it.")
            self.say_shortly(on if self.canvas.tool else tr("Box drawing is off."))
        else:
            self.asked.emit(action)

    def _next(self) -> None:
        if self._questions:
            if self.form.enter() and self.form.state.waits:
                return
            missing = self.form.state.ask_what_is_missing()
            if missing is not None:
                self.form.draw()
                first = tr("Answer first: {question}", question=missing.text)
                self.strip.show_message(first, warn=True)
                return
        if self.answer is None:
            self.strip.show_message(f"{tr('Answer first.')} {self._choices()}", warn=True)
            return
        self.note.keep()  # text is not lost by continuing
        self.canvas.flush()
        self.next_wanted.emit()

    def _end_correction(self, action: str | None, event: QKeyEvent) -> None:
        if action in ("next", "leave", "back"):
            self.correct_ended.emit()
        else:
            event.ignore()

    def _choices(self) -> str:
        if self._questions and self.state != "addendum":
            return tr("Number keys: answer. Enter: continue. Q: next question.")
        count, keys = len(self._classes), self.keys.first_key_of("help")
        if self._questions:
            return "   ".join(f"{i + 1} {name}" for i, name in enumerate(self._classes))
        return tr("Click an answer or press 1 to {count}. {key}: all keys.", count=count, key=keys)

    def _say_what_to_do(self) -> None:
        if self.state == "reading":
            self.strip.show_message(tr("Enter: next case") if self.answer else self._choices())

    def _pause(self) -> None:
        self.hold(
            tr(
                "If you leave, this reading is saved as interrupted and the case will be shown "
                "again."
            )
        )

    def _covered(self, panel: ReadingPanel) -> None:
        """Show a panel that pauses the reading."""
        self.canvas.flush()
        self.state = "paused"
        self._show_panel(panel)
        self.paused.emit()

    def _resume(self) -> None:
        if self._asks_code:
            self._show_panel(self._panels.code)
            return
        against = self.may_resume()
        if against:
            self._panels.paused.say(against)
            self._show_panel(self._panels.paused)
            return
        self.state = "reading"
        self._hide_panels()
        if not self._time_is_up:
            self.resumed.emit()

    def _leave(self) -> None:
        self.leave()
        self.left.emit()

    def _go_on(self) -> None:
        if self._panels.between.buttons["go_on"].isEnabled():
            self.went_on.emit()

    def _clicked(self, index: int) -> None:
        self.bar.show_answer(None)  # until the answer is taken
        if self.state in _READING:
            self._answer(index)

    def _note_closed(self) -> None:
        if self.state in _READING:
            (self if self._time_is_up else self.canvas).setFocus()

    def _index_of(self, answer: str | None) -> int | None:
        return self._classes.index(answer) if answer in self._classes else None

    def _show_views(self) -> None:
        box, key = self.canvas.box, self.keys.first_key_of("further_views")
        self.strip.show_views(box.page, box.page_count, key)

    def _on_view_changed(self, kind: str, tile: int) -> None:
        if kind == "open":
            self._show_views()
        if self.state == "reading":
            self.view_changed.emit(kind, tile)

    def _make_panels(self) -> PanelStack:
        made = PanelStack(self, self.keys)
        made.resumed.connect(self._resume)
        made.left.connect(self._leave)
        made.end_wanted.connect(self.end_wanted)
        made.went_on.connect(self._go_on)
        made.back_wanted.connect(self.back_wanted)
        made.correct_wanted.connect(self.correct_wanted)
        made.code_given.connect(self.code_given)
        return made

    def _show_panel(self, panel: ReadingPanel) -> None:
        # The images are hidden while a panel covers them, so that no gaze at the panel lands on
        # them.
        self.canvas.hide()
        self.sheet.cover(True)
        self.form.setEnabled(False)
        self.bar.setEnabled(False)
        self.note.hide()
        self._panels.show(panel)

    def _hide_panels(self) -> None:
        self._panels.hide()
        self.sheet.cover(self._time_is_up or self.state not in _READING)
        self.bar.setEnabled(True)
        self.canvas.setVisible(not self._time_is_up)
        self.form.setEnabled(self.state == "reading")
        (self if self._time_is_up else self.canvas).setFocus()
