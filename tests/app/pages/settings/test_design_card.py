"""Questions and arms on the settings page: saved as typed, asked beside it, refused in words."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from app.demo.hands import click, press
from app.pages.settings.page import SettingsPage
from migrations.study.settings import StudySettings

ARMS = '[[arm]]\nkey = "alone"\n[[arm]]\nkey = "aided"\nboxes = "ai.csv"\n'


@pytest.fixture
def page(qtbot) -> SettingsPage:
    page = SettingsPage()
    qtbot.addWidget(page)
    page.show_settings(StudySettings())
    return page


def test_a_form_that_is_typed_is_saved_and_gives_question_and_answers(page, qtbot) -> None:
    click(page.findChild(QPushButton, "example_form"))
    page.design.editor.appendPlainText(ARMS)
    with qtbot.waitSignal(page.saved) as saved:
        click(page.save)
    (settings,) = saved.args
    assert [q.key for q in settings.form] == ["finding", "margin", "confidence"]
    assert (settings.question, settings.classes) == ("What do you see?", ("nothing", "mass"))
    assert [arm.key for arm in settings.arms] == ["alone", "aided"]
    assert not page.editor("classes").isEnabled()
    page.show_settings(settings)
    assert not page.save.isEnabled()


def test_the_preview_asks_the_form_as_a_reader_meets_it(page, qtbot) -> None:
    click(page.findChild(QPushButton, "example_form"))
    preview = page.design.preview
    assert [q.key for q in preview.state.shown] == ["finding", "confidence"]
    preview.choose(1)
    assert [q.key for q in preview.state.shown] == ["finding", "margin", "confidence"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("[[question]", "Questions and arms", id="no toml"),
        pytest.param('[[question]]\nkey = "a"\nkind = "text"\n', "single choice", id="class"),
        pytest.param('name = "other"\n', "Only [[question]]", id="another setting"),
        pytest.param('[[arm]]\nkey = "A"\n', "lowercase letters", id="arm"),
    ],
)
def test_what_cannot_be_asked_is_said_and_not_saved(page, text: str, words: str) -> None:
    page.design.editor.setPlainText(text)
    assert words in page.state_text
    assert not page.save.isEnabled()
    page.design.editor.setPlainText("")
    press(page, Qt.Key.Key_Escape)
    assert not page.save.isEnabled()  # as it was
