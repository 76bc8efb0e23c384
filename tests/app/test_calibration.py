"""Calibration and validation against a tracker whose error is known."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from app.errors import WrongStep
from app.reading.calibration import CalibrationRun
from app.reading.session import Phase, ReadingSession
from app.reading.targets import CALIBRATION_TARGETS, VALIDATION_TARGETS
from devices.clock import HostClock
from devices.simulated import SimulatedParameters, SimulatedTracker
from devices.tracker import Tracker
from migrations.schema import Calibration, Session
from migrations.study import Study
from tests.app.reading_doubles import GEOMETRY, ScriptedTracker, make_study

SPEED = 12.0


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    study = make_study(tmp_path / "study", cases=1)
    yield study
    study.close()


def opened(study: Study, tracker: Tracker) -> ReadingSession:
    clock = HostClock(SPEED)
    return ReadingSession.open(study, "R1", tracker, clock, GEOMETRY, consented=True)


def look_at_all(run: CalibrationRun, tracker: SimulatedTracker | ScriptedTracker) -> None:
    for target in run.validation_targets:
        run.show(target)
        if isinstance(tracker, SimulatedTracker):
            tracker.fixate(*target)
        deadline = time.perf_counter() + 3
        while not run.is_sampled():
            assert time.perf_counter() < deadline
            time.sleep(0.004)


def rows(study: Study) -> list[Calibration]:
    with study.database.read() as session:
        found = list(session.scalars(select(Calibration).order_by(Calibration.id)))
        session.expunge_all()
    return found


def test_a_simulated_reader_is_calibrated_and_found_within_limits(study: Study) -> None:
    tracker = SimulatedTracker(GEOMETRY, SimulatedParameters(rate_hz=300.0), seed=2)
    session = opened(study, tracker)
    run = session.calibrate()
    assert session.phase is Phase.CALIBRATING
    assert run.targets == CALIBRATION_TARGETS[5]
    for target in run.targets:
        tracker.fixate(*target)
        time.sleep(1.0 / SPEED)
        run.collect(target)
    assert run.compute().status == "success"
    look_at_all(run, tracker)
    result = run.validate()
    run.end()
    session.close()
    assert result.within_limits, result.reasons
    calibration, validation = rows(study)
    assert (calibration.kind, calibration.status) == ("calibration", "success")
    assert len(calibration.points) == 5
    assert calibration.device_data
    assert calibration.started_us < calibration.ended_us <= validation.started_us
    assert (validation.kind, validation.status) == ("validation", "within limits")
    assert len(validation.points) == len(VALIDATION_TARGETS)
    assert validation.accuracy_deg == pytest.approx(result.accuracy_deg)
    assert validation.precision_rms_left_deg > 0
    assert 0 <= validation.loss < 0.2
    with study.database.read() as opened_rows:
        assert opened_rows.scalars(select(Session)).one().details["validated"] is True


def test_a_known_bias_of_one_degree_is_reported_as_one_degree(study: Study) -> None:
    parameters = SimulatedParameters(
        rate_hz=500.0,
        bias_deg=(0.6, 0.8),
        noise_deg=0.05,
        dot_error_deg=0.0,
        micro_drift_deg=0.0,
        drift_deg_per_min=0.0,
        gain_error=0.0,
        offset_error_deg=0.0,
    )
    tracker = SimulatedTracker(GEOMETRY, parameters, seed=4)
    session = opened(study, tracker)
    run = session.calibrate(())  # validation alone
    look_at_all(run, tracker)
    result = run.validate()
    run.end()
    session.close()
    assert result.accuracy_deg == pytest.approx(1.0, abs=0.05)
    assert [row.kind for row in rows(study)] == ["validation"]


def test_beyond_the_limits_the_session_is_marked_and_may_still_read(study: Study) -> None:
    tracker = ScriptedTracker(rate_hz=300.0)  # looks at the middle whatever is shown
    session = opened(study, tracker)
    run = session.calibrate()
    look_at_all(run, tracker)
    result = run.validate()
    run.end()
    assert not result.within_limits
    assert "limit 1.00°" in result.reasons[0]
    assert session.phase is Phase.READY
    reading_id = session.begin(session.next_case() or "")
    time.sleep(0.2)
    session.finish()
    assert session.settled()
    session.close()
    assert session.results[reading_id].verdict.word == "bad"
    assert rows(study)[0].status == "beyond limits"
    with study.database.read() as opened_rows:
        assert opened_rows.scalars(select(Session)).one().details["validated"] is False


def test_a_tracker_with_its_own_calibration_is_only_validated(study: Study) -> None:
    session = opened(study, ScriptedTracker(rate_hz=300.0))
    run = session.calibrate()
    assert run.targets == ()
    with pytest.raises(WrongStep, match="calibrated by its own software"):
        run.collect((0.5, 0.5))
    with pytest.raises(WrongStep, match="Nothing to validate yet"):
        run.validate()
    with pytest.raises(WrongStep, match="No validation target is shown"):
        run.is_sampled()
    run.end()
    session.close()
    assert rows(study) == []


def test_a_silent_tracker_does_not_hold_the_reader_up(study: Study) -> None:
    tracker = ScriptedTracker(rate_hz=300.0)
    session = opened(study, tracker)
    run = session.calibrate(validation=[(0.5, 0.5)])
    tracker.lose()
    look_at_all(run, tracker)
    result = run.validate()
    run.end()
    session.close()
    assert (result.accuracy_deg, result.loss, result.within_limits) == (None, 1.0, False)
    assert result.reasons[0] == "no gaze at 1 of 1 targets"


def test_the_better_eye_is_used_where_the_study_asks_for_it(tmp_path: Path) -> None:
    class LeftIsOff(ScriptedTracker):
        def samples_at(self, index: np.ndarray) -> np.ndarray:
            samples = super().samples_at(index)
            samples["left_x_norm"] += np.float32(0.1)
            return samples

    study = make_study(tmp_path / "better", cases=1, eye="better")
    tracker = LeftIsOff(rate_hz=300.0)
    session = opened(study, tracker)
    run = session.calibrate(validation=[(0.5, 0.5)])
    look_at_all(run, tracker)
    assert run.validate().better_eye == "right"
    run.end()
    assert session.live.eye == "right"
    session.close()
    study.close()


@pytest.mark.parametrize("count", [5, 9, 13])
def test_validation_targets_are_held_out(count: int) -> None:
    assert len(set(CALIBRATION_TARGETS[count])) == count
    assert not set(CALIBRATION_TARGETS[count]) & set(VALIDATION_TARGETS)
