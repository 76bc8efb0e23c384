"""The one table of all pages: typed rows, columns that a page declares."""

from dataclasses import dataclass

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QIcon

from app.ui.table_model import Column, TableModel, table_view, text_columns


@dataclass(frozen=True, slots=True)
class Fruit:
    """A row."""

    name: str
    grams: int


FRUITS = (Fruit("pear", 90), Fruit("fig", 100), Fruit("apple", 9))
COLUMNS: tuple[Column[Fruit], ...] = (
    Column("Name", lambda f: f.name, tip=lambda f: f"A {f.name}"),
    Column(
        "Weight",
        lambda f: f"{f.grams} g",
        key=lambda f: f.grams,
        sign=lambda f: ("check", "#ffffff"),
        colour=lambda f: "#ff0000" if f.grams < 10 else "",
    ),
)


@pytest.fixture
def model(qapp) -> TableModel[Fruit]:
    """Three fruits."""
    made = TableModel(COLUMNS, tip=lambda f: f"{f.grams} grams")
    made.set_rows(FRUITS)
    return made


def _words(model: TableModel, column: int = 0) -> list[str]:
    return [model.data(model.index(row, column)) for row in range(model.rowCount())]


def test_it_keeps_the_rules_of_qt(model, qtmodeltester) -> None:
    qtmodeltester.check(model)
    assert model.columnCount() == 2
    assert model.headerData(1, Qt.Orientation.Horizontal) == "Weight"


def test_rows_come_in_their_own_order_until_a_column_is_chosen(model) -> None:
    assert _words(model) == ["pear", "fig", "apple"]
    model.sort(0)
    assert _words(model) == ["apple", "fig", "pear"]
    model.sort(1, Qt.SortOrder.DescendingOrder)
    assert _words(model, 1) == ["100 g", "90 g", "9 g"]
    model.sort(-1)
    assert _words(model) == ["pear", "fig", "apple"]


def test_filter_and_order_hold_for_the_rows_that_come_later(model) -> None:
    model.set_filter(lambda f: f.grams > 10)
    model.sort(0)
    assert _words(model) == ["fig", "pear"]
    model.set_rows([*FRUITS, Fruit("date", 20)])
    assert _words(model) == ["date", "fig", "pear"]
    assert model.rows[0].grams == 20


def test_a_cell_has_its_sign_its_colour_and_its_tip_or_that_of_its_row(model) -> None:
    light = model.index(2, 1)
    assert isinstance(model.data(light, Qt.ItemDataRole.DecorationRole), QIcon)
    assert model.data(light, Qt.ItemDataRole.ForegroundRole) == QColor("#ff0000")
    assert model.data(model.index(0, 1), Qt.ItemDataRole.ForegroundRole) is None
    assert model.data(model.index(0, 0), Qt.ItemDataRole.ToolTipRole) == "A pear"
    assert model.data(light, Qt.ItemDataRole.ToolTipRole) == "9 grams"
    assert model.data(light, Qt.ItemDataRole.AccessibleTextRole) == "9 g"
    assert model.data(model.index(0, 0), Qt.ItemDataRole.DecorationRole) is None


def test_other_columns_can_come_with_other_rows(qapp) -> None:
    model = TableModel(text_columns(("Setting",)))
    model.set_rows([("lr", "0.1", "0.2")], text_columns(("Setting", "A", "B")))
    assert [model.headerData(k, Qt.Orientation.Horizontal) for k in range(3)] == [
        "Setting", "A", "B",
    ]  # fmt: skip
    assert _words(model, 2) == ["0.2"]


def test_only_the_cells_that_are_seen_are_asked_for(qtbot) -> None:
    asked: set[int] = set()

    def text(row: int) -> str:
        asked.add(row)
        return str(row)

    model = TableModel((Column("Number", text),))
    table = table_view(model, "numbers", "Numbers")
    qtbot.addWidget(table)
    table.resize(200, 300)
    table.show()
    model.set_rows(range(5000))
    qtbot.waitUntil(lambda: bool(asked))
    table.grab()
    table.resizeColumnsToContents()
    assert table.accessibleName() == "Numbers"
    assert len(asked) < 100
