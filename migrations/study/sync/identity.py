"""Who and what is the same on both sides: readers by name, images as seen, cases by images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session as OrmSession

from migrations.study.database import Database
from migrations.study.erasure import keys_of
from migrations.study.same_image import ImageIdentity, identities, same_images
from migrations.study.schema import CaseImage, Image, Reader, StudyCase, new_id
from migrations.study.sync.changes import in_parts, renew_case, renew_images
from migrations.study.tombstones import Tombstones

Signature = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Identities:
    """Local id → id on the server; who was erased, here or there, is left out.

    Attributes
    ----------
    changed
        Images and cases of the server that were brought up to date meanwhile.
    """

    readers: dict[str, str]
    images: dict[str, str]
    cases: dict[str, str]
    changed: int = 0


def learn_identities(local: Database, server: Database) -> Identities:
    """Return the server's ids of all readers, images and cases, making those it lacks."""
    with local.read() as session:
        readers = _all(session, Reader)
        images = session.scalars(select(Image).order_by(Image.import_number, Image.id)).all()
        cases = _all(session, StudyCase)
        tiles = _all(session, CaseImage)
        mine = Tombstones.of(session)
        session.expunge_all()
    with server.read() as session:
        barred = (mine, Tombstones.of(session))
    allowed = [r for r in readers if not _is_barred(barred, r["id"], name=r["pseudonym"])]
    shown = [i for i in images if not _is_barred(barred, *keys_of(i))]
    rows = [{c.name: getattr(i, c.name) for c in Image.__table__.columns} for i in shown]
    with server.write() as session:
        reader_ids = _same(session, Reader, allowed, "pseudonym")
        image_ids = _images(session, rows)
        renewed = renew_images(session, rows, image_ids)
    case_ids, rehung = _cases(server, cases, tiles, image_ids)
    return Identities(reader_ids, image_ids, case_ids, renewed + rehung)


def _is_barred(barred: tuple[Tombstones, ...], *keys: str | None, name: str | None = None) -> bool:
    return any(t.bars(*keys) or (name is not None and t.bars_name(name)) for t in barred)


def _all(session: OrmSession, table: Any) -> list[dict[str, Any]]:
    query = select(table.__table__).order_by(table.id)
    return [dict(row) for row in session.execute(query).mappings()]


def _same(
    session: OrmSession, table: Any, rows: list[dict[str, Any]], unique: str
) -> dict[str, str]:
    """Insert rows whose unique value is new, and return the id that now stands for each."""
    insert_missing(session, table, rows)
    column = getattr(table, unique)
    there: dict[str, str] = {}
    for part in in_parts(rows):
        values = [row[unique] for row in part]
        found = session.execute(select(column, table.id).where(column.in_(values)))
        there |= {value: row_id for value, row_id in found}
    by_id = set(session.scalars(select(table.id)))
    return {r["id"]: r["id"] if r["id"] in by_id else there[r[unique]] for r in rows}


def _images(session: OrmSession, rows: list[dict[str, Any]]) -> dict[str, str]:
    """Insert images that are not there under any id, and return the id that stands for each."""
    found = _found_images(session, rows)
    insert_missing(session, Image, [row for row in rows if row["id"] not in found])
    return found if len(found) == len(rows) else _found_images(session, rows)


def _found_images(session: OrmSession, rows: list[dict[str, Any]]) -> dict[str, str]:
    """Return the ids of images that are there: by id, whatever was blacked out, or as seen."""
    mine = [ImageIdentity(*(row[name] for name in ImageIdentity._fields)) for row in rows]
    there = identities(session, [image.sha256 for image in mine])
    by_id = set(session.scalars(select(Image.id)))
    return same_images(mine, there) | {i.id: i.id for i in mine if i.id in by_id}


def insert_missing(session: OrmSession, table: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows; those whose id or unique name is there already are left as they are."""
    if not rows:
        return
    dialect = session.get_bind().dialect.name
    make: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    session.execute(make(table.__table__).on_conflict_do_nothing(), list(rows))


def _cases(
    server: Database,
    cases: list[dict[str, Any]],
    tiles: list[dict[str, Any]],
    images: dict[str, str],
) -> tuple[dict[str, str], int]:
    """Return the server's id of each case, and how many hang anew there."""
    hung: dict[str, list[dict[str, Any]]] = {}
    for tile in tiles:
        hung.setdefault(tile["case_id"], []).append(tile)
    found, rehung = {}, 0
    for case in cases:
        own = hung.get(case["id"], [])
        if not own or any(tile["image_id"] not in images for tile in own):
            continue  # an erased image's case
        shown = [tile | {"image_id": images[tile["image_id"]]} for tile in own]
        with server.write() as session:
            if session.get(StudyCase, case["id"]) is not None:
                found[case["id"]] = case["id"]
                rehung += renew_case(session, case, shown)
            else:
                found[case["id"]] = _case(session, case, shown)
    return found, rehung


def _case(session: OrmSession, case: dict[str, Any], shown: list[dict[str, Any]]) -> str:
    """Return the server's case of the same images in the same tiles; made if there is none."""
    _lock_cases(session)
    wanted = _signature(case, shown)
    holding = select(CaseImage.case_id).where(CaseImage.image_id == shown[0]["image_id"])
    for case_id in session.scalars(holding).all():
        row = session.get_one(StudyCase, case_id)
        other = session.scalars(select(CaseImage).where(CaseImage.case_id == case_id)).all()
        tiles = [{"tile": c.tile, "image_id": c.image_id} for c in other]
        if _signature({"hanging": row.hanging, "practice": row.practice}, tiles) == wanted:
            return case_id
    session.add(StudyCase(**(case | {"name": _free_name(session, case["name"])})))
    session.flush()
    for tile in shown:
        session.add(CaseImage(**(tile | {"id": new_id()})))
    return str(case["id"])


def _lock_cases(session: OrmSession) -> None:
    """Let one station at a time make cases on a server: two would make the same one twice."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE study_case IN SHARE ROW EXCLUSIVE MODE"))


def _signature(case: dict[str, Any], tiles: list[dict[str, Any]]) -> Signature:
    hung = sorted((tile["tile"], tile["image_id"]) for tile in tiles)
    return case["hanging"], bool(case["practice"]), tuple(hung)


def _free_name(session: OrmSession, name: str) -> str:
    free, number = name, 2
    while session.scalar(select(StudyCase.id).where(StudyCase.name == free)):
        free, number = f"{name} ({number})", number + 1
    return free
