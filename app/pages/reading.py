"""Reading: the image owns the screen; one thin strip says how things stand."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QWidget

from app import theme
from app.images.store import LoadedImage
from app.widgets.canvas import ImageCanvas
from app.widgets.keys import KeyMap, class_index
from app.widgets.parts import button, column, label, panel, row
from app.widgets.strip import ReadingStrip


class ReadingPage(QWidget):
    """Shows a case and takes the answer; the station writes what happens.

    Attributes
    ----------
    state
        "idle", "loading", "reading", "paused" or "complete".
    current_case_id
        The case on the screen, if any.
    answer
        The class chosen for it, if any.

    Signals
    -------
    view_changed : str
        What the reader sees has changed (`TileView.kind`).
    answered : str
        A class was chosen.
    next_wanted
        The case is answered and done with.
    paused, resumed, left
        The confirm panel came, went, or the reading is to be left.
    back_wanted
        Back to the worklist.
    """

    view_changed = Signal(str)
    answered = Signal(str)
    next_wanted = Signal()
    paused = Signal()
    resumed = Signal()
    left = Signal()
    back_wanted = Signal()

    def __init__(self, keys: KeyMap | None = None) -> None:
        super().__init__()
        self.name = "reading"
        self.setObjectName("reading_page")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.state = "idle"
        self.current_case_id: str | None = None
        self.answer: str | None = None
        self._classes: tuple[str, ...] = ()
        self._keys = keys or KeyMap()
        self.canvas = ImageCanvas(keys=self._keys)
        self.canvas.view_changed.connect(self._on_view_changed)
        policy = self.canvas.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.canvas.setSizePolicy(policy)
        self.strip = ReadingStrip()
        layout = column(self, gap=0)
        layout.addWidget(self.canvas, 1)
        layout.addWidget(self.strip)
        self.setAutoFillBackground(True)
        shade = self.palette()
        shade.setColor(QPalette.ColorRole.Window, QColor(theme.CASE_BACKGROUND))
        self.setPalette(shade)
        self._confirm = self._make_confirm()
        self._closing, self._closing_text = self._make_closing()

    def set_classes(self, classes: Sequence[str]) -> None:
        """Offer the answers of the study."""
        self._classes = tuple(classes)

    def show_loading(self) -> None:
        """Wait for the first case."""
        self.state, self.current_case_id, self.answer = "loading", None, None
        self.canvas.set_image(None)
        self._hide_panels()
        self.strip.show_answer("")
        self.strip.show_message("Opening the case…")

    def show_case(
        self, case_id: str, image: LoadedImage, number: int, count: int, notice: str = ""
    ) -> None:
        """Show a case, with a notice in the strip; `view_changed("open")` follows at once."""
        self.state, self.current_case_id, self.answer = "reading", case_id, None
        self._hide_panels()
        self.strip.show_case(number, count)
        self.strip.show_answer("")
        said = f"{notice}   {self._choices()}" if notice else self._choices()
        self.strip.show_message(said, warn=bool(notice))
        self.canvas.setFocus()
        self.canvas.set_image(image)

    def show_complete(self, text: str) -> None:
        """Say that there is nothing left to read."""
        self.state, self.current_case_id = "complete", None
        self.canvas.set_image(None)
        self.strip.show_message("")
        self.strip.show_answer("")
        self._closing_text.setText(text)
        self._show_panel(self._closing)

    def leave(self) -> None:
        """Clear the screen."""
        self.state, self.current_case_id = "idle", None
        self._hide_panels()
        self.canvas.set_image(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Answer, go on, leave; the canvas has had the keys of the view before."""
        action = self._keys.action(event)
        if self.state == "paused" and action == "leave":
            self._resume()
        elif self.state != "reading":
            event.ignore()
        elif (index := class_index(event)) is not None:
            self._answer(index)
        elif action == "next":
            self._next()
        elif action == "leave":
            self._pause()
        else:
            event.ignore()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the panels in the middle."""
        self._center(self._confirm)
        self._center(self._closing)

    def _answer(self, index: int) -> None:
        if index >= len(self._classes):
            self.strip.show_message(f"There is no answer {index + 1}. {self._choices()}", warn=True)
            return
        self.answer = self._classes[index]
        self.strip.show_answer(f"Answer: {index + 1} {self.answer}")
        self.strip.show_message("Enter: next case")
        self.answered.emit(self.answer)

    def _next(self) -> None:
        if self.answer is None:
            self.strip.show_message(f"Answer first. {self._choices()}", warn=True)
            return
        self.canvas.flush()
        self.next_wanted.emit()

    def _choices(self) -> str:
        return "   ".join(f"{i + 1} {name}" for i, name in enumerate(self._classes))

    def _pause(self) -> None:
        self.canvas.flush()
        self.state = "paused"
        self._show_panel(self._confirm)
        self.paused.emit()

    def _resume(self) -> None:
        self.state = "reading"
        self._hide_panels()
        self.canvas.setFocus()
        self.resumed.emit()

    def _leave(self) -> None:
        self.leave()
        self.left.emit()

    def _on_view_changed(self, kind: str) -> None:
        if self.state == "reading":
            self.view_changed.emit(kind)

    def _make_confirm(self) -> QFrame:
        frame, layout = panel("overlay", 24)
        layout.addWidget(label("Paused", "heading"))
        layout.addWidget(
            label("Leave, and this reading is kept as interrupted; the case is offered again.")
        )
        layout.addSpacing(theme.GRID)
        layout.addLayout(
            row(
                button("resume_reading", "Go on reading", self._resume, role="primary"),
                button("leave_reading", "Leave", self._leave),
                stretch=True,
            )
        )
        return self._as_panel(frame)

    def _make_closing(self) -> tuple[QFrame, QLabel]:
        frame, layout = panel("overlay", 24)
        text = label("")
        layout.addWidget(label("Thank you", "heading"))
        layout.addWidget(text)
        layout.addSpacing(theme.GRID)
        back = button("back_to_worklist", "Back to the worklist", self.back_wanted.emit,
                      role="primary")  # fmt: skip
        layout.addLayout(row(back, stretch=True))
        return self._as_panel(frame), text

    def _as_panel(self, frame: QFrame) -> QFrame:
        frame.setParent(self)
        frame.setFixedWidth(440)
        frame.hide()
        return frame

    def _show_panel(self, frame: QFrame) -> None:
        # The image goes while a panel covers it: nobody's gaze at the panel lands on the image.
        self.canvas.hide()
        frame.adjustSize()
        self._center(frame)
        frame.show()
        frame.raise_()
        first = frame.findChild(QWidget, "resume_reading") or frame.findChild(
            QWidget, "back_to_worklist"
        )
        if first is not None:
            first.setFocus()

    def _hide_panels(self) -> None:
        self._confirm.hide()
        self._closing.hide()
        self.canvas.show()

    def _center(self, frame: QFrame) -> None:
        frame.move((self.width() - frame.width()) // 2, (self.height() - frame.height()) // 2)
