"""Enter in a dialog's field does what the dialog is for."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLineEdit, QWidget

from app.pages.workspace.reason_dialog import ReasonDialog
from app.shell.pin_dialog import PinDialog
from app.ui.dialogs import ConsentDialog
from app.workspace.pin import is_pin, set_pin


@pytest.fixture
def window(qtbot) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    return window


def enter(qtbot, dialog: QDialog, text: str) -> list[str]:
    """Write into the fields of a dialog, press Enter in the first; return how the dialog ended."""
    ended: list[str] = []
    dialog.accepted.connect(lambda: ended.append("accepted"))
    dialog.rejected.connect(lambda: ended.append("rejected"))
    with qtbot.waitExposed(dialog):
        dialog.open()
    fields = [field for field in dialog.findChildren(QLineEdit) if field.isVisible()]
    for field in fields:
        field.setText(text)
    fields[0].setFocus()
    qtbot.keyClick(fields[0], Qt.Key.Key_Return)
    return ended


def test_enter_gives_the_reason(qtbot, window: QWidget) -> None:
    given: list[str] = []
    dialog = ReasonDialog(window, "Drop this reading", given.append)
    assert enter(qtbot, dialog, "second screen") == ["accepted"]
    assert given == ["second screen"]


def test_enter_without_a_reason_gives_none(qtbot, window: QWidget) -> None:
    given: list[str] = []
    enter(qtbot, ReasonDialog(window, "Drop this reading", given.append), "")
    assert given == []


def test_enter_after_a_pseudonym_agrees(qtbot, window: QWidget) -> None:
    agreed: list[str] = []
    dialog = ConsentDialog(window, "I agree to this.", "", {"R2"}.__contains__, agreed.append)
    assert enter(qtbot, dialog, "R1") == ["accepted"]
    assert agreed == ["R1"]


def test_enter_after_a_pseudonym_in_use_leaves_the_dialog_open(qtbot, window: QWidget) -> None:
    agreed: list[str] = []
    dialog = ConsentDialog(window, "I agree to this.", "", {"R2"}.__contains__, agreed.append)
    assert enter(qtbot, dialog, "R2") == []
    assert agreed == []


def test_enter_after_a_new_pin_opens_the_workspace(qtbot, window: QWidget) -> None:
    opened: list[bool] = []
    dialog = PinDialog(window, lambda: opened.append(True))
    assert enter(qtbot, dialog, "1234") == ["accepted"]
    assert opened
    assert is_pin("1234")


def test_enter_after_a_pin_that_is_too_short_leaves_the_reason_standing(
    qtbot, window: QWidget
) -> None:
    dialog = PinDialog(window, lambda: None)
    assert enter(qtbot, dialog, "12") == []
    assert "at least" in dialog.problem


def test_enter_after_a_wrong_pin_leaves_the_reason_standing(qtbot, window: QWidget) -> None:
    set_pin("1234")
    opened: list[bool] = []
    dialog = PinDialog(window, lambda: opened.append(True))
    assert enter(qtbot, dialog, "9999") == []
    assert "Wrong PIN" in dialog.problem
    assert not opened
