"""Remove a reader or a patient from a database: all rows, and mentions of them in other rows.

Similarities and neighbours go too: they were computed from what is erased and can be computed
again. What remains is a tombstone (`migrations.study.tombstones`).
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import JSON, String, Text, delete, select, text, update
from sqlalchemy.orm import Session as OrmSession

from migrations.study.audit import add_audit, audit_row
from migrations.study.clean_text import CleanText
from migrations.study.database import Database
from migrations.study.names import LENGTH, WHOLE, short_name
from migrations.study.schema import (
    Annotation,
    Answer,
    Assignment,
    Audit,
    Base,
    Calibration,
    CaseImage,
    Edit,
    Fixation,
    GazeChunk,
    GazeEvent,
    Image,
    Neighbour,
    Reader,
    Reading,
    Recording,
    Session,
    SimilarityRun,
    StudyCase,
    TrainingRun,
    ViewEvent,
)
from migrations.study.tombstones import ACTION, Tombstones, all_tombstones, tombstone

GONE = "erased"
_BATCH = 400


@dataclass(slots=True)
class Erased:
    """What was removed.

    Attributes
    ----------
    rows
        By table.
    image_ids
        Images whose folders must be removed.
    tokens
        Ids, hashes and pseudonyms that must not remain anywhere.
    """

    kind: str
    rows: dict[str, int] = field(default_factory=dict)
    image_ids: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.tokens or self.names)


def erase_reader(database: Database, pseudonym: str) -> Erased:
    """Remove a reader and all that the reader recorded, in one transaction."""
    erased = Erased("reader")
    with database.write() as session:
        readers = session.scalars(select(Reader.id).where(Reader.pseudonym == pseudonym)).all()
        if readers:
            _reader_rows(session, readers, erased)
            erased.names.add(pseudonym)
            _finish(session, erased)
    return erased


def erase_images(database: Database, image_ids: Sequence[str]) -> Erased:
    """Remove images and everything that was seen and said about them, in one transaction."""
    erased = Erased("patient")
    with database.write() as session:
        if image_ids:
            _image_rows(session, image_ids, erased)
            _finish(session, erased)
    return erased


def erase_again(database: Database, details: dict[str, Any], row_id: str, time_utc: str) -> Erased:
    """Carry out another database's tombstone here, and keep it under the same id."""
    barred, erased = Tombstones.among([details]), Erased(str(details.get("kind", "")))
    with database.write() as session:
        if session.get(Audit, row_id) is not None:
            return erased
        readers = [
            reader.id
            for reader in session.scalars(select(Reader))
            if barred.bars(reader.id) or barred.bars_name(reader.pseudonym)
        ]
        images = [
            image.id for image in session.scalars(select(Image)) if barred.bars(*keys_of(image))
        ]
        if readers:
            named = select(Reader.pseudonym).where(Reader.id.in_(readers))
            erased.names.update(session.scalars(named))
            _reader_rows(session, readers, erased)
        if images:
            _image_rows(session, images, erased)
        _clear_derived(session, erased)
        _scrub(session, erased)
        row = audit_row(ACTION, erased.kind, details, person="", station="")
        session.add(Audit(**row | {"id": row_id, "time_utc": time_utc}))
    return erased


def erase_as(database: Database, other: Database) -> int:
    """Carry out another database's erasures here; return how many were new to this one.

    A restored backup, for example, dates from before them.
    """
    with other.read() as session:
        rows = [(row.id, row.time_utc, row.details) for row in all_tombstones(session)]
    with database.read() as session:
        known = {row.id for row in all_tombstones(session)}
    missed = [row for row in rows if row[0] not in known]
    for row_id, time_utc, details in missed:
        erase_again(database, details, row_id, time_utc)
    if missed:
        compact(database)
    return len(missed)


def keys_of(image: Image) -> tuple[str | None, ...]:
    """Return everything that identifies an image: id, pixels before and after clearing, groups."""
    details = image.details
    groups = image.source_group, details.get("file_group")
    return (image.id, image.sha256, details.get("imported_sha256"), *groups)


def compact(database: Database) -> None:
    """Give back the space of erased rows, so that no byte of them stays in the file."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if database.path is not None:
            driver: Any = connection.connection.driver_connection
            driver.execute("VACUUM")
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return
        for table in Base.metadata.sorted_tables:
            connection.execute(text(f'VACUUM "{table.name}"'))


def _finish(session: OrmSession, erased: Erased) -> None:
    _clear_derived(session, erased)
    _scrub(session, erased)
    details = tombstone(erased.kind, erased.tokens, erased.names, erased.rows)
    add_audit(session, ACTION, erased.kind, details)


def _reader_rows(session: OrmSession, readers: Sequence[str], erased: Erased) -> None:
    sittings = _ids(session, Session, Session.reader_id, readers)
    readings = _ids(session, Reading, Reading.reader_id, readers)
    recordings = _ids(session, Recording, Recording.session_id, sittings)
    _readings(session, readings, erased)
    _delete(session, GazeChunk, GazeChunk.recording_id, recordings, erased)
    _delete(session, Recording, Recording.id, recordings, erased)
    _delete(session, Calibration, Calibration.session_id, sittings, erased)
    _delete(session, Session, Session.id, sittings, erased)
    _delete(session, Assignment, Assignment.reader_id, readers, erased)
    _delete(session, Reader, Reader.id, readers, erased)
    erased.tokens.update(readers, sittings, recordings)


def _image_rows(session: OrmSession, image_ids: Sequence[str], erased: Erased) -> None:
    images = [i for part in _parts(image_ids) for i in
              session.scalars(select(Image).where(Image.id.in_(part)))]  # fmt: skip
    erased.image_ids = [image.id for image in images]
    erased.tokens.update(key for image in images for key in keys_of(image) if key)
    cases = _ids(session, CaseImage, CaseImage.image_id, image_ids, CaseImage.case_id)
    kept = set()
    for part in _parts(cases):
        others = select(CaseImage.case_id).where(CaseImage.case_id.in_(part))
        kept |= set(session.scalars(others.where(CaseImage.image_id.not_in(image_ids))))
    gone = [case for case in set(cases) if case not in kept]
    _readings(session, _ids(session, Reading, Reading.case_id, gone), erased)
    marks = _ids(session, Annotation, Annotation.image_id, image_ids)
    _delete(session, Answer, Answer.annotation_id, marks, erased)
    for table in (ViewEvent, Fixation, GazeEvent, Annotation, CaseImage, Neighbour):
        _delete(session, table, table.image_id, image_ids, erased)
    _delete(session, Neighbour, Neighbour.neighbour_id, image_ids, erased)
    _delete(session, Assignment, Assignment.case_id, gone, erased)
    _delete(session, StudyCase, StudyCase.id, gone, erased)
    _delete(session, Image, Image.id, image_ids, erased)
    erased.tokens.update(gone)


def _readings(session: OrmSession, ids: Sequence[str], erased: Erased) -> None:
    for table in (ViewEvent, Fixation, GazeEvent, Answer, Annotation):
        _delete(session, table, table.reading_id, ids, erased)
    for part in _parts(ids):
        session.execute(update(Reading).where(Reading.resumes_id.in_(part)).values(resumes_id=None))
    _delete(session, Reading, Reading.id, ids, erased)
    erased.tokens.update(ids)


def _clear_derived(session: OrmSession, erased: Erased) -> None:
    _delete(session, Edit, Edit.row_id, sorted(erased.tokens), erased)
    session.execute(update(TrainingRun).values(similarity_run_id=None))
    for table in (Neighbour, SimilarityRun):
        _count(erased, table, session.execute(delete(table)))


def _ids(
    session: OrmSession, table: Any, column: Any, values: Sequence[str], wanted: Any = None
) -> list[str]:
    what = table.id if wanted is None else wanted
    return [i for part in _parts(values)
            for i in session.scalars(select(what).where(column.in_(part)))]  # fmt: skip


def _delete(
    session: OrmSession, table: Any, column: Any, values: Sequence[str], erased: Erased
) -> None:
    for part in _parts(values):
        _count(erased, table, session.execute(delete(table).where(column.in_(part))))


def _count(erased: Erased, table: Any, result: Any) -> None:
    if result.rowcount:
        name = table.__tablename__
        erased.rows[name] = erased.rows.get(name, 0) + result.rowcount


def _parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(values), _BATCH):
        yield values[first : first + _BATCH]


def _scrub(session: OrmSession, erased: Erased) -> None:
    """Replace what other rows still say about the erased: case orders, subjects of the audit."""
    session.flush()
    ids = {token for token in erased.tokens if len(token) >= 16}
    ids |= {short_name(id_, length) for id_ in ids for length in range(LENGTH, WHOLE + 1)}
    with _audit_open(session):
        for table in Base.metadata.sorted_tables:
            columns = [c for c in table.c if isinstance(c.type, (JSON, CleanText, Text, String))]
            columns = [c for c in columns if not c.primary_key and not c.foreign_keys]
            if not columns:
                continue
            for row in session.execute(select(table.c.id, *columns)).mappings().all():
                changed = {c.name: _scrubbed(row[c.name], ids, erased.names) for c in columns}
                changed = {k: v for k, v in changed.items() if v != row[k]}
                if changed:
                    session.execute(update(table).where(table.c.id == row["id"]).values(**changed))


def _scrubbed(value: Any, ids: set[str], names: set[str]) -> Any:
    if isinstance(value, dict):
        return {_scrubbed(k, ids, names): _scrubbed(v, ids, names) for k, v in value.items()}
    if isinstance(value, list):
        return [_scrubbed(item, ids, names) for item in value]
    if not isinstance(value, str):
        return value
    if value in ids or value in names:
        return GONE
    for word in _WORD.findall(value):
        if word in ids:
            value = value.replace(word, GONE)
    for name in names:
        if len(name) > 1:
            value = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", GONE, value)
    return value


_WORD = re.compile(r"[0-9a-fA-F][0-9a-fA-F-]{15,}")


@contextmanager
def _audit_open(session: OrmSession) -> Iterator[None]:
    """Allow changes to the append-only audit within this transaction: the only exception."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("ALTER TABLE audit DISABLE TRIGGER audit_append_only"))
        yield
        session.flush()
        session.execute(text("ALTER TABLE audit ENABLE TRIGGER audit_append_only"))
        return
    kept = session.execute(
        text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'")
    ).all()
    for name, _ in kept:
        session.execute(text(f'DROP TRIGGER "{name}"'))
    yield
    session.flush()
    for _, sql in kept:
        session.execute(text(sql))
