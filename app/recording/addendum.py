"""Correcting an answer after its reading has ended: a timed addendum, to which no gaze is added."""

from dataclasses import dataclass

from sqlalchemy import insert, literal, select, update

from app.recording.session import Phase, ReadingSession
from app.recording.writer import Write, insert_into, table_of, update_row
from devices.clock import HostClock
from migrations.study.database import Database
from migrations.study.schema import Annotation, Answer, new_id


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """The answer in force for a reading that has ended."""

    reading_id: str
    answer_id: str
    label: str


def amend(session: ReadingSession, given: GivenAnswer, label: str) -> GivenAnswer:
    """Replace an answer; the earlier one stays in its row, marked undone.

    The new row's details say that it is an addendum and what it corrects; its time is after the
    reading's end.
    """
    corrected, writes = _writes(session.clock, given, label)
    if session.phase is Phase.CLOSED:
        _write_directly(session.study.database, writes)
    else:
        session.writer.put(*writes)
    return corrected


def _writes(
    clock: HostClock, given: GivenAnswer, label: str
) -> tuple[GivenAnswer, tuple[Write, ...]]:
    now_us, corrected = clock.now_us(), GivenAnswer(given.reading_id, new_id(), label)
    row = {
        "id": corrected.answer_id,
        "reading_id": given.reading_id,
        "time_us": now_us,
        "kind": "class",
        "label": label,
        "details": {"addendum": True, "corrects": given.answer_id},
    }
    undone = update_row(Annotation, given.answer_id, undone_us=now_us)
    return corrected, (
        undone,
        insert_into(Annotation, row),
        _answer_again(given, corrected, now_us),
        _undo_answer(given, now_us),
    )


def _answer_again(given: GivenAnswer, corrected: GivenAnswer, now_us: int) -> Write:
    """Return the write that answers the leading question anew, if it was asked as a question."""
    answer = table_of(Answer)
    row = select(
        literal(new_id()),
        answer.c.reading_id,
        answer.c.question_id,
        literal(corrected.answer_id),
        literal(now_us),
        literal(corrected.label),
    ).where(answer.c.annotation_id == given.answer_id, answer.c.undone_us.is_(None))
    columns = ["id", "reading_id", "question_id", "annotation_id", "time_us", "value"]
    return Write(insert(answer).from_select(columns, row))


def _undo_answer(given: GivenAnswer, now_us: int) -> Write:
    answer = table_of(Answer)
    of = (answer.c.annotation_id == given.answer_id, answer.c.undone_us.is_(None))
    return Write(update(answer).where(*of).values(undone_us=now_us))


def _write_directly(database: Database, writes: tuple[Write, ...]) -> None:
    with database.write() as session:
        for write in writes:
            session.execute(write.statement, [dict(row) for row in write.rows] or None)
