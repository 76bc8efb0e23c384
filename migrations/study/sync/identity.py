"""Who and what is the same on both sides: readers by name, images by content, cases by images."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session as OrmSession

from migrations.study.database import Database
from migrations.study.erasure import keys_of
from migrations.study.errors import RowRefused
from migrations.study.names import short_name
from migrations.study.same_image import ImageIdentity, identities, same_images
from migrations.study.schema import CaseImage, Image, Reader, StudyCase, new_id
from migrations.study.sync.edits import Change, hanging_change, image_changes, in_parts
from migrations.study.sync.state import DESIGN
from migrations.study.tombstones import Tombstones

Row = dict[str, Any]
Signature = tuple[Any, ...]
_CASES_LOCK = 0x0F0EA7F
"""Name of the server's lock that lets only one station make cases at a time."""


@dataclass(slots=True)
class Identities:
    """Local id → id on the server; erased rows, here or there, are left out.

    Attributes
    ----------
    changes
        What would bring images and cases on the server up to date.
    refused
        What the server refused, by name, with the reason.
    lacking
        Local ids of readers, images and cases that were refused or depend on one that was.
    """

    readers: dict[str, str] = field(default_factory=dict)
    images: dict[str, str] = field(default_factory=dict)
    cases: dict[str, str] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    lacking: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Known:
    """The readers, images and cases of a study, as rows; without those of erased people.

    Attributes
    ----------
    hung
        Tiles by case.
    """

    readers: list[Row]
    images: list[Row]
    cases: list[Row]
    hung: Mapping[str, list[Row]]


def known_here(local: Database, server: Database) -> Known:
    """Return the people, images and cases that a study has, without those erased here or there."""
    with local.read() as session:
        readers, cases, tiles = (_all(session, t) for t in (Reader, StudyCase, CaseImage))
        images = session.scalars(select(Image).order_by(Image.import_number, Image.id)).all()
        mine = Tombstones.of(session)
        session.expunge_all()
    with server.read() as session:
        barred = (mine, Tombstones.of(session))
    allowed = [r for r in readers if not _is_barred(barred, r["id"], name=r["pseudonym"])]
    shown = [i for i in images if not _is_barred(barred, *keys_of(i))]
    hung = defaultdict(list)
    for tile in tiles:
        hung[tile["case_id"]].append(tile)
    rows = [{c.name: getattr(i, c.name) for c in Image.__table__.columns} for i in shown]
    return Known(allowed, rows, cases, hung)


def learn_identities(local: Database, server: Database) -> Identities:
    """Return the server's ids of all readers, images and cases; missing ones are added."""
    here, ids = known_here(local, server), Identities()
    _readers(server, here.readers, ids)
    _images(server, here.images, ids)
    _cases(server, here, ids)
    return ids


def _is_barred(barred: tuple[Tombstones, ...], *keys: str | None, name: str | None = None) -> bool:
    return any(t.bars(*keys) or (name is not None and t.bars_name(name)) for t in barred)


def _all(session: OrmSession, table: Any) -> list[Row]:
    query = select(table.__table__).order_by(table.id)
    return [dict(row) for row in session.execute(query).mappings()]


def _readers(server: Database, rows: list[Row], ids: Identities) -> None:
    """Add readers whose pseudonym is new, and learn the id now used for each."""
    there = _ids_of_readers(server, rows)
    new = [row for row in rows if row["id"] not in there]
    _insert(server, Reader, new, ids, "a reader")
    if new:
        there = _ids_of_readers(server, [r for r in rows if r["id"] not in ids.lacking])
    ids.readers = there


def _ids_of_readers(server: Database, rows: Sequence[Row]) -> dict[str, str]:
    found, named = set[str](), dict[str, str]()
    with server.read() as session:
        for part in in_parts(rows):
            same_id = Reader.id.in_([row["id"] for row in part])
            # A text with a NUL cannot even be queried.
            names = [row["pseudonym"] for row in part if "\0" not in row["pseudonym"]]
            query = select(Reader.id, Reader.pseudonym)
            for row_id, name in session.execute(query.where(same_id | Reader.pseudonym.in_(names))):
                found.add(row_id)
                named[name] = row_id
    own = {row["id"]: row["id"] for row in rows if row["id"] in found}
    return {r["id"]: named[r["pseudonym"]] for r in rows if r["pseudonym"] in named} | own


def _images(server: Database, rows: list[Row], ids: Identities) -> None:
    """Add images that the server has under no id, and learn the id now used for each."""
    with server.read() as session:
        found = _found_images(session, rows)
    new = [row for row in rows if row["id"] not in found]
    _insert(server, Image, new, ids, "image")
    with server.read() as session:
        kept = [row for row in rows if row["id"] not in ids.lacking]
        ids.images = _found_images(session, kept) if new else found
        ids.changes += image_changes(session, kept, ids.images)


def _found_images(session: OrmSession, rows: list[Row]) -> dict[str, str]:
    """Return the ids of images that exist: by id, whatever was blacked out, or by content."""
    mine = [ImageIdentity(*(row[name] for name in ImageIdentity._fields)) for row in rows]
    there = identities(session, [image.sha256 for image in mine])
    by_id = set[str]()
    for part in in_parts([image.id for image in mine]):
        by_id |= set(session.scalars(select(Image.id).where(Image.id.in_(part))))
    return same_images(mine, there) | {i.id: i.id for i in mine if i.id in by_id}


def send_design(local: Database, server: Database, ids: Identities) -> None:
    """Send the questions and arms that rows of readings refer to."""
    for table in DESIGN:
        with local.read() as session:
            rows = _all(session, table)
        with server.read() as session:
            there = set(session.scalars(select(table.id)))
        missing = [row for row in rows if row["id"] not in there]
        _insert(server, table, missing, ids, table.__tablename__)


def _insert(server: Database, table: Any, rows: list[Row], ids: Identities, called: str) -> None:
    """Insert rows; a row that the server refuses does not hold up the others."""
    for part in in_parts(rows):
        try:
            with server.write() as session:
                insert_missing(session, table, part)
        except RowRefused:
            for row in part:
                _insert_alone(server, table, row, ids, called)


def _insert_alone(server: Database, table: Any, row: Row, ids: Identities, called: str) -> None:
    try:
        with server.write() as session:
            insert_missing(session, table, [row])
    except RowRefused as error:
        ids.lacking.add(row["id"])
        ids.refused.append(f"{called} {short_name(row['id'])}: {error}")


def insert_missing(session: OrmSession, table: Any, rows: Sequence[Row]) -> None:
    """Insert rows; those whose id or unique name already exists are left unchanged."""
    if not rows:
        return
    dialect = session.get_bind().dialect.name
    make: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    session.execute(make(table.__table__).on_conflict_do_nothing(), list(rows))


def _cases(server: Database, here: Known, ids: Identities) -> None:
    """Learn the server's id of each case; missing ones are added."""
    shown: list[tuple[Row, list[Row]]] = []
    for case in here.cases:
        own = here.hung.get(case["id"], [])
        if any(tile["image_id"] in ids.lacking for tile in own):
            ids.lacking.add(case["id"])
        elif own and all(tile["image_id"] in ids.images for tile in own):
            shown.append((case, [t | {"image_id": ids.images[t["image_id"]]} for t in own]))
    for part in in_parts(shown):  # what is left out is an erased image's case
        missing = _known_cases(server, part, ids)
        if missing:
            _new_cases(server, missing, ids)


def _known_cases(
    server: Database, part: Sequence[tuple[Row, list[Row]]], ids: Identities
) -> list[tuple[Row, list[Row]]]:
    """Learn those that exist under their id; return the others."""
    with server.read() as session:
        meant = StudyCase.id.in_([case["id"] for case, _ in part])
        rows = {row.id: row for row in session.scalars(select(StudyCase).where(meant))}
        tiles = _tiles(session, rows)
        for case, shown in part:
            if case["id"] in rows:
                row = rows[case["id"]]
                ids.cases[row.id] = row.id
                ids.changes += hanging_change(session, case, row, tiles.get(row.id, []), shown)
    return [(case, shown) for case, shown in part if case["id"] not in rows]


def _tiles(session: OrmSession, cases: Iterable[str]) -> dict[str, list[tuple[int, str]]]:
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for some in in_parts(list(cases)):
        query = select(CaseImage.case_id, CaseImage.tile, CaseImage.image_id)
        for case_id, tile, image_id in session.execute(query.where(CaseImage.case_id.in_(some))):
            found[case_id].append((tile, image_id))
    return found


def _new_cases(server: Database, missing: Sequence[tuple[Row, list[Row]]], ids: Identities) -> None:
    """Learn the server's cases of the same images in the same tiles; add the missing ones."""
    try:
        with server.write() as session:
            found = _found_or_made(session, missing)
        ids.cases |= found
    except RowRefused:
        for case, shown in missing:
            try:
                with server.write() as session:
                    found = _found_or_made(session, [(case, shown)])
                ids.cases |= found
            except RowRefused as error:
                ids.lacking.add(case["id"])
                ids.refused.append(f"case {short_name(case['id'])}: {error}")


def _found_or_made(session: OrmSession, missing: Sequence[tuple[Row, list[Row]]]) -> dict[str, str]:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:name)"), {"name": _CASES_LOCK})
    images = [shown[0]["image_id"] for _, shown in missing]
    holding = set(session.scalars(select(CaseImage.case_id).where(CaseImage.image_id.in_(images))))
    tiles = _tiles(session, sorted(holding))
    by_look: dict[Signature, str] = {}
    for row in session.scalars(select(StudyCase).where(StudyCase.id.in_(holding))):
        by_look.setdefault(_signature(row.hanging, row.practice, tiles[row.id]), row.id)
    taken = set(session.scalars(select(StudyCase.name)))
    found, cases, hung = {}, list[Row](), list[Row]()
    for case, shown in missing:
        look = _signature(
            case["hanging"], case["practice"], [(t["tile"], t["image_id"]) for t in shown]
        )
        if look not in by_look:
            by_look[look] = case["id"]
            cases.append(case | {"name": _free_name(taken, case["name"])})
            hung += [tile | {"id": new_id()} for tile in shown]
        found[case["id"]] = by_look[look]
    insert_missing(session, StudyCase, cases)
    insert_missing(session, CaseImage, hung)
    return found


def _signature(hanging: str, practice: bool, tiles: Iterable[tuple[int, str]]) -> Signature:
    return hanging, bool(practice), tuple(sorted(tiles))


def _free_name(taken: set[str], name: str) -> str:
    free, number = name, 2
    while free in taken:
        free, number = f"{name} ({number})", number + 1
    taken.add(free)
    return free
