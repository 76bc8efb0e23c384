"""A reading session: what it writes while it happens, and what it refuses."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from app.errors import ConsentMissing, SessionError, StationBusy, WrongStep
from app.recording.opening_rows import has_consented
from app.recording.session import Phase, ReadingSession
from app.recording.worklist import worklist
from devices.clock import HostClock
from devices.errors import TrackerError
from migrations.study.errors import UnsafeFolder
from migrations.study.folder import Study
from migrations.study.schema import (
    Annotation,
    Fixation,
    Reader,
    Reading,
    Recording,
    Session,
    ViewEvent,
)
from tests.app.recording.reading_doubles import (
    GEOMETRY,
    ScriptedTracker,
    make_study,
    record_for,
    steps,
    view_of,
)

PLACES = np.array([(0.3, 0.3), (0.6, 0.4), (0.5, 0.7), (0.4, 0.6)])
SPEED = 8.0


def jumping(t_s: np.ndarray) -> np.ndarray:
    return steps(t_s, PLACES, 0.4)


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    study = make_study(tmp_path / "study")
    yield study
    study.close()


def opened(study: Study, reader: str = "R1", **more: object) -> ReadingSession:
    return ReadingSession.open(
        study,
        reader,
        ScriptedTracker(jumping, 300.0),
        HostClock(SPEED),
        GEOMETRY,
        station="desk",
        consented=True,
        **more,  # type: ignore[arg-type]
    )


@pytest.fixture
def session(study: Study) -> Iterator[ReadingSession]:
    session = opened(study, seed=7)
    yield session
    session.close()


def read_next(session: ReadingSession, label: str | None = "a", seconds: float = 2.8) -> str:
    """Read the next case for a while and finish it."""
    case = session.next_case()
    assert case is not None
    reading_id = session.begin(case)
    session.show(view_of(session.clock.now_us(), case.tiles[0].image_id))
    record_for(session.recorder, seconds)
    if label is not None:
        session.answer(label)
    assert session.finish() == reading_id
    return reading_id


def rows(study: Study, table: type, **where: object) -> list:
    with study.database.read() as session:
        found = list(session.scalars(select(table).filter_by(**where).order_by(table.id)))
        session.expunge_all()
    return found


def test_the_session_row_tells_who_read_where_and_with_what(
    study: Study, session: ReadingSession
) -> None:
    (row,) = rows(study, Session)
    (reader,) = rows(study, Reader)
    assert (reader.pseudonym, row.reader_id, row.station) == ("R1", reader.id, "desk")
    assert reader.consent_utc
    assert row.screen == GEOMETRY.as_dict()
    assert (row.tracker_id, row.tracker_serial, row.clock_speed) == ("scripted", "S1", SPEED)
    assert row.order_seed == 7
    assert sorted(row.case_order) == sorted(r.case_id for r in worklist(study, "R1"))
    assert row.ended_utc is None
    assert row.details["fixation_parameters"]["algorithm"] == "velocity"


def test_a_reading_is_rows_while_it_happens(study: Study, session: ReadingSession) -> None:
    case = session.next_case()
    assert case is not None
    reading_id = session.begin(case)
    session.show(view_of(session.clock.now_us(), case.tiles[0].image_id))
    record_for(session.recorder, 4.0)
    assert session.settled()
    # As a stranger would look: another connection, plain SQL, in the middle of the reading.
    with sqlite3.connect(study.folder / "foveate.sqlite") as other:
        (state,) = other.execute("select state from reading where id = ?", [reading_id]).fetchone()
        (views,) = other.execute("select count(*) from view_event").fetchone()
        (chunks,) = other.execute("select count(*) from gaze_chunk").fetchone()
        (fixations,) = other.execute("select count(*) from fixation").fetchone()
    other.close()
    assert (state, views) == ("open", 1)
    assert chunks >= 1
    assert fixations >= 2
    session.answer("a")
    session.finish()
    assert session.settled()
    (row,) = rows(study, Reading)
    assert (row.state, row.loss) == ("finished", 0.0)
    (view, *_) = rows(study, ViewEvent)
    without_image = (view.time_us - row.started_us) / (row.ended_us - row.started_us)
    assert row.off_image == pytest.approx(without_image, abs=0.01)
    assert (row.verdict, row.verdict_reasons) == ("doubtful", ["accuracy was not validated"])
    assert row.sample_count == pytest.approx((row.ended_us - row.started_us) * 300e-6, abs=2)
    assert session.results[reading_id].figures.sample_count == row.sample_count


def test_every_fixation_of_the_script_is_found_at_its_place_in_the_image(
    study: Study, session: ReadingSession
) -> None:
    reading_id = read_next(session, seconds=4.0)
    assert session.settled()
    shown_us = rows(study, ViewEvent, reading_id=reading_id)[0].time_us
    every = rows(study, Fixation, reading_id=reading_id)
    found = [row for row in every if row.start_us >= shown_us]  # before, there is no image
    expected = (GEOMETRY.norm_to_screen(PLACES) - (285.0, 0.0)) / 1.35
    assert len(found) >= 8
    for row in found:
        place = expected[int((row.start_us + row.duration_us / 2) / 400_000) % 4]
        assert (row.x_image, row.y_image) == pytest.approx(tuple(place), abs=0.5)
        assert row.image_id == session.cases.get(rows(study, Reading)[0].case_id).tiles[0].image_id
    ends = [row.start_us + row.duration_us for row in found]
    (reading,) = rows(study, Reading)
    assert ends[-1] > reading.ended_us - 450_000  # the tail is there
    assert ends[-1] < reading.ended_us


def test_a_changed_answer_leaves_the_first_one_marked_undone(
    study: Study, session: ReadingSession
) -> None:
    case = session.next_case()
    assert case is not None
    session.begin(case)
    session.answer("a")
    session.answer("b")
    note = session.note("faint")
    session.undo(note)
    assert session.answered == "b"
    session.finish()
    assert session.settled()
    first, second, third = rows(study, Annotation)
    assert (first.label, first.undone_us is None) == ("a", False)
    assert (second.label, second.undone_us) == ("b", None)
    assert third.details == {"text": "faint"}
    assert third.undone_us >= third.time_us


def test_an_answer_that_is_no_class_of_the_study_is_refused(session: ReadingSession) -> None:
    session.begin(session.next_case() or "")
    with pytest.raises(SessionError, match="'c' is not a class of this study, which has a, b"):
        session.answer("c")


def test_what_is_impossible_is_said_clearly(session: ReadingSession) -> None:
    with pytest.raises(WrongStep, match="No case is being read"):
        session.finish()
    with pytest.raises(WrongStep, match="No case is being read"):
        session.answer("a")
    case = session.next_case()
    assert case is not None
    session.begin(case)
    with pytest.raises(WrongStep, match="The session is reading"):
        session.begin(case)
    with pytest.raises(SessionError, match="does not belong to case"):
        session.show(view_of(0, "another"))
    session.finish()
    with pytest.raises(SessionError, match="is not in this session"):
        session.begin("unknown")


def test_cases_come_in_the_seeded_order_until_all_are_read(
    study: Study, session: ReadingSession
) -> None:
    order = rows(study, Session)[0].case_order
    seen = []
    while (case := session.next_case()) is not None:
        seen.append(case.case_id)
        assert (case.index, case.total) == (order.index(case.case_id), 3)
        session.begin(case)
        session.finish()
    assert seen == order
    assert session.cases.finished_count == 3


def test_an_interrupted_case_comes_again_and_says_what_it_resumes(
    study: Study, session: ReadingSession
) -> None:
    first = session.next_case()
    assert first is not None
    interrupted_id = session.begin(first)
    session.interrupt("called away")
    assert session.settled()
    again = session.next_case()
    assert again is not None
    assert (again.case_id, again.resumes_id) == (first.case_id, interrupted_id)
    session.begin(again)
    session.finish()
    assert session.settled()
    before, after = rows(study, Reading)
    assert (before.state, before.details["reason"]) == ("interrupted", "called away")
    assert (after.state, after.resumes_id) == ("finished", interrupted_id)
    assert after.details["resumed_after_s"] >= 0
    following = session.next_case()
    assert following is not None
    assert following.case_id != first.case_id


def test_a_case_that_an_old_row_calls_abandoned_does_not_come_again(study: Study) -> None:
    session = opened(study, seed=7)
    first = session.next_case()
    assert first is not None
    session.begin(first)
    session.interrupt("broken image")
    session.close()
    with study.database.write() as opened_rows:
        opened_rows.scalars(select(Reading)).one().state = "abandoned"
    session = opened(study, seed=7)
    while (case := session.next_case()) is not None:
        assert case.case_id != first.case_id
        session.begin(case)
        session.finish()
    session.close()


def test_readings_that_follow_at_once_share_no_sample_and_lose_none(
    study: Study, session: ReadingSession
) -> None:
    for _ in range(3):
        read_next(session, seconds=0.8)
    assert session.settled()
    readings = rows(study, Reading)
    for reading in readings:
        expected = (reading.ended_us - reading.started_us) * 300e-6
        assert reading.sample_count == pytest.approx(expected, abs=1.5)


def test_closing_ends_everything_and_backs_the_database_up(study: Study) -> None:
    session = opened(study)
    session.begin(session.next_case() or "")
    record_for(session.recorder, 0.4)
    backup = session.close()
    assert backup is not None
    assert session.close() is None
    assert session.phase is Phase.CLOSED
    (row,) = rows(study, Session)
    (recording,) = rows(study, Recording)
    (reading,) = rows(study, Reading)
    assert row.ended_utc
    assert recording.state == "closed"
    assert recording.sample_count > 0
    assert reading.state == "interrupted"
    assert reading.sample_count is not None
    with sqlite3.connect(backup) as copy:
        (state,) = copy.execute("select state from recording").fetchone()
    copy.close()
    assert state == "closed"
    with pytest.raises(WrongStep):
        session.next_case()


def test_a_reader_goes_on_in_the_same_order_and_another_gets_another(tmp_path: Path) -> None:
    study = make_study(tmp_path / "eight", cases=8)  # by chance alike once in 40,320 times
    orders = []
    for reader in ("R1", "R1", "R2", "R3", "R4"):
        session = opened(study, reader, seed=None if orders else 1)
        orders.append(rows(study, Session)[-1].case_order)
        session.close()
    assert orders[0] == orders[1]
    assert len({tuple(order) for order in orders}) > 1
    study.close()


def test_a_fixed_order_is_that_of_the_study(tmp_path: Path) -> None:
    study = make_study(tmp_path / "fixed", order="fixed")
    session = opened(study, seed=5)
    (row,) = rows(study, Session)
    assert row.case_order == [r.case_id for r in worklist(study, "R1")]
    assert row.order_seed is None
    session.close()
    study.close()


def test_nobody_is_recorded_who_has_not_agreed(study: Study) -> None:
    with pytest.raises(ConsentMissing, match="R1 has not agreed"):
        ReadingSession.open(study, "R1", ScriptedTracker(), HostClock(), GEOMETRY)
    assert rows(study, Reader) == []
    assert not has_consented(study, "R1")
    opened(study).close()
    assert has_consented(study, "R1")
    ReadingSession.open(study, "R1", ScriptedTracker(), HostClock(), GEOMETRY).close()


def test_a_second_station_on_the_same_study_is_refused(
    study: Study, session: ReadingSession
) -> None:
    with pytest.raises(StationBusy, match="is being recorded into by process"):
        opened(study, "R2")
    assert [reader.pseudonym for reader in rows(study, Reader)] == ["R1"]


def test_a_tracker_that_cannot_be_opened_ends_the_session_and_frees_the_study(
    study: Study,
) -> None:
    class Broken(ScriptedTracker):
        def connect(self, clock: HostClock) -> None:
            raise TrackerError("Broken cannot be opened.")

    with pytest.raises(TrackerError):
        ReadingSession.open(study, "R1", Broken(), HostClock(), GEOMETRY, consented=True)
    (row,) = rows(study, Session)
    assert row.ended_utc
    assert row.details["failed"] == "Broken cannot be opened."
    opened(study).close()


def test_recording_into_a_synchronised_folder_is_refused(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study")
    study.close()
    (tmp_path / "Dropbox").mkdir()
    (tmp_path / "study").rename(tmp_path / "Dropbox" / "study")
    moved = Study.open(tmp_path / "Dropbox" / "study")
    with pytest.raises(UnsafeFolder):
        opened(moved)
    moved.close()


def test_each_view_of_a_reading_is_a_row_and_the_first_tells_the_screen(
    study: Study, session: ReadingSession
) -> None:
    case = session.next_case()
    assert case is not None
    session.begin(case)
    for kind in ("open", "zoom", "flip"):
        session.show(view_of(session.clock.now_us(), case.tiles[0].image_id, kind))
    session.finish()
    assert session.settled()
    events = rows(study, ViewEvent)
    assert [event.kind for event in events] == ["open", "zoom", "flip"]
    assert [event.screen is None for event in events] == [False, True, True]
