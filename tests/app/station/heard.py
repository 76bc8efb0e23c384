"""What a screen reader meets below a widget, and its press of a button."""

from collections.abc import Iterator

from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import QWidget

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


def named_like(widget: QWidget, begin: str) -> str:
    """Return the whole name of the one control whose name begins so."""
    (found,) = [n for n in map(name_of, spoken(widget)) if n.startswith(begin)]
    return found
