"""What a study would send, by digest: shows without the server whether anything is new."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.database import Database
from migrations.study.schema import (
    Annotation,
    Answer,
    Arm,
    Calibration,
    CaseImage,
    Fixation,
    GazeChunk,
    GazeEvent,
    Image,
    Question,
    Reader,
    Reading,
    Recording,
    Session,
    StudyCase,
    ViewEvent,
)
from migrations.study.sync.edits import choices_of
from migrations.study.sync.receipts import digest
from migrations.study.sync.told_facts import ToldFact, told_facts
from migrations.study.sync.told_words import ToldWord, told_words
from migrations.study.tombstones import all_tombstones

CHILDREN = (ViewEvent, Fixation, GazeEvent, Annotation, Answer)
"""Tables with rows of a reading, which are sent with it."""
DESIGN = (Question, Arm)
"""Small tables that rows of readings refer to; sent completely."""
_FORM = 1
"""Raised when a push sends more than before: everything is then compared once more."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """A finished session.

    Attributes
    ----------
    key
        Digest of its numbers of rows; a server's receipt for it says that it has them all.
    """

    id: str
    reader_id: str
    started_utc: str
    key: str


@dataclass(frozen=True, slots=True)
class State:
    """What a study would send.

    Attributes
    ----------
    ready
        Finished sessions.
    waiting
        How many are still open.
    choices
        A researcher's choices, by reading.
    words
        Labels and splits that were edited by hand.
    facts
        Case sheets, and what readers said about themselves.
    key
        Digest of everything that a push looks at.
    """

    ready: list[Sitting]
    waiting: int
    choices: dict[str, Any]
    words: list[ToldWord]
    facts: list[ToldFact]
    key: str


def state_of(local: Database) -> State:
    """Return what a study would send."""
    schema = local.revision()
    with local.read() as session:
        query = select(Session.id, Session.reader_id, Session.started_utc).order_by(Session.id)
        rows = session.execute(query).all()
        open_ids, counts = open_sessions(session), _sent_counts(session)
        ready = [
            Sitting(row.id, row.reader_id, row.started_utc,
                    digest(_FORM, schema, row.id, counts.get(row.id)))
            for row in rows if row.id not in open_ids
        ]  # fmt: skip
        choices, words, facts = choices_of(session), told_words(session), told_facts(session)
        tables = (Reader, Image, StudyCase, CaseImage, *DESIGN)
        known = [[list(r) for r in session.execute(select(t.__table__).order_by(t.id))]
                 for t in tables]  # fmt: skip
        stones = [row.id for row in all_tombstones(session)]
    edits = [word.edit_id for word in words] + [f.edit_id for f in facts if f.edit_id]
    key = digest(_FORM, schema, [s.key for s in ready], known, choices, stones,
                 *(edits,) * bool(edits))  # fmt: skip
    return State(ready, len(rows) - len(ready), choices, words, facts, key)


def open_sessions(session: OrmSession) -> set[str]:
    """Return sessions that are still being recorded, or were interrupted and await recovery."""
    queries = (
        select(Recording.session_id).where(Recording.state == "open"),
        select(Reading.session_id).where(Reading.state == "open"),
        select(Session.id).where(Session.ended_utc.is_(None)),
    )
    return {i for query in queries for i in session.scalars(query)}


def counts_of(session: OrmSession) -> dict[str, tuple[int, ...]]:
    """Return, by session, its numbers of readings, chunks, calibrations and rows of readings."""
    chunks = (
        select(Recording.session_id, func.count())
        .join(GazeChunk, GazeChunk.recording_id == Recording.id)
        .group_by(Recording.session_id)
    )
    return _by_session(session, chunks)


def _sent_counts(session: OrmSession) -> dict[str, tuple[int, ...]]:
    """Return the same for a study's own sessions; samples for chunks, which are never rewritten."""
    samples = select(Recording.session_id, func.sum(Recording.sample_count)).group_by(
        Recording.session_id
    )
    return _by_session(session, samples)


def _by_session(session: OrmSession, gaze: Any) -> dict[str, tuple[int, ...]]:
    queries: Sequence[Any] = (
        select(Reading.session_id, func.count()).group_by(Reading.session_id),
        gaze,
        select(Calibration.session_id, func.count()).group_by(Calibration.session_id),
        *(
            select(Reading.session_id, func.count())
            .join(child, child.reading_id == Reading.id)
            .group_by(Reading.session_id)
            for child in CHILDREN
        ),
    )
    found = {i: [0] * len(queries) for i in session.scalars(select(Session.id))}
    for k, query in enumerate(queries):
        for session_id, count in session.execute(query):
            found[session_id][k] = count
    return {i: tuple(counts) for i, counts in found.items()}
