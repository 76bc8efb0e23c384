"""The keys of the reading view, which can be changed; a conflict is reported and refused."""

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QLineEdit, QWidget

from app.ui import theme
from app.ui.keys import DEFAULT, MOUSE_DEFAULT, KeyConflict, KeyMap, words_of
from app.ui.small_widgets import button, column, label, row, say
from app.ui.text import tr

_DRAGS = {"left": "Left drag", "middle": "Middle drag", "right": "Right drag"}
_MOUSE_WORDS = {"window": "Window", "pan": "Pan", "zoom": "Zoom"}


class KeyTable(QWidget):
    """A line for each action: its keys, separated by spaces.

    Signals
    -------
    saved : object
        Keys (`KeyMap`) without a conflict.
    """

    saved = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.edits: dict[str, QLineEdit] = {}
        self.mouse: dict[str, QComboBox] = {}
        self._problem = label("", "warning")
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * theme.GRID)
        rows = -(-len(DEFAULT) // 2)
        for i, action in enumerate(DEFAULT):
            at_row, at_column = i % rows, 2 * (i // rows)
            grid.addWidget(label(words_of(action), wrap=False), at_row, at_column)
            grid.addWidget(self._edit(action), at_row, at_column + 1)
        layout = column(self, gap=theme.GRID)
        hint = tr(
            "Names of keys, separated by spaces: I, F1, PageUp, Ctrl+Z. 1 to 9 are the answers."
        )
        layout.addWidget(label(hint, "hint"))
        layout.addLayout(self._make_mouse())
        layout.addLayout(grid)
        layout.addWidget(self._problem)
        layout.addLayout(row(
            button("save_keys", tr("Use these keys"), self._save),
            button("usual_keys", tr("Restore the default keys"), lambda: self.show_keys(KeyMap())),
            stretch=True,
        ))  # fmt: skip
        self.show_keys(KeyMap())

    def show_keys(self, keys: KeyMap, problem: str = "") -> None:
        """Show keys, and what is wrong with the user's own."""
        for action, edit in self.edits.items():
            edit.setText(" ".join(keys.bindings.get(action, ())))
        for name, chosen in self.mouse.items():
            chosen.setCurrentIndex(chosen.findData(keys.mouse[name]))
        self._say(problem)

    def _save(self) -> None:
        try:
            keys = KeyMap(
                {action: tuple(edit.text().split()) for action, edit in self.edits.items()},
                {name: chosen.currentData() for name, chosen in self.mouse.items()},
            )
        except KeyConflict as error:
            self._say(str(error))
            return
        self._say("")
        self.saved.emit(keys)

    def _say(self, problem: str) -> None:
        say(self._problem, f"⚠ {problem}" if problem else "", "warning")
        self._problem.setVisible(bool(problem))

    def _edit(self, action: str) -> QLineEdit:
        made = self.edits[action] = QLineEdit()
        made.setObjectName(f"keys_{action}")
        made.setAccessibleName(tr("Keys: {action}", action=words_of(action)))
        made.setMinimumWidth(16 * theme.GRID)
        return made

    def _make_mouse(self) -> QGridLayout:
        grid = QGridLayout()
        make: Callable[[str], QComboBox] = self._chooser
        for i, name in enumerate(MOUSE_DEFAULT):
            grid.addWidget(label(tr(_DRAGS[name]), wrap=False), 0, 2 * i)
            grid.addWidget(make(name), 0, 2 * i + 1)
        return grid

    def _chooser(self, name: str) -> QComboBox:
        made = self.mouse[name] = QComboBox()
        made.setObjectName(f"mouse_{name}")
        made.setAccessibleName(tr(_DRAGS[name]))
        for action, words in _MOUSE_WORDS.items():
            made.addItem(tr(words), action)
        return made
