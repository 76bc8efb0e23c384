"""Which case an imported image belongs to: one of its own, or that of the images read with it."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session as OrmSession

from migrations.schema import CaseImage, Image, Reading, StudyCase, new_id

_MAMMOGRAPHY = {("R", "CC"): 0, ("L", "CC"): 1, ("R", "MLO"): 2, ("L", "MLO"): 3}
"""Tiles of the hanging `mammo`: right breast left, chest walls meeting, CC over MLO."""


def add_to_case(session: OrmSession, image: Image) -> StudyCase:
    """Put a new image into the case that its csv names, else into a case of its own.

    A case that someone has begun to read gets no more images; what comes later is a new case.
    """
    case = _open_case(session, image)
    if case is None:
        case = _new_case(session)
    tiles = set(session.scalars(select(CaseImage.tile).where(CaseImage.case_id == case.id)))
    view = (image.laterality or "", image.view or "")
    tile = _MAMMOGRAPHY.get(view, len(tiles)) if image.details.get("case_key") else 0
    while tile in tiles:
        tile += 1
    session.add(CaseImage(case_id=case.id, image_id=image.id, tile=tile))
    session.flush()
    case.hanging = _hanging(session, case)
    return case


def _open_case(session: OrmSession, image: Image) -> StudyCase | None:
    key = image.details.get("case_key")
    if not key:
        return None
    begun = select(Reading.id).where(Reading.case_id == StudyCase.id).exists()
    query = (
        select(StudyCase)
        .join(CaseImage, CaseImage.case_id == StudyCase.id)
        .join(Image, Image.id == CaseImage.image_id)
        .where(Image.details["case_key"].as_string() == key, ~begun)
        .limit(1)
    )
    return session.scalars(query).first()


def _new_case(session: OrmSession) -> StudyCase:
    position = session.scalar(select(func.max(StudyCase.position)))
    position = 0 if position is None else position + 1
    case = StudyCase(id=new_id(), name=_case_name(session, position + 1), position=position)
    session.add(case)
    session.flush()
    return case


def _case_name(session: OrmSession, number: int) -> str:
    while session.scalar(select(StudyCase.id).where(StudyCase.name == f"Case {number:03d}")):
        number += 1
    return f"Case {number:03d}"


def _hanging(session: OrmSession, case: StudyCase) -> str:
    query = (
        select(Image.laterality, Image.view)
        .join(CaseImage, CaseImage.image_id == Image.id)
        .where(CaseImage.case_id == case.id)
    )
    views = [(row.laterality or "", row.view or "") for row in session.execute(query)]
    if len(views) > 1 and all(view in _MAMMOGRAPHY for view in views):
        return "mammo"
    return "one-up" if len(views) == 1 else "two-up"
