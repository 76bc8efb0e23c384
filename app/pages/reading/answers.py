"""What the reader says about a case: class, boxes, keypoints, note, confidence, flag, undo."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.hanging.lightbox import LightBox
from app.hanging.marks import Mark
from app.pages.reading.page import ReadingPage
from app.pages.reading.prefetch import Images
from app.recording.addendum import GivenAnswer, amend
from app.recording.cases import CaseToRead
from app.recording.form_state import Said
from app.recording.keypoint import RecentGaze, looked_at
from app.recording.session import ReadingSession
from app.ui.text import tr

CONFIDENCE = (1, 5)
"""From guessing to certain."""


_REMOVED = {
    "class": "Answer removed.",
    "box": "Box removed.",
    "keypoint": "Mark removed.",
    "note": "Note removed.",
    "confidence": "Confidence removed.",
    "incidental": "Flag removed.",
}


@dataclass(frozen=True, slots=True)
class _Standing:
    """One thing that can be undone; `mark` is drawn on the canvas, if there is one.

    For an answer to a form, `question` is its key and `annotation_id` the mark it is about, or "".
    """

    annotation_id: str
    kind: str
    mark: Mark | None = None
    question: str = ""


@dataclass(frozen=True, slots=True)
class _LastCase:
    """The previous case, for Back."""

    case: CaseToRead
    images: Images
    given: GivenAnswer


class Answers(QObject):
    """Writes what the reader says, at once.

    Signals
    -------
    covered, uncovered
        Another case hangs on the canvas for a correction; the open one hangs there again.
    """

    covered = Signal()
    uncovered = Signal()

    def __init__(self, page: ReadingPage, parent: QObject) -> None:
        super().__init__(parent)
        self._page = page
        self._session: ReadingSession | None = None
        self._recent = RecentGaze()
        self._standing: list[_Standing] = []
        self._open: tuple[CaseToRead, Images] | None = None
        self._reading_id = ""
        self._answer: tuple[str, str] | None = None
        self._confidence: int | None = None
        self._before: _LastCase | None = None
        self._aside: tuple[LightBox, list[Mark]] | None = None
        page.answered.connect(self._answered)
        page.asked.connect(self._asked)
        page.note_written.connect(self._note)
        page.form.said.connect(self._said)
        page.canvas.drawn.connect(self._box)
        page.correct_wanted.connect(self._correct)
        page.correct_ended.connect(self.leave_correction)

    @property
    def correctable(self) -> bool:
        """Whether there is an answer that Back can correct."""
        return self._before is not None

    def begin(self, session: ReadingSession) -> None:
        """Follow a session."""
        if session is not self._session:
            self._session, self._recent = session, RecentGaze()
            session.recorder.add_listener(self._recent.listen)
        self._before = self._open = self._aside = None

    def case_begun(self, case: CaseToRead, images: Images) -> None:
        """Begin with a case."""
        assert self._session is not None
        self._standing, self._answer, self._confidence = [], None, None
        self._open, self._reading_id = (case, images), self._session.reading_id or ""

    def case_ended(self) -> None:
        """Allow the answer to be corrected until the next case has its own."""
        if self._open is not None and self._answer is not None:
            given = GivenAnswer(self._reading_id, *self._answer)
            self._before = _LastCase(*self._open, given)
        self._open = None

    def forget(self) -> None:
        """Nothing can be corrected any more."""
        self._before = self._session = None

    def leave_correction(self) -> None:
        """Show the open case again, as it was."""
        if self._page.state != "addendum":
            return
        canvas = self._page.canvas
        if self._open is None:
            self._page.show_complete(tr("The answer has been corrected."), correctable=True)
            return
        if self._aside is not None:
            box, canvas.marks = self._aside
            self._aside = None
            canvas.put_up(box)
        self._page.end_addendum()
        self.uncovered.emit()

    def _correct(self) -> None:
        """Back: hang the previous case and take another answer for it."""
        before, canvas = self._before, self._page.canvas
        if before is None:
            self._page.say_shortly(tr("There is no previous case to correct."))
            return
        canvas.flush()
        if self._open is not None:
            self.covered.emit()
            self._aside = (canvas.take_down(), canvas.marks)
        self._page.show_addendum(before.given.label)
        canvas.set_case(before.images, before.case.hanging)

    def _answered(self, label: str) -> None:
        session = self._session
        if session is None:
            return
        if self._page.state == "addendum" and self._before is not None:
            given = amend(session, self._before.given, label)
            self._before = replace(self._before, given=given)
        elif self._open is not None:
            answer_id = session.answer(label)
            self._standing = [each for each in self._standing if each.kind != "class"]
            self._standing.append(_Standing(answer_id, "class"))
            self._answer = (answer_id, label)

    def _said(self, said: Said) -> None:
        """Write an answer to the form; the leading one is the class."""
        session = self._session
        if session is None or self._open is None or self._page.state != "reading":
            return
        if said.key == session.study.settings.questions[0].key and said.value is not None:
            self._page.leading_said(said.value)
            self._answered(said.value)
            return
        mark = said.mark or ""
        self._standing = [
            each
            for each in self._standing
            if (each.question, each.annotation_id) != (said.key, mark)
        ]
        if said.value is None:
            session.take_back(said.key, said.mark)
            return
        session.say(said.key, said.value, said.mark)
        self._standing.append(_Standing(mark, "answer", question=said.key))

    def _asked(self, action: str) -> None:
        if self._session is None or self._open is None:
            return
        does: dict[str, Callable[[], object]] = {
            "undo": self._undo,
            "flag": self._flag,
            "keypoint": self._keypoint,
            "confidence_up": lambda: self._sure(1),
            "confidence_down": lambda: self._sure(-1),
        }
        does[action]()

    def _write(self, kind: str, mark: Mark | None = None, **fields: Any) -> None:
        assert self._session is not None
        annotation_id = self._session.annotate(kind, **fields)
        self._standing.append(_Standing(annotation_id, kind, mark))
        if mark is not None:
            self._page.canvas.marks.append(mark)
            self._page.canvas.update()
            self._page.form.ask_of_mark(annotation_id)

    def _box(self, mark: Mark) -> None:
        if self._session is None or self._open is None or self._page.state != "reading":
            return
        x, y, width, height = mark.box_image
        view = self._page.canvas.box.views[mark.tile]
        self._write(
            "box", mark, image_id=view.image.image_id, label=self._page.answer,
            x_image=x, y_image=y, width_image=width, height_image=height,
            details={"frame": mark.frame},
        )  # fmt: skip

    def _note(self, text: str) -> None:
        if self._session is not None and self._open is not None:
            self._write("note", details={"text": text})
            self._page.say_shortly(tr("Note saved."))

    def _keypoint(self) -> None:
        session, canvas = self._session, self._page.canvas
        assert session is not None
        now_us = session.clock.now_us()
        views = [canvas.tile_view(now_us, "look", tile) for tile in canvas.tiles]
        live = session.live
        found = looked_at(
            self._recent.latest(), live.eye, live.geometry, views, now_us, live.correction
        )
        if found is None:
            self._page.say_shortly(tr("No gaze on an image. Look at the spot, then press the key."))
            return
        place = (found.x_image, found.y_image)
        mark = Mark("keypoint", found.tile, found.frame, place, place)
        self._write(
            "keypoint", mark, image_id=found.image_id, x_image=found.x_image,
            y_image=found.y_image, spread_image=found.spread_image,
            details={"frame": found.frame, "samples": found.sample_count},
        )  # fmt: skip

    def _sure(self, step: int) -> None:
        least, most = CONFIDENCE
        before = self._confidence
        chosen = (least + most) // 2 if before is None else min(max(before + step, least), most)
        self._take_back("confidence")
        self._confidence = chosen
        self._write("confidence", label=str(chosen), details={"least": least, "most": most})
        self._page.say_shortly(tr("Confidence {chosen} of {most}", chosen=chosen, most=most))

    def _flag(self) -> None:
        assert self._session is not None
        if self._take_back("incidental"):
            self._page.say_shortly(tr("Flag removed."))
            return
        contact = self._session.study.settings.incidental_contact
        self._write("incidental", details={"contact": contact})
        self._page.say_shortly(
            tr("Incidental finding flagged for {contact}.", contact=contact)
            if contact
            else tr("Incidental finding flagged. The study names no contact.")
        )

    def _take_back(self, kind: str) -> bool:
        """Undo the annotation of a kind of which there is at most one."""
        assert self._session is not None
        standing = [each for each in self._standing if each.kind == kind]
        for each in standing:
            self._session.undo(each.annotation_id)
            self._standing.remove(each)
        return bool(standing)

    def _undo(self) -> None:
        assert self._session is not None
        if not self._standing:
            self._page.say_shortly(tr("Nothing to undo."))
            return
        last = self._standing.pop()
        if last.question:
            self._session.take_back(last.question, last.annotation_id or None)
            self._page.form.forget(last.question, last.annotation_id or None)
            self._page.say_shortly(tr("Answer removed."))
            return
        self._session.undo(last.annotation_id)
        if last.mark is not None:
            self._standing = [s for s in self._standing if s.annotation_id != last.annotation_id]
            self._page.form.drop_mark(last.annotation_id)
        if last.kind == "class":
            self._answer = None
            self._page.forget_answer()
            self._page.form.forget(self._session.study.settings.questions[0].key)
        elif last.kind == "confidence":
            self._confidence = None
        if last.mark in self._page.canvas.marks:
            self._page.canvas.marks.remove(last.mark)
            self._page.canvas.update()
        self._page.say_shortly(tr(_REMOVED[last.kind]))
