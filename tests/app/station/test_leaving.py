"""Calibration first, consent declined, the recording sign, and leaving: each asks or says so."""

import shutil
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from app.demo.hands import click, press
from app.pages.settings.controller import SettingsController
from app.pages.worklist import controller
from app.station import Station
from app.ui.dialogs import ConfirmDialog, ConsentDialog
from devices.gaze.geometry import ScreenGeometry
from devices.simulated import SimulatedParameters, SimulatedTracker
from migrations.study.folder import Study
from migrations.study.schema import Reading
from tests import PATIENCE_S

RECORDED = "Recording gaze"


@pytest.fixture
def study(tmp_path: Path, filled: Path):
    shutil.copytree(filled, tmp_path / "study")
    study = Study.open(tmp_path / "study")
    yield study
    study.close()


def _simulated(_id: str, geometry: ScreenGeometry) -> SimulatedTracker:
    return SimulatedTracker(geometry, SimulatedParameters(rate_hz=120.0), seed=1)


def opened(qtbot, study: Study, *, consented: bool) -> Station:
    station = Station(
        study, reader="R1", consented=consented, speed=8.0, tracker_source=_simulated,
        full_screen=False,
    )  # fmt: skip
    qtbot.addWidget(station.window, before_close_func=lambda _window: station.close())
    with qtbot.waitExposed(station.window):
        station.window.show()
    return station


@pytest.fixture
def station(qtbot, study: Study, no_leftovers):
    station = opened(qtbot, study, consented=True)
    yield station
    station.close()


def read(station: Station, qtbot) -> None:
    station.sitting.start_reading(anyway=True)
    qtbot.waitUntil(lambda: station.sitting.reading.page.state == "reading")


def said(station: Station) -> tuple[str, bool]:
    """Return what the navigation says of the recording, and whether its sign is lit."""
    window = station.window
    return window._recorded.text(), not window._dot.isHidden()


def test_reading_leads_to_calibration_and_read_anyway_is_the_lesser_button(
    station: Station, study: Study, qtbot
) -> None:
    page = station.sitting.calibration.page
    click(station.sitting.worklist.page.start)
    assert station.window.current == "calibration"
    assert "Calibrate first" in page.state_text
    assert page.start.text().strip() == "Read anyway"
    assert page.start.property("role") == ""
    assert page.calibrate.property("role") == "primary"
    assert not station.sitting.reading.reading
    click(page.start)
    qtbot.waitUntil(lambda: station.sitting.reading.page.state == "reading")
    assert station.sitting.session.settled(PATIENCE_S)
    with study.database.read() as rows:
        details = [reading.details for reading in rows.query(Reading)]
    assert [each["read_anyway"] for each in details] == ["not calibrated in this session"]


def test_after_a_good_calibration_reading_starts_without_a_question(station, qtbot) -> None:
    page = station.sitting.calibration.page
    station.sitting.start_calibration()
    qtbot.waitUntil(lambda: page.state == "done")
    assert page.result is not None
    assert not page.result.problems
    assert page.start.property("role") == "primary"
    assert page.calibrate.property("role") == ""
    station.go("reading")
    qtbot.waitUntil(lambda: station.sitting.reading.page.state == "reading")


def test_a_consent_that_is_declined_leads_back(qtbot, study: Study, no_leftovers) -> None:
    station = opened(qtbot, study, consented=False)
    click(station.sitting.worklist.page.calibrate)
    dialog = station.window.findChild(ConsentDialog)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert station.window.current == "worklist"
    assert station.sitting.calibration.page.calibrate.isEnabled()
    assert station.sitting.session is None
    station.close()


def test_the_recording_sign_is_lit_at_a_case_alone_and_any_page_ends_the_session(
    station: Station, qtbot
) -> None:
    read(station, qtbot)
    page = station.sitting.reading.page
    assert said(station) == (RECORDED, True)
    assert "Recording" in page.strip.text
    press(page.canvas, Qt.Key.Key_Escape)
    assert said(station) == ("Paused", False)
    assert "Paused" in page.strip.text
    assert "Recording" not in page.strip.text
    click(page.findChild(QPushButton, "leave_reading"))
    text, lit = said(station)
    assert not lit
    assert "Session open" in text
    with qtbot.waitSignal(station.sitting.sessions.closed):
        click(station.window.end_session)
    assert said(station)[1] is False
    assert not station.window.end_session.isVisibleTo(station.window)


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Space, Qt.Key.Key_Escape])
def test_a_pause_ends_by_each_key_that_its_panel_tells(station: Station, qtbot, key) -> None:
    read(station, qtbot)
    page = station.sitting.reading.page
    for focus_elsewhere in (False, True):
        press(page.canvas, Qt.Key.Key_Escape)
        assert page.state == "paused"
        if focus_elsewhere:
            page.setFocus()
        press(page if focus_elsewhere else page.panel.first, key)
        assert page.state == "reading"


def test_closing_in_mid_case_asks_and_enter_stays(station: Station, study: Study, qtbot) -> None:
    read(station, qtbot)
    page = station.sitting.reading.page
    station.window.close()
    dialog = station.window.findChild(ConfirmDialog)
    assert page.state == "paused"
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    assert station.window.isVisible()
    assert station.sitting.reading.reading
    station.window.close()
    asked = [each for each in station.window.findChildren(ConfirmDialog) if each.isVisible()]
    click(asked[-1].findChild(QPushButton, "close_anyway"))
    qtbot.waitUntil(lambda: not station.window.isVisible())


def test_closing_with_unsaved_settings_asks_and_enter_stays(station: Station, qtbot) -> None:
    settings = station.job(SettingsController).page
    settings.editor("name").setText("Another name")
    station.window.close()
    dialog = station.window.findChild(ConfirmDialog)
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    assert station.window.isVisible()
    assert settings.values.name == "Another name"
    station.window.close()
    asked = [each for each in station.window.findChildren(ConfirmDialog) if each.isVisible()]
    click(asked[-1].findChild(QPushButton, "close_unsaved"))
    assert not station.window.isVisible()


def test_another_tracker_asks_before_it_ends_the_session(station: Station, qtbot) -> None:
    read(station, qtbot)
    page = station.sitting.reading.page
    press(page.canvas, Qt.Key.Key_Escape)
    click(page.findChild(QPushButton, "leave_reading"))
    session = station.sitting.session
    own = session.tracker.info.id
    station.sitting.worklist.page.device_chosen.emit("mouse")
    dialog = station.window.findChild(ConfirmDialog)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert station.sitting.session is session
    assert station.sitting.worklist.devices.chosen == own
    station.sitting.worklist.page.device_chosen.emit("mouse")
    asked = [each for each in station.window.findChildren(ConfirmDialog) if each.isVisible()]
    with qtbot.waitSignal(station.sitting.sessions.closed):
        click(asked[-1].findChild(QPushButton, "change_tracker"))
    assert station.sitting.worklist.devices.chosen == "mouse"


def test_gaze_of_the_simulated_reader_has_its_badge_on_the_strip_and_beside_the_pages(
    station: Station, qtbot
) -> None:
    read(station, qtbot)
    assert "SIMULATED GAZE" in station.sitting.reading.page.strip.text
    assert station.window._badge.text() == "SIMULATED GAZE"


def test_a_large_worklist_is_read_beside_the_window(
    qtbot, study: Study, no_leftovers, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, read = threading.Event(), controller.worklist
    monkeypatch.setattr(controller, "_LARGE", 1)
    monkeypatch.setattr(
        controller, "worklist", lambda *asked: go_on.wait(PATIENCE_S) and read(*asked)
    )
    station = opened(qtbot, study, consented=True)
    page = station.sitting.worklist.page
    assert page.state_text == "Reading the worklist…"
    go_on.set()
    qtbot.waitUntil(lambda: len(page.model.rows) == 3)
    assert page.start.isEnabled()
    station.close()
