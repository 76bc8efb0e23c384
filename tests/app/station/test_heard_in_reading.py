"""What comes up while reading, heard: panels, notes, forms, drift and another tracker."""

from types import SimpleNamespace

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QDialog, QWidget

from app.pages.calibration.page import CalibrationPage
from app.pages.reading import panel_stack, strip
from app.pages.reading.page import ReadingPage
from app.sitting.drift_check import DriftCheck
from app.sitting.tracker_change import TrackerChange
from migrations.study.forms import Question
from tests.app.station.heard import name_of, named, nameless, press, spoken

FORM = (
    Question("finding", "Finding?", options=("nothing", "mass")),
    Question("signs", "Signs?", kind="multiple", options=("calc", "node")),
    Question("score", "Score?", kind="scale", options=("0", "100")),
)  # fmt: skip


@pytest.fixture
def told(monkeypatch) -> list[str]:
    """What is spoken without the keyboard going there."""
    said: list[str] = []
    for room in (panel_stack, strip):
        monkeypatch.setattr(room, "announce", lambda _widget, text: said.append(text))
    return said


@pytest.fixture
def page(qtbot, told) -> ReadingPage:
    page = ReadingPage()
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    page.set_study(("nothing", "mass"), ("note",), FORM)
    page.show_case("c", (), "one-up", "Case", 1, 2)
    return page


@pytest.fixture
def window(qtbot) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    return window


def described(widget: QWidget, name: str) -> str:
    return named(widget, name).text(QAccessible.Text.Description)


def dialog_of(window: QWidget) -> QDialog:
    (found,) = [d for d in window.findChildren(QDialog) if d.isVisible()]
    return found


def test_a_form_is_answered_by_what_its_questions_and_answers_are_called(page, qtbot) -> None:
    said: list[str] = []
    page.form.said.connect(lambda answer: said.append(answer.value))
    assert nameless(page) == []
    assert described(page, "2  mass") == "Finding?"
    press(page, "2  mass")
    qtbot.waitUntil(lambda: said == ["mass"])
    assert described(page, "1  calc") == "Signs?"
    press(page, "1  calc")
    qtbot.waitUntil(lambda: bool(named(page, "1  calc").state().checked))
    assert not named(page, "2  node").state().checked
    assert nameless(page) == []
    page.form.step(1)
    assert named(page, "Score?").role() == QAccessible.Role.EditableText
    assert "from 0 to 100" in described(page, "Score?")
    assert "mass" in name_of(named(page, "Finding?  mass"))
    press(page, "Finding?  mass")
    qtbot.waitUntil(lambda: "2  mass" in map(name_of, spoken(page)))
    assert named(page, "2  mass").state().checked


def test_what_is_missing_is_spoken(page, told) -> None:
    told.clear()
    page._next()
    assert told == ["Answer first: Finding?"]


def test_a_note_is_written_and_kept_by_name(page, qtbot) -> None:
    notes: list[str] = []
    page.note_written.connect(notes.append)
    page.note.open()
    assert nameless(page) == []
    assert "no patient names" in described(page, "Note")
    named(page, "Note").setText(QAccessible.Text.Value, "")  # a screen reader may clear it
    page.note.editor.setPlainText("A line.")
    press(page, "Save note")
    qtbot.waitUntil(lambda: notes == ["A line."])


def test_each_panel_is_spoken_as_it_comes_up_and_pressed_by_name(page, told, qtbot) -> None:
    wanted: list[str] = []
    page.went_on.connect(lambda: wanted.append("next case"))
    page.resumed.connect(lambda: wanted.append("resumed"))
    page.code_given.connect(wanted.append)
    told.clear()
    page.show_between("Time for a break", "You have read 20 cases.")
    assert told == ["Time for a break. You have read 20 cases."]
    assert nameless(page) == []
    assert described(page, "Continue") == told[-1]
    press(page, "Continue")
    qtbot.waitUntil(lambda: wanted == ["next case"])

    page.show_case("d", (), "one-up", "Case", 2, 2)
    page.hold("If you leave, the case will be shown again.")
    assert told[-1] == "Paused. If you leave, the case will be shown again."
    heard = QAccessible.queryAccessibleInterface(page.panel)
    assert heard.text(QAccessible.Text.Name) == "Paused"
    assert nameless(page) == []
    press(page, "Resume")
    qtbot.waitUntil(lambda: page.state == "reading")

    page.ask_code("The tracker has not seen your eyes for 20 seconds.")
    assert told[-1] == "Is it still you? The tracker has not seen your eyes for 20 seconds."
    assert nameless(page) == []
    named(page, "Reader's code").setText(QAccessible.Text.Value, "R1")
    press(page, "Resume")
    qtbot.waitUntil(lambda: wanted == ["next case", "resumed", "R1"])


def test_the_calibration_target_says_which_point_it_is(qtbot) -> None:
    page = CalibrationPage()
    qtbot.addWidget(page)
    page.show()
    page.show_target("collecting", QPointF(9, 9), (0.5, 0.5), "Calibration point 1 of 5", 1.0)
    heard = QAccessible.queryAccessibleInterface(page.field)
    assert heard.text(QAccessible.Text.Name) == "Calibration target"
    assert heard.text(QAccessible.Text.Description) == "Calibration point 1 of 5"
    assert nameless(page) == []


def test_drift_is_told_and_answered_by_name(window, qtbot) -> None:
    wanted: list[str] = []
    page = CalibrationPage()
    qtbot.addWidget(page)
    check = DriftCheck(window, page, lambda: None, lambda: wanted.append("again"), window)
    settings = SimpleNamespace(max_drift_deg=1.0)
    check._judge(SimpleNamespace(study=SimpleNamespace(settings=settings)), 2.34)
    dialog = dialog_of(window)
    assert name_of(QAccessible.queryAccessibleInterface(dialog)) == "The calibration has drifted"
    assert nameless(dialog) == []
    assert sorted(name_of(c) for c in spoken(dialog)) == ["Continue", "Recalibrate"]
    press(dialog, "Recalibrate")
    qtbot.waitUntil(lambda: wanted == ["again"])


@pytest.mark.parametrize("answer", ["Change the tracker", "Keep the tracker"])
def test_another_tracker_is_asked_about_and_answered_by_name(window, qtbot, answer) -> None:
    done: list[str] = []
    devices = SimpleNamespace(keep=lambda before: done.append(f"kept {before}"))
    change = TrackerChange(
        window, devices, lambda: done.append("changed"), lambda: done.append("told")
    )
    change.ask("mouse")
    dialog = dialog_of(window)
    assert name_of(QAccessible.queryAccessibleInterface(dialog)) == "Change the tracker?"
    assert nameless(dialog) == []
    press(dialog, answer)
    first = "changed" if answer.startswith("Change") else "kept mouse"
    qtbot.waitUntil(lambda: done == [first, "told"])
