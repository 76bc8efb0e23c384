"""A tracker that falls silent: gaze that never arrived is gaze lost."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.recording.session import ReadingSession
from devices.clock import HostClock
from migrations.study.folder import Study
from migrations.study.schema import Reading
from tests.app.recording.reading_doubles import (
    GEOMETRY,
    ScriptedTracker,
    make_study,
    until,
    view_of,
)

RATE_HZ = 300.0
NOT_VALIDATED = "accuracy was not validated"


@pytest.fixture
def session(tmp_path: Path) -> Iterator[ReadingSession]:
    study = make_study(tmp_path / "study")
    session = ReadingSession.open(
        study, "R1", ScriptedTracker(rate_hz=RATE_HZ), HostClock(10.0), GEOMETRY, consented=True
    )
    yield session
    session.close()
    study.close()


def gaze_for(session: ReadingSession, seconds: float) -> None:
    """Wait until the tracker has given so much more."""
    tracker = session.tracker
    enough = tracker.given + seconds * RATE_HZ
    until(lambda: tracker.given > enough)


def silence_for(session: ReadingSession, seconds: float) -> None:
    """Let the tracker be silent for so long, and stay so."""
    session.tracker.lose()
    over_us = session.clock.now_us() + int(1e6 * seconds)
    until(lambda: session.clock.now_us() > over_us)


def read(session: ReadingSession, course: Callable[[], None]) -> tuple[Reading, float]:
    """Read a case; return its row, and the share of its samples that never arrived."""
    case = session.next_case()
    reading_id = session.begin(case)
    session.show(view_of(session.clock.now_us(), case.tiles[0].image_id))
    course()
    session.answer("a")
    session.finish()
    until(session.settled)
    study: Study = session.study
    with study.database.read() as rows:
        row = rows.get_one(Reading, reading_id)
        rows.expunge(row)
    due = (row.ended_us - row.started_us) * RATE_HZ / 1e6
    return row, 1 - row.sample_count / due


def test_a_tracker_that_never_falls_silent_loses_nothing(session: ReadingSession) -> None:
    row, missing = read(session, lambda: gaze_for(session, 4))
    assert missing == pytest.approx(0, abs=0.01)
    assert row.loss == pytest.approx(0, abs=0.01)
    assert (row.verdict, row.verdict_reasons) == ("doubtful", [NOT_VALIDATED])


@pytest.mark.parametrize("comes_back", [True, False])
def test_silence_of_the_tracker_counts_as_loss_and_makes_a_reading_bad(
    comes_back: bool, session: ReadingSession
) -> None:
    def falls_silent() -> None:
        gaze_for(session, 2)
        silence_for(session, 6)
        if comes_back:
            session.tracker.restore()
            gaze_for(session, 2)

    row, missing = read(session, falls_silent)
    if missing < 0.5:
        pytest.fail(f"the tracker was to be silent for most of the reading, not for {missing:.0%}")
    assert row.loss == pytest.approx(missing, abs=0.02)
    assert row.verdict == "bad"
    silent_s = float(row.verdict_reasons[0].split("silent for ")[1].removesuffix(" s"))
    assert silent_s == pytest.approx(missing * (row.ended_us - row.started_us) / 1e6, abs=0.3)
    assert row.missing_count == pytest.approx(silent_s * RATE_HZ, rel=0.05)
    assert row.invalid_count == 0
    codes = [note["code"] for note in row.details["notes"]]
    assert codes == ["uncalibrated", "lost", *(["restored"] if comes_back else [])]
