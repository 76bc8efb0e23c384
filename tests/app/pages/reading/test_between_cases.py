"""At the station: eyes gone for long in a case, and the fixation mark between cases."""

import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPushButton

from app.demo.hands import click, press
from app.sitting.health import health_of
from app.station import Station
from devices.simulated import SimulatedParameters, SimulatedTracker
from migrations.study.folder import Study
from migrations.study.schema import Calibration, Reading, ViewEvent
from tests import PATIENCE_S
from tests.app.recording.reading_doubles import recorded_more


@pytest.fixture
def study(tmp_path: Path, filled: Path):
    import shutil

    shutil.copytree(filled, tmp_path / "study")
    toml = tmp_path / "study" / "study.toml"
    text = toml.read_text().replace("absence_s = 20.0", "absence_s = 2.0")
    toml.write_text(text.replace("drift_every_cases = 10", "drift_every_cases = 1"))
    study = Study.open(tmp_path / "study", durable=True)
    yield study
    study.close()


def test_without_eyes_the_images_go_until_the_readers_code_is_typed(study, qtbot, stalls) -> None:
    made: list[SimulatedTracker] = []

    def source(_id, geometry) -> SimulatedTracker:
        made.append(SimulatedTracker(geometry, SimulatedParameters(rate_hz=120.0), seed=1))
        return made[0]

    station = Station(
        study, reader="R1", consented=True, speed=4.0, tracker_source=source, full_screen=False
    )
    qtbot.addWidget(station.window, before_close_func=lambda _window: station.close())
    station.window.show()
    page = station.sitting.reading.page
    station.sitting.start_reading(anyway=True)
    qtbot.waitUntil(lambda: page.state == "reading")
    made[0].unplug()
    code = page.findChild(QLineEdit, "reader_code")
    qtbot.waitUntil(lambda: page.state == "paused" and code.isVisible())
    assert not page.canvas.isVisible()
    press(page, Qt.Key.Key_Escape)  # no way round the code
    assert (page.state, page.canvas.isVisible()) == ("paused", False)
    code.setText("R2")
    click(page.findChild(QPushButton, "confirm_reader"))
    assert page.state == "paused"
    made[0].plug()
    code.setText("r1")
    click(page.findChild(QPushButton, "confirm_reader"))
    assert (page.state, page.canvas.isVisible()) == ("reading", True)
    session = station.sitting.session

    def gap_is_over() -> bool:
        figures = session.live.status().figures
        return figures is not None and figures.gap_count >= 1

    qtbot.waitUntil(gap_is_over)
    assert "samples/s" in health_of(session).detail
    assert page.state == "reading"
    station.sitting.close_session()
    qtbot.waitUntil(lambda: not station.sitting.sessions.busy)
    with study.database.read() as rows:
        reading = rows.query(Reading).one()
        ((start_us, end_us),) = reading.details["absences_us"]
        assert end_us - start_us >= 2_000_000
        ((paused_us, back_us),) = reading.details["pauses_us"]  # no gaze was due in it
        assert paused_us == pytest.approx(end_us, abs=200_000 + 4 * stalls.slack_us)
        assert back_us > paused_us
        assert reading.details["stream"]["gaps"] >= 1
        assert reading.details["stream"]["longest_gap_us"] >= 2_000_000
        kinds = [view.kind for view in rows.query(ViewEvent).order_by(ViewEvent.time_us)]
        assert kinds.count("close") >= 1
    station.close()


def test_a_computer_that_is_late_does_not_ask_who_reads(study, qtbot) -> None:
    go_on, held = threading.Event(), threading.Event()

    def hold(_samples) -> None:  # the recorder's thread gets no time
        held.set()
        go_on.wait(PATIENCE_S)

    station = Station(
        study, reader="R1", consented=True, speed=4.0, full_screen=False,
        tracker_source=lambda _id, geometry: SimulatedTracker(
            geometry, SimulatedParameters(rate_hz=120.0), seed=1
        ),
    )  # fmt: skip
    qtbot.addWidget(station.window, before_close_func=lambda _window: station.close())
    station.window.show()
    page = station.sitting.reading.page
    station.sitting.start_reading(anyway=True)
    qtbot.waitUntil(lambda: page.state == "reading")
    session, turns = station.sitting.session, []
    station.sitting.health.checked.connect(turns.append)
    session.recorder.add_listener(hold)
    qtbot.waitUntil(held.is_set)
    until_us, turns[:] = session.clock.now_us() + 3_000_000, []  # the limit is 2 s
    qtbot.waitUntil(lambda: session.clock.now_us() > until_us and len(turns) > 1)
    assert page.state == "reading"
    late = replace(session.recorder.status(), unasked_s=6.0)
    recorder = SimpleNamespace(status=lambda: late)
    asked = SimpleNamespace(recorder=recorder, writer=session.writer, live=session.live)
    assert "too busy to read the tracker" in health_of(asked).text
    session.recorder.remove_listener(hold)
    go_on.set()
    turns.clear()
    qtbot.waitUntil(recorded_more(session.recorder, 0.5))
    qtbot.waitUntil(lambda: bool(turns))
    assert page.state == "reading"
    station.sitting.close_session()
    qtbot.waitUntil(lambda: not station.sitting.sessions.busy)
    with study.database.read() as rows:
        assert "absences_us" not in rows.query(Reading).one().details


def test_drift_beyond_the_limit_offers_to_calibrate_again(study, qtbot) -> None:
    drifting = SimulatedParameters(rate_hz=120.0, drift_deg_per_min=20.0, blinks_per_min=0.0)
    station = Station(
        study,
        reader="R1",
        consented=True,
        speed=6.0,
        tracker_source=lambda _id, geometry: SimulatedTracker(geometry, drifting, seed=1),
        full_screen=False,
    )
    qtbot.addWidget(station.window, before_close_func=lambda _window: station.close())
    station.window.show()
    page, calibrate = station.sitting.reading.page, station.sitting.calibration.page
    station.sitting.start_calibration()
    qtbot.waitUntil(lambda: calibrate.state == "done")
    station.sitting.start_reading(anyway=True)
    qtbot.waitUntil(lambda: page.state == "reading")
    qtbot.waitUntil(recorded_more(station.sitting.session.recorder, 9.0))
    press(page.canvas, Qt.Key.Key_1)
    press(page.canvas, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: calibrate.state == "drift")
    assert station.window.current == "calibration"
    wanted = "recalibrate"
    qtbot.waitUntil(lambda: station.window.findChild(QPushButton, wanted) is not None)
    click(station.window.findChild(QPushButton, wanted))
    qtbot.waitUntil(lambda: calibrate.state in ("positioning", "collecting"))
    qtbot.waitUntil(lambda: calibrate.state == "done")
    station.sitting.start_reading(anyway=True)
    qtbot.waitUntil(lambda: page.state == "reading")
    station.sitting.close_session()
    qtbot.waitUntil(lambda: not station.sitting.sessions.busy)
    with study.database.read() as session:
        rows = session.query(Calibration).order_by(Calibration.id).all()
        kinds = [row.kind for row in rows]
        drift = rows[2]
    assert kinds == ["calibration", "validation", "drift", "calibration", "validation"]
    assert (drift.status, drift.accuracy_deg > 1) == ("beyond limits", True)
    station.close()
