"""Answering a form in a session: one row each, undone ones stay, the class beside the leading."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from app.errors import SessionError
from app.recording.addendum import GivenAnswer, amend
from app.recording.session import ReadingSession
from devices.clock import HostClock
from migrations.study.answers import answers_of
from migrations.study.folder import Study
from migrations.study.forms import Question
from migrations.study.schema import Annotation, Answer
from migrations.study.settings import write_settings
from tests.app.recording.reading_doubles import GEOMETRY, ScriptedTracker, make_study, steps

FORM = (
    Question("finding", "?", options=("a", "b")),
    Question("score", "?", kind="scale", options=("1", "5")),
    Question("size", "?", scope="mark", kind="number"),
)
PLACES = np.array([(0.5, 0.5)])


@pytest.fixture
def session(tmp_path: Path) -> Iterator[ReadingSession]:
    study = make_study(tmp_path / "study")
    settings = replace(study.settings, form=FORM, classes=("a", "b"), annotations=("box",))
    study.close()
    write_settings(tmp_path / "study" / "study.toml", settings)
    study = Study.open(tmp_path / "study")
    tracker = ScriptedTracker(lambda t_s: steps(t_s, PLACES, 0.3), 60.0)
    session = ReadingSession.open(study, "R1", tracker, HostClock(4.0), GEOMETRY, consented=True)
    case = session.next_case()
    assert case is not None
    session.begin(case)
    yield session
    session.close()
    study.close()


def said(session: ReadingSession, reading_id: str) -> list[tuple[str, str]]:
    assert session.settled()
    with session.study.database.read() as rows:
        return [(a.key, a.value) for a in answers_of(rows, reading_id)]


def box_of(session: ReadingSession) -> str:
    image_id = session.current_case.tiles[0].image_id
    return session.annotate("box", image_id=image_id, x_image=1.0, y_image=2.0)


def test_the_leading_answer_is_the_class_too_and_undone_both_go(session: ReadingSession) -> None:
    reading_id = session.reading_id
    session.say("finding", "a")
    annotation_id = session.answer("b")
    session.say("score", "4")
    assert session.answered == "b"
    assert said(session, reading_id) == [("finding", "b"), ("score", "4")]
    with session.study.database.read() as rows:
        (mark,) = rows.scalars(select(Annotation).where(Annotation.undone_us.is_(None)))
        assert (mark.id, mark.kind, mark.label) == (annotation_id, "class", "b")
        undone = select(Answer).where(Answer.undone_us.is_not(None))
        assert [a.value for a in rows.scalars(undone)] == ["a"]
    session.undo(annotation_id)
    session.take_back("score")
    assert said(session, reading_id) == []
    assert session.answered is None


def test_what_is_said_of_a_mark_is_undone_with_it(session: ReadingSession) -> None:
    reading_id, box, other = session.reading_id, box_of(session), box_of(session)
    session.say("size", "12", box)
    session.say("size", "3.5", other)
    assert said(session, reading_id) == [("size", "12"), ("size", "3.5")]
    session.undo(box)
    assert said(session, reading_id) == [("size", "3.5")]


@pytest.mark.parametrize(
    ("key", "value", "of_mark", "words"),
    [
        pytest.param("colour", "red", False, "asks no question 'colour'", id="unknown"),
        pytest.param("score", "9", False, "from 1 to 5", id="out of bounds"),
        pytest.param("size", "9", False, "about the mark", id="scope"),
        pytest.param("score", "3", True, "about the case", id="scope of the case"),
        pytest.param("finding", "c", False, "one of a, b", id="no option"),
    ],
)
def test_what_the_form_does_not_offer_is_refused(
    session: ReadingSession, key: str, value: str, of_mark: bool, words: str
) -> None:
    mark = box_of(session) if of_mark else None
    with pytest.raises(SessionError, match=words):
        session.say(key, value, mark)


def test_a_corrected_class_is_a_corrected_answer(session: ReadingSession) -> None:
    reading_id = session.reading_id
    given = GivenAnswer(reading_id, session.answer("a"), "a")
    session.finish()
    given = amend(session, given, "b")
    amend(session, given, "a")
    assert said(session, reading_id) == [("finding", "a")]
    with session.study.database.read() as rows:
        assert len(rows.scalars(select(Answer)).all()) == 3


def test_a_study_without_a_form_has_its_answers_as_rows_too(tmp_path: Path) -> None:
    study = make_study(tmp_path / "plain")
    tracker = ScriptedTracker(lambda t_s: steps(t_s, PLACES, 0.3), 60.0)
    session = ReadingSession.open(study, "R1", tracker, HostClock(4.0), GEOMETRY, consented=True)
    reading_id = session.begin(session.next_case())
    session.answer("a")
    assert said(session, reading_id) == [("answer", "a")]
    session.close()
    study.close()
