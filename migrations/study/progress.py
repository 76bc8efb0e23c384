"""How far each reader is, by arm: what is planned, and what is finished."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.assignments import is_planned
from migrations.study.schema import Arm, Assignment, Reader, Reading, StudyCase
from migrations.study.settings import StudySettings


@dataclass(frozen=True, slots=True)
class Progress:
    """One reader in one arm ("" where the study has none); practice is not counted.

    `read` counts cases: one that was read twice in an arm counts once.
    """

    reader: str
    arm: str
    planned: int
    read: int


def progress_of(session: OrmSession, settings: StudySettings) -> list[Progress]:
    """Return how far readers are, by pseudonym, then arm."""
    readers: dict[str, str] = {i: name for i, name in session.execute(
        select(Reader.id, Reader.pseudonym).order_by(Reader.pseudonym)
    )}  # fmt: skip
    arms: dict[str | None, str] = {i: key for i, key in session.execute(select(Arm.id, Arm.key))}
    planned, read = _planned(session, settings, list(readers)), _read(session)
    found: Counter[tuple[str, str]] = Counter()
    done: Counter[tuple[str, str]] = Counter()
    for counts, into in ((planned, found), (read, done)):
        for (reader_id, arm_id), count in counts.items():  # a changed arm keeps its key
            into[readers[reader_id], arms.get(arm_id, "")] += count
    return [Progress(*which, found[which], done[which]) for which in sorted({*found, *done})]


def _planned(
    session: OrmSession, settings: StudySettings, readers: list[str]
) -> dict[tuple[str, str | None], int]:
    if not is_planned(settings):
        cases = select(func.count()).select_from(StudyCase).where(StudyCase.practice.is_(False))
        count = session.scalar(cases) or 0
        return {(reader_id, None): count for reader_id in readers}
    columns = (Assignment.reader_id, Assignment.arm_id)
    query = select(*columns, func.count()).group_by(*columns)
    return {(reader_id, arm_id): n for reader_id, arm_id, n in session.execute(query)}


def _read(session: OrmSession) -> dict[tuple[str, str | None], int]:
    columns = (Reading.reader_id, Reading.arm_id)
    query = (
        select(*columns, func.count(Reading.case_id.distinct()))
        .where(Reading.state == "finished", Reading.practice.is_(False))
        .group_by(*columns)
    )
    return {(reader_id, arm_id): n for reader_id, arm_id, n in session.execute(query)}
