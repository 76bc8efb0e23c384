"""What changed at a station after its rows were sent.

Images that were cleared, blacked out or labelled, cases that were joined, readings that a
researcher kept or dropped. What the gaze itself says never changes.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.cohort_rules import CHOICE
from migrations.study.database import Database
from migrations.study.schema import CaseImage, Image, Reading, StudyCase, new_id

_OF_CLEARING = ("burned_in", "cleared_by", "details")
_JOINED_LATER = ("label", "split", "dtype")
_AT_ONCE = 400

Item = TypeVar("Item")


def in_parts(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Yield items in parts that fit into one query."""
    for first in range(0, len(items), _AT_ONCE):
        yield items[first : first + _AT_ONCE]


def renew_images(
    session: OrmSession, rows: Sequence[Mapping[str, Any]], ids: Mapping[str, str]
) -> int:
    """Bring a server's images up to date with a station's; return how many changed.

    All of it goes one way, so that two stations with copies of one study do not undo each other:
    an image is cleared or more of it black, a label or split comes where there was none.

    Parameters
    ----------
    ids
        Which image of the server each row's is.
    """
    changed = 0
    for part in in_parts(rows):
        meant, pixels = [ids[row["id"]] for row in part], [row["sha256"] for row in part]
        images = {i.id: i for i in session.scalars(select(Image).where(Image.id.in_(meant)))}
        taken = set(session.scalars(select(Image.sha256).where(Image.sha256.in_(pixels))))
        for row in part:
            image = images[ids[row["id"]]]
            new = {name: getattr(image, name) or row[name] for name in _JOINED_LATER}
            if image.id == row["id"] and _clearing(row) > _clearing(vars(image)):
                new |= {name: row[name] for name in _OF_CLEARING}
                if row["sha256"] not in taken:
                    new["sha256"] = row["sha256"]
            changed += _set(image, new)
    session.flush()
    return changed


def _clearing(row: Mapping[str, Any]) -> tuple[int, bool]:
    """Return how far an image was cleared: rectangles blacked out, and whether someone looked."""
    return len(row["details"].get("blacked_out", ())), row["cleared_by"] is not None


def _set(row: Any, values: Mapping[str, Any]) -> bool:
    differing = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in differing.items():
        setattr(row, name, value)
    return bool(differing)


def renew_case(
    session: OrmSession, case: Mapping[str, Any], shown: Sequence[Mapping[str, Any]]
) -> bool:
    """Hang a server's case as it hangs at its station now, unless someone has read it.

    Parameters
    ----------
    shown
        Its tiles, with the server's ids of their images.
    """
    wanted = {(tile["tile"], tile["image_id"]) for tile in shown}
    there = session.scalars(select(CaseImage).where(CaseImage.case_id == case["id"])).all()
    row = session.get_one(StudyCase, case["id"])
    hung = (row.hanging, row.practice, {(tile.tile, tile.image_id) for tile in there})
    if hung == (case["hanging"], case["practice"], wanted):
        return False
    read = select(func.count()).select_from(Reading).where(Reading.case_id == case["id"])
    if session.scalar(read):
        return False
    row.hanging, row.practice = case["hanging"], case["practice"]
    for tile in there:
        session.delete(tile)
    session.flush()
    session.add_all(CaseImage(**{**tile, "id": new_id()}) for tile in shown)
    session.flush()
    return True


def push_choices(local: Database, server: Database) -> int:
    """Send what a researcher decided of readings; the later decision stands on both sides.

    Returns
    -------
    int
        Readings of the server that changed.
    """
    with local.read() as session:
        query = select(Reading.id, Reading.details).where(
            Reading.details[CHOICE].as_string().is_not(None)
        )
        choices = {reading_id: details[CHOICE] for reading_id, details in session.execute(query)}
    changed = 0
    for part in in_parts(list(choices)):
        with server.write() as session:
            there = select(Reading).where(Reading.id.in_(part)).with_for_update()
            for reading in session.scalars(there):
                mine, theirs = choices[reading.id], reading.details.get(CHOICE)
                if theirs is None or theirs["time_utc"] < mine["time_utc"]:
                    reading.details = {**reading.details, CHOICE: mine}
                    changed += 1
    return changed
