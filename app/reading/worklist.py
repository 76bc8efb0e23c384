"""What a reader has to read and has read; nothing of another reader's results is in it."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import and_, case, func, select

from app.images.clearing import waiting
from migrations.schema import CaseImage, Image, Reader, Reading, StudyCase
from migrations.study import Study

State = Literal["to read", "open", "interrupted", "finished", "abandoned"]


@dataclass(frozen=True, slots=True)
class WorklistRow:
    """One case as the reader's worklist shows it.

    Attributes
    ----------
    position
        Place in the study, from 0.
    state
        Of the reader's latest reading of the case.
    reading_id, verdict, reasons
        Of that reading; None and empty where there is none.
    to_clear
        Images that may carry a burned-in name; until they are cleared no reader sees the case.
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
    to_clear: int = 0


@dataclass(frozen=True, slots=True)
class CaseTile:
    """One image of a case and where it hangs; size in source pixels."""

    tile: int
    image_id: str
    width: int
    height: int


def worklist(study: Study, reader: str) -> list[WorklistRow]:
    """Return a reader's worklist in the order of the study.

    Parameters
    ----------
    reader
        Pseudonym; one that has not read yet has everything to read.
    """
    latest = _latest_readings(reader)
    images = (
        select(
            CaseImage.case_id,
            func.count().label("count"),
            func.sum(case((waiting(), 1), else_=0)).label("to_clear"),
        )
        .join(Image, Image.id == CaseImage.image_id)
        .group_by(CaseImage.case_id)
        .subquery()
    )
    query = (
        select(
            StudyCase,
            func.coalesce(images.c.count, 0),
            func.coalesce(images.c.to_clear, 0),
            Reading,
        )
        .outerjoin(images, images.c.case_id == StudyCase.id)
        .outerjoin(latest, latest.c.case_id == StudyCase.id)
        .outerjoin(Reading, Reading.id == latest.c.reading_id)
        .order_by(StudyCase.practice.desc(), StudyCase.position, StudyCase.name)
    )
    with study.database.read() as session:
        rows = session.execute(query).all()
        return [_row(position, *row) for position, row in enumerate(rows)]


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


def reading_order(rows: Iterable[WorklistRow], reader: str, seed: int | None) -> list[WorklistRow]:
    """Return cases in the order a reader gets them, practice first.

    Each case draws its own place from seed, reader and name, so that the order of the others
    stays when cases are added, and a seed means the same order in every copy of the study.

    Parameters
    ----------
    seed
        None keeps the order of the study.
    """

    def key(row: WorklistRow) -> tuple[bool, str, int]:
        drawn = f"{seed}\n{reader}\n{row.name}".encode()
        place = "" if seed is None else hashlib.sha256(drawn).hexdigest()
        return (not row.practice, place, row.position)

    return sorted(rows, key=key)


def _latest_readings(reader: str) -> Any:
    # Ids are ordered by the time they were made: the largest is the latest.
    return (
        select(Reading.case_id, func.max(Reading.id).label("reading_id"))
        .join(Reader, and_(Reader.id == Reading.reader_id, Reader.pseudonym == reader))
        .group_by(Reading.case_id)
        .subquery()
    )


def _row(
    position: int, shown: StudyCase, image_count: int, to_clear: int, reading: Reading | None
) -> WorklistRow:
    fields: dict[str, Any] = {"state": "to read"}
    if reading is not None:
        fields = {
            "state": reading.state,
            "reading_id": reading.id,
            "verdict": reading.verdict,
            "reasons": tuple(reading.verdict_reasons),
        }
    return WorklistRow(
        position=position,
        case_id=shown.id,
        name=shown.name,
        practice=shown.practice,
        hanging=shown.hanging,
        image_count=image_count,
        to_clear=to_clear,
        **fields,
    )
