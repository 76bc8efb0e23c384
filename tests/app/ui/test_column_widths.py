"""Columns use the room of their table, and stay as their user drags them."""

import json

import pytest
from PySide6.QtWidgets import QTableView

from app.ui import column_widths
from app.ui.column_widths import ColumnWidths
from app.ui.table_model import TableModel, table_view, text_columns
from app.ui.theme import GRID

TITLES = ("Case", "A title that is long", "Gaze")


@pytest.fixture
def made(qtbot, tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FOVEATE_CONFIG_DIR", str(tmp_path))

    def make(width: int = 900) -> QTableView:
        model = TableModel(text_columns(TITLES))
        table = table_view(model, "table_of_widths", "Table")
        model.setParent(table)
        qtbot.addWidget(table)
        ColumnWidths(table, (3, 0, 2))
        table.resize(width, 20 * GRID)
        table.show()
        qtbot.waitExposed(table)
        return table

    return make


def widths(table: QTableView) -> list[int]:
    return [table.horizontalHeader().sectionSize(k) for k in range(len(TITLES))]


def test_the_columns_share_the_room_that_their_titles_leave(made) -> None:
    for width in (900, 3000, 700):
        table = made(width)
        hints = [table.horizontalHeader().sectionSizeHint(k) for k in range(3)]
        found = widths(table)
        assert sum(found) == table.viewport().width()
        assert found[1] == hints[1]  # no share: as wide as its title
        assert (found[0] - hints[0]) / (found[2] - hints[2]) == pytest.approx(1.5, rel=0.02)


def test_a_width_that_its_user_chose_is_kept_for_the_next_start(made, qtbot, tmp_path) -> None:
    table = made()
    head = table.horizontalHeader()
    head.resizeSection(0, head.sectionSize(0) - 60)
    head.sectionHandleDoubleClicked.emit(0)
    qtbot.waitUntil((tmp_path / "columns.json").is_file, timeout=60_000)
    kept = widths(table)
    assert json.loads((tmp_path / "columns.json").read_text()) == {"table_of_widths": kept}
    again = made(1200)
    assert widths(again)[:2] == kept[:2]
    assert sum(widths(again)) == again.viewport().width()


@pytest.mark.parametrize("text", ["", "[1]", '{"table_of_widths": [5, "x", 7]}', "{"])
def test_a_damaged_file_of_widths_means_none(made, tmp_path, text: str) -> None:
    (tmp_path / "columns.json").write_text(text)
    assert column_widths._kept("table_of_widths", 3) is None
    table = made()
    assert sum(widths(table)) == table.viewport().width()
