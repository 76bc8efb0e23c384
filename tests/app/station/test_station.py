"""The station as a reader meets it: real window, real study, real events, a simulated eye."""

import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QApplication, QPushButton
from sqlalchemy import select

from app import command
from app.demo.hands import click, drag, press, wheel
from app.images.clearing import clear, to_clear
from app.images.importing.importer import import_paths
from app.pages.pretrain.controller import TrainingController
from app.pages.setup.controller import SetupController
from app.station import Station
from devices.gaze.geometry import ScreenGeometry
from devices.simulated import SimulatedParameters, SimulatedTracker
from migrations.study.folder import Study
from migrations.study.schema import Annotation, Calibration, Fixation, Reader, Reading, ViewEvent
from migrations.study.schema import Session as SessionRow
from migrations.study.settings import StudySettings
from tests import PATIENCE_S, ROOT
from tests.app.recording.reading_doubles import recorded_more

SPEED = 8.0
CASES = 3


def _pictures(folder: Path, count: int = CASES) -> list[Path]:
    """Write 16-bit PNGs with a bright spot each."""
    folder.mkdir()
    y, x = np.mgrid[:300, :240]
    paths = []
    for i in range(count):
        spot = 30000 * np.exp(-(((x - 60 - 40 * i) / 12) ** 2 + ((y - 150) / 12) ** 2))
        paths.append(folder / f"picture-{i}.png")
        cv2.imwrite(str(paths[-1]), (2000 + 20 * x + spot).astype(np.uint16))
    return paths


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of real imports, made once: each import starts a process."""
    folder = tmp_path_factory.mktemp("filled")
    settings = StudySettings(name="Trial", classes=("normal", "mass"), order="fixed")
    study = Study.create(folder / "study", settings)
    import_paths(study, _pictures(folder / "pictures"))
    clear(study, [image.image_id for image in to_clear(study)], "test")
    study.close()
    return study.folder


@pytest.fixture
def study(tmp_path: Path, filled: Path):
    shutil.copytree(filled, tmp_path / "study")
    study = Study.open(tmp_path / "study")
    yield study
    study.close()


def _simulated(_id: str, geometry: ScreenGeometry) -> SimulatedTracker:
    return SimulatedTracker(geometry, SimulatedParameters(rate_hz=120.0), seed=1)


@pytest.fixture
def station(qtbot, study: Study, no_leftovers):
    station = Station(
        study,
        reader="R1",
        consented=True,
        speed=SPEED,
        tracker_source=_simulated,
        full_screen=False,
    )
    qtbot.addWidget(station.window, before_close_func=lambda _window: station.close())
    with qtbot.waitExposed(station.window):
        station.window.show()
    yield station
    station.close()


def _start(station: Station, qtbot) -> None:
    click(station.sitting.worklist.page.start)
    click(station.sitting.calibration.page.start)
    qtbot.waitUntil(lambda: station.sitting.reading.page.state == "reading")


def _rows(study: Study, model: type) -> list:
    with study.database.read() as session:
        rows = session.scalars(select(model).order_by(model.id)).all()
        session.expunge_all()
    return list(rows)


def _settled(station: Station) -> None:
    assert station.sitting.session is not None
    assert station.sitting.session.settled(PATIENCE_S)


def test_a_case_is_read_by_mouse_and_key_and_every_row_tells_it(station, study, qtbot) -> None:
    _start(station, qtbot)
    page, canvas = station.sitting.reading.page, station.sitting.reading.page.canvas
    first = page.current_case_id
    before = canvas.grey().copy()
    drag(canvas, Qt.MouseButton.LeftButton, QPointF(200, 200), QPointF(90, 0), 6)
    assert (canvas.grey() != before).any()
    wheel(canvas, QPointF(300, 300), 2)
    canvas.flush()
    qtbot.waitUntil(recorded_more(station.sitting.session.recorder, 0.15 * SPEED))
    press(canvas, Qt.Key.Key_2)
    press(canvas, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.current_case_id not in (None, first))
    _settled(station)
    reading = _rows(study, Reading)[0]
    assert (reading.case_id, reading.state) == (first, "finished")
    views = [v for v in _rows(study, ViewEvent) if v.reading_id == reading.id]
    assert views[0].kind == "open"
    assert {"window", "zoom"} <= {v.kind for v in views}
    window = [v for v in views if v.kind == "window"][-1]
    assert window.window_width > views[0].window_width
    assert all(reading.started_us <= v.time_us <= reading.ended_us for v in views)
    assert (views[0].image_width, views[0].image_height) == (240, 300)
    answer = _rows(study, Annotation)[0]
    assert (answer.label, answer.reading_id) == ("mass", reading.id)


def test_view_rows_map_the_image_to_where_the_canvas_draws_it(station, study, qtbot) -> None:
    _start(station, qtbot)
    canvas = station.sitting.reading.page.canvas
    _settled(station)
    row = _rows(study, ViewEvent)[-1]
    corner = canvas.mapToGlobal(QPointF(0, 0)) - QPointF(canvas.screen().geometry().topLeft())
    x = row.a * 120 + row.c * 150 + row.tx
    y = row.b * 120 + row.d * 150 + row.ty
    middle = (corner.x() + canvas.width() / 2, corner.y() + canvas.height() / 2)
    assert (x, y) == pytest.approx(middle)


def test_the_next_case_needs_an_answer_first(station, study, qtbot) -> None:
    _start(station, qtbot)
    page = station.sitting.reading.page
    case = page.current_case_id
    press(page.canvas, Qt.Key.Key_N)
    assert page.current_case_id == case
    assert "Answer first" in page.strip.text
    press(page.canvas, Qt.Key.Key_9)
    assert "no answer 9" in page.strip.text
    press(page.canvas, Qt.Key.Key_1)
    assert "1 normal" in page.strip.text
    press(page.canvas, Qt.Key.Key_2)
    press(page.canvas, Qt.Key.Key_PageDown)
    qtbot.waitUntil(lambda: page.current_case_id != case)
    _settled(station)
    answers = _rows(study, Annotation)
    assert [(a.label, a.undone_us is not None) for a in answers] == [
        ("normal", True), ("mass", False),
    ]  # fmt: skip


def test_escape_pauses_resuming_goes_on_and_leaving_keeps_the_reading_as_interrupted(
    station, study, qtbot
) -> None:
    _start(station, qtbot)
    page = station.sitting.reading.page
    case = page.current_case_id
    press(page.canvas, Qt.Key.Key_Escape)
    assert page.state == "paused"
    assert not page.canvas.isVisible()
    click(page.findChild(QPushButton, "resume_reading"))
    assert page.state == "reading"
    press(page.canvas, Qt.Key.Key_Escape)
    click(page.findChild(QPushButton, "leave_reading"))
    assert station.window.current == "worklist"
    _settled(station)
    kinds = [v.kind for v in _rows(study, ViewEvent)]
    assert kinds == ["open", "close", "open", "close"]
    assert _rows(study, Reading)[0].state == "interrupted"
    assert station.sitting.worklist.page.model.rows[0].state in ("interrupted", "open", "to read")
    station.sitting.start_reading(anyway=True)
    qtbot.waitUntil(lambda: page.state == "reading")
    assert page.current_case_id == case
    _settled(station)
    assert _rows(study, Reading)[1].resumes_id == _rows(study, Reading)[0].id


def test_a_whole_worklist_is_read_and_the_session_closed_and_copied(station, study, qtbot) -> None:
    _start(station, qtbot)
    page = station.sitting.reading.page
    for _ in range(CASES):
        case = page.current_case_id
        recorder = station.sitting.session.recorder
        qtbot.waitUntil(recorded_more(recorder, 0.15 * SPEED))
        press(page.canvas, Qt.Key.Key_1)
        press(page.canvas, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda c=case: page.current_case_id != c)
    assert page.state == "complete"
    with qtbot.waitSignal(station.sitting.sessions.closed):
        pass
    click(page.findChild(QPushButton, "back_to_worklist"))
    assert station.sitting.worklist.page.state_text == "3 cases: all read."
    assert not station.sitting.worklist.page.start.isEnabled()
    assert [r.state for r in _rows(study, Reading)] == ["finished"] * CASES
    assert _rows(study, SessionRow)[0].ended_utc is not None
    assert len(_rows(study, Fixation)) > 0
    assert list((study.folder / "backups").glob("*.sqlite"))


def test_moving_the_window_is_part_of_the_view_history(station, study, qtbot) -> None:
    station.window.resize(1100, 700)
    _start(station, qtbot)
    before = station.window.pos()
    station.window.move(before.x() + 37, before.y() + 21)
    qtbot.waitUntil(lambda: "screen" in {v.kind for v in _rows(study, ViewEvent)})
    _settled(station)
    views = _rows(study, ViewEvent)
    assert views[-1].kind == "screen"
    assert (views[-1].tile_x - views[0].tile_x, views[-1].tile_y - views[0].tile_y) == (37, 21)


def test_off_the_tracked_screen_recording_pauses_and_will_not_start(station, study, qtbot) -> None:
    page, window = station.sitting.reading.page, station.window
    window.resize(1100, 700)
    window.move(700, 0)
    station.sitting.start_reading(anyway=True)
    qtbot.waitUntil(lambda: page.state == "paused")
    assert "tracked screen" in page.panel.text
    assert _rows(study, Reading) == []
    click(page.findChild(QPushButton, "resume_reading"))
    assert page.state == "paused"  # it is still not there
    window.move(0, 0)
    click(page.findChild(QPushButton, "resume_reading"))
    assert page.state == "reading"
    window.move(900, 40)
    qtbot.waitUntil(lambda: page.state == "paused")
    window.move(0, 0)
    click(page.findChild(QPushButton, "resume_reading"))
    _settled(station)
    assert [v.kind for v in _rows(study, ViewEvent)] == ["open", "close", "open"]


def test_calibration_runs_to_a_result_in_degrees(station, study, qtbot) -> None:
    page = station.sitting.calibration.page
    shown: list[tuple[float, float]] = []
    page.target_shown.connect(lambda x, y: shown.append((x, y)))
    station.sitting.start_calibration()
    qtbot.waitUntil(lambda: page.state == "collecting")
    assert station.window.bare
    qtbot.waitUntil(lambda: page.state == "done")
    assert not station.window.bare
    assert page.result is not None
    assert 0 < page.result.accuracy_deg < 1.5
    assert len(shown) >= 10
    _settled(station)
    kinds = [c.kind for c in _rows(study, Calibration)]
    assert kinds == ["calibration", "validation"]


def test_calibration_can_be_given_up_by_key(station, qtbot) -> None:
    page = station.sitting.calibration.page
    station.sitting.start_calibration()
    qtbot.waitUntil(lambda: page.state == "collecting")
    press(page.field, Qt.Key.Key_Escape)
    assert page.state == "idle"
    assert "Cancelled" in page.state_text
    station.sitting.start_reading(anyway=True)
    qtbot.waitUntil(lambda: station.sitting.reading.page.state == "reading")


def test_a_reader_who_has_not_agreed_is_asked_first(qtbot, study, no_leftovers) -> None:
    station = Station(study, reader="R2", tracker_source=_simulated, full_screen=False)
    qtbot.addWidget(station.window)
    station.window.show()
    station.sitting.start_reading(anyway=True)
    agree = station.window.findChild(QPushButton, "consent_agree")
    assert station.sitting.session is None
    click(agree)
    qtbot.waitUntil(lambda: station.sitting.reading.page.state == "reading")
    assert _rows(study, Reader)[0].consent_utc is not None
    station.close()


def test_a_tracker_that_cannot_be_opened_is_said_and_the_station_goes_on(
    qtbot, study, no_leftovers
) -> None:
    station = Station(study, device_id="lsl:gone", reader="R1", consented=True, full_screen=False)
    qtbot.addWidget(station.window)
    station.window.show()
    station.sitting.start_reading(anyway=True)
    qtbot.waitUntil(lambda: bool(station.shell.last_error))
    assert "lsl:gone" in station.shell.last_error
    assert station.window.current == "worklist"
    assert station.window.findChild(QPushButton, "message_close") is not None
    station.close()


def test_a_damaged_image_is_said_and_the_station_goes_on(station, study, qtbot) -> None:
    for file in study.folder.glob("images/*/stored.npy"):
        file.write_bytes(b"nothing")
    station.sitting.start_reading(anyway=True)
    qtbot.waitUntil(lambda: bool(station.shell.last_error))
    assert "missing or damaged" in station.shell.last_error
    assert station.window.current == "worklist"


def test_files_are_imported_by_dropping_them(qtbot, tmp_path: Path, no_leftovers) -> None:
    study = Study.create(tmp_path / "new", StudySettings(name="New"))
    station = Station(study, full_screen=False)
    qtbot.addWidget(station.window)
    station.window.show()
    assert station.sitting.worklist.page.state_text == "No cases yet."
    files = _pictures(tmp_path / "dropped", 2)
    broken = tmp_path / "dropped" / "broken.dcm"
    broken.write_bytes(b"not an image")
    station.sitting.worklist.page.files_chosen.emit([*files, broken])
    qtbot.waitUntil(lambda: not station.sitting.worklist.imports.running)
    assert station.sitting.worklist.page.model.rowCount() == 2
    assert "2 added, 1 refused" in station.sitting.worklist.page.refused.text
    assert "broken.dcm" in station.sitting.worklist.page.refused.text
    assert station.sitting.worklist.page.calibrate.toolTip() == "Choose a reader first."
    station.close()


def test_pretrain_and_stop_reach_the_trainer_and_come_back(
    station, study, qtbot, tmp_path, monkeypatch
) -> None:
    script = tmp_path / "child.py"
    script.write_text(
        "import json, sys\n"
        "say = lambda **f: (sys.stdout.write(json.dumps(f) + '\\n'), sys.stdout.flush())\n"
        "say(event='stage', stage='train', message=' '.join(sys.argv[1:]))\n"
        "for i in range(1, 4):\n"
        "    say(event='metrics', step=i, steps=100, epoch=1, epochs=9, loss=2.0 / i,\n"
        "        learning_rate=1e-3, images_per_s=40, data_wait=0.02, feature_spread=0.05,\n"
        "        positives_per_anchor=1.5)\n"
        "sys.stdin.readline()\n"
        "say(event='stopped', run_id='r', checkpoint='c.pt', step=3)\n"
        "sys.exit(3)\n"
    )
    queue = tmp_path / "queue.py"
    queue.write_text(
        "import sys; from pathlib import Path; from trainer.queue import run_queue\n"
        f"run_queue(Path(sys.argv[3]), (sys.executable, {str(script)!r}))\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    station.job(TrainingController).queue.program = [sys.executable, str(queue)]
    page = station.job(TrainingController).page
    page.show_readings(3)
    page.form.preset(epochs=9, size=64, batch=8, amount=10)
    station.go("training")
    page.show_readings(3)
    click(page.pretrain)
    qtbot.waitUntil(lambda: page.step == 3)
    assert page.state == "running"
    assert "--positive-rate 0.1 --epochs 9 --size 64 --batch 8" in page.message
    assert [p[1] for p in page.curve.points] == [2.0, 1.0, pytest.approx(2 / 3)]
    click(page.stop)
    qtbot.waitUntil(lambda: page.state == "stopped")
    assert "step 3" in page.state_text
    assert page.pretrain.isEnabled()


def test_a_screen_that_changes_in_a_reading_pauses_it_and_is_stored(
    station, study, qtbot, monkeypatch
) -> None:
    _start(station, qtbot)
    assert station.job(SetupController).tracker_mm is not None
    known = station.sitting.opener.geometry
    changed = replace(known, width_screen=1024.0, height_screen=640.0)
    monkeypatch.setattr("app.sitting.screen_watch.tracked_screen", lambda _screen: (changed, {}))
    station.sitting.screen._compare()
    assert station.sitting.reading.page.state == "paused"
    assert station.sitting.opener.geometry.width_screen == 1024.0
    _settled(station)
    screens = [row.screen for row in _rows(study, ViewEvent) if row.screen]
    assert screens[-1]["width_screen"] == 1024.0
    station.sitting.screen._compare()  # nothing new: nothing is said again
    assert station.sitting.reading.page.state == "paused"


def test_a_screen_that_changes_between_two_cases_counts_from_the_next_one_on(
    station, study, qtbot, monkeypatch
) -> None:
    _start(station, qtbot)
    sitting = station.sitting
    known = sitting.opener.geometry
    changed = replace(known, width_screen=2560.0, height_screen=1600.0)
    monkeypatch.setattr("app.sitting.screen_watch.tracked_screen", lambda _screen: (changed, {}))
    sitting.reading.interrupt("between two cases")
    sitting.calibration.measured.emit(sitting.session.setup.take_distance(None))
    distance_mm = sitting.session.setup.geometry.distance_mm
    assert distance_mm != known.distance_mm
    sitting.screen._compare()
    assert sitting.session.setup.take_distance(None).width_screen == 2560.0
    sitting._read()
    qtbot.waitUntil(lambda: station.sitting.reading.page.state == "reading")
    _settled(station)
    last = [row.screen for row in _rows(study, ViewEvent) if row.screen][-1]
    assert last["width_screen"] == 2560.0
    assert last["distance_mm"] == pytest.approx(distance_mm, abs=15)


def test_an_error_in_a_slot_is_told_without_ending_the_station(station, qtbot) -> None:
    hook = sys.excepthook
    try:
        raise ZeroDivisionError("one by nought")
    except ZeroDivisionError as error:
        hook(type(error), error, error.__traceback__)
    assert "one by nought" in station.shell.last_error


def test_the_app_never_imports_torch_or_the_trainer() -> None:
    code = (
        "import app.station, app.command, sys; "
        "print([m for m in sys.modules if m.split('.')[0] in ('torch', 'torchvision', 'trainer')])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.slow
def test_the_first_window_is_there_in_two_and_a_half_seconds(tmp_path: Path) -> None:
    code = "from app.command import first_window; assert first_window().isVisible()"
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    assert time.perf_counter() - began < 2.5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--speed", "0"], "not a number above 0"),
        (["--speed", "4", "--device", "lsl:x"], "simulated reader"),
        (["--colour"], "unrecognized"),
    ],
)
def test_wrong_arguments_exit_2(words: list[str], said: str, capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(words)
    assert caught.value.code == 2
    assert said in capsys.readouterr().err


def test_without_a_screen_the_station_says_so(monkeypatch, capsys) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("Only Linux can be without a screen.")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert command.main([]) == 1
    assert "no screen" in capsys.readouterr().err


def test_missing_libraries_are_named_with_the_line_to_paste(monkeypatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "PySide6.QtWidgets", None)
    assert command.main([]) == 1
    assert "pip install" in capsys.readouterr().err
    monkeypatch.setattr(command, "qt_problem", lambda: command.QT_MISSING)
    assert command.main([]) == 1
    assert "apt-get install -y libegl1 libgl1 libxkbcommon0" in capsys.readouterr().err


def test_missing_x_libraries_are_named_before_qt_ends_the_process(monkeypatch, capsys) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("Only Linux has X11 libraries of its own.")
    monkeypatch.setenv("DISPLAY", ":99")
    for name in ("WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(command, "XCB_LIBRARIES", ("libxcb-that-nobody-has.so.0",))
    assert command.main([]) == 1
    said = capsys.readouterr().err
    assert "libxcb-that-nobody-has.so.0" in said
    assert (
        "apt-get install -y libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0 "
        "libxkbcommon-x11-0"
    ) in said


def test_a_folder_without_a_study_is_refused_in_words(tmp_path: Path, capsys, qapp) -> None:
    with pytest.raises(SystemExit) as stopped:
        command.main(["--study", str(tmp_path)])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert "is not a Foveate study" in said
    assert "Traceback" not in said
    assert isinstance(QApplication.instance(), QApplication)
