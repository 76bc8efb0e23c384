"""Which key and which mouse button does what in the reading view; can be remapped.

The defaults are those on which OHIF and Weasis agree. The digits 1 to 9 belong to the classes of
the study; a map that uses them, or gives one key to two actions, is refused.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from app.errors import AppError
from app.ui.text import tr
from migrations.study.this_computer import config_folder

log = logging.getLogger(__name__)

DEFAULT: dict[str, tuple[str, ...]] = {
    "next": ("Return", "Enter", "N", "PageDown"),
    "back": ("Backspace", "B", "PageUp"),
    "leave": ("Escape", "P"),
    "undo": ("U", "Ctrl+Z"),
    "flag": ("F",),
    "box": ("X",),
    "keypoint": ("K",),
    "note": ("C",),
    "question_next": ("Q",),
    "question_back": ("Shift+Q",),
    "confidence_up": ("Period",),
    "confidence_down": ("Comma",),
    "help": ("F12", "Question"),
    "preset_1": ("F1",),
    "preset_2": ("F2",),
    "preset_3": ("F3",),
    "preset_4": ("F4",),
    "preset_5": ("F5",),
    "invert": ("I",),
    "zoom_in": ("Plus",),
    "zoom_out": ("Minus",),
    "fit": ("Equal",),
    "one_to_one": ("A", "0"),
    "true_size": ("S",),
    "magnifier": ("M",),
    "ruler": ("D",),
    "link": ("Z",),
    "next_tile": ("Tab",),
    "previous_tile": ("Shift+Tab",),
    "further_views": ("W",),
    "overlay": ("O",),
    "flip_horizontally": ("H",),
    "flip_vertically": ("V",),
    "rotate_right": ("R",),
    "rotate_left": ("L",),
    "pan_left": ("Left",),
    "pan_right": ("Right",),
    "pan_up": ("Up",),
    "pan_down": ("Down",),
    "window_wider": ("Shift+Right",),
    "window_narrower": ("Shift+Left",),
    "window_brighter": ("Shift+Up",),
    "window_darker": ("Shift+Down",),
    "frame_next": ("Ctrl+Down",),
    "frame_back": ("Ctrl+Up",),
    "reset": ("Space",),
}
WORDS = {
    "next": "Next case",
    "back": "Correct the last answer",
    "leave": "Pause or leave",
    "undo": "Undo the last mark",
    "flag": "Flag an incidental finding",
    "box": "Draw boxes (on/off)",
    "keypoint": "Mark where you look",
    "note": "Write a note",
    "question_next": "Next question of the form",
    "question_back": "Previous question",
    "confidence_up": "More confident",
    "confidence_down": "Less confident",
    "help": "Show the keys",
    "fit": "Fit to the frame",
    "one_to_one": "Actual pixels (1:1)",
    "true_size": "True size",
    "magnifier": "Magnifier (on/off)",
    "ruler": "Ruler (on/off)",
    "link": "Link the zoom of all images (on/off)",
    "next_tile": "Next image of the case",
    "previous_tile": "Previous image of the case",
    "overlay": "Image overlay (on/off)",
    "further_views": "Next views of a mammography case",
    "frame_next": "Next frame of a stack",
    "frame_back": "Previous frame of a stack",
    "reset": "Reset all",
}
_LATER = ("further_views", "overlay", "question_next", "question_back")
MOUSE_DEFAULT = {"left": "window", "middle": "pan", "right": "zoom"}
"""What a drag with each button does."""
_MOUSE_ACTIONS = ("window", "pan", "zoom")
_MODIFIERS = {
    "Shift": Qt.KeyboardModifier.ShiftModifier,
    "Ctrl": Qt.KeyboardModifier.ControlModifier,
    "Alt": Qt.KeyboardModifier.AltModifier,
}
_NONE = Qt.KeyboardModifier.NoModifier
_Chord = tuple[Qt.Key, Qt.KeyboardModifier]


class KeyConflict(AppError):
    """Two actions use the same key, or an action uses a digit of the classes."""


class KeyMap:
    """Keys of the reading view.

    Parameters
    ----------
    bindings
        Names of keys (as in `Qt.Key`, without ``Key_``; prefixed with Shift+, Ctrl+, Alt+) by
        action.
    mouse
        What a drag with the left, middle and right button does: window, pan or zoom.

    Raises
    ------
    KeyConflict
        Naming the key and both actions.
    """

    def __init__(
        self,
        bindings: Mapping[str, tuple[str, ...]] = DEFAULT,
        mouse: Mapping[str, str] = MOUSE_DEFAULT,
    ) -> None:
        self.bindings = dict(bindings)
        self.mouse = dict(mouse)
        self._actions: dict[_Chord, str] = {}
        for action, names in bindings.items():
            for name in names:
                self._bind(name, action)
        _check_mouse(self.mouse)

    def action(self, event: QKeyEvent) -> str | None:
        """Return the action of a key press, if any."""
        key = Qt.Key(event.key())
        # Shift+Tab arrives as a key of its own.
        if key == Qt.Key.Key_Backtab:
            return self._actions.get((Qt.Key.Key_Tab, _MODIFIERS["Shift"]))
        held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        found = self._actions.get((key, held))
        # A character that needs Shift on this keyboard (+ = ?) is still that character.
        return found or self._actions.get((key, held & ~_MODIFIERS["Shift"]))

    def keys_of(self, action: str) -> str:
        """Return the keys of an action in words."""
        # Return and the keypad's Enter are two keys, but both are called Enter.
        names = dict.fromkeys(_spoken(name) for name in self.bindings.get(action, ()))
        return " / ".join(names)

    def first_key_of(self, action: str) -> str:
        """Return the first key of an action in words; empty for none."""
        return next((_spoken(name) for name in self.bindings.get(action, ())), "")

    def _bind(self, name: str, action: str) -> None:
        chord = _chord(name, action)
        if Qt.Key.Key_1 <= chord[0] <= Qt.Key.Key_9:
            raise KeyConflict(
                tr(
                    "Key {key} gives an answer, so “{action}” cannot use it.",
                    key=name, action=words_of(action),
                )
            )  # fmt: skip
        if chord in self._actions:
            raise KeyConflict(
                tr(
                    "Key {key} cannot do both “{one}” and “{other}”.",
                    key=name, one=words_of(self._actions[chord]), other=words_of(action),
                )
            )  # fmt: skip
        self._actions[chord] = action


def class_index(event: QKeyEvent) -> int | None:
    """Return which class (from 0) a digit key stands for, also on the number pad."""
    key = event.key()
    if Qt.Key.Key_1 <= key <= Qt.Key.Key_9:
        return int(key) - int(Qt.Key.Key_1)
    return None


@dataclass(frozen=True, slots=True)
class LoadedKeys:
    """The reader's own keys, or the default ones with what was wrong."""

    keys: KeyMap
    problem: str = ""


def load_keys() -> LoadedKeys:
    """Return this user's keys; a file that cannot be used is said and left as it is."""
    path = _file()
    if not path.is_file():
        return LoadedKeys(KeyMap())
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        own = {action: tuple(names) for action, names in table.get("keys", {}).items()}
        return LoadedKeys(KeyMap(_usual(own) | own, MOUSE_DEFAULT | table.get("mouse", {})))
    except (OSError, ValueError, TypeError, AttributeError, KeyConflict) as error:
        log.warning("The user's keys cannot be used.", exc_info=True)
        return LoadedKeys(
            KeyMap(),
            tr(
                "{path} cannot be used ({problem}). The default keys apply.",
                path=path, problem=error,
            ),
        )  # fmt: skip


def _usual(own: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return the default keys; newer actions give way to what an older file says."""
    taken = {name for names in own.values() for name in names}
    later = {a: tuple(name for name in DEFAULT[a] if name not in taken) for a in _LATER}
    return DEFAULT | later


def save_keys(keys: KeyMap) -> None:
    """Store this user's keys.

    Raises
    ------
    AppError
        If the file cannot be written.
    """
    path = _file()
    changed = {a: list(names) for a, names in keys.bindings.items() if DEFAULT.get(a) != names}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"keys": changed, "mouse": keys.mouse}, indent=1)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise AppError(
            tr("{path} cannot be written: {why}.", path=path, why=error.strerror)
        ) from error


def words_of(action: str) -> str:
    """Return the name of an action."""
    return tr(WORDS.get(action, action.replace("_", " ").capitalize()))


def _file() -> Path:
    return config_folder() / "keys.json"


def _chord(name: str, action: str) -> _Chord:
    *held, key_name = name.split("+") if name != "+" else ["Plus"]
    key = getattr(Qt.Key, f"Key_{key_name.strip()}", None)
    if key is None or any(word.strip() not in _MODIFIERS for word in held):
        raise KeyConflict(
            tr("There is no key “{key}” (for “{action}”).", key=name, action=words_of(action))
        )
    modifiers = _NONE
    for word in held:
        modifiers |= _MODIFIERS[word.strip()]
    return key, modifiers


def _check_mouse(mouse: Mapping[str, str]) -> None:
    for button, action in mouse.items():
        if button not in MOUSE_DEFAULT or action not in _MOUSE_ACTIONS:
            raise KeyConflict(
                tr(
                    "Dragging with the {button} button cannot do “{action}”; the left, middle and "
                    "right buttons can do window, pan and zoom.",
                    button=button, action=action,
                )
            )  # fmt: skip
    missing = [action for action in _MOUSE_ACTIONS if action not in mouse.values()]
    if missing:
        raise KeyConflict(
            tr("Two mouse buttons do the same, and none does “{action}”.", action=missing[0])
        )


_SPOKEN = {
    "Return": "Enter", "Period": ".", "Comma": ",", "Plus": "+", "Minus": "−", "Equal": "=",
    "Question": "?", "Escape": "Esc", "PageDown": "Page down", "PageUp": "Page up",
    "Left": "←", "Right": "→", "Up": "↑", "Down": "↓",
}  # fmt: skip


def _spoken(name: str) -> str:
    *held, key = name.split("+")
    return "+".join([*held, _SPOKEN.get(key, key)])
