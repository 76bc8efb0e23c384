"""Which key does what in the reading view, as OHIF and Weasis agree; remappable.

The digits 1 to 9 belong to the classes of the study; a map that takes them, or gives one key to
two actions, is refused.
"""

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from app.errors import AppError

DEFAULT: dict[str, tuple[str, ...]] = {
    "invert": ("I",),
    "flip_horizontally": ("H",),
    "flip_vertically": ("V",),
    "rotate_right": ("R",),
    "rotate_left": ("L",),
    "zoom_in": ("Plus",),
    "zoom_out": ("Minus",),
    "fit": ("Equal",),
    "one_to_one": ("A", "0"),
    "reset": ("Space",),
    "preset_1": ("F1",),
    "preset_2": ("F2",),
    "preset_3": ("F3",),
    "preset_4": ("F4",),
    "preset_5": ("F5",),
    "next": ("Return", "Enter", "N", "PageDown"),
    "leave": ("Escape",),
}


class KeyConflict(AppError):
    """Two actions want one key, or an action wants a digit of the classes."""


class KeyMap:
    """Keys of the reading view.

    Parameters
    ----------
    bindings
        Names of keys (as in `Qt.Key`, less ``Key_``) by action.

    Raises
    ------
    KeyConflict
        Naming the key and both actions.
    """

    def __init__(self, bindings: Mapping[str, tuple[str, ...]] = DEFAULT) -> None:
        self._actions: dict[Qt.Key, str] = {}
        for action, names in bindings.items():
            for name in names:
                self._bind(name, action)

    def action(self, event: QKeyEvent) -> str | None:
        """Return the action of a key press, if any."""
        return self._actions.get(Qt.Key(event.key()))

    def _bind(self, name: str, action: str) -> None:
        key = getattr(Qt.Key, f"Key_{name}", None)
        if key is None:
            raise KeyConflict(f"There is no key {name!r} (for {action}).")
        if Qt.Key.Key_1 <= key <= Qt.Key.Key_9:
            raise KeyConflict(f"Key {name} answers with a class; {action} cannot have it.")
        if key in self._actions:
            raise KeyConflict(f"Key {name} cannot do both {self._actions[key]} and {action}.")
        self._actions[key] = action


def class_index(event: QKeyEvent) -> int | None:
    """Return which class (from 0) a digit key stands for, also on the number pad."""
    key = event.key()
    if Qt.Key.Key_1 <= key <= Qt.Key.Key_9:
        return int(key) - int(Qt.Key.Key_1)
    return None
