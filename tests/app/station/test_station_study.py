"""Running a study at the station: annotations, Back, settings, set-up, review; by real events."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QCheckBox, QComboBox, QFileDialog, QPushButton
from sqlalchemy import select

from app.demo.hands import click, drag, press
from app.pages.review.controller import ReviewController
from app.pages.settings.controller import SettingsController
from app.pages.settings.page import SettingsPage
from app.pages.setup.controller import SetupController
from app.recording.screen_setup import load_setup
from app.station import Station
from devices.gaze.geometry import ScreenGeometry
from devices.simulated import SimulatedParameters, SimulatedTracker
from migrations.study.folder import Study
from migrations.study.schema import Annotation, CaseImage, Reading, StudyCase, ViewEvent
from migrations.study.schema import Session as SessionRow
from migrations.study.settings import read_settings, write_settings
from tests.app.recording.reading_doubles import recorded_more
from tests.app.station.test_station import _pictures, _rows, _settled, _start, filled

__all__ = ["_pictures", "filled"]
ALL = ("box", "keypoint", "note", "confidence")


def _simulated(_id: str, geometry: ScreenGeometry) -> SimulatedTracker:
    quiet = SimulatedParameters(rate_hz=120.0, loss=0.0, one_eye_loss=0.0, blinks_per_min=0.0)
    return SimulatedTracker(geometry, quiet, seed=1)


SPEED = 8.0


@pytest.fixture
def open_station(qtbot, tmp_path: Path, filled: Path, no_leftovers):
    made: list[Station] = []

    def open_station(speed: float = SPEED, **settings: object) -> Station:
        folder = tmp_path / f"study-{len(made)}"
        shutil.copytree(filled, folder)
        file = folder / "study.toml"
        before = read_settings(file)
        from dataclasses import replace

        write_settings(file, replace(before, **settings))
        station = Station(
            Study.open(folder), reader="R1", consented=True, speed=speed,
            tracker_source=_simulated, full_screen=False,
        )  # fmt: skip
        made.append(station)
        station.sitting.offer_all()
        qtbot.addWidget(station.window, before_close_func=lambda _window: station.close())
        with qtbot.waitExposed(station.window):
            station.window.show()
        return station

    yield open_station
    for station in made:
        station.close()


def _standing(station: Station) -> list[Annotation]:
    assert station.study is not None
    return [a for a in _rows(station.study, Annotation) if a.undone_us is None]


def test_everything_a_study_asks_for_is_said_by_mouse_and_keys_and_can_be_undone(
    open_station, qtbot
) -> None:
    station = open_station(annotations=ALL, incidental_contact="the chief")
    _start(station, qtbot)
    page, canvas = station.sitting.reading.page, station.sitting.reading.page.canvas
    press(canvas, Qt.Key.Key_X)
    drag(canvas, Qt.MouseButton.LeftButton, QPointF(500, 300), QPointF(80, 60), 4)
    press(canvas, Qt.Key.Key_Down)  # a second box by the keyboard alone
    press(canvas, Qt.Key.Key_Return)
    press(canvas, Qt.Key.Key_X)
    press(canvas, Qt.Key.Key_Period)
    press(canvas, Qt.Key.Key_Period)
    press(canvas, Qt.Key.Key_F)

    def marked() -> bool:  # pressed while the eye happens to look beside the image, it says so
        press(canvas, Qt.Key.Key_K)
        return any(mark.kind == "keypoint" for mark in canvas.marks)

    qtbot.waitUntil(marked)
    press(canvas, Qt.Key.Key_C)
    assert page.state == "reading"  # the images stay while a note is written beside them
    assert page.canvas.isVisible()
    page.note.editor.setPlainText("seen before")
    click(page.findChild(QPushButton, "keep_note"))
    press(canvas, Qt.Key.Key_2)
    _settled(station)
    found = {a.kind: a for a in _standing(station)}
    assert set(found) == {"box", "confidence", "incidental", "keypoint", "note", "class"}
    boxes = [a for a in _standing(station) if a.kind == "box"]
    assert len(boxes) == 2
    scale = canvas.tile_view(0, "open").transform.a
    assert boxes[0].width_image == pytest.approx(80 / scale)
    assert boxes[0].height_image == pytest.approx(60 / scale)
    assert found["confidence"].label == "4"
    assert found["incidental"].details["contact"] == "the chief"
    assert found["keypoint"].spread_image > 0
    assert found["keypoint"].image_id == canvas.image.image_id
    assert found["note"].details["text"] == "seen before"
    times = [a.time_us for a in _rows(station.study, Annotation)]
    assert times == sorted(times)
    for _ in range(8):
        press(canvas, Qt.Key.Key_U)
    _settled(station)
    assert _standing(station) == []
    assert canvas.marks == []
    assert page.answer is None


def test_a_keypoint_lies_where_the_reader_looks(open_station, qtbot) -> None:
    station = open_station(annotations=("keypoint",))
    _start(station, qtbot)
    canvas = station.sitting.reading.page.canvas
    eye = station.sitting.eye  # it looks at the case once its salient places are found
    qtbot.waitUntil(lambda: eye._attending)
    view = canvas.tile_view(0, "open")
    wanted = np.array([90.0, 170.0])
    at = view.transform.map(wanted)
    tracker = station.sitting.session.tracker
    tracker.fixate(*(at / (1280, 800)).tolist())
    recorder = station.sitting.session.recorder
    qtbot.waitUntil(recorded_more(recorder, 0.35 * SPEED))
    press(canvas, Qt.Key.Key_K)
    _settled(station)
    keypoint = _standing(station)[0]
    geometry = station.sitting.session.live.geometry
    norm = geometry.screen_to_norm(view.transform.map([(keypoint.x_image, keypoint.y_image)]))
    away_deg = geometry.angle_deg(norm, [(at / (1280, 800)).tolist()])[0]
    assert away_deg < 1.5  # an uncalibrated simulated eye


def test_boxes_are_off_unless_the_study_asks(open_station, qtbot) -> None:
    station = open_station()
    _start(station, qtbot)
    page = station.sitting.reading.page
    press(page.canvas, Qt.Key.Key_X)
    assert page.canvas.tool == ""
    assert "does not ask for boxes" in page.strip.text


def test_back_corrects_the_last_answer_as_an_addendum_without_gaze(open_station, qtbot) -> None:
    station = open_station()
    _start(station, qtbot)
    page, canvas = station.sitting.reading.page, station.sitting.reading.page.canvas
    first = page.current_case_id
    press(canvas, Qt.Key.Key_1)
    press(canvas, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.current_case_id not in (None, first))
    second_image = canvas.image.image_id
    press(canvas, Qt.Key.Key_Plus)
    zoomed = canvas.tile_view(0, "zoom").transform
    press(canvas, Qt.Key.Key_B)
    assert page.state == "addendum"
    assert canvas.image.image_id != second_image
    press(canvas, Qt.Key.Key_Plus)  # looking closer records nothing
    press(canvas, Qt.Key.Key_2)
    press(canvas, Qt.Key.Key_Return)
    assert page.state == "reading"
    assert canvas.image.image_id == second_image
    assert canvas.tile_view(0, "zoom").transform == zoomed
    _settled(station)
    readings = {r.case_id: r for r in _rows(station.study, Reading)}
    answers = [a for a in _rows(station.study, Annotation) if a.reading_id == readings[first].id]
    old, new = answers
    assert (old.label, old.undone_us is not None) == ("normal", True)
    assert (new.label, new.details["corrects"]) == ("mass", old.id)
    assert new.time_us > readings[first].ended_us
    views = [v for v in _rows(station.study, ViewEvent) if v.time_us > readings[first].ended_us]
    assert {v.image_id for v in views} == {second_image}
    assert [v.kind for v in views] == ["open", "zoom", "close", "open"]


def test_the_last_answer_can_be_corrected_after_all_is_read(open_station, qtbot) -> None:
    station = open_station()
    _start(station, qtbot)
    page = station.sitting.reading.page
    while page.state == "reading":
        case = page.current_case_id
        press(page.canvas, Qt.Key.Key_1)
        press(page.canvas, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda c=case: page.current_case_id != c)
    qtbot.waitUntil(lambda: not station.sitting.sessions.busy)
    click(page.findChild(QPushButton, "correct_last"))
    press(page.canvas, Qt.Key.Key_2)
    press(page.canvas, Qt.Key.Key_Return)
    assert page.state == "complete"
    labels = [a.label for a in _standing(station)]
    assert labels == ["normal", "normal", "mass"]


def test_a_case_of_several_images_is_read_and_each_tile_has_its_views(open_station, qtbot) -> None:
    station = open_station()
    with station.study.database.write() as session:
        cases = session.scalars(select(StudyCase).order_by(StudyCase.position)).all()
        spare = session.scalars(select(CaseImage).filter_by(case_id=cases[1].id)).one()
        spare.case_id, spare.tile = cases[0].id, 1
        cases[0].hanging = "two-up"
    _start(station, qtbot)
    canvas = station.sitting.reading.page.canvas
    assert len(canvas.box.views) == 2
    press(canvas, Qt.Key.Key_Tab)
    press(canvas, Qt.Key.Key_I)
    press(canvas, Qt.Key.Key_M)
    canvas.flush()
    press(canvas, Qt.Key.Key_M)
    canvas.flush()
    _settled(station)
    kinds = [(v.tile, v.kind) for v in _rows(station.study, ViewEvent)]
    assert kinds[:2] == [(0, "open"), (1, "open")]
    assert (1, "invert") in kinds
    assert kinds[-2:] == [(99, "magnifier"), (99, "close")]


def test_a_time_limit_takes_the_image_and_asks_for_the_answer(open_station, qtbot) -> None:
    station = open_station(time_limit_s=2.0)
    _start(station, qtbot)
    page = station.sitting.reading.page
    case = page.current_case_id
    qtbot.waitUntil(lambda: not page.canvas.isVisible())
    assert "Time is up" in page.strip.text
    press(page, Qt.Key.Key_1)
    press(page, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.current_case_id not in (None, case))
    _settled(station)
    assert page.canvas.isVisible()


def test_feedback_and_breaks_come_between_cases(open_station, qtbot) -> None:
    station = open_station(feedback="on", break_after_cases=1)
    with station.study.database.write() as session:
        from migrations.study.schema import Image

        for image in session.scalars(select(Image)):
            image.label = "mass"
    _start(station, qtbot)
    page = station.sitting.reading.page
    press(page.canvas, Qt.Key.Key_1)
    press(page.canvas, Qt.Key.Key_Return)
    assert page.state == "between"
    assert page.panel.text == "✕ Your answer: normal\nReference: mass"
    press(page, Qt.Key.Key_Return)
    assert "You have read" in page.panel.text
    click(page.findChild(QPushButton, "go_on"))
    qtbot.waitUntil(lambda: page.state == "reading")


def test_settings_are_saved_and_in_force_and_nonsense_is_refused(open_station, qtbot) -> None:
    station = open_station()
    station.shell.enter_workspace()
    station.go("settings")
    page = station.job(SettingsController).page
    assert isinstance(page, SettingsPage)
    assert not page.save.isEnabled()
    page.editor("classes").setPlainText("one")
    assert not page.save.isEnabled()
    assert "two answers" in page.state_text
    page.editor("classes").setPlainText("one\ntwo\nthree")
    page.editor("time_limit_s").setValue(90)
    page.editor("order").setCurrentIndex(page.editor("order").findData("blocked"))
    for box in page.editor("annotations").findChildren(QCheckBox):
        box.setChecked(True)
    click(page.save)
    assert "Saved" in page.state_text
    assert station.window.current == "settings"
    saved = read_settings(station.study.folder / "study.toml")
    assert saved == station.study.settings
    assert (saved.classes, saved.time_limit_s) == (("one", "two", "three"), 90.0)
    assert (saved.order, saved.annotations) == ("blocked", ALL)


def test_the_screen_is_measured_with_a_card_and_a_session_stores_it(open_station, qtbot) -> None:
    station = open_station()
    station.go("setup")
    page = station.job(SetupController).page
    assert "not measured with a bank card" in page._warnings.text()
    page.card.set_width(428.0)
    press(page.card, Qt.Key.Key_Right)
    page.monitor.setText("Reading monitor")
    page.luminance.setValue(350)
    click(page.save)
    name = station.window.screen().model() or ""
    geometry_mm = 1280 * 85.6 / 429
    _start(station, qtbot)
    _settled(station)
    row = _rows(station.study, SessionRow)[0]
    assert row.screen_width_mm == pytest.approx(geometry_mm)
    kept = row.details["station_setup"]
    assert (kept["monitor"], kept["luminance_cd_m2"]) == ("Reading monitor", 350)
    assert kept["scaling_now"] == 1.0
    assert kept["card_checked_on"]
    assert load_setup(row.screen["name"]).width_mm == pytest.approx(geometry_mm)
    assert name is not None


def test_review_waits_for_the_session_and_plays_the_readers_own(
    open_station, qtbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    station = open_station()
    _start(station, qtbot)
    page = station.sitting.reading.page
    case = page.current_case_id
    recorder = station.sitting.session.recorder
    qtbot.waitUntil(recorded_more(recorder, 0.3 * SPEED))
    press(page.canvas, Qt.Key.Key_Plus)
    page.canvas.flush()
    qtbot.waitUntil(recorded_more(recorder, 0.15 * SPEED))
    press(page.canvas, Qt.Key.Key_2)
    press(page.canvas, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.current_case_id not in (None, case))
    press(page.canvas, Qt.Key.Key_Escape)
    click(page.findChild(QPushButton, "leave_reading"))
    station.go("review")
    review = station.job(ReviewController).page
    assert "End the session" in review.empty.text()
    click(review.end_session)
    qtbot.waitUntil(lambda: review.list.count() == 2)
    review.list.setCurrentRow(1)
    view = review.views[0]
    qtbot.waitUntil(lambda: bool(view.replay and view.replay.row.state == "finished"))
    replay = view.replay
    assert [v.kind for v in replay.views] == ["open", "zoom"]
    early, late = replay.views_at(replay.views[0].time_us), replay.views_at(replay.duration_us)
    assert early[0].transform != late[0].transform
    assert replay.row.answer == "mass"
    assert review.figures["Fixations"].text == str(len(replay.fixations))
    assert review.fixations.rowCount() == len(replay.fixations)
    assert replay.views_at(0), "the images are there before the replay is begun"
    assert replay.row.stand_in == "simulated"
    assert "SIMULATED GAZE" in review.list.item(0).text()
    review.span.set_end(1, replay.duration_us // 2)
    half = [f for f in replay.fixations if f.start_us <= replay.duration_us // 2]
    assert review.fixations.rowCount() == len(half)
    assert review.figures["Fixations"].text == str(len(half))
    review.span.clear()
    assert review.fixations.rowCount() == len(replay.fixations)
    file = tmp_path / "replay.png"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(file), ""))
    click(review.save_picture)
    qtbot.waitUntil(lambda: str(file) in review.state_text)
    assert QImage(str(file)).width() >= view.width()
    review.search.setText("no such reading")
    assert all(review.list.item(i).isHidden() for i in range(review.list.count()))
    review.search.clear()
    assert not review.list.item(0).isHidden()
    review.findChild(QCheckBox, "show_heat").setChecked(True)
    review.speed.setCurrentIndex(review.speed.findData(16.0))
    click(review.play)
    qtbot.waitUntil(lambda: review.time_us == review.slider.maximum() * 1000)
    assert not view.grab().isNull()
    assert not review._beside.isVisible()


def test_the_researcher_sees_two_readers_side_by_side_and_a_reader_never(
    open_station, qtbot
) -> None:
    station = open_station()
    for reader in ("R1", "R2"):
        station.sitting.choose_reader(reader, consented=True)
        qtbot.waitUntil(lambda: not station.sitting.sessions.busy)
        _start(station, qtbot)
        page = station.sitting.reading.page
        case = page.current_case_id
        recorder = station.sitting.session.recorder
        qtbot.waitUntil(recorded_more(recorder, 0.2 * SPEED))
        press(page.canvas, Qt.Key.Key_1)
        press(page.canvas, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda c=case, p=page: p.current_case_id not in (None, c))
        press(page.canvas, Qt.Key.Key_Escape)
        click(page.findChild(QPushButton, "leave_reading"))
        station.sitting.close_session()
        qtbot.waitUntil(lambda: not station.sitting.sessions.busy)
    station.go("review")
    review = station.job(ReviewController).page
    assert {row.reader for row in review._rows} == {"R2"}
    station.shell.enter_workspace()
    station.go("review")
    assert {row.reader for row in review._rows} == {"R1", "R2"}
    review.select(next(r.reading_id for r in review._rows if r.state == "finished"))
    qtbot.waitUntil(lambda: review.views[0].replay is not None)
    other = review.findChild(QComboBox, "other_reading")
    assert other.count() == 2
    other.setCurrentIndex(1)
    other.activated.emit(1)
    qtbot.waitUntil(lambda: review.views[1].replay is not None)
    assert review.views[1].isVisibleTo(review)
