"""What a reader has to read and has read, without any other reader's results."""

import hashlib
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session as OrmSession

from app.images.clearing import waiting
from app.recording.rereads import (
    BAD_GAZE,
    REPEAT,
    SECOND_LOOK,
    PastReading,
    Reread,
    RereadPlan,
    next_arm,
)
from migrations.study.assignments import Assigned, assigned_to, is_planned
from migrations.study.folder import Study
from migrations.study.names import Names
from migrations.study.schema import CaseImage, Image, Reader, Reading, StudyCase
from migrations.study.schema import Session as SessionRow

State = Literal[
    "to read", "open", "interrupted", "finished", "abandoned", "again", "waiting", "second look"
]
"""State of a reading; "again", "second look" and "waiting" are finished ones to be read once more,
now, at once, or later."""
_STILL_TO_READ = ("to read", "interrupted", "open", "again", "second look")


@dataclass(frozen=True, slots=True)
class WorklistRow:
    """One case as the reader's worklist shows it.

    Attributes
    ----------
    position
        Place in the study, from 0.
    name
        Its name on every page.
    state
        State of the reader's latest reading of the case.
    reading_id, verdict, reasons
        Of that reading; None and empty where there is none.
    reread
        The finished reading that reading the case now repeats, and why; None for a first one.
    to_clear
        Images that may carry a burned-in name; no reader sees the case until they are cleared.
    stored_name
        The name stored in its row ("Case 005" in old studies): orders are drawn from it, and a
        study's order must not change. Empty: the same as `name`.
    arm_id
        The arm that reading it now is in; None where the study has none.
    place
        Position in the reader's plan; None if there is no plan.
    looks
        Arms of the second looks that follow directly.
    """

    position: int
    case_id: str
    name: str
    practice: bool
    hanging: str
    image_count: int
    state: State
    reading_id: str | None = None
    verdict: str | None = None
    reasons: tuple[str, ...] = ()
    reread: Reread | None = None
    to_clear: int = 0
    stored_name: str = ""
    arm_id: str | None = None
    place: int | None = None
    looks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseTile:
    """One image of a case and where it hangs; size in source pixels."""

    tile: int
    image_id: str
    width: int
    height: int


def worklist(study: Study, reader: str, now: datetime | None = None) -> list[WorklistRow]:
    """Return a reader's worklist in the order of the study.

    Parameters
    ----------
    reader
        Pseudonym; a new one has everything to read.
    now
        When to check whether the washout of re-reads is over; now if None.
    """
    images = (
        select(
            CaseImage.case_id,
            func.count().label("image_count"),
            func.sum(case((waiting(), 1), else_=0)).label("to_clear"),
        )
        .join(Image, Image.id == CaseImage.image_id)
        .group_by(CaseImage.case_id)
        .subquery()
    )
    query = (  # plain rows: thousands of mapped objects would stall the window
        select(
            StudyCase.__table__,
            func.coalesce(images.c.image_count, 0).label("image_count"),
            func.coalesce(images.c.to_clear, 0).label("to_clear"),
        )
        .outerjoin(images, images.c.case_id == StudyCase.id)
        .order_by(StudyCase.practice.desc(), StudyCase.position, StudyCase.name)
    )
    with study.database.read() as session:
        cases = session.execute(query).all()
        names = Names(shown.id for shown in cases)
        read = _readings_of(session, reader)
        plan = RereadPlan(study.settings, now or datetime.now(UTC))
        dealt = assigned_to(session, reader) if is_planned(study.settings) else {}
        all_are = not dealt and study.settings.assignment != "csv"
        return [
            _row(position, shown, names[shown.id], read.get(shown.id, ()), plan,
                 dealt.get(shown.id, ()))
            for position, shown in enumerate(cases)
            if all_are or shown.practice or shown.id in dealt
        ]  # fmt: skip


def case_tiles(study: Study) -> dict[str, tuple[CaseTile, ...]]:
    """Return the images of every case by its id, in order of tile."""
    query = (
        select(CaseImage.case_id, CaseImage.tile, Image.id, Image.columns, Image.rows)
        .join(Image, Image.id == CaseImage.image_id)
        .order_by(CaseImage.case_id, CaseImage.tile)
    )
    tiles: dict[str, tuple[CaseTile, ...]] = {}
    with study.database.read() as session:
        for case_id, tile, image_id, width, height in session.execute(query):
            shown = CaseTile(tile, image_id, width, height)
            tiles[case_id] = (*tiles.get(case_id, ()), shown)
    return tiles


def reading_order(
    rows: Iterable[WorklistRow], reader: str, seed: int | None, block_size: int | None = None
) -> list[WorklistRow]:
    """Return cases in the order in which a reader gets them, practice first.

    Each case's place is drawn from seed, reader and name, so that the order of the others stays
    when cases are added, and a seed means the same order in every copy of the study.

    Parameters
    ----------
    seed
        None keeps the order of the study.
    block_size
        Cases per block, which stay together; the order of the blocks is drawn too. None: no blocks.
    """

    def drawn(what: str) -> str:
        if seed is None:
            return ""
        return hashlib.sha256(f"{seed}\n{reader}\n{what}".encode()).hexdigest()

    def key(row: WorklistRow) -> tuple[bool, int, str, str, int]:
        if row.place is not None:  # a plan's order takes precedence over any drawn one
            return (not row.practice, row.place, "", "", row.position)
        block = "" if block_size is None else drawn(f"block {row.position // block_size}")
        return (not row.practice, 0, block, drawn(row.stored_name or row.name), row.position)

    return sorted(rows, key=key)


def why_not_read(rows: Sequence[WorklistRow], reader: str | None) -> str:
    """Return why nothing can be read now, in words; "" when something can."""
    if not rows:
        return "Import images first."
    if not reader:
        return "Choose a reader first."
    left = [row for row in rows if row.state in _STILL_TO_READ]
    if left and all(row.to_clear for row in left):
        return "The images must be cleared of burned-in names first: press “Clear images…”."
    if left:
        return ""
    waiting = [r.reread.not_before for r in rows if r.state == "waiting" and r.reread]
    first = min((when for when in waiting if when), default=None)
    again = f" The next one is due again on {first:%d %B %Y}." if first else ""
    return f"You have read all cases.{again}"


def readers_of(study: Study, current: str | None) -> list[str]:
    """Return the pseudonyms of a study's readers, including the one at the station."""
    with study.database.read() as session:
        names = list(session.scalars(select(Reader.pseudonym).order_by(Reader.pseudonym)))
    return names if current is None or current in names else [*names, current]


def _readings_of(session: OrmSession, reader: str) -> dict[str, list[PastReading]]:
    """Return a reader's readings of each case, oldest first."""
    query = (
        select(Reading.__table__, SessionRow.zero_utc, SessionRow.clock_speed)
        .join(Reader, and_(Reader.id == Reading.reader_id, Reader.pseudonym == reader))
        .join(SessionRow, SessionRow.id == Reading.session_id)
        .order_by(Reading.id)  # ids are ordered by the time they were made
    )
    found: dict[str, list[PastReading]] = {}
    for row in session.execute(query):
        past = PastReading(row, row.zero_utc, row.clock_speed)
        found.setdefault(row.case_id, []).append(past)
    return found


def _row(
    position: int,
    shown: Any,
    name: str,
    readings: Sequence[PastReading],
    plan: RereadPlan,
    assigned: Sequence[Assigned],
) -> WorklistRow:
    fields: dict[str, Any] = {"state": "to read"}
    due = next_arm(readings, assigned)
    if readings:
        latest = readings[-1].reading
        fields = {
            "state": latest.state,
            "reading_id": latest.id,
            "verdict": latest.verdict,
            "reasons": tuple(latest.verdict_reasons),
            "reread": plan.marked(latest),
        }
        again = plan.due(shown, readings, assigned)
        if again is not None:
            later = "again" if plan.may_read(again) else "waiting"
            state = SECOND_LOOK if again.why == SECOND_LOOK else later
            fields |= {"state": state, "reread": again}
        if latest.state != "finished" or again is None or again.why in (REPEAT, BAD_GAZE):
            due = next((a for a in assigned if a.arm_id == latest.arm_id), due)
    return WorklistRow(
        position=position,
        case_id=shown.id,
        name=name,
        practice=shown.practice,
        hanging=shown.hanging,
        image_count=shown.image_count,
        to_clear=shown.to_clear,
        stored_name=shown.name,
        **_of_plan(due, assigned),
        **fields,
    )


def _of_plan(due: Assigned | None, assigned: Sequence[Assigned]) -> dict[str, Any]:
    """Return the arm in which a case is read now, its position, and any second looks."""
    if due is None:
        return {"place": assigned[-1].position} if assigned else {}
    following = itertools.takewhile(
        lambda a: a.arm is not None and a.arm.second_look, assigned[assigned.index(due) + 1 :]
    )
    looks = tuple(a.arm_id for a in following if a.arm_id is not None)
    return {"arm_id": due.arm_id, "place": due.position, "looks": looks}
