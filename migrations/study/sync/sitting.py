"""Sends one session to a server: its row, its gaze, its readings, each step as a whole."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.database import Database
from migrations.study.schema import Answer, Calibration, GazeChunk, Reading, Recording, Session
from migrations.study.sync.edits import in_parts
from migrations.study.sync.identity import Identities
from migrations.study.sync.rows import Raw, add_rows, columns_of, raw_rows, renamed
from migrations.study.sync.state import CHILDREN

_CHUNK_BYTES = 2_000_000
_READINGS_AT_ONCE = 25
_AT = {name: k for k, name in enumerate(columns_of(Reading))}


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent of a session.

    Attributes
    ----------
    whole
        Whether the server now has everything it should have of it.
    refused
        Readings that depend on a row that the server refused.
    """

    readings: int = 0
    chunks: int = 0
    whole: bool = True
    refused: int = 0


def is_there(local: Database, server: Database, session_id: str) -> tuple[bool, bool]:
    """Tell whether a server has a session with as many rows, and whether it has it at all."""
    with local.read() as session:
        mine = _counts(session, session_id)
    with server.read() as session:
        theirs = _counts(session, session_id)
    return mine == theirs, bool(theirs[0])


def _counts(session: OrmSession, session_id: str) -> tuple[Any, ...]:
    readings = select(Reading.id).where(Reading.session_id == session_id)
    recordings = select(Recording.id).where(Recording.session_id == session_id)
    counts = [
        select(func.count()).select_from(Session).where(Session.id == session_id),
        select(func.count()).select_from(Reading).where(Reading.session_id == session_id),
        select(func.count()).select_from(GazeChunk).where(GazeChunk.recording_id.in_(recordings)),
        select(func.count()).select_from(Calibration).where(Calibration.session_id == session_id),
    ]
    counts += [
        select(func.count()).select_from(child).where(child.reading_id.in_(readings))
        for child in CHILDREN
    ]
    one = select(*(query.scalar_subquery() for query in counts))
    return tuple(session.execute(one).one())


def send_session(local: Database, server: Database, session_id: str, ids: Identities) -> Sent:
    """Send what a server lacks of a session.

    Raises
    ------
    RowRefused, RightMissing
        If the server refuses a row; what was sent before it stays.
    """
    _send_itself(local, server, session_id, ids)
    chunks = _send_chunks(local, server, session_id)
    sent = _send_readings(local, server, session_id, ids)
    return Sent(sent.readings, chunks, sent.whole, sent.refused)


def _send_itself(local: Database, server: Database, session_id: str, ids: Identities) -> None:
    with local.read() as session:
        own = renamed(
            Session, raw_rows(session, Session, "id", [session_id]), {"reader_id": ids.readers}
        )
        calibrations = raw_rows(session, Calibration, "session_id", [session_id])
        recordings = raw_rows(session, Recording, "session_id", [session_id])
    own = [_with_cases(row, ids) for row in own]
    with server.write() as session:
        add_rows(session, [(Session, own), (Calibration, calibrations), (Recording, recordings)])


def _with_cases(row: Raw, ids: Identities) -> Raw:
    """Return a session's row with the server's ids in its order of cases."""
    place = columns_of(Session).index("case_order")
    order = json.dumps([ids.cases.get(case, case) for case in json.loads(row[place])])
    return (*row[:place], order, *row[place + 1 :])


def _send_chunks(local: Database, server: Database, session_id: str) -> int:
    with local.read() as session:
        query = (
            select(GazeChunk.id, func.length(GazeChunk.blob))
            .join(Recording, Recording.id == GazeChunk.recording_id)
            .where(Recording.session_id == session_id)
            .order_by(GazeChunk.recording_id, GazeChunk.sequence)
        )
        sizes: dict[str, int] = {i: size for i, size in session.execute(query)}
    there_query = (
        select(GazeChunk.id)
        .join(Recording, Recording.id == GazeChunk.recording_id)
        .where(Recording.session_id == session_id)
    )
    with server.read() as session:
        there = set(session.scalars(there_query))
    sent = 0
    for part in _by_bytes({i: size for i, size in sizes.items() if i not in there}):
        with local.read() as session:
            rows = raw_rows(session, GazeChunk, "id", part, "recording_id, sequence")
        with server.write() as session:
            add_rows(session, [(GazeChunk, rows)])
        sent += len(rows)
    return sent


def _by_bytes(sizes: dict[str, int]) -> list[list[str]]:
    """Return ids in batches small enough for a poor connection."""
    parts: list[list[str]] = []
    room = 0
    for chunk_id, size in sizes.items():
        if room < size:
            parts.append([])
            room = max(_CHUNK_BYTES, size)
        parts[-1].append(chunk_id)
        room -= size
    return parts


def _send_readings(local: Database, server: Database, session_id: str, ids: Identities) -> Sent:
    with local.read() as session:
        rows = raw_rows(session, Reading, "session_id", [session_id])
    with server.read() as session:
        there = set(session.scalars(select(Reading.id).where(Reading.session_id == session_id)))
        earlier = _resumed(session, rows)
    refused = sum(r[_AT["case_id"]] in ids.lacking for r in rows)
    known = [
        r for r in rows if r[_AT["case_id"]] in ids.cases and r[_AT["reader_id"]] in ids.readers
    ]  # the other cases were erased there
    ready = list(_resumable(known, earlier))
    named = {"case_id": ids.cases, "reader_id": ids.readers}
    for some in _batches(ready):
        part = [row[0] for row in some]
        with local.read() as session:
            children = [(t, raw_rows(session, t, "reading_id", part)) for t in CHILDREN]
        with server.write() as session:
            add_rows(session, [(Reading, renamed(Reading, some, named)), *_shown(children, ids)])
    sent = sum(row[0] not in there for row in ready)
    return Sent(readings=sent, whole=len(ready) == len(known) and not refused, refused=refused)


def _batches(rows: Sequence[Raw]) -> Iterator[Sequence[Raw]]:
    for first in range(0, len(rows), _READINGS_AT_ONCE):
        yield rows[first : first + _READINGS_AT_ONCE]


def _resumed(session: OrmSession, rows: Sequence[Raw]) -> set[str]:
    """Return which of the readings that these resume are on the server already."""
    wanted = [row[_AT["resumes_id"]] for row in rows if row[_AT["resumes_id"]]]
    found = set[str]()
    for part in in_parts(wanted):
        found |= set(session.scalars(select(Reading.id).where(Reading.id.in_(part))))
    return found


def _resumable(rows: Sequence[Raw], there: set[str]) -> Iterator[Raw]:
    """Yield readings whose earlier part is there or sent before; another session may bring it."""
    for row in rows:
        if not row[_AT["resumes_id"]] or row[_AT["resumes_id"]] in there:
            there.add(row[0])
            yield row


def _shown(
    children: Sequence[tuple[Any, list[Raw]]], ids: Identities
) -> list[tuple[Any, list[Raw]]]:
    """Return rows of readings with the server's ids of their images, without erased images."""
    found: list[tuple[Any, list[Raw]]] = []
    gone: set[str] = set()
    for table, rows in children:
        if table is Answer:  # answers about marks on an erased image go with the marks
            place = columns_of(table).index("annotation_id")
            found.append((table, [row for row in rows if row[place] not in gone]))
            continue
        place = columns_of(table).index("image_id")
        known = [r for r in rows if r[place] is None or r[place] in ids.images]
        gone |= {row[0] for row in rows} - {row[0] for row in known}
        found.append((table, renamed(table, known, {"image_id": ids.images})))
    return found
