"""The open reading: what is shown, what is said, how it ends; each is written at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.errors import SessionError
from app.recording.cases import CaseToRead
from app.recording.live import LiveGaze
from app.recording.pauses import PAUSES, Pauses
from app.recording.writer import Write, Writer, insert_into, update_row
from devices.clock import HostClock
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.view import TileView
from migrations.study.names import short_name
from migrations.study.schema import Annotation, Answer, Reading, ViewEvent, new_id


@dataclass(slots=True)
class OpenReading:
    """One case being read.

    Attributes
    ----------
    details
        The contents of its row besides its columns.
    questions
        The rows of the form's questions by their keys, the leading one first.
    answer_id, answer_label
        The answer to the leading question in force; None before the first.
    said
        The answers in force: their rows by question and mark (None: of the case).
    """

    reading_id: str
    session_id: str
    reader_id: str
    case: CaseToRead
    writer: Writer
    live: LiveGaze
    clock: HostClock
    details: dict[str, Any]
    questions: Mapping[str, str]
    started_us: int = 0
    answer_id: str | None = None
    answer_label: str | None = None
    said: dict[tuple[str, str | None], str] = field(default_factory=dict)
    _standing: set[str] = field(default_factory=set)
    _shown: bool = False
    _pauses: Pauses = field(default_factory=Pauses)

    def begin(self) -> None:
        """Write the row; gaze belongs to the reading from now on."""
        self.started_us = self.clock.now_us()
        self.live.open(self.reading_id, self.started_us)
        row = {
            "id": self.reading_id,
            "session_id": self.session_id,
            "case_id": self.case.case_id,
            "reader_id": self.reader_id,
            "resumes_id": self.case.resumes_id,
            "state": "open",
            "practice": self.case.practice,
            "started_us": self.started_us,
            "details": dict(self.details),
            "arm_id": self.case.arm_id,
        }
        self.writer.put(insert_into(Reading, row), now=True)

    def show(self, view: TileView, geometry: ScreenGeometry | None) -> None:
        """Write a view; the first one, and each with a changed screen, includes the screen.

        The distance included is the one in force, which a view cannot change.

        Raises
        ------
        SessionError
            If the image is not of this case.
        """
        if view.image_id not in {tile.image_id for tile in self.case.tiles}:
            image = short_name(view.image_id)
            raise SessionError(f"Image {image} does not belong to case {self.case.name}.")
        in_force = self.live.geometry
        now = in_force if geometry is None else geometry.at_distance_of(in_force)
        self.live.show(view, now if now != in_force else None)
        screen = now.as_dict() if now != in_force or not self._shown else None
        self._shown = True
        row = view.as_row() | {
            "id": new_id(),
            "reading_id": self.reading_id,
            "screen": screen,
        }
        self.writer.put(insert_into(ViewEvent, row))

    def answer(self, label: str) -> str:
        """Give the answer; an earlier one stays in its row, marked undone. Return the row's id.

        It is written twice, in one transaction: as the class of the reading and as the answer to
        the leading question.
        """
        writes = [] if self.answer_id is None else [self._undoing(self.answer_id)]
        self.answer_id, self.answer_label = new_id(), label
        self._annotate(self.answer_id, {"kind": "class", "label": label}, writes)
        self.say(next(iter(self.questions)), label, self.answer_id)
        return self.answer_id

    def say(self, key: str, value: str, annotation_id: str | None = None) -> str:
        """Answer a question; an earlier answer stays in its row, undone. Return the row's id.

        Parameters
        ----------
        annotation_id
            The mark it is about.

        Raises
        ------
        SessionError
            If that mark is not in this reading.
        """
        leading = key == next(iter(self.questions))
        if annotation_id is not None and annotation_id not in self._standing:
            raise SessionError("There is no such mark in this reading.")
        of = (key, None if leading else annotation_id)
        self.take_back(*of)
        row: dict[str, Any] = {
            "id": new_id(),
            "reading_id": self.reading_id,
            "question_id": self.questions[key],
            "annotation_id": annotation_id,
            "time_us": self.clock.now_us(),
            "value": value,
        }
        self.said[of] = row["id"]
        self.writer.put(insert_into(Answer, row))
        return str(row["id"])

    def take_back(self, key: str, annotation_id: str | None = None) -> None:
        """Mark the answer to a question undone, if there is one."""
        answer_id = self.said.pop((key, annotation_id), None)
        if answer_id is not None:
            self.writer.put(update_row(Answer, answer_id, undone_us=self.clock.now_us()))

    def annotate(self, kind: str, fields: dict[str, Any]) -> str:
        """Write an annotation of another kind with columns of its table; return its id."""
        annotation_id = new_id()
        self._annotate(annotation_id, {"kind": kind, **fields}, [])
        return annotation_id

    def undo(self, annotation_id: str) -> None:
        """Mark an annotation undone.

        Raises
        ------
        SessionError
            If it is not in force in this reading.
        """
        if annotation_id not in self._standing:
            raise SessionError("There is no such annotation to undo in this reading.")
        self.writer.put(self._undoing(annotation_id))
        for key, mark in list(self.said):
            if mark == annotation_id:
                self.take_back(key, mark)
        if annotation_id == self.answer_id:
            self.take_back(next(iter(self.questions)))
            self.answer_id = self.answer_label = None

    def absent(self, gone_us: int) -> None:
        """Note how long no eyes were seen, up to now; it is written to the row at once."""
        now_us = self.clock.now_us()
        spells = [*self.details.get("absences_us", []), [now_us - gone_us, now_us]]
        self.details["absences_us"] = spells
        self.writer.put(update_row(Reading, self.reading_id, details=dict(self.details)))

    def pause(self, *, begins: bool) -> None:
        """Note that the images were hidden or shown again: meanwhile no gaze is due."""
        now_us = self.clock.now_us()
        (self._pauses.begin if begins else self._pauses.end)(now_us)
        self.live.pause(now_us, begins=begins)
        self.details[PAUSES] = self._pauses.as_rows()
        self.writer.put(update_row(Reading, self.reading_id, details=dict(self.details)))

    def end(self, state: str, reason: str) -> int:
        """Write how the reading ends, and return when."""
        ended_us = max(self.clock.now_us(), self.started_us + 1)
        if self._pauses.is_open:
            self._pauses.end(ended_us)
            self.live.pause(ended_us, begins=False)
            self.details[PAUSES] = self._pauses.as_rows()
        if reason:
            self.details["reason"] = reason
        self.writer.put(
            update_row(
                Reading, self.reading_id, state=state, ended_us=ended_us, details=dict(self.details)
            ),
            now=True,
        )
        return ended_us

    def _annotate(self, annotation_id: str, fields: dict[str, Any], before: list[Write]) -> None:
        row = {
            "id": annotation_id,
            "reading_id": self.reading_id,
            "time_us": self.clock.now_us(),
            **fields,
        }
        self._standing.add(annotation_id)
        self.writer.put(*before, insert_into(Annotation, row))

    def _undoing(self, annotation_id: str) -> Write:
        self._standing.discard(annotation_id)
        return update_row(Annotation, annotation_id, undone_us=self.clock.now_us())
