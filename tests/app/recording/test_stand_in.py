"""Gaze of the simulated reader or the mouse is never counted as a person's."""

from pathlib import Path

import pytest

from app.recording.session import ReadingSession
from devices.clock import HostClock
from migrations.study.cohort_rules import STAND_IN, badge_of, stand_in_sessions, why_left_out
from migrations.study.schema import Reading
from tests.app.recording.reading_doubles import (
    GEOMETRY,
    ScriptedTracker,
    make_study,
    record_for,
    view_of,
)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("simulated", "gaze of the simulated reader, not of a person (trial = false)"),
        ("mouse", "gaze of the mouse, not of a person (trial = false)"),
        ("replay", "gaze replayed from an earlier session, not of a person (trial = false)"),
        ("lsl", None),
    ],
)
def test_gaze_of_a_stand_in_counts_in_a_trial_only(
    kind: str, reason: str | None, tmp_path: Path
) -> None:
    study = make_study(tmp_path / "study", cases=1)
    tracker = ScriptedTracker()
    object.__setattr__(tracker.info, "kind", kind)
    session = ReadingSession.open(study, "R1", tracker, HostClock(10.0), GEOMETRY, consented=True)
    case = session.next_case()
    session.begin(case)
    session.show(view_of(session.clock.now_us(), case.tiles[0].image_id))
    record_for(session.recorder, 3)
    session.finish()
    session.close()
    with study.database.read() as rows:
        reading = rows.query(Reading).one()
        stand_ins = stand_in_sessions(rows)
        assert why_left_out(reading, stand_ins={}, trial=False) == reason
        assert why_left_out(reading, stand_ins=stand_ins, trial=True) is None
        # Readings of before 0.2.0 note nothing of it; the row of their session does.
        reading.details = {k: v for k, v in reading.details.items() if k != STAND_IN}
        assert why_left_out(reading, stand_ins=stand_ins, trial=False) == reason
    study.close()


def test_each_stand_in_has_a_badge_and_a_persons_gaze_has_none() -> None:
    assert badge_of("simulated") == "SIMULATED GAZE"
    assert badge_of("mouse") == "MOUSE, NO GAZE"
    assert badge_of("replay") == "REPLAYED GAZE"
    assert [badge_of(kind) for kind in ("lsl", "tobii", "gazepoint", "imported", "")] == [""] * 5
