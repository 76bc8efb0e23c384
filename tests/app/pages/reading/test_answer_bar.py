"""The question under the images: seen, answered by click and by key; a note beside the images."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.demo.hands import click, press
from app.hanging.lightbox import Hung
from app.images.attributes import DisplayAttributes
from app.images.store import LoadedImage
from app.pages.reading.page import ReadingPage
from migrations.study.settings import StudySettings

SETTINGS = StudySettings(question="Is there a mass?", classes=("no", "yes"))


def loaded() -> LoadedImage:
    attributes = DisplayAttributes(60, 80, "MONOCHROME2", 12, 16, False, 0, 4095)
    return LoadedImage("a", np.zeros((60, 80), np.uint16), attributes)


@pytest.fixture
def page(qtbot) -> ReadingPage:
    page = ReadingPage()
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.set_study(SETTINGS.classes, ("note",), SETTINGS.questions)
    with qtbot.waitExposed(page):
        page.show()
    page.show_case("case", [Hung(0, loaded())], "one-up", "Case 1", 1, 3)
    return page


def test_a_case_opens_where_it_lies_whatever_changes_round_it_at_the_same_time(
    page: ReadingPage, qtbot
) -> None:
    told: list[tuple[str, tuple[float, ...]]] = []
    page.view_changed.connect(
        lambda kind, tile: told.append((kind, page.canvas.tile_view(0, kind, tile).rect_screen))
    )
    qtbot.waitUntil(lambda: page.bar.buttons[0].isVisible())
    height = page.canvas.height()
    page.strip.setFixedHeight(2 * page.strip.height())
    page.show_case("case", [Hung(0, loaded())], "one-up", "Case 2", 2, 3)
    page.canvas.flush()
    assert page.canvas.height() < height
    QApplication.processEvents()
    page.canvas.flush()
    assert [kind for kind, _ in told] == ["open"]
    assert told[0][1] == page.canvas.tile_view(0, "now").rect_screen


def checked(page: ReadingPage) -> list[bool]:
    return [each.isChecked() for each in page.bar.buttons]


def test_the_question_is_shown_and_answered_by_click_or_key(page: ReadingPage, qtbot) -> None:
    given: list[str] = []
    page.answered.connect(given.append)
    assert page.bar.text == "Is there a mass?"
    click(page.bar.buttons[1])
    assert (given, checked(page)) == (["yes"], [False, True])
    assert page.canvas.hasFocus()  # the keys of the view go on
    press(page.canvas, Qt.Key.Key_1)
    assert (given, checked(page)) == (["yes", "no"], [True, False])
    page.forget_answer()
    assert checked(page) == [False, False]


def test_no_answer_can_be_clicked_while_a_panel_covers_the_images(page: ReadingPage) -> None:
    press(page.canvas, Qt.Key.Key_Escape)
    assert not page.bar.buttons[0].isEnabled()
    press(page.panel.first, Qt.Key.Key_Return)
    assert page.bar.buttons[0].isEnabled()


def test_a_note_is_written_beside_the_images_and_kept_by_key(page: ReadingPage, qtbot) -> None:
    notes: list[str] = []
    page.note_written.connect(notes.append)
    wide = page.canvas.width()
    press(page.canvas, Qt.Key.Key_C)
    qtbot.waitUntil(lambda: page.canvas.width() < wide)
    assert page.state == "reading"
    assert page.canvas.isVisible()
    qtbot.keyClicks(page.note.editor, "seen before")
    qtbot.keyClick(page.note.editor, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert notes == ["seen before"]
    assert not page.note.isVisible()
    press(page.canvas, Qt.Key.Key_C)
    qtbot.keyClicks(page.note.editor, "dropped")
    qtbot.keyClick(page.note.editor, Qt.Key.Key_Escape)
    assert notes == ["seen before"]
    assert page.state == "reading"


def test_strip_and_question_are_as_large_on_a_fine_screen(page: ReadingPage) -> None:
    page.set_text_size(12.0)
    low = page.strip.height()
    page.set_text_size(36.0)
    assert page.strip.height() > 2 * low
    assert page.bar.buttons[0].font().pixelSize() == 36


def test_the_strip_says_that_further_views_hang_behind(page: ReadingPage) -> None:
    hung = [Hung(tile, loaded()) for tile in (0, 1, 4)]
    page.show_case("case", hung, "mammo", "AB12", 2, 3)
    assert "views 1 of 2, W: next" in page.strip.text
    press(page.canvas, Qt.Key.Key_W)
    page.canvas.flush()
    assert "views 2 of 2" in page.strip.text


def test_the_line_of_a_correction_is_whole_on_a_small_screen(qtbot) -> None:
    page = ReadingPage()
    qtbot.addWidget(page)
    page.set_study(SETTINGS.classes, (), SETTINGS.questions)
    page.resize(1366, 768)
    page.show()
    page.strip.show_case("Case 006", 6, 13)
    page.strip.show_recording(True)
    page.strip.show_stand_in("SIMULATED GAZE")
    page.strip.show_tracking("Tracking", warn=False)
    page.show_addendum("no finding")
    said = page.strip._message
    assert "Enter: return to the current case" in said.text()
    qtbot.waitUntil(lambda: said.width() >= said.fontMetrics().horizontalAdvance(said.text()))
