"""The worklist is searched, filtered and sorted; what an import refused is read whole."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QListWidget, QPushButton

from app.images.importing.reconciliation import Mismatch, Reconciliation
from app.images.importing.results import ImportResult
from app.images.notes import Note
from app.pages.worklist.columns import COLUMNS
from app.pages.worklist.import_list import NOTED, REFUSED, ImportListDialog, Remark
from app.pages.worklist.importing import remarks_of
from app.pages.worklist.page import WorklistPage
from app.pages.worklist.thumbnails import Thumbnails
from app.recording.worklist import WorklistRow
from migrations.study.folder import Study
from migrations.study.settings import StudySettings


def case(position: int, name: str, state: str = "to read", **fields: object) -> WorklistRow:
    return WorklistRow(position, name, name, False, "one-up", 1, state, **fields)


ROWS = [
    case(0, "AB12", "finished", verdict="good"),
    replace(case(1, "CD34"), image_count=2),
    case(2, "EF56", "finished", verdict="bad", reasons=("no gaze for 6.0 s", "a second reason")),
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
    [
        ("cd", ["CD34"]),
        ("6.0 s", ["EF56"]),
        ("read bad", ["EF56"]),
        ("clearing", ["IJ90"]),
        ("state:interrupted", ["GH78"]),
        ('state="read" -gaze:good', ["EF56"]),
        ("images>1", ["CD34"]),
        ("second", ["EF56"]),
    ],
)
def test_words_of_any_column_find_a_case(page: WorklistPage, qtbot, words, found) -> None:
    find(page, words, qtbot)
    assert names(page) == found
    assert said(page) == "1 of 5 cases"


def test_words_are_looked_for_in_one_column_alone_where_one_is_chosen(
    page: WorklistPage, qtbot
) -> None:
    find(page, "read", qtbot)
    assert len(names(page)) == 3
    page.finder.column.setCurrentText("Gaze")
    page.finder.column.activated.emit(page.finder.column.currentIndex())
    assert names(page) == []
    find(page, "good", qtbot)
    assert names(page) == ["AB12"]


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


def opened(page: WorklistPage, title: str, qtbot) -> QDialog:
    """Right-click a title; return the list of values that opens there."""
    head = page.table.horizontalHeader()
    place = [column.title for column in COLUMNS].index(title)
    at = QPoint(head.sectionViewportPosition(place) + 20, head.height() // 2)
    head.customContextMenuRequested.emit(at)
    shown = page.finder.columns.open
    assert shown is not None
    assert shown.isVisible()
    return shown


def tick(shown: QDialog, text: str, qtbot) -> None:
    values = shown.findChild(QListWidget)
    (item,) = [i for k in range(values.count()) if (i := values.item(k)).text() == text]
    values.setCurrentItem(item)
    qtbot.keyClick(values, Qt.Key.Key_Space)


def test_each_column_is_filtered_by_its_values_with_their_counts_several_at_once(
    page: WorklistPage, qtbot
) -> None:
    shown = opened(page, "State", qtbot)
    values = shown.findChild(QListWidget)
    said = [values.item(k).text() for k in range(values.count())]
    assert said == ["Needs clearing   1", "To read   1", "Interrupted   1", "Read   2"]
    tick(shown, "Read   2", qtbot)
    tick(shown, "Interrupted   1", qtbot)
    assert names(page) == ["AB12", "EF56", "GH78"]
    qtbot.keyClick(shown, Qt.Key.Key_Escape)
    assert page.model.headerData(1, Qt.Orientation.Horizontal) == "State (filtered)"
    # Another column offers what these leave.
    shown = opened(page, "Gaze", qtbot)
    tick(shown, "Good   1", qtbot)
    assert names(page) == ["AB12"]
    assert page.finder._found.text() == "1 of 5 cases"
    shown.close()
    page.show_rows(ROWS)  # read again: the filter is remembered
    assert names(page) == ["AB12"]
    shown = opened(page, "Gaze", qtbot)
    qtbot.mouseClick(shown.none, Qt.MouseButton.LeftButton)
    assert names(page) == ["AB12", "EF56", "GH78"]
    shown.close()


def test_the_filter_button_names_all_columns_and_clears_them(page: WorklistPage, qtbot) -> None:
    columns = page.finder.columns
    columns.choose(0, {"CD34"})
    assert names(page) == ["CD34"]
    columns.menu.aboutToShow.emit()
    offered = [action.text() for action in columns.menu.actions() if action.text()]
    assert offered == ["Case, filtered…", "State…", "Images…", "Gaze…", "Clear all filters"]
    columns.menu.actions()[-1].trigger()
    assert names(page) == [row.name for row in ROWS]
    columns.menu.actions()[2].trigger()
    assert columns.open.accessibleName() == "Filter: Images"
    columns.open.close()


def test_a_value_that_is_gone_stays_chosen_and_is_told_with_none(page: WorklistPage, qtbot) -> None:
    page.finder.columns.choose(1, {"Read"})
    page.show_rows(ROWS[3:])
    assert names(page) == []
    shown = opened(page, "State", qtbot)
    tick(shown, "Read   0", qtbot)
    assert names(page) == ["GH78", "IJ90"]
    shown.close()


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


def test_all_an_import_says_is_listed_searched_and_copied(page: WorklistPage, qtbot) -> None:
    refused = [(f"{n}.dcm", "it is damaged") for n in range(300)]
    remarks = [Remark(REFUSED, *one) for one in refused]
    remarks += [Remark("conflict", "line 7: x.dcm", "its split differs")]
    remarks += [Remark(NOTED, "y.dcm", "its spacing is unknown")]
    page.show_imported("1 added, 300 refused.", refused, remarks)
    assert page.refused.more.text() == "Show all 302 remarks…"
    qtbot.mouseClick(page.refused.more, Qt.MouseButton.LeftButton)
    shown = page.window().findChild(ImportListDialog)
    assert shown.model.rowCount() == 302
    shown.words.setText("split")
    assert [one.name for one in shown.model.rows] == ["line 7: x.dcm"]
    shown.words.setText("")
    shown.kind.setCurrentText("Noted")
    shown.kind.activated.emit(shown.kind.currentIndex())
    qtbot.mouseClick(shown.findChild(QPushButton, "copy_remarks"), Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "Noted\ty.dcm\tits spacing is unknown"
    shown.reject()


def test_the_list_of_an_import_has_its_refusals_the_csvs_mismatches_and_every_note() -> None:
    results = [
        ImportResult(Path("a.dcm"), "refused", "it is damaged"),
        ImportResult(Path("b.dcm"), "accepted", notes=(Note("x", "one"), Note("y", "two"))),
    ]
    found = Reconciliation(
        Path("labels.csv"), "UTF-8", 1, 0,
        (Mismatch("row without a file", 2, "c.dcm", "", "no file ends so"),
         Mismatch("file without a row", None, "", "b.dcm", "no row of the csv matches it")),
    )  # fmt: skip
    assert [(one.kind, one.name, one.text) for one in remarks_of(results, found)] == [
        ("refused", "a.dcm", "it is damaged"),
        ("row without a file", "line 2: c.dcm", "no file ends so"),
        ("file without a row", "b.dcm", "no row of the csv matches it"),
        ("noted", "b.dcm", "one"),
        ("noted", "b.dcm", "two"),
    ]


def test_only_cases_that_are_read_have_a_picture_and_those_not_seen_load_none(
    qtbot, tmp_path: Path
) -> None:
    study = Study.create(tmp_path / "study", StudySettings())
    pictures = Thumbnails(study_owner := QObject())
    pictures.set_study(study)
    with qtbot.waitSignal(pictures.changed):
        assert pictures.of(ROWS[0]) is None  # asked for now
    assert pictures.of(ROWS[0]) is not None
    assert [pictures.of(row) for row in (ROWS[1], ROWS[3], ROWS[4])] == [None] * 3
    assert pictures._asked == {ROWS[0].case_id}
    pictures.set_study(None)
    study.close()
    del study_owner
