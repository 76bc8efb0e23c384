"""The station as a screen reader meets it: Qt's accessibility interface says every control."""

import numpy as np
import pytest
from PIL import Image as PilImage
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QWidget

from app.images.clearing import clear, to_clear
from app.images.importing.importer import import_paths
from app.pages.worklist.import_list import ImportListDialog, Remark
from app.pages.worklist.page import WorklistPage
from app.recording.worklist import WorklistRow
from app.shell.pin_dialog import PinDialog
from app.sitting.attributes_dialog import AttributesDialog
from app.station import Station
from app.ui.dialogs import ConfirmDialog, ConsentDialog, MessageDialog, SavingDialog
from migrations.study.folder import Study
from migrations.study.reader_attributes import ATTRIBUTES
from tests.app.station.heard import name_of, named, named_like, nameless, press, spoken


@pytest.fixture
def station(study: Study, tmp_path, qtbot, no_leftovers):
    for seed in range(2):
        grey = np.random.default_rng(seed).integers(0, 200, (60, 50)).astype(np.uint8)
        PilImage.fromarray(grey).save(tmp_path / f"{seed}.png")
    import_paths(study, sorted(tmp_path.glob("*.png")))
    made = Station(study, reader="R1", consented=True, full_screen=False)
    qtbot.addWidget(made.window)
    made.window.show()
    yield made
    made.close()


def test_a_session_is_held_by_names_roles_and_states_alone(
    station: Station, study: Study, qtbot
) -> None:
    window = station.window
    assert nameless(window) == []
    assert named(window, "Start reading").state().disabled
    press(window, named_like(window, "Clear 2 images"))
    qtbot.waitUntil(lambda: window.current == "clearing")
    assert nameless(window) == []
    assert name_of(named(window, "Cleared by")) == "Cleared by"
    assert "Contact sheet, image" in QAccessible.queryAccessibleInterface(
        station.window.findChild(QWidget, "contact_sheet")
    ).text(QAccessible.Text.Name)
    clear(study, [image.image_id for image in to_clear(study)], "AB")
    press(window, "Back to the worklist")
    qtbot.waitUntil(lambda: window.current == "worklist")
    assert not named(window, "Start reading").state().disabled
    assert named(window, "Worklist").state().checked
    cases = named(window, "Cases")
    cells = [name_of(cases.child(place)) for place in range(cases.childCount())]
    assert cells.count("To read") == 2

    press(window, "Calibration")
    qtbot.waitUntil(lambda: window.current == "calibration")
    assert nameless(window) == []
    press(window, "Worklist")
    qtbot.waitUntil(lambda: window.current == "worklist")
    press(window, "Start reading")
    qtbot.waitUntil(lambda: window.current == "calibration")
    press(window, "Read anyway")
    page = station.sitting.reading.page
    qtbot.waitUntil(lambda: page.state == "reading")
    assert nameless(window) == []
    canvas = QAccessible.queryAccessibleInterface(page.canvas)
    assert canvas.text(QAccessible.Text.Name)
    answers = [c for c in spoken(page) if c.state().checkable]
    assert answers
    press(page, name_of(answers[0]))
    qtbot.waitUntil(lambda: bool(answers[0].state().checked))
    qtbot.keyClick(page.canvas, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: page.state != "reading")
    assert nameless(window) == []
    press(page, "Leave")
    qtbot.waitUntil(lambda: window.current == "worklist")
    press(window, "End session")
    qtbot.waitUntil(lambda: not station.sitting.sessions.busy)
    station.go("review")
    assert nameless(window) == []


@pytest.fixture
def parent(qtbot) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    return window


DIALOGS = {
    "consent": lambda over, done: ConsentDialog(over, "Text", "", lambda _n: False, done),
    "consent again": lambda over, done: ConsentDialog(over, "Text", "R1", lambda _n: False, done),
    "about the reader": lambda over, done: AttributesDialog(over, tuple(ATTRIBUTES), done),
    "message": lambda over, _done: MessageDialog(over, "Calibration failed", "Why."),
    "confirm": lambda over, done: ConfirmDialog(
        over, "Close", "Really?", ("close_now", "Close", lambda: done("closed")), "Keep open"
    ),
    "saving": lambda over, done: SavingDialog(over, lambda: done("stays"), lambda: done("closed")),
    "import": lambda over, _done: ImportListDialog(
        over, "1 refused.", [Remark("refused", "a.dcm", "it is damaged")]
    ),
    "pin": lambda over, done: PinDialog(over, lambda: done("in")),
}


@pytest.mark.parametrize("name", DIALOGS)
def test_each_dialog_of_the_reader_is_heard_whole(parent: QWidget, name: str) -> None:
    dialog = DIALOGS[name](parent, lambda _said: None)
    dialog.open()
    whole = QAccessible.queryAccessibleInterface(dialog)
    assert whole.role() == QAccessible.Role.Dialog
    assert name_of(whole)
    assert nameless(dialog) == []
    heard = [c for c in spoken(dialog) if c.role() == QAccessible.Role.Button]
    buttons = [c for c in heard if not c.state().disabled]
    assert buttons
    assert all(c.actionInterface().pressAction() in c.actionInterface().actionNames()
               for c in buttons)  # fmt: skip
    dialog.close()


def test_a_dialog_is_answered_by_what_it_is_called(parent: QWidget, qtbot) -> None:
    said: list[str] = []
    dialog = ConsentDialog(parent, "Text", "", lambda _n: False, said.append)
    dialog.open()
    assert named(dialog, "I agree").state().disabled  # no pseudonym yet
    (field,) = [c for c in spoken(dialog) if c.role() == QAccessible.Role.EditableText]
    field.setText(QAccessible.Text.Value, "R7")
    assert not named(dialog, "I agree").state().disabled
    press(dialog, "I agree")
    qtbot.waitUntil(lambda: said == ["R7"])


def test_a_columns_values_are_heard_with_their_ticks_and_the_title_says_it_is_filtered(
    qtbot,
) -> None:
    page = WorklistPage()
    qtbot.addWidget(page)
    page.show_rows([WorklistRow(0, "a", "Case 1", False, "one-up", 1, "to read")])
    page.show()
    page.finder.columns.show_values(1, page.pos())
    shown = page.finder.columns.open
    assert nameless(shown) == []
    values = named(shown, "Filter: State")
    first = values.child(0)
    assert name_of(first) == "To read   1"
    assert not first.state().checked
    shown.list.item(0).setCheckState(Qt.CheckState.Checked)
    assert values.child(0).state().checked
    heard = page.model.headerData(1, Qt.Orientation.Horizontal, Qt.ItemDataRole.AccessibleTextRole)
    assert heard == "State (filtered)"
    press(shown, "Clear")
    qtbot.waitUntil(lambda: not page.finder.columns.chosen)
    press(shown, "Close")
    qtbot.waitUntil(lambda: not shown.isVisible())
