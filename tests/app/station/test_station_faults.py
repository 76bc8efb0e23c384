"""The station while its surroundings fail: tracker, disk, database and images of a real study."""

import shutil
import sqlite3
import time
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton
from sqlalchemy import event, func, select

from app.demo.hands import click, press
from app.station import Station
from app.ui.dialogs import ConfirmDialog, SavingDialog
from devices.gaze.geometry import ScreenGeometry
from devices.simulated import SimulatedParameters, SimulatedTracker
from migrations.study.folder import Study
from migrations.study.schema import GazeChunk, Reading
from migrations.study.schema import Session as SessionRow
from migrations.study.stored_reading import stored_reading
from tests import PATIENCE_S
from tests.app.recording.reading_doubles import recorded_more

SPEED = 2.0


@pytest.fixture
def study(tmp_path: Path, filled: Path):
    shutil.copytree(filled, tmp_path / "study")
    study = Study.open(tmp_path / "study", durable=True)
    yield study
    study.close()


@pytest.fixture
def station(qtbot, study: Study, no_leftovers):
    def simulated(_id: str, geometry: ScreenGeometry) -> SimulatedTracker:
        return SimulatedTracker(geometry, SimulatedParameters(rate_hz=120.0), seed=1)

    station = Station(
        study, reader="R1", consented=True, speed=SPEED, tracker_source=simulated, full_screen=False
    )
    qtbot.addWidget(station.window, before_close_func=lambda _window: station.close())
    with qtbot.waitExposed(station.window):
        station.window.show()
    yield station
    station.close()


@pytest.fixture
def impatient(study: Study):
    """SQLite's own patience of 30 s, made short."""

    def shorten(connection, *_: object) -> None:
        connection.execute("PRAGMA busy_timeout=50").close()

    event.listen(study.database.engine, "checkout", shorten)


def _close_in_mid_case(station: Station) -> None:
    """Close the window, and say that this is meant."""
    station.window.close()
    click(station.window.findChild(ConfirmDialog).findChild(QPushButton, "close_anyway"))


def _start(station: Station, qtbot) -> None:
    click(station.sitting.worklist.page.start)
    click(station.sitting.calibration.page.start)
    qtbot.waitUntil(lambda: station.sitting.reading.page.state == "reading")


def _read(station: Station, qtbot) -> None:
    page, case = station.sitting.reading.page, station.sitting.reading.page.current_case_id
    qtbot.waitUntil(recorded_more(station.sitting.session.recorder, 0.1 * SPEED))
    press(page.canvas, Qt.Key.Key_1)
    press(page.canvas, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.current_case_id != case)


def _lock(study: Study) -> sqlite3.Connection:
    other = sqlite3.connect(str(study.database.path), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


def _committed(study: Study) -> int:
    with study.database.read() as session:
        return int(session.scalar(select(func.sum(GazeChunk.count))) or 0)


def _image_files(station: Station, name: str) -> list[Path]:
    assert station.study is not None
    rows = [row for row in station.sitting.worklist.page.model.rows if row.name == name]
    with station.study.database.read() as session:
        query = "SELECT image_id FROM case_image WHERE case_id = ?"
        ids = session.connection().exec_driver_sql(query, (rows[0].case_id,)).scalars()
        return [station.study.image_folder(image_id) / "stored.npy" for image_id in ids]


@pytest.mark.parametrize("damage", ["missing", "cut short", "another size"])
def test_a_damaged_case_is_skipped_by_name_and_offered_again(
    station, study, qtbot, damage: str
) -> None:
    names = [row.name for row in station.sitting.worklist.page.model.rows]
    (file,) = _image_files(station, names[1])
    whole = file.read_bytes()
    if damage == "missing":
        file.unlink()
    elif damage == "cut short":
        file.write_bytes(whole[: len(whole) // 2])
    else:
        np.save(file, np.zeros((5, 5), np.uint16))
    page = station.sitting.reading.page
    _start(station, qtbot)
    _read(station, qtbot)
    qtbot.waitUntil(lambda: f"{names[1]} is damaged and was skipped" in page.strip.text)
    assert "Case 3 of 3" in page.strip.text
    assert station.shell.last_error == ""
    with qtbot.waitSignal(station.sitting.sessions.closed):
        _read(station, qtbot)
    assert page.state == "complete"
    said = "\n".join(each.text() for each in page.findChildren(QLabel))
    assert f"You have read 2 of 3 cases on this worklist. {names[1]} could not be shown" in said
    with study.database.read() as session:
        assert session.scalars(select(Reading.state)).all() == ["finished", "finished"]
        assert session.scalars(select(SessionRow.details)).one()["set_aside"] == [names[1]]
    file.write_bytes(whole)
    click(page.findChild(QPushButton, "back_to_worklist"))
    _start(station, qtbot)
    assert "Case 2 of 3" in page.strip.text


def test_where_no_case_can_be_shown_all_are_named_and_come_again(station, study, qtbot) -> None:
    for file in study.folder.glob("images/*/stored.npy"):
        file.unlink()
    station.sitting.start_reading(anyway=True)
    qtbot.waitUntil(lambda: bool(station.shell.last_error))
    for row in station.sitting.worklist.page.model.rows:
        assert row.name in station.shell.last_error
    assert station.window.current == "worklist"
    assert not station.sitting.reading.reading
    qtbot.waitUntil(lambda: not station.sitting.sessions.busy)
    assert station.sitting.worklist.page.start.isEnabled()


def test_an_unplugged_tracker_is_said_within_a_second_and_comes_back(
    station, study, qtbot, stalls
) -> None:
    _start(station, qtbot)
    strip, tracker = station.sitting.reading.page.strip, station.sitting.session.tracker
    case = station.sitting.reading.page.current_case_id
    qtbot.waitUntil(lambda: "Tracking" in strip.text)
    tracker.unplug()
    began = time.perf_counter()
    qtbot.waitUntil(lambda: "Tracker disconnected: check its cable" in strip.text)
    assert time.perf_counter() - began < 1 + stalls.slack_s
    assert station.window._trouble.text().startswith("⚠ Tracker disconnected")
    assert station.shell.last_error == ""
    press(station.sitting.reading.page.canvas, Qt.Key.Key_2)
    assert "2 mass" in strip.text
    tracker.plug()
    qtbot.waitUntil(lambda: "Tracking" in strip.text)
    assert station.window._trouble.text() == ""
    assert station.sitting.reading.page.current_case_id == case
    before = station.sitting.session.recorder.status().committed_count
    qtbot.waitUntil(lambda: station.sitting.session.recorder.status().committed_count > before)


def test_a_locked_database_is_said_and_nothing_is_lost(station, study, impatient, qtbot) -> None:
    _start(station, qtbot)
    strip, recorder = station.sitting.reading.page.strip, station.sitting.session.recorder
    other = _lock(study)
    try:
        said = "another program holds the study, close it. Nothing is lost."
        qtbot.waitUntil(lambda: said in strip.text)
        committed = _committed(study)
        _read(station, qtbot)
        assert _committed(study) == committed
    finally:
        other.execute("COMMIT")
        other.close()
    qtbot.waitUntil(lambda: "Tracking" in strip.text)
    assert station.sitting.session.settled(PATIENCE_S)
    assert _committed(study) > committed
    assert recorder.status().missing_count == 0
    with study.database.read() as session:
        reading = session.scalars(select(Reading).where(Reading.state == "finished")).one()
        assert len(stored_reading(session, reading.id).chunks) > 0


def test_a_full_disk_is_said_and_recovers(station, study, qtbot) -> None:
    pages = {"limit": 1_000_000}

    def quota(connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages['limit']}").close()

    event.listen(study.database.engine, "checkout", quota)
    _start(station, qtbot)
    strip = station.sitting.reading.page.strip
    pages["limit"] = 1
    qtbot.waitUntil(lambda: "the disk is full, free some space" in strip.text)
    assert "Nothing is lost" in strip.text
    pages["limit"] = 1_000_000
    qtbot.waitUntil(lambda: "Tracking" in strip.text)
    assert station.sitting.session.settled(PATIENCE_S)
    assert station.sitting.session.writer.rejected == 0


def test_the_window_closes_by_itself_once_all_is_saved(station, study, impatient, qtbot) -> None:
    _start(station, qtbot)
    other = _lock(study)
    qtbot.waitUntil(lambda: bool(station.sitting.session.writer.problem))
    _close_in_mid_case(station)
    assert station.window.isVisible()
    qtbot.waitUntil(lambda: bool(station.window.findChildren(SavingDialog)))
    dialog = station.window.findChild(SavingDialog)
    assert "locked by another program" in dialog.text
    assert "Foveate closes when everything is saved" in dialog.text
    assert dialog.findChild(QPushButton, "close_and_lose").isVisible()
    other.execute("COMMIT")
    other.close()
    qtbot.waitUntil(lambda: not station.window.isVisible())
    again = Study.open(study.folder)
    with again.database.read() as session:
        assert session.scalars(select(Reading.state)).one() == "interrupted"
        assert session.scalars(select(SessionRow.ended_utc)).one() is not None
    again.close()


def test_the_window_can_be_kept_open_instead(station, study, impatient, qtbot) -> None:
    _start(station, qtbot)
    other = _lock(study)
    qtbot.waitUntil(lambda: bool(station.sitting.session.writer.problem))
    _close_in_mid_case(station)
    qtbot.waitUntil(lambda: bool(station.window.findChildren(SavingDialog)))
    click(station.window.findChild(QPushButton, "keep_open"))
    other.execute("COMMIT")
    other.close()
    qtbot.waitUntil(lambda: not station.sitting.sessions.busy)
    assert station.window.isVisible()


def test_closing_all_the_same_tells_the_log_what_is_lost(
    station, study, impatient, qtbot, caplog
) -> None:
    _start(station, qtbot)
    other = _lock(study)
    qtbot.waitUntil(lambda: bool(station.sitting.session.writer.problem))
    writer = station.sitting.session.writer
    _close_in_mid_case(station)
    qtbot.waitUntil(lambda: bool(station.window.findChildren(SavingDialog)))
    click(station.window.findChild(QPushButton, "close_and_lose"))
    assert not station.window.isVisible()
    assert "writes are lost" in caplog.text
    other.execute("COMMIT")
    other.close()
    assert writer.close(10)
