"""A reading with a tracker of Gazepoint: what is in the study is what Control sent."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from app.recording.session import ReadingSession
from devices.clock import HostClock
from migrations.study.folder import Study
from migrations.study.schema import Calibration, Recording, Session
from tests.app.recording.reading_doubles import GEOMETRY, make_study, recorded, until, view_of
from tests.devices.gazepoint.sender import assert_is, gaze, opened, send
from tests.devices.gazepoint.stand_in import Control, gazepoint_control


@pytest.fixture
def control(monkeypatch: pytest.MonkeyPatch) -> Iterator[Control]:
    with gazepoint_control() as (control, port):
        monkeypatch.setenv("FOVEATE_GAZEPOINT", f"127.0.0.1:{port}")
        yield control


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    study = make_study(tmp_path / "study", cases=1)
    yield study
    study.close()


def test_a_reading_holds_every_record_through_a_calibration_and_a_cut_connection(
    control: Control, study: Study
) -> None:
    session = ReadingSession.open(study, "R1", opened(), HostClock(), GEOMETRY, consented=True)
    sent = gaze(180)
    run = session.calibrate()
    for target in run.targets:
        run.collect(target)
    assert run.compute().status == "success"
    assert not run.may_redo
    run.end()
    case = session.next_case()
    assert case is not None
    session.begin(case)
    session.show(view_of(session.clock.now_us(), case.tiles[0].image_id))
    send(control, sent[:90])
    until(lambda: session.recorder.status().sample_count == 90)
    control.commands.clear()
    control.cut()
    control.wait_for("SET", "ENABLE_SEND_DATA")
    until(lambda: any(event.kind == "lost" for event in session.recorder.events()))
    send(control, sent[90:])
    until(lambda: session.recorder.status().sample_count == 180)
    session.answer("a")
    session.finish()
    session.close()
    assert_is(np.concatenate(recorded(study.database, session.recorder.recording_id)), sent)
    with study.database.read() as rows:
        recording = rows.scalars(select(Recording)).one()
        sitting = rows.scalars(select(Session)).one()
        calibration = rows.scalars(select(Calibration)).one()
        assert sitting.tracker_id == "gazepoint:18050123"
        assert (sitting.tracker_kind, sitting.tracker_model) == ("gazepoint", "GP3HD")
        assert (recording.state, recording.nominal_rate_hz) == ("closed", 150.0)
        wanted = ["lost", "restored", "gap"]
        said = [event["kind"] for event in recording.events if event["kind"] in wanted]
        # A busy machine may answer too late and be lost once more; each loss is told with its end.
        assert list(dict.fromkeys(said)) == wanted
        assert said.count("lost") == said.count("restored")
        assert (calibration.status, len(calibration.points)) == ("success", 5)
