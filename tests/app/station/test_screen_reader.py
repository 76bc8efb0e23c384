"""The station as a screen reader meets it: Qt's accessibility interface says every control."""

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image as PilImage
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import QWidget

from app.images.clearing import clear, to_clear
from app.images.importing.importer import import_paths
from app.station import Station
from migrations.study.folder import Study

CONTROLS = {
    QAccessible.Role.Button, QAccessible.Role.CheckBox, QAccessible.Role.RadioButton,
    QAccessible.Role.ComboBox, QAccessible.Role.EditableText, QAccessible.Role.Slider,
    QAccessible.Role.SpinBox, QAccessible.Role.Table, QAccessible.Role.List,
    QAccessible.Role.ProgressBar, QAccessible.Role.ButtonMenu,
}  # fmt: skip
_INSIDE = {QAccessible.Role.Table, QAccessible.Role.List, QAccessible.Role.ComboBox,
           QAccessible.Role.SpinBox}  # fmt: skip


def spoken(widget: QWidget) -> list[QAccessibleInterface]:
    """Return the controls below a widget that are seen, as a screen reader walks to them."""

    def walk(at: QAccessibleInterface) -> Iterator[QAccessibleInterface]:
        for place in range(at.childCount()):
            child = at.child(place)
            if child is None or not child.isValid() or child.state().invisible:
                continue
            if child.role() in CONTROLS:
                yield child
            if child.role() not in _INSIDE:
                yield from walk(child)

    whole = QAccessible.queryAccessibleInterface(widget)
    assert whole is not None
    return list(walk(whole))


def name_of(control: QAccessibleInterface) -> str:
    return control.text(QAccessible.Text.Name).strip()


def nameless(widget: QWidget) -> list[str]:
    """Return the controls that a screen reader could only call by their kind."""
    return [
        f"{control.role().name} {control.object().objectName()}"
        for control in spoken(widget)
        if not any(letter.isalnum() for letter in name_of(control))
    ]


def named(widget: QWidget, name: str) -> QAccessibleInterface:
    """Return the one control that is called so."""
    (found,) = [control for control in spoken(widget) if name_of(control) == name]
    return found


def press(widget: QWidget, name: str) -> None:
    """Press a control as a screen reader does."""
    action = named(widget, name).actionInterface()
    action.doAction(action.pressAction())


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
    station.sitting.start_reading(anyway=True)
    page = station.sitting.reading.page
    qtbot.waitUntil(lambda: page.state == "reading", timeout=60_000)
    assert nameless(window) == []
    canvas = QAccessible.queryAccessibleInterface(page.canvas)
    assert canvas.text(QAccessible.Text.Name)
    answers = [c for c in spoken(page) if c.state().checkable]
    assert answers
    press(page, name_of(answers[0]))
    qtbot.waitUntil(lambda: bool(answers[0].state().checked))
    qtbot.keyClick(page.canvas, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: page.state != "reading", timeout=60_000)
    assert nameless(window) == []
    station.sitting.close_session()
    qtbot.waitUntil(lambda: not station.sitting.sessions.busy, timeout=60_000)
    station.go("review")
    assert nameless(window) == []


def named_like(widget: QWidget, begin: str) -> str:
    """Return the whole name of the one control whose name begins so."""
    (found,) = [n for n in map(name_of, spoken(widget)) if n.startswith(begin)]
    return found
