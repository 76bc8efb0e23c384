"""Answering the questions of a form in the open reading."""

from collections.abc import Sequence

from app.errors import SessionError
from app.recording.open_reading import OpenReading
from migrations.study.errors import SettingsError
from migrations.study.forms import Question, checked_value


def say(
    reading: OpenReading,
    questions: Sequence[Question],
    key: str,
    value: str,
    annotation_id: str | None,
) -> str:
    """Answer a question; the leading one gives the reading its class. Return the row's id.

    Raises
    ------
    SessionError
        If the form has no such question, if it is not asked about what `annotation_id` names, or if
        the answer is invalid.
    """
    question = next((q for q in questions if q.key == key), None)
    if question is None:
        known = ", ".join(q.key for q in questions)
        raise SessionError(f"The study asks no question {key!r}; it asks {known}.")
    if (question.scope == "mark") != (annotation_id is not None):
        raise SessionError(f"Question {key!r} is about the {question.scope}.")
    try:
        stored = checked_value(question, value)
    except SettingsError as error:
        raise SessionError(str(error)) from error
    if question == questions[0]:
        return reading.answer(stored)
    return reading.say(key, stored, annotation_id)


def take_back(reading: OpenReading, key: str, annotation_id: str | None) -> None:
    """Mark the answer to a question undone; for the leading question, also the class."""
    if key == next(iter(reading.questions)):
        if reading.answer_id is not None:
            reading.undo(reading.answer_id)
    else:
        reading.take_back(key, annotation_id)
