"""Correcting an answer after its reading has ended: a timed addendum, to which no gaze is added."""

from dataclasses import dataclass

from app.recording.session import Phase, ReadingSession
from app.recording.writer import Write, insert_into, update_row
from devices.clock import HostClock
from migrations.study.database import Database
from migrations.study.schema import Annotation, new_id


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """The answer that stands for a reading that has ended."""

    reading_id: str
    answer_id: str
    label: str


def amend(session: ReadingSession, given: GivenAnswer, label: str) -> GivenAnswer:
    """Replace an answer; the former one stays in its row, marked undone.

    The row of the new one says in its details that it is an addendum and what it corrects; its
    time lies after the reading's end.
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
    return corrected, (undone, insert_into(Annotation, row))


def _write_directly(database: Database, writes: tuple[Write, ...]) -> None:
    with database.write() as session:
        for write in writes:
            session.execute(write.statement, [dict(row) for row in write.rows] or None)
