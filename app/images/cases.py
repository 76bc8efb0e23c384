"""Each image becomes a case of its own; `app.hanging.grouping` joins those read at once."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.schema import CaseImage, Image, StudyCase, new_id


def add_case(session: OrmSession, image: Image) -> None:
    """Put a new image into a case of its own, the last of the study."""
    position = session.scalar(select(func.max(StudyCase.position)))
    position = 0 if position is None else position + 1
    case = StudyCase(id=new_id(), name=_case_name(session, position + 1), position=position)
    session.add(case)
    session.flush()
    session.add(CaseImage(case_id=case.id, image_id=image.id, tile=0))


def _case_name(session: OrmSession, number: int) -> str:
    while session.scalar(select(StudyCase.id).where(StudyCase.name == f"Case {number:03d}")):
        number += 1
    return f"Case {number:03d}"
