"""Calibration and validation against a tracker whose error is known."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from sqlalchemy import select

from app.errors import WrongStep
from app.recording.calibration.correction import offset_correction
from app.recording.calibration.luminance import case_grey
from app.recording.calibration.posture import posture
from app.recording.calibration.run import CalibrationRun
from app.recording.calibration.target_watch import TargetWatch
from app.recording.calibration.targets import CALIBRATION_TARGETS, VALIDATION_TARGETS, bad_targets
from app.recording.session import Phase, ReadingSession
from devices.clock import HostClock
from devices.gaze.quality import validate
from devices.simulated import SimulatedParameters, SimulatedTracker
from devices.tracker import PointResult, Tracker, UserPosition
from migrations.study.folder import Study
from migrations.study.schema import Calibration, Fixation, Image, Session
from tests import PATIENCE_S
from tests.app.recording.reading_doubles import (
    GEOMETRY,
    ScriptedTracker,
    make_study,
    record_for,
    view_of,
)
from tests.stored import gaze_of

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
        deadline = time.perf_counter() + PATIENCE_S
        while not run.is_sampled():
            assert time.perf_counter() < deadline
            time.sleep(0.004)


def rows(study: Study) -> list[Calibration]:
    with study.database.read() as session:
        found = list(session.scalars(select(Calibration).order_by(Calibration.id)))
        session.expunge_all()
    return found


def test_a_simulated_reader_is_calibrated_and_found_within_limits(study: Study) -> None:
    tracker = SimulatedTracker(
        GEOMETRY, SimulatedParameters(rate_hz=300.0, blinks_per_min=0.0), seed=2
    )
    session = opened(study, tracker)
    run = session.calibrate()
    assert session.phase is Phase.CALIBRATING
    assert run.targets == CALIBRATION_TARGETS[5]
    for target in run.targets:
        tracker.fixate(*target)
        record_for(session.recorder, 1.0)
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
    assert 0 <= validation.loss < 0.1
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
    record_for(session.recorder, 2.4)
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
    with pytest.raises(WrongStep, match="nothing to validate yet"):
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


@pytest.mark.parametrize(
    ("unasked_s", "now_s", "passed_over"),
    [(0.0, 1.9, False), (0.0, 2.1, True), (1.5, 2.1, False), (1.5, 3.6, True), (9.0, 10.9, False),
     (11.0, 11.1, True)],
)  # fmt: skip
def test_only_a_tracker_that_was_asked_has_kept_silent(
    unasked_s: float, now_s: float, passed_over: bool
) -> None:
    clock = SimpleNamespace(speed=8.0, now_us=lambda: 0)
    status = SimpleNamespace(unasked_s=unasked_s)
    watch = TargetWatch(
        SimpleNamespace(status=lambda: status, add_listener=lambda _listen: None), clock
    )  # type: ignore[arg-type]
    watch.show((0.5, 0.5))
    # A target is judged for a second of the clock, which here is an eighth of a real one.
    clock.now_us = lambda: round(8e6 * (now_s - 1) + 1e6)
    assert watch.is_sampled() == passed_over


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


# ---- single points again, earlier calibrations, corrections, distance, drift -----------------


def calibrated(session: ReadingSession, tracker: SimulatedTracker) -> CalibrationRun:
    run = session.calibrate()
    for target in run.targets:
        tracker.fixate(*target)
        record_for(session.recorder, 0.8)
        run.collect(target)
    assert run.compute().status == "success"
    return run


def validated(run: CalibrationRun, tracker: SimulatedTracker | ScriptedTracker) -> float:
    look_at_all(run, tracker)
    result = run.validate()
    assert result.accuracy_deg is not None
    return result.accuracy_deg


def test_a_single_bad_point_is_collected_again_and_the_rest_is_kept(study: Study) -> None:
    tracker = SimulatedTracker(
        GEOMETRY, SimulatedParameters(rate_hz=300.0, blinks_per_min=0.0), seed=2
    )
    session = opened(study, tracker)
    run = session.calibrate()
    bad = run.targets[1]
    for target in run.targets:  # at one target the reader looks elsewhere
        tracker.fixate(*((bad[0] + 0.06, bad[1] + 0.06) if target == bad else target))
        record_for(session.recorder, 0.8)
        run.collect(target)
    run.compute()
    before_deg = validated(run, tracker)
    run.end(keep=True)
    assert run.may_redo
    again = session.calibrate([bad], after=run)
    assert (again.targets, again.may_redo, run.may_redo) == ((bad,), True, False)
    tracker.fixate(*bad)
    record_for(session.recorder, 0.8)
    again.discard(bad)
    again.collect(bad)
    assert len(again.compute().points) == len(CALIBRATION_TARGETS[5])
    assert validated(again, tracker) < 0.7 * before_deg
    again.end()
    session.close()
    assert [row.kind for row in rows(study)] == ["calibration", "validation"] * 2


def test_bad_points_are_those_an_eye_missed_and_the_nearest_of_a_target_that_is_off() -> None:
    points = [PointResult(x, y, True, (x, y) != (0.9, 0.1)) for x, y in CALIBRATION_TARGETS[5]]
    samples = ScriptedTracker(lambda t: np.full((len(t), 2), 0.2)).samples_at(np.arange(9))
    validation = validate([(0.2, 0.2), (0.2, 0.75)], [samples, samples], GEOMETRY)
    assert bad_targets(points, validation, 1.0) == ((0.9, 0.1), (0.1, 0.9))
    assert bad_targets(points, None, 1.0) == ((0.9, 0.1),)
    assert bad_targets([], validation, 1.0) == ()


def test_an_earlier_calibration_is_offered_to_the_same_reader_with_the_same_glasses(
    study: Study,
) -> None:
    tracker = SimulatedTracker(
        GEOMETRY, SimulatedParameters(rate_hz=300.0, blinks_per_min=0.0), seed=2
    )
    session = opened(study, tracker)
    session.setup.set_eyewear("glasses")
    assert session.setup.earlier_calibration() is None
    run = calibrated(session, tracker)
    first_deg = validated(run, tracker)
    run.end()
    session.close()
    session = opened(study, tracker)
    assert session.setup.earlier_calibration() is None  # nobody said yet what is worn today
    session.setup.set_eyewear("glasses")
    former = session.setup.earlier_calibration()
    assert former is not None
    run = session.calibrate()
    uncorrected_deg = validated(run, tracker)
    run.reapply(former)
    again_deg = validated(run, tracker)
    run.end()
    session.close()
    assert again_deg < 0.7 * uncorrected_deg
    assert again_deg == pytest.approx(first_deg, abs=0.3)
    stored = rows(study)
    assert [row.status for row in stored if row.kind == "calibration"] == ["success", "re-applied"]
    assert stored[-2].device_data == stored[0].device_data
    other = ReadingSession.open(study, "R2", tracker, HostClock(SPEED), GEOMETRY, consented=True)
    other.setup.set_eyewear("glasses")
    assert other.setup.earlier_calibration() is None
    other.close()
    with study.database.read() as opened_rows:
        sessions = opened_rows.scalars(select(Session).order_by(Session.id)).all()
        assert [each.details["eyewear"] for each in sessions] == ["glasses"] * 3


def test_a_stored_correction_moves_the_mapped_gaze_and_no_raw_sample(study: Study) -> None:
    class OffByHundredPixels(ScriptedTracker):
        def samples_at(self, index: np.ndarray) -> np.ndarray:
            samples = super().samples_at(index)
            for eye in ("left", "right"):
                samples[f"{eye}_x_norm"] += np.float32(100 / 1920)
            return samples

    tracker = OffByHundredPixels(rate_hz=300.0)
    session = opened(study, tracker)
    run = session.calibrate(validation=[(0.5, 0.5)])
    assert validated(run, tracker) > 2
    run.end()
    assert session.validation is not None
    session.setup.correct(offset_correction(session.validation.validation))
    run = session.calibrate((), validation=[(0.5, 0.5)])
    assert validated(run, tracker) < 0.05
    run.end()
    case = session.next_case()
    assert case is not None
    reading_id = session.begin(case)
    session.show(view_of(session.clock.now_us(), case.tiles[0].image_id))
    record_for(session.recorder, 6)
    session.finish()
    assert session.settled()
    session.close()
    gaze = gaze_of(study.database, reading_id)
    assert np.nanmedian(gaze.samples["left_x_norm"]) == pytest.approx(0.5 + 100 / 1920, abs=1e-5)
    assert np.nanmedian(gaze.points_norm[:, 0]) == pytest.approx(0.5, abs=1e-4)
    kinds = [(row.kind, row.status) for row in rows(study)]
    assert ("correction", "in use") in kinds
    with study.database.read() as opened_rows:
        fixation = opened_rows.scalars(select(Fixation)).first()
        x_screen = 1.35 * fixation.x_image + 285
        assert x_screen == pytest.approx(960, abs=2)


@pytest.mark.parametrize(
    ("tells", "taped_mm", "expected"),
    [
        (True, 700.0, "tracker"),
        (False, 700.0, "taped"),
        (False, None, "assumed"),
    ],
)
def test_the_distance_is_the_trackers_else_the_tapes_else_assumed(
    study: Study, tells: bool, taped_mm: float | None, expected: str
) -> None:
    geometry = replace(GEOMETRY, distance_mm=650.0, distance_source="assumed")
    tracker = SimulatedTracker(geometry, seed=1) if tells else ScriptedTracker(rate_hz=300.0)
    session = ReadingSession.open(study, "R1", tracker, HostClock(), geometry, consented=True)
    record_for(session.recorder, 0.3)
    taken = session.setup.take_distance(taped_mm)
    session.close()
    assert taken.distance_source == expected
    with study.database.read() as opened_rows:
        row = opened_rows.scalars(select(Session)).one()
        assert (row.distance_source, row.screen["distance_source"]) == (expected, expected)
        assert row.distance_mm == taken.distance_mm
    if expected == "tracker":
        assert taken.distance_mm == pytest.approx(650, abs=15)


def test_drift_is_measured_stored_and_marks_the_readings_after_it(study: Study) -> None:
    tracker = ScriptedTracker(lambda t: np.full((len(t), 2), (0.54, 0.5)), rate_hz=300.0)
    session = opened(study, tracker)
    run = session.calibrate(validation=[(0.54, 0.5)])
    assert validated(run, tracker) < 0.05
    run.end()
    probe = session.probe_drift()
    while not probe.is_done():
        time.sleep(0.005)
    drift_deg = probe.drift_deg()
    assert drift_deg == pytest.approx(1.86, abs=0.02)  # 0.04 of 527 mm, seen from 650 mm
    reading_id = session.begin(session.next_case() or "")
    record_for(session.recorder, 4)
    session.finish()
    assert session.settled()
    session.close()
    assert "drifted by 1.9° before the case" in session.results[reading_id].verdict.reasons
    assert rows(study)[-1].kind == "drift"
    assert (rows(study)[-1].status, rows(study)[-1].accuracy_deg) == ("beyond limits", drift_deg)


@pytest.mark.parametrize(
    ("left", "right", "said", "well"),
    [
        ((0.4, 0.5, 0.5), (0.6, 0.5, 0.5), "65 cm: good position", True),
        ((0.1, 0.5, 0.5), (0.2, 0.5, 0.5), "65 cm: move a little to the right", False),
        (
            (0.4, 0.1, 0.9),
            (0.6, 0.1, 0.9),
            "65 cm: sit a little lower, come a little nearer",
            False,
        ),
        ((0.4, 0.5, 0.5), None, "65 cm: only one eye is visible", False),
        (None, None, "The tracker cannot see your eyes", False),
    ],
)
def test_the_reader_is_told_how_to_sit(left, right, said: str, well: bool) -> None:
    told = posture(UserPosition(0, left, right, 650.0))
    assert (told.text, told.well) == (said, well)


def test_targets_stand_on_a_ground_as_bright_as_the_cases(tmp_path: Path) -> None:
    study = make_study(tmp_path / "bright", cases=2)
    assert case_grey(study, GEOMETRY, 11) == 11  # no presentations: what lies around them
    with study.database.read() as opened_rows:
        ids = opened_rows.scalars(select(Image.id)).all()
    for image_id, grey in zip(ids, (40, 200), strict=True):
        path = study.presentation(image_id)
        path.parent.mkdir(parents=True)
        cv2.imwrite(str(path), np.full((800, 1000), grey, np.uint8))
    covered = (1000 * 1.35) / 1920
    light = [covered * (g / 255) ** 2.2 + (1 - covered) * (11 / 255) ** 2.2 for g in (40, 200)]
    expected = 255 * np.mean(light) ** (1 / 2.2)
    assert case_grey(study, GEOMETRY, 11) == pytest.approx(expected, abs=1)
    study.close()
