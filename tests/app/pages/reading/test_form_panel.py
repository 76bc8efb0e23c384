"""The form beside the images: keys alone answer it, and the case is not left without an answer."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPushButton

from app.demo.hands import click, press
from app.pages.reading.page import ReadingPage
from app.recording.form_state import Said
from migrations.study.forms import Question

FORM = (
    Question("finding", "Finding?", options=("nothing", "mass")),
    Question("signs", "Signs?", kind="multiple", options=("calc", "node"),
             condition="finding = mass"),
    Question("score", "Score?", kind="scale", options=("0", "100")),
)  # fmt: skip


@pytest.fixture
def page(qtbot) -> ReadingPage:
    page = ReadingPage()
    qtbot.addWidget(page)
    page.resize(900, 600)
    page.show()
    page.set_study(("nothing", "mass"), ("box",), FORM)
    page.show_case("c", (), "one-up", "Case", 1, 1)
    return page


def answers_of(page: ReadingPage) -> list[Said]:
    said: list[Said] = []
    page.form.said.connect(said.append)
    page.form.said.connect(
        lambda s: page.leading_said(s.value) if s.key == "finding" and s.value else None
    )
    return said


def test_keys_alone_answer_the_form_and_enter_leaves_it(page, qtbot) -> None:
    said = answers_of(page)
    press(page, Qt.Key.Key_2)
    press(page, Qt.Key.Key_1)
    press(page, Qt.Key.Key_2)
    press(page, Qt.Key.Key_Return)
    line = page.findChild(QLineEdit, "question_line")
    assert line.hasFocus()
    qtbot.keyClicks(line, "70")
    with qtbot.assertNotEmitted(page.next_wanted):  # that Enter took the number only
        press(line, Qt.Key.Key_Return)
    with qtbot.waitSignal(page.next_wanted):
        press(page, Qt.Key.Key_Return)
    assert [(s.key, s.value) for s in said] == [
        ("finding", "mass"), ("signs", '["calc"]'), ("signs", '["calc", "node"]'),
        ("signs", '["calc", "node"]'), ("score", "70"),
    ]  # fmt: skip


def test_the_case_is_not_left_before_its_form_is_answered(page, qtbot) -> None:
    answers_of(page)
    press(page, Qt.Key.Key_1)
    with qtbot.assertNotEmitted(page.next_wanted):
        press(page, Qt.Key.Key_Return)
    assert "Answer first: Score?" in page.strip.text
    line = page.findChild(QLineEdit, "question_line")
    qtbot.keyClicks(line, "101")
    press(line, Qt.Key.Key_Return)
    assert "from 0 to 100" in page.strip.text
    assert page.form.state.value("score") is None


def test_the_mouse_answers_too_and_a_changed_answer_takes_back_what_rested_on_it(page) -> None:
    said = answers_of(page)
    click(page.findChild(QPushButton, "choice_2"))
    press(page, Qt.Key.Key_1)
    click(page.findChild(QPushButton, "question_finding"))
    click(page.findChild(QPushButton, "choice_1"))
    assert said[-2:] == [Said("finding", None, "nothing"), Said("signs", None, None)]


def test_a_study_of_one_question_has_no_form_beside_the_images(page) -> None:
    page.set_study(("a", "b"), (), (FORM[0],))
    assert not page.form.isVisible()
