"""A new study by the keyboard alone: nothing is made before the last step, Back keeps all."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QToolButton

from app.demo.hands import press
from app.pages.settings.controller import SettingsController
from app.pages.settings.fields import SECTIONS
from app.shell.new_study.plan import folder_problem, suggested_folder
from app.shell.new_study.steps import steps
from app.station import Station
from migrations.study.folder import Study
from migrations.study.settings import StudySettings, read_settings

FORM = '[[question]]\nkey = "finding"\noptions = ["no", "yes"]\n[[arm]]\nkey = "a"\n'


@pytest.fixture
def station(qtbot) -> Station:
    station = Station(full_screen=False)
    qtbot.addWidget(station.window, before_close_func=lambda _window: station.close())
    with qtbot.waitExposed(station.window):
        station.window.show()
    return station


def type_text(station: Station, text: str, qtbot) -> None:
    qtbot.keyClicks(station.window.focusWidget(), text)


def hit(station: Station, key: Qt.Key) -> None:
    press(station.window.focusWidget(), key)


def test_a_study_is_made_by_the_last_enter_and_by_nothing_before(
    station: Station, qtbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    page, folder = station.shell.new_study, tmp_path / "Foveate" / "My study"
    station.window.findChild(QPushButton, "new_study").setFocus()
    hit(station, Qt.Key.Key_Return)
    assert station.window.current == "new_study"
    hit(station, Qt.Key.Key_Return)
    assert page.step == 0  # it has no name yet
    type_text(station, "My study", qtbot)
    hit(station, Qt.Key.Key_Return)
    hit(station, Qt.Key.Key_Escape)
    assert (page.step, page.folder.text()) == (0, str(folder))
    hit(station, Qt.Key.Key_Return)
    page.design.editor.setFocus()
    for line in FORM.splitlines():
        qtbot.keyClicks(page.design.editor, line)
        qtbot.keyPress(page.design.editor, Qt.Key.Key_Return)
    qtbot.keyPress(page.design.editor, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert page.steps[page.step].name == "readers"
    for _ in range(len(page.steps) - page.step - 1):
        hit(station, Qt.Key.Key_Return)
    assert page.step == len(page.steps) - 1
    assert not folder.parent.exists()
    hit(station, Qt.Key.Key_Return)
    assert station.window.current == "worklist"
    made = read_settings(folder / "study.toml")
    assert [q.key for q in made.form] == ["finding"]
    assert [a.key for a in made.arms] == ["a"]
    assert made.consent == StudySettings().consent
    assert station.job(SettingsController).page.values == made  # changeable there


def test_what_cannot_be_made_is_said_and_kept(station: Station, qtbot, tmp_path: Path) -> None:
    page = station.shell.new_study
    station.window.findChild(QPushButton, "new_study").click()
    type_text(station, "Next", qtbot)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.txt").write_text("")
    page.folder.setFocus()
    qtbot.keyClick(page.folder, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    type_text(station, str(tmp_path / "full"), qtbot)
    assert "not empty" in page.state_text
    hit(station, Qt.Key.Key_Return)
    assert page.step == 0
    hit(station, Qt.Key.Key_Escape)
    assert station.window.current == "start"
    station.window.findChild(QPushButton, "new_study").click()
    assert page.plan.settings.name == "Next"


def test_a_new_study_is_begun_beside_an_open_one_and_not_during_a_session(
    station: Station, qtbot, tmp_path: Path
) -> None:
    first = Study.create(tmp_path / "first", StudySettings(name="First"))
    station.use_study(first)
    beside = station.window.findChild(QToolButton, "new_study_beside")
    station.window.show_session("open")
    assert not beside.isEnabled()
    station.window.show_session("")
    beside.click()
    assert station.window.current == "new_study"
    hit(station, Qt.Key.Key_Escape)
    assert station.window.current == "worklist"  # of the study that is still open
    assert station.study is first
    beside.click()
    page = station.shell.new_study
    type_text(station, "Second", qtbot)
    page.folder.setText(str(tmp_path / "second"))
    for _ in page.steps:
        page.go_on()
    assert station.window.windowTitle().startswith("Second")


def test_images_that_are_not_there_are_said_and_others_stand_once(
    station: Station, qtbot, tmp_path: Path
) -> None:
    images = station.shell.new_study.images
    images.show()
    qtbot.keyClicks(images.line, str(tmp_path / "none"))
    qtbot.keyPress(images.line, Qt.Key.Key_Return)
    assert images.paths == ()
    images.line.clear()
    for _ in range(2):
        qtbot.keyClicks(images.line, str(tmp_path))
        qtbot.keyPress(images.line, Qt.Key.Key_Return)
    assert images.paths == (tmp_path,)
    assert images.line.text() == ""


def test_folders_that_can_hold_no_study_are_refused_in_words(tmp_path: Path) -> None:
    assert folder_problem(str(tmp_path / "new" / "study")) == ""
    assert "full path" in folder_problem("study")
    (tmp_path / "study.toml").write_text("")
    assert "already" in folder_problem(str(tmp_path))
    (tmp_path / "file").write_text("")
    assert "permission to write" in folder_problem(str(tmp_path / "file" / "study"))
    assert "cloud" in folder_problem(str(tmp_path / "Dropbox" / "study"))
    assert suggested_folder("A/B: c?").name == "A B c"


def test_the_steps_ask_settings_of_the_settings_page_each_once() -> None:
    asked = [field.name for step in steps() for field in step.fields]
    assert len(asked) == len(set(asked))
    assert set(asked) <= {field.name for fields in SECTIONS.values() for field in fields}
