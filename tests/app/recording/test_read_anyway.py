"""No reading without a calibration by accident: what stands against it, and what is kept."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from app.recording.calibration.correction import offset_correction
from app.recording.calibration.standing import (
    BEYOND_LIMITS,
    UNCALIBRATED,
    UNCHECKED,
    against_reading,
)
from app.recording.calibration.validation import ValidationResult, judge_validation
from app.recording.session import ReadingSession
from devices.clock import HostClock
from devices.gaze.quality import validate
from devices.gaze.samples import empty_samples
from devices.simulated import SimulatedTracker
from migrations.study.folder import Study
from migrations.study.schema import Audit, Reading
from migrations.study.schema import Session as SessionRow
from migrations.study.settings import StudySettings
from tests.app.recording.reading_doubles import GEOMETRY, make_study, view_of


def validated(off_norm: float, lost: bool = False) -> ValidationResult:
    """Return a validation of one target that gaze missed by so much to the right."""
    samples = empty_samples(60)
    samples["host_us"] = np.arange(60) * 5000
    for eye in () if lost else ("left", "right"):
        samples[f"{eye}_x_norm"], samples[f"{eye}_y_norm"] = 0.5 + off_norm, 0.5
    return judge_validation(validate([(0.5, 0.5)], [samples], GEOMETRY), StudySettings())


@pytest.mark.parametrize(
    ("validation", "unchecked", "code"),
    [
        pytest.param(None, "", UNCALIBRATED, id="never calibrated"),
        pytest.param(validated(0.1), "", BEYOND_LIMITS, id="beyond the study's limit"),
        pytest.param(validated(0.0, lost=True), "", BEYOND_LIMITS, id="no gaze at the targets"),
        pytest.param(validated(0.0), "calibrated since", UNCHECKED, id="changed since"),
        pytest.param(validated(0.0), "", None, id="within limits"),
    ],
)
def test_only_a_validation_within_the_limits_lets_one_read_unasked(
    validation: ValidationResult | None, unchecked: str, code: str | None
) -> None:
    against = against_reading(validation, unchecked)
    assert (against.code if against else None) == code
    assert against is None or against.text


@pytest.fixture
def session(tmp_path: Path) -> Iterator[ReadingSession]:
    study = make_study(tmp_path / "study", cases=2)
    tracker = SimulatedTracker(GEOMETRY, seed=2)
    opened = ReadingSession.open(
        study, "R1", tracker, HostClock(20.0), GEOMETRY, station="S", consented=True
    )
    yield opened
    opened.close()
    study.close()


def read_one(session: ReadingSession) -> Reading:
    case = session.next_case()
    assert case is not None
    reading_id = session.begin(case)
    session.show(view_of(session.clock.now_us(), case.tiles[0].image_id))
    session.finish()
    assert session.settled()
    return row_of(session.study, Reading, reading_id)


def row_of(study: Study, table: type, row_id: str) -> Reading:
    with study.database.read() as rows:
        found = rows.get_one(table, row_id)
        rows.expunge(found)
    return found


def test_reading_anyway_is_kept_with_the_reading_the_session_and_in_the_audit(
    session: ReadingSession,
) -> None:
    assert session.against_reading == "not calibrated in this session"
    session.read_anyway()
    session.read_anyway()  # pressed twice
    assert session.against_reading == ""
    reading = read_one(session)
    assert reading.details["read_anyway"] == "not calibrated in this session"
    assert reading.details["notes"][0] == {
        "code": UNCALIBRATED,
        "text": "read anyway: not calibrated in this session",
    }
    sitting = row_of(session.study, SessionRow, session.session_id)
    assert sitting.details["read_anyway"] == "not calibrated in this session"
    with session.study.database.read() as rows:
        (entry,) = rows.scalars(select(Audit).where(Audit.action == "read anyway"))
        assert (entry.subject, entry.station) == (session.session_id, "S")
        assert (entry.details["reader"], entry.details["code"]) == ("R1", UNCALIBRATED)


def test_after_a_validation_within_limits_readings_carry_no_such_note(
    session: ReadingSession,
) -> None:
    session.read_anyway()
    session.setup.validated(validated(0.0))
    assert session.against_reading == ""
    assert not {"read_anyway", "notes"} & set(read_one(session).details)


def test_a_failed_validation_after_reading_anyway_is_asked_about_anew(
    session: ReadingSession,
) -> None:
    session.read_anyway()
    session.setup.validated(validated(0.1))
    assert "accuracy" in session.against_reading
    session.read_anyway()
    assert session.against_reading == ""


def test_a_calibration_given_up_before_its_check_makes_the_earlier_check_void(
    session: ReadingSession,
) -> None:
    session.setup.validated(validated(0.0))
    run = session.calibrate()
    run.end()  # given up before anything was computed: the earlier calibration stands
    assert session.against_reading == ""
    run = session.calibrate()
    for target in run.targets:
        run.collect(target)
    run.compute()
    run.end()
    assert "not checked" in session.against_reading


def test_a_correction_counts_as_unchecked_until_it_is_validated(session: ReadingSession) -> None:
    first = validated(0.1)
    session.setup.validated(first)
    session.setup.correct(offset_correction(first.validation))
    assert "not checked" in session.against_reading
    session.setup.validated(validated(0.0))
    assert session.against_reading == ""
