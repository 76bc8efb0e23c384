"""What changed at a station after its rows were sent.

Images that were cleared, blacked out or labelled; cases that were joined or have a different sheet;
what readers said about themselves; readings that a researcher included or excluded. The gaze itself
never changes. On a server, an edit is a row of its own: a trigger checks whose row it changes,
numbers it and applies it, so that the latest to arrive counts, whatever a station's clock says. In
a file it is applied at once.
"""

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session as OrmSession

from migrations.study.cohort_rules import CHOICE
from migrations.study.database import Database
from migrations.study.errors import RightMissing, RowRefused
from migrations.study.names import short_name
from migrations.study.reader_attributes import with_said
from migrations.study.schema import (
    CaseImage,
    Edit,
    Image,
    Reader,
    Reading,
    StudyCase,
    new_id,
    utc_now,
)

_OF_CLEARING = ("burned_in", "cleared_by", "details")
_JOINED_LATER = ("label", "split", "dtype")
_AT_ONCE = 400
_EDITS = uuid.UUID("5b1f4c0e-93a4-4f0a-8c55-0f0ea7e0ed17")
_OTHERS = {
    "image": text("SELECT id FROM image WHERE id = ANY(CAST(:ids AS text[])) "
                  "AND pushed_by IS DISTINCT FROM session_user::text"),
    "study_case": text("SELECT id FROM study_case WHERE id = ANY(CAST(:ids AS text[])) "
                       "AND pushed_by IS DISTINCT FROM session_user::text"),
    "reading": text("SELECT r.id FROM reading r JOIN session s ON s.id = r.session_id "
                    "WHERE r.id = ANY(CAST(:ids AS text[])) "
                    "AND s.pushed_by IS DISTINCT FROM session_user::text"),
    "reader": text("SELECT id FROM reader WHERE id = ANY(CAST(:ids AS text[])) AND NOT EXISTS "
                   "(SELECT FROM session s WHERE s.reader_id = reader.id "
                   "AND s.pushed_by = session_user::text)"),
}  # fmt: skip

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Change:
    """A change to one row.

    Attributes
    ----------
    subject
        "image", "study_case", "reading" or "reader".
    row_id
        Id on the server.
    what
        "label", "split", "dtype", "clearing", "hanging", "sheet", "cohort" or "attributes".
    edit_id
        For an edit by hand: its id, so that the same words entered again count again.
    """

    subject: str
    row_id: str
    what: str
    value: Any
    edit_id: str = ""

    @property
    def id(self) -> str:
        """The edit's own id: the same change, sent again, is the same edit."""
        parts = [self.subject, self.row_id, self.what, self.value]
        said = json.dumps(parts + [self.edit_id] * bool(self.edit_id), sort_keys=True)
        return str(uuid.uuid5(_EDITS, said))


@dataclass(slots=True)
class Edited:
    """The outcome of changes.

    Attributes
    ----------
    made
        Rows of the server that changed.
    left
        Changes to rows that another station sent; this role may not make them.
    refused
        Refused changes by name, with the reason.
    """

    made: int
    left: int
    refused: list[str]


def in_parts(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Yield items in batches that fit into one query."""
    for first in range(0, len(items), _AT_ONCE):
        yield items[first : first + _AT_ONCE]


def send(server: Database, changes: Sequence[Change], *, owns: bool) -> Edited:
    """Make changes on a server; a refused change does not hold up the others.

    Parameters
    ----------
    owns
        Whether the role may change what others sent.
    """
    mine = list(changes) if owns else _own(server, changes)
    done = Edited(0, len(changes) - len(mine), [])
    for part in in_parts(mine):
        try:
            with server.write() as session:
                done.made += make(session, part)
        except (RowRefused, RightMissing):
            for change in part:
                _send_alone(server, change, done)
    return done


def _send_alone(server: Database, change: Change, done: Edited) -> None:
    try:
        with server.write() as session:
            done.made += make(session, [change])
    except (RowRefused, RightMissing) as error:
        called = change.subject.replace("study_", "")
        done.refused.append(f"{change.what} of {called} {short_name(change.row_id)}: {error}")


def _own(server: Database, changes: Sequence[Change]) -> list[Change]:
    others: set[str] = set()
    with server.read() as session:
        for subject, query in _OTHERS.items():
            ids = [change.row_id for change in changes if change.subject == subject]
            if ids:
                others |= set(session.scalars(query, {"ids": ids}))
    return [change for change in changes if change.row_id not in others]


def make(session: OrmSession, changes: Sequence[Change]) -> int:
    """Apply changes, in a file or through the server; return how many rows changed."""
    if session.get_bind().dialect.name != "postgresql":
        for change in changes:
            _apply(session, change)
        session.flush()
        return len({change.row_id for change in changes})
    made = set()
    for change in changes:
        row = {"id": change.id, "subject": change.subject, "row_id": change.row_id,
               "what": change.what, "value": change.value}  # fmt: skip
        if session.execute(insert(Edit).values(**row).returning(Edit.id)).first() is not None:
            made.add(change.row_id)
    session.expire_all()
    return len(made)


def _apply(session: OrmSession, change: Change) -> None:
    """Do in a file what the server's trigger does (revisions 0006 and 0008)."""
    if change.subject == "reading":
        reading = session.get_one(Reading, change.row_id)
        reading.details = {**reading.details, change.what: change.value}
    elif change.subject == "image":
        image = session.get_one(Image, change.row_id)
        new = change.value if change.what == "clearing" else {change.what: change.value}
        for name, value in new.items():
            setattr(image, name, value)
    elif change.subject == "reader":
        reader = session.get_one(Reader, change.row_id)
        reader.details = with_said(reader.details, change.value)
    elif change.what == "sheet":
        session.get_one(StudyCase, change.row_id).sheet = change.value
    else:
        _hang(session, change.row_id, change.value)


def _hang(session: OrmSession, case_id: str, hung: Mapping[str, Any]) -> None:
    case = session.get_one(StudyCase, case_id)
    case.hanging, case.practice = hung["hanging"], hung["practice"]
    for tile in session.scalars(select(CaseImage).where(CaseImage.case_id == case_id)):
        session.delete(tile)
    session.flush()
    session.add_all(CaseImage(case_id=case_id, **tile) for tile in hung["tiles"])


def image_changes(
    session: OrmSession, rows: Sequence[Mapping[str, Any]], ids: Mapping[str, str]
) -> list[Change]:
    """Return the edits that bring a server's images up to date with a station's.

    All of it goes one way, so that two stations with copies of one study do not undo each other's
    changes: an image is cleared or more of it is blacked out; a label or split is added where there
    never was one. A label or split that was removed by hand on the server stays removed until
    someone enters it again by hand.

    Parameters
    ----------
    session
        Images on the server.
    ids
        The server's id of each row's image.
    """
    found = list[Change]()
    for part in in_parts([row for row in rows if row["id"] in ids]):
        meant, pixels = [ids[row["id"]] for row in part], [row["sha256"] for row in part]
        images = {i.id: i for i in session.scalars(select(Image).where(Image.id.in_(meant)))}
        taken = set(session.scalars(select(Image.sha256).where(Image.sha256.in_(pixels))))
        said = select(Edit.row_id, Edit.what).where(Edit.row_id.in_(meant))
        edited = {(row_id, what) for row_id, what in session.execute(said)}
        for row in part:
            there = images[ids[row["id"]]]
            free = [name for name in _JOINED_LATER if (there.id, name) not in edited]
            found += _of_image(row, there, row["sha256"] in taken, free)
    return found


def _of_image(
    row: Mapping[str, Any], there: Image, taken: bool, free: Sequence[str]
) -> Iterator[Change]:
    for name in free:
        if row[name] and not getattr(there, name):
            yield Change("image", there.id, name, row[name])
    if there.id == row["id"] and _clearing(row) > _clearing(vars(there)):
        new = {name: row[name] for name in _OF_CLEARING}
        yield Change("image", there.id, "clearing",
                     new if taken else new | {"sha256": row["sha256"]})  # fmt: skip


def _clearing(row: Mapping[str, Any]) -> tuple[int, bool]:
    """Return how far an image was cleared: rectangles blacked out, and whether it was checked."""
    return len(row["details"].get("blacked_out", ())), row["cleared_by"] is not None


def hanging_change(
    session: OrmSession,
    case: Mapping[str, Any],
    there: StudyCase,
    tiles: Sequence[tuple[int, str]],
    shown: Sequence[Mapping[str, Any]],
) -> list[Change]:
    """Return the edit that hangs a server's case as at its station, unless someone has read it.

    Parameters
    ----------
    tiles
        Tile and image of the case on the server.
    shown
        Its tiles at the station, with the server's ids of their images.
    """
    wanted = {(tile["tile"], tile["image_id"]) for tile in shown}
    if (there.hanging, there.practice, set(tiles)) == (case["hanging"], case["practice"], wanted):
        return []
    read = select(func.count()).select_from(Reading).where(Reading.case_id == case["id"])
    if session.scalar(read):
        return []
    hung = [{"id": new_id(), "tile": t["tile"], "image_id": t["image_id"]} for t in shown]
    value = {"hanging": case["hanging"], "practice": bool(case["practice"]), "tiles": hung}
    return [Change("study_case", case["id"], "hanging", value)]


def choices_of(session: OrmSession) -> dict[str, Any]:
    """Return what a researcher decided about a study's readings, by reading."""
    query = select(Reading.id, Reading.details).where(
        Reading.details[CHOICE].as_string().is_not(None)
    )
    return {reading_id: details[CHOICE] for reading_id, details in session.execute(query)}


def choice_changes(server: Database, choices: Mapping[str, Any]) -> list[Change]:
    """Return the choices that were not yet sent to the server.

    The server keeps each choice it was sent as an edit. A choice from before edits existed has
    none: the later one then stays, unless it is dated after the server's own clock.
    """
    found, files = list[Change](), server.path is not None
    for part in in_parts(list(choices)):
        mine = [Change("reading", reading, CHOICE, choices[reading]) for reading in part]
        with server.read() as session:
            told = set(session.scalars(select(Edit.id).where(Edit.id.in_([c.id for c in mine]))))
            edited = set(session.scalars(select(Edit.row_id).where(Edit.row_id.in_(part))))
            rows = session.execute(select(Reading.id, Reading.details).where(Reading.id.in_(part)))
            there = {reading_id: details.get(CHOICE) for reading_id, details in rows}
            now = utc_now() if files else str(session.scalar(_NOW))
        for change in mine:
            if change.id in told or change.row_id not in there:
                continue
            theirs = there[change.row_id]
            late = theirs is not None and change.value["time_utc"] <= theirs["time_utc"] <= now
            if change.row_id in edited or not late:
                found.append(change)
    return found


_NOW = text(
    "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
)
