"""What readers answered, both in readings with a form and in those from before forms existed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.forms import Question
from migrations.study.schema import Annotation, Answer, new_id
from migrations.study.schema import Question as QuestionRow
from migrations.study.settings import LEADING_KEY

_PART = 500
"""Ids in one query: SQLite accepts no more than a thousand."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer in force.

    Attributes
    ----------
    key, kind, scope
        Those of its question; "answer" and "confidence" in a study without a form.
    value
        As stored; for a multiple choice, a JSON list.
    time_us
        Host clock of its session.
    annotation_id
        The mark it is about; None for the case.
    """

    reading_id: str
    key: str
    kind: str
    scope: str
    value: str
    time_us: int
    annotation_id: str | None = None


def keep_questions(session: OrmSession, questions: Sequence[Question]) -> dict[str, str]:
    """Write the questions that are missing, as they stand now; return each one's row by its key."""
    known = {_content(row): row.id for row in session.scalars(select(QuestionRow))}
    ids = {}
    for position, q in enumerate(questions):
        row = QuestionRow(
            id=new_id(), key=q.key, text=q.text, scope=q.scope, kind=q.kind,
            options=list(q.options), condition=q.condition, position=position,
        )  # fmt: skip
        there = known.get(_content(row))
        if there is None:
            session.add(row)
        ids[q.key] = there or row.id
    return ids


def answers_of(session: OrmSession, reading_id: str) -> list[Answered]:
    """Return the answers in force for a reading, in the order of its form."""
    return answers_of_all(session, [reading_id]).get(reading_id, [])


def answers_of_all(session: OrmSession, reading_ids: Iterable[str]) -> dict[str, list[Answered]]:
    """Return the answers in force, by reading; for a reading without a form, its annotations.

    An old class annotation is the answer to the question that a study without a form asks; a
    confidence stored with it answers the question "confidence".
    """
    ids = list(reading_ids)
    found: dict[str, list[Answered]] = {}
    for start in range(0, len(ids), _PART):
        part = ids[start : start + _PART]
        given = _rows(session, part)
        keys: dict[str, set[str]] = {}
        for answered in given:
            keys.setdefault(answered.reading_id, set()).add(answered.key)
        for answered in [*given, *_annotations(session, part, keys)]:
            found.setdefault(answered.reading_id, []).append(answered)
    return found


def _rows(session: OrmSession, ids: Sequence[str]) -> list[Answered]:
    query = (
        select(Answer, QuestionRow)
        .join(QuestionRow, QuestionRow.id == Answer.question_id)
        .where(Answer.reading_id.in_(ids), Answer.undone_us.is_(None))
        .order_by(QuestionRow.position, Answer.id)
    )
    return [
        Answered(
            a.reading_id, q.key, q.kind, q.scope, a.value, a.time_us,
            a.annotation_id if q.scope == "mark" else None,
        )
        for a, q in session.execute(query)
    ]  # fmt: skip


def _annotations(
    session: OrmSession, ids: Sequence[str], given: Mapping[str, set[str]]
) -> list[Answered]:
    kinds = {"class": (LEADING_KEY, "single"), "confidence": ("confidence", "confidence")}
    query = (
        select(Annotation)
        .where(
            Annotation.reading_id.in_(ids),
            Annotation.kind.in_(list(kinds)),
            Annotation.undone_us.is_(None),
            Annotation.label.is_not(None),
        )
        .order_by(Annotation.kind, Annotation.id)
    )
    return [
        Answered(a.reading_id, *kinds[a.kind], "case", a.label or "", a.time_us)
        for a in session.scalars(query)
        if not _is_said(a, given)
    ]


def _is_said(annotation: Annotation, given: Mapping[str, set[str]]) -> bool:
    """Tell whether an annotation only repeats an answer, as any form's class annotation does."""
    of_reading = given.get(annotation.reading_id, set())
    return bool(of_reading) if annotation.kind == "class" else "confidence" in of_reading


def _content(row: QuestionRow) -> tuple[object, ...]:
    return (row.key, row.text, row.scope, row.kind, tuple(row.options), row.condition,
            row.position)  # fmt: skip
