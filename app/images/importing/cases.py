"""Each image becomes a case of its own; `app.hanging.grouping` joins those read together."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.names import LENGTH, WHOLE, short_name
from migrations.study.schema import CaseImage, Image, StudyCase, new_id


def add_case(session: OrmSession, image: Image) -> None:
    """Put a new image into a case of its own, the last in the study, named like the image."""
    position = session.scalar(select(func.max(StudyCase.position)))
    position = 0 if position is None else position + 1
    id_ = new_id(named_as=image.id)
    case = StudyCase(id=id_, name=_free_name(session, id_), position=position)
    session.add(case)
    session.flush()
    session.add(CaseImage(case_id=case.id, image_id=image.id, tile=0))


def _free_name(session: OrmSession, id_: str) -> str:
    """Return the name for the row, as long as needed to be unique."""
    names = [short_name(id_, length) for length in range(LENGTH, WHOLE + 1)]
    taken = set(session.scalars(select(StudyCase.name).where(StudyCase.name.in_(names))))
    return next((name for name in names if name not in taken), id_)
