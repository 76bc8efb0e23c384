"""What a reading says to a question: its answers, and how they call the case."""

import json
import math
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.answers import Answered
from migrations.study.forms import Question as FormQuestion
from migrations.study.schema import Question, Reading
from trainer.errors import PerformanceError

_NUMBERS = ("scale", "number", "confidence")


def said_of(
    chain: Sequence[Reading], answers: Mapping[str, Sequence[Answered]], key: str
) -> list[Answered]:
    """Return a reading's answers about the case: those of its last part that answers the question.

    What was answered before a reading was broken off stands unless it was answered again; answers
    of two parts are not mixed, for a confidence is of the answer it stood beside.
    """
    for part in reversed(chain):
        said = [a for a in answers.get(part.id, ()) if a.scope == "case"]
        if any(answered.key == key for answered in said):
            return said
    return []


def called_of(
    said: Sequence[Answered], key: str, positive: str, grades: Sequence[str], confidence: str | None
) -> tuple[float, bool]:
    """Return rating and call of an answer; a confidence beside a choice makes it finer.

    The rating of a named grade is its place in the scale, from 1.
    """
    answer = next(a for a in said if a.key == key)
    if grades:
        place, least = _place(answer.value, grades), _place(positive, grades)
        return float(place), place >= least
    if answer.kind in _NUMBERS:
        value, least_value = _number(answer.value), _number(positive)
        return value, value >= least_value
    given = json.loads(answer.value) if answer.kind == "multiple" else [answer.value]
    called = positive in given
    sure = next((_number(a.value) for a in said if a.key == confidence), math.nan)
    return (sure if called else -sure), called


def grades_of(rows: OrmSession, key: str) -> tuple[str, ...]:
    """Return the named grades of a question in order, the least first; none of another question.

    Raises
    ------
    PerformanceError
        The form was changed: the question had other grades, or another order, before.
    """
    forms = {
        tuple(q.options)
        for q in rows.scalars(select(Question).where(Question.key == key, Question.kind == "scale"))
        if FormQuestion(key, "", kind="scale", options=tuple(q.options)).bounds is None
    }
    if len(forms) > 1:
        shown = "; ".join(", ".join(options) for options in sorted(forms))
        raise PerformanceError(
            f'The grades of "{key}" were changed during the study ({shown}), so their '
            "order as ratings is unknown."
        )
    return next(iter(forms), ())


def _place(text: str, grades: Sequence[str]) -> int:
    if text not in grades:
        raise PerformanceError(
            f'"{text}" is not a grade of this scale ({", ".join(grades)}). Name one of them with '
            "--positive."
        )
    return grades.index(text) + 1


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise PerformanceError(
            f'"{text}" is not a number. Check --question and --positive.'
        ) from error
