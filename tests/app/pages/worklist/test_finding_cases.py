"""The worklist is searched, filtered and sorted; what an import refused is read whole."""

import pytest
from PySide6.QtCore import Qt

from app.pages.worklist.page import WorklistPage
from app.recording.worklist import WorklistRow


def case(position: int, name: str, state: str = "to read", **fields: object) -> WorklistRow:
    return WorklistRow(position, name, name, False, "one-up", 1, state, **fields)


ROWS = [
    case(0, "AB12", "finished", verdict="good"),
    case(1, "CD34"),
    case(2, "EF56", "finished", verdict="bad", reasons=("no gaze for 6.0 s",)),
    case(3, "GH78", "interrupted"),
    case(4, "IJ90", to_clear=2),
]


@pytest.fixture
def page(qtbot) -> WorklistPage:
    page = WorklistPage()
    qtbot.addWidget(page)
    page.resize(1200, 700)
    page.show_rows(ROWS)
    page.show()
    return page


def names(page: WorklistPage) -> list[str]:
    return [row.name for row in page.model.rows]


def find(page: WorklistPage, words: str, qtbot) -> None:
    with qtbot.waitSignal(page.finder.changed):
        page.finder.words.setText(words)


@pytest.mark.parametrize(
    ("words", "found"),
    [("cd", ["CD34"]), ("6.0 s", ["EF56"]), ("read bad", ["EF56"]), ("cleared", ["IJ90"])],
)
def test_words_of_any_column_find_a_case(page: WorklistPage, qtbot, words, found) -> None:
    find(page, words, qtbot)
    assert names(page) == found
    assert said(page) == "1 of 5 cases"


def said(page: WorklistPage) -> str:
    return page.finder._found.text()


def test_a_state_narrows_the_list_and_nothing_found_is_not_an_empty_study(
    page: WorklistPage, qtbot
) -> None:
    page.finder.state.setCurrentText("Interrupted")
    page.finder.state.activated.emit(page.finder.state.currentIndex())
    assert names(page) == ["GH78"]
    find(page, "nothing like it", qtbot)
    assert names(page) == []
    assert page.table.isVisible()  # not "drop images here"
    assert said(page) == "0 of 5 cases"
    page.show_rows(ROWS)  # read again, the filter stays
    assert names(page) == []


def test_a_title_sorts_and_the_studys_own_order_comes_back(page: WorklistPage) -> None:
    page.table.sortByColumn(3, Qt.SortOrder.AscendingOrder)
    assert names(page)[:2] == ["EF56", "AB12"]  # bad gaze first
    page.table.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    assert names(page)[0] == "IJ90"
    page.table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
    assert names(page) == [row.name for row in ROWS]


def test_a_list_that_is_being_read_does_not_look_like_an_empty_study(qtbot) -> None:
    page = WorklistPage()
    qtbot.addWidget(page)
    page.show_loading()
    assert page.state_text == "Reading the worklist…"
    assert page._middle.currentWidget().text() == "Reading the worklist…"
    page.show_rows([])
    assert page.state_text == "No cases yet."
    page.show_rows(ROWS)
    page.show_loading()
    assert page.table.isVisibleTo(page)


def test_what_was_refused_is_shown_line_by_line(page: WorklistPage) -> None:
    page.show_imported("1 added, 2 refused.", [("a.dcm", "it is damaged"), ("b.dcm", "no image")])
    listed = page.refused._list
    assert "b.dcm: no image" in page.refused.text
    assert listed.height() >= 2 * listed.fontMetrics().lineSpacing() + 8
