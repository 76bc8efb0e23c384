"""The cohort page as a researcher uses it, without a station around it."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QPushButton

from app.pages.workspace.audit_page import AuditPage
from app.pages.workspace.changes_by import PersonDialog
from app.pages.workspace.cohort_page import CohortPage
from app.remarks import Sentence
from app.workspace.audit import AuditRow
from app.workspace.cohort import cohort_rows
from tests.app.workspace.cohort_study import make_study


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory):
    study = make_study(tmp_path_factory.mktemp("page") / "study", 12, readers=2, pictures=False)
    found = cohort_rows(study)
    study.close()
    return found


@pytest.fixture
def page(qtbot, rows) -> CohortPage:
    made = CohortPage()
    qtbot.addWidget(made)
    made.show_rows(rows, [Sentence("Nothing is missing.")])
    return made


def _column(page: CohortPage, title: str) -> int:
    heads = [page.model.headerData(k, Qt.Orientation.Horizontal)
             for k in range(page.model.columnCount())]  # fmt: skip
    return heads.index(title)


def test_every_column_is_offered_to_filter_by_and_narrows_the_table(page) -> None:
    parts = [action.menu() for action in page.filter_menu.actions()]
    assert len(parts) == page.model.columnCount()
    for part in parts:
        page.search.clear()
        part.aboutToShow.emit()
        first = next((a for a in part.actions() if a.isEnabled()), None)
        if first is not None:
            first.trigger()
            assert page.model.rowCount() < len(page._all) or page.search.text()
    page.search.setText("reader:R1 -gaze:bad")
    assert {r.reader for r in page.model.rows} == {"R1"}
    assert "11 shown" in page.state_text


def test_the_table_is_ordered_by_any_column(page) -> None:
    for place in range(page.model.columnCount()):
        page.table.sortByColumn(place, Qt.SortOrder.AscendingOrder)
        assert page.model.rowCount() == 24
    page.table.sortByColumn(_column(page, "Lost"), Qt.SortOrder.DescendingOrder)
    assert page.model.rows[0].loss == 0.4


def test_a_label_is_typed_into_its_cell_and_a_split_chosen(page, qtbot) -> None:
    label, split = _column(page, "Label"), _column(page, "Split")
    index = page.model.index(0, label)
    assert index.flags() & Qt.ItemFlag.ItemIsEditable
    assert not page.model.index(0, 0).flags() & Qt.ItemFlag.ItemIsEditable
    editor = page.table.itemDelegateForIndex(index).createEditor(page.table, None, index)
    assert isinstance(editor, QComboBox)
    assert [editor.itemText(k) for k in range(editor.count())] == [
        "", "normal", "smooth", "spiculated",
    ]  # fmt: skip
    editor.setEditText("lipoma")
    case = page.model.rows[0].case_id
    page.by.setText("AQ")
    with qtbot.waitSignal(page.told) as told:
        page.table.itemDelegateForIndex(index).setModelData(editor, page.model, index)
    assert told.args == [case, "label", "lipoma"]
    other = page.model.index(0, split)
    editor = page.table.itemDelegateForIndex(other).createEditor(page.table, None, other)
    assert not editor.isEditable()
    with qtbot.waitSignal(page.told) as told:
        page.model.setData(other, "test")
    assert told.args == [case, "split", "test"]


def test_who_changes_the_cohort_is_asked_once_before_anything_is_told(page, qtbot) -> None:
    told, decided = [], []
    page.told.connect(lambda *words: told.append(words))
    page.decided.connect(lambda *words: decided.append(words))
    index = page.model.index(0, _column(page, "Label"))
    page.model.setData(index, "lipoma")
    page.findChild(PersonDialog).reject()
    assert told == []
    qtbot.waitUntil(lambda: page.findChild(PersonDialog) is None)
    page.model.setData(index, "lipoma")
    dialog = page.findChild(PersonDialog)
    dialog.line.setText("  ")
    assert not dialog.findChild(QPushButton, "person_ok").isEnabled()
    qtbot.keyClicks(dialog.line, "AQ")
    qtbot.keyClick(dialog.line, Qt.Key.Key_Return)
    assert [words[1:] for words in told] == [("label", "lipoma")]
    assert page.by.person == "AQ"
    page.table.selectRow(3)
    page._undo()
    assert [words[1:] for words in decided] == [(None, "")]


def test_buttons_work_only_on_what_is_marked_and_marks_outlast_new_rows(page, rows) -> None:
    assert not any(made.isEnabled() for made in page._needs_marked)
    page.table.selectRow(3)
    marked = page.chosen()
    assert all(made.isEnabled() for made in page._needs_marked)
    page.show_rows(rows, [])
    assert page.chosen() == marked


def test_loading_does_not_look_like_an_empty_cohort(qtbot) -> None:
    made = CohortPage()
    qtbot.addWidget(made)
    assert made.state_text == "Reading the cohort…"
    made.show_rows((), [])
    assert "No readings yet" in made.state_text


def test_the_audit_page_filters_and_saves_what_it_shows(qtbot, tmp_path: Path, monkeypatch) -> None:
    page = AuditPage()
    qtbot.addWidget(page)
    page.show_rows([
        AuditRow("2026-11-02T10:00:00Z", "P1", "s", "drop reading", "ABCDEF", "reading", "x", ""),
        AuditRow("2026-11-01T10:00:00Z", "", "s", "pushed", "study", "", "", "rows: 3"),
    ])  # fmt: skip
    assert page.state_text == "2 entries."
    page.search.setText("person:P1")
    assert page.state_text == "1 of 2 entries shown."
    monkeypatch.setattr(
        "app.pages.workspace.audit_page.QFileDialog.getSaveFileName",
        lambda *_a: (str(tmp_path / "a.csv"), ""),
    )
    with qtbot.waitSignal(page.save_wanted) as saved:
        page._save()
    assert [row.person for row in saved.args[0]] == ["P1"]


def test_images_from_a_lasso_are_the_rows_that_are_shown_and_marked(page, rows) -> None:
    page.search.setText("reader:R1")
    meant = {rows[0].image_ids[0], rows[-1].image_ids[0]}
    of_them = {r.reading_id for r in rows if meant & set(r.image_ids)}
    page.narrow_to(meant)
    page.show_rows(rows, [])  # read again when the page is gone to
    assert {r.reading_id for r in page.model.rows} == of_them
    assert set(page.chosen()) == of_them
    page.whole.click()
    assert page.model.rowCount() == len(rows)
    assert page.whole.isHidden()
