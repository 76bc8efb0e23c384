"""How often each question was answered how, by arm."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.answers import Answered, answers_of_all
from migrations.study.forms import chosen_of
from migrations.study.schema import Arm, Reading


@dataclass(frozen=True, slots=True)
class AnswerCount:
    """How often a question was answered so, in finished readings that are not practice.

    `arm` is "" where the study has none; `value` a single word of a multiple choice.
    """

    question: str
    kind: str
    arm: str
    value: str
    count: int


def count_answers(session: OrmSession) -> list[AnswerCount]:
    """Return how often each answer stands, in the order of the form."""
    readings = select(Reading.id, Reading.arm_id).where(
        Reading.state == "finished", Reading.practice.is_(False)
    )
    arm_of: dict[str, str | None] = {i: arm for i, arm in session.execute(readings)}
    keys: dict[str, str] = {i: key for i, key in session.execute(select(Arm.id, Arm.key))}
    found: Counter[tuple[str, str, str, str]] = Counter()
    for reading_id, answers in answers_of_all(session, arm_of).items():
        arm = keys.get(arm_of[reading_id] or "", "")
        for answer in answers:
            for value in _words(answer):
                found[answer.key, answer.kind, arm, value] += 1
    return [AnswerCount(*what, count) for what, count in found.items()]


def _words(answer: Answered) -> tuple[str, ...]:
    if answer.kind == "text":
        return ("a text",)  # it may hold a name
    return chosen_of(answer.kind, answer.value) or ("none",)
