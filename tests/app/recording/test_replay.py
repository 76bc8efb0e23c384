"""A recorded session replayed as a live device: the same gaze, the same fixations."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from app.recording.replay_device import replay_tracker
from app.recording.session import ReadingSession
from devices.clock import HostClock
from devices.errors import TrackerError, TrackerNotFound
from devices.gaze.samples import VALUE_FIELDS, empty_samples
from devices.mouse import MouseTracker
from devices.replay import ReplayTracker
from migrations.study.folder import Study
from migrations.study.names import short_name
from migrations.study.schema import Reading, StudyCase, new_id
from migrations.study.schema import Session as SessionRow
from tests.app.recording.reading_doubles import GEOMETRY, ScriptedTracker, make_study, record_for


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    study = make_study(tmp_path / "study")
    yield study
    study.close()


def record(study: Study) -> str:
    session = ReadingSession.open(
        study,
        "R1",
        ScriptedTracker(rate_hz=300.0),
        HostClock(5.0),
        GEOMETRY,
        station="desk",
        consented=True,
    )
    record_for(session.recorder, 2.0)
    session.close()
    return session.session_id


def test_a_recorded_session_comes_again_bit_for_bit(study) -> None:
    session_id = record(study)
    tracker = replay_tracker(study, f"replay:{session_id}")
    time_ns = 0
    tracker.connect(HostClock(counter_ns=lambda: time_ns))
    pieces = []
    for time_ns in range(0, tracker.duration_us * 1000 + 40_000_000, 33_000_000):  # noqa: B007
        pieces.append(tracker.read())
    again = np.concatenate(pieces)
    assert len(again) > 200
    assert tracker.info.rate_hz == pytest.approx(300, rel=0.01)
    original = tracker._samples
    for name in (*VALUE_FIELDS, "device_us"):
        assert np.array_equal(again[name], original[name], equal_nan=True)
    assert np.array_equal(np.diff(again["host_us"]), np.diff(original["host_us"]))
    assert [e.kind for e in tracker.events()] == ["lost"], "the end is told, once"
    assert tracker.events() == []
    assert tracker.calibrator() is None
    tracker.disconnect()
    assert len(tracker.read()) == 0


def test_a_session_is_found_by_the_name_of_a_reading_of_it(study) -> None:
    wanted = record(study)
    record(study)
    reading_id = new_id()
    with study.database.write() as rows:
        sitting = rows.get_one(SessionRow, wanted)
        case_id = rows.scalars(select(StudyCase.id)).first()
        rows.add(
            Reading(id=reading_id, session_id=wanted, case_id=case_id,
                    reader_id=sitting.reader_id, started_us=0)
        )  # fmt: skip
    for text in (short_name(reading_id).lower(), reading_id, short_name(wanted)):
        assert replay_tracker(study, f"replay:{text}").info.id.endswith(wanted)


def test_a_session_that_is_not_there_or_not_one_is_named(study) -> None:
    with pytest.raises(TrackerNotFound, match="No session with gaze"):
        replay_tracker(study, "replay:abc")
    record(study)
    record(study)
    with pytest.raises(TrackerNotFound, match="2 sessions"):
        replay_tracker(study, "replay:")
    with pytest.raises(TrackerError, match="contains no gaze"):
        ReplayTracker(empty_samples(0), "nothing")


def test_the_pointer_feeds_the_mouse_as_gaze(qtbot) -> None:
    from PySide6.QtCore import QObject, QPoint
    from PySide6.QtGui import QCursor

    from app.sitting.mouse_eye import MouseEye

    parent, tracker = QObject(), MouseTracker()
    tracker.connect(HostClock())
    QCursor.setPos(QPoint(int(GEOMETRY.x_desktop) + 480, int(GEOMETRY.y_desktop) + 270))
    eye = MouseEye(parent)
    eye.use(tracker, GEOMETRY)
    qtbot.waitUntil(lambda: np.isfinite(tracker.read()["left_x_norm"]).any())
    samples = empty_samples(0)
    while len(samples) == 0:
        samples = tracker.read()
    assert samples["left_x_norm"][-1] == pytest.approx(480.5 / GEOMETRY.width_screen, abs=1e-3)
    assert samples["right_y_norm"][-1] == pytest.approx(270.5 / GEOMETRY.height_screen, abs=1e-3)
    eye.use(None, None)
    assert not eye._timer.isActive()
