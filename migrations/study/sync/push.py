"""Push the finished sessions of a study into a server, idempotent by id.

Each step is a transaction of its own and can be cut at any time: what is there is not sent again,
a reading appears on the server after all its gaze, whole. Two stations' readers are one by their
pseudonym, images by their sha256, cases by their images; ids of the first that came stand. Rows of
erased people are not sent, and the study's own erasures are carried out on the server first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.database import Database
from migrations.study.erasure import erase_again
from migrations.study.schema import (
    Annotation,
    Answer,
    Arm,
    Audit,
    Calibration,
    Fixation,
    GazeChunk,
    GazeEvent,
    Question,
    Reading,
    Recording,
    Session,
    ViewEvent,
)
from migrations.study.sync.changes import push_choices
from migrations.study.sync.identity import Identities, insert_missing, learn_identities
from migrations.study.tombstones import all_tombstones

Progress = Callable[[int, int], None]
_CHUNK_BYTES = 2_000_000
_CHILDREN = (ViewEvent, Fixation, GazeEvent, Annotation, Answer)
_DESIGN = (Question, Arm)
"""Which rows of readings refer to; small tables, sent whole."""


@dataclass(slots=True)
class PushReport:
    """What one push did.

    Attributes
    ----------
    sessions, readings, chunks
        Sent now.
    known
        Sessions that were there whole.
    waiting
        Sessions that are still open here.
    barred
        Sessions of erased readers, not sent.
    erased
        Rows removed on the server by erasures of this study, by table.
    changed
        Images, cases and readings of the server that had changed here since they were sent.
    """

    sessions: int = 0
    readings: int = 0
    chunks: int = 0
    known: int = 0
    waiting: int = 0
    barred: int = 0
    erased: dict[str, int] = field(default_factory=dict)
    changed: int = 0


def push(local: Database, server: Database, progress: Progress = lambda d, t: None) -> PushReport:
    """Send all that a server lacks.

    Parameters
    ----------
    local
        A study's own database; only read, in short transactions.
    server
        Where to; its schema must be this program's (`Database.upgrade`).
    progress
        Told of sessions done, of how many.

    Raises
    ------
    DatabaseError
        If the server goes away; what was sent stays, the next push goes on from there.
    """
    report = PushReport()
    _push_tombstones(local, server, report)
    with local.read() as session:
        sittings = session.scalars(select(Session).order_by(Session.id)).all()
        open_ids = _open_sessions(session)
        session.expunge_all()
    ready = [s for s in sittings if s.id not in open_ids]
    report.waiting = len(sittings) - len(ready)
    identities = learn_identities(local, server)
    _push_design(local, server)
    for done, sitting in enumerate(ready, 1):
        _push_session(local, server, sitting, identities, report)
        progress(done, len(ready))
    report.changed = identities.changed + push_choices(local, server)
    return report


def _push_design(local: Database, server: Database) -> None:
    for table in _DESIGN:
        with local.read() as session:
            rows = _rows(session, table, table.id.is_not(None))
        with server.read() as session:
            there = set(session.scalars(select(table.id)))
        missing = [row for row in rows if row["id"] not in there]
        if missing:
            with server.write() as session:
                insert_missing(session, table, missing)


def pending(local: Database, server: Database) -> int:
    """Return how many finished sessions the server lacks or has in part."""
    with local.read() as session:
        ids = set(session.scalars(select(Session.id))) - _open_sessions(session)
        mine = _counts(session)
    with server.read() as session:
        theirs = _counts(session)
    return sum(mine.get(i) != theirs.get(i) for i in ids)


def _push_tombstones(local: Database, server: Database, report: PushReport) -> None:
    with local.read() as session:
        rows = [(r.id, r.time_utc, r.details) for r in all_tombstones(session)]
    with server.read() as session:
        there = set(session.scalars(select(Audit.id).where(Audit.id.in_([r[0] for r in rows]))))
    for row_id, time_utc, details in rows:
        if row_id not in there:
            for name, count in erase_again(server, details, row_id, time_utc).rows.items():
                report.erased[name] = report.erased.get(name, 0) + count


def _open_sessions(session: OrmSession) -> set[str]:
    """Return sessions that are still being recorded, or were cut off and wait for recovery."""
    queries = (
        select(Recording.session_id).where(Recording.state == "open"),
        select(Reading.session_id).where(Reading.state == "open"),
        select(Session.id).where(Session.ended_utc.is_(None)),
    )
    return {i for query in queries for i in session.scalars(query)}


def _counts(session: OrmSession) -> dict[str, tuple[int, ...]]:
    """Return by session how many readings, chunks and rows of readings there are."""
    none = [0] * (3 + len(_CHILDREN))
    found: dict[str, list[int]] = {i: [*none] for i in session.scalars(select(Session.id))}
    queries = [
        select(Reading.session_id, func.count()).group_by(Reading.session_id),
        select(Recording.session_id, func.count())
        .join(GazeChunk, GazeChunk.recording_id == Recording.id)
        .group_by(Recording.session_id),
        select(Calibration.session_id, func.count()).group_by(Calibration.session_id),
        *(
            select(Reading.session_id, func.count())
            .join(child, child.reading_id == Reading.id)
            .group_by(Reading.session_id)
            for child in _CHILDREN
        ),
    ]
    for k, query in enumerate(queries):
        for session_id, count in session.execute(query):
            found[session_id][k] = count
    return {i: tuple(counts) for i, counts in found.items()}


def _push_session(
    local: Database,
    server: Database,
    sitting: Session,
    identities: Identities,
    report: PushReport,
) -> None:
    if sitting.reader_id not in identities.readers:
        report.barred += 1
        return
    with local.read() as session:
        mine = _of_session(session, sitting.id)
    with server.read() as session:
        theirs = _of_session(session, sitting.id)
    if mine == theirs:
        report.known += 1
        return
    before = report.readings, report.chunks
    _push_sitting(local, server, sitting, identities)
    _push_chunks(local, server, sitting.id, report)
    _push_readings(local, server, sitting.id, identities, report)
    if before == (report.readings, report.chunks) and theirs[0]:
        report.known += 1  # what is left here belongs to an erased image
    else:
        report.sessions += 1


def _of_session(session: OrmSession, session_id: str) -> tuple[Any, ...]:
    """Return what tells whether a session is there whole."""
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
        for child in _CHILDREN
    ]
    return tuple(session.scalar(query) for query in counts)


def _push_sitting(
    local: Database, server: Database, sitting: Session, identities: Identities
) -> None:
    with local.read() as session:
        own = _rows(session, Session, Session.id == sitting.id)
        calibrations = _rows(session, Calibration, Calibration.session_id == sitting.id)
        recordings = _rows(session, Recording, Recording.session_id == sitting.id)
    for row in own:
        row["reader_id"] = identities.readers[row["reader_id"]]
        row["case_order"] = [identities.cases.get(c, c) for c in row["case_order"]]
    with server.write() as session:
        for table, rows in ((Session, own), (Calibration, calibrations), (Recording, recordings)):
            insert_missing(session, table, rows)


def _push_chunks(local: Database, server: Database, session_id: str, report: PushReport) -> None:
    with local.read() as session:
        query = (
            select(GazeChunk.id, func.length(GazeChunk.blob))
            .join(Recording, Recording.id == GazeChunk.recording_id)
            .where(Recording.session_id == session_id)
            .order_by(GazeChunk.recording_id, GazeChunk.sequence)
        )
        sizes: dict[str, int] = {i: size for i, size in session.execute(query)}
    with server.read() as session:
        query_there = (
            select(GazeChunk.id)
            .join(Recording, Recording.id == GazeChunk.recording_id)
            .where(Recording.session_id == session_id)
        )
        there = set(session.scalars(query_there))
    for part in _by_bytes({i: size for i, size in sizes.items() if i not in there}):
        with local.read() as session:
            rows = _rows(session, GazeChunk, GazeChunk.id.in_(part))
        with server.write() as session:
            insert_missing(session, GazeChunk, rows)
        report.chunks += len(rows)


def _by_bytes(sizes: dict[str, int]) -> list[list[str]]:
    """Return ids in batches small enough to arrive over a poor line."""
    parts: list[list[str]] = []
    room = 0
    for chunk_id, size in sizes.items():
        if room < size or len(parts[-1]) >= 400:
            parts.append([])
            room = max(_CHUNK_BYTES, size)
        parts[-1].append(chunk_id)
        room -= size
    return parts


def _push_readings(
    local: Database,
    server: Database,
    session_id: str,
    identities: Identities,
    report: PushReport,
) -> None:
    with local.read() as session:
        query = select(Reading.id).where(Reading.session_id == session_id).order_by(Reading.id)
        ids = session.scalars(query).all()
    with server.read() as session:
        there = set(session.scalars(select(Reading.id).where(Reading.session_id == session_id)))
    for reading_id in ids:
        with local.read() as session:
            own = _rows(session, Reading, Reading.id == reading_id)
            children = [_rows(session, t, t.reading_id == reading_id) for t in _CHILDREN]
        sent = _translated(own, children, identities)
        if sent is None:
            continue
        with server.write() as session:
            if not _can_resume(session, sent[0]):
                continue
            insert_missing(session, Reading, sent[0])
            for table, rows in zip(_CHILDREN, sent[1], strict=True):
                insert_missing(session, table, rows)
        report.readings += reading_id not in there


def _can_resume(session: OrmSession, readings: Sequence[dict[str, Any]]) -> bool:
    """Tell whether what these readings go on with is there; it comes with its own session."""
    earlier = {row["resumes_id"] for row in readings if row["resumes_id"]}
    there = set(session.scalars(select(Reading.id).where(Reading.id.in_(earlier))))
    return earlier <= there


def _translated(
    own: Sequence[dict[str, Any]], children: Sequence[list[dict[str, Any]]], ids: Identities
) -> tuple[list[dict[str, Any]], list[list[dict[str, Any]]]] | None:
    """Return the rows of a reading with the server's ids; None if its case was erased there."""
    readings = [dict(row) for row in own]
    for row in readings:
        if row["case_id"] not in ids.cases or row["reader_id"] not in ids.readers:
            return None
        row["case_id"] = ids.cases[row["case_id"]]
        row["reader_id"] = ids.readers[row["reader_id"]]
    kept: list[list[dict[str, Any]]] = []
    gone: set[str] = set()
    for table, rows in zip(_CHILDREN, children, strict=True):
        if table is Answer:  # those of marks on an erased image go with the marks
            kept.append([r for r in rows if r["annotation_id"] not in gone])
            continue
        known = [r for r in rows if r["image_id"] is None or r["image_id"] in ids.images]
        gone |= {r["id"] for r in rows} - {r["id"] for r in known}
        kept.append([r | {"image_id": ids.images.get(r["image_id"] or "")} for r in known])
    return readings, kept


def _rows(session: OrmSession, table: Any, which: Any) -> list[dict[str, Any]]:
    query = select(table.__table__).where(which).order_by(table.id)
    return [dict(row) for row in session.execute(query).mappings()]
