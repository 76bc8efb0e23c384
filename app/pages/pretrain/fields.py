"""A form made from described settings: one editor each, with range, unit and help."""

from collections.abc import Iterable, Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from app.ui import theme
from app.ui.small_widgets import indented, label
from app.workspace.run_settings import Setting, changed_options

_WIDEST_SPIN = 2**31 - 1


class SettingFields(QWidget):
    """Editors of settings; says which differ from the default.

    Signals
    -------
    changed
        A value is another one now.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._layout = QFormLayout(self)
        self._layout.setContentsMargins(0, 0, theme.GRID, 0)
        self._layout.setVerticalSpacing(theme.GRID)
        self._layout.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self._settings: dict[str, Setting] = {}
        self._defaults: dict[str, Any] = {}
        self.editors: dict[str, QWidget] = {}

    def show_settings(self, settings: Iterable[Setting]) -> None:
        """Make the editors anew."""
        while self._layout.rowCount():
            self._layout.removeRow(0)
        self.editors.clear()
        self._settings = {setting.name: setting for setting in settings}
        self._defaults = {name: setting.default for name, setting in self._settings.items()}
        for setting in self._settings.values():
            editor = self._editor(setting)
            editor.setObjectName(f"setting_{setting.name}")
            editor.setToolTip(_tip(setting))
            self.editors[setting.name] = editor
            text = label(setting.name.replace("_", " "), "hint", wrap=False)
            text.setToolTip(_tip(setting))
            self._layout.addRow(text, editor)

    def values(self) -> dict[str, Any]:
        """Return every value by name; a free value that is empty is None."""
        return {name: self._value(name) for name in self.editors}

    def options(self) -> list[str]:
        """Return the options of `python main.py train` for what is not the default."""
        return changed_options(self._defaults, self.values())

    def follow(self, recipe: Mapping[str, Any]) -> None:
        """Take a recipe's settings for the defaults; a value that the user changed stays."""
        for name, setting in self._settings.items():
            is_untouched = self._value(name) == self._defaults[name]
            self._defaults[name] = recipe.get(name, setting.default)
            if is_untouched:
                self.set_value(name, self._defaults[name])

    def set_value(self, name: str, value: Any) -> None:
        """Set a field.

        Raises
        ------
        KeyError
            If there is no such field.
        """
        editor = self.editors[name]
        if isinstance(editor, QComboBox):
            editor.setCurrentText(str(value))
        elif isinstance(editor, QCheckBox):
            editor.setChecked(bool(value))
        elif isinstance(editor, QSpinBox):
            editor.setValue(int(value))
        elif isinstance(editor, QLineEdit):
            editor.setText("" if value is None else str(value))

    def _editor(self, setting: Setting) -> QWidget:
        if setting.choices:
            combo = QComboBox()
            combo.addItems(setting.choices)
            combo.setCurrentText(str(setting.default))
            combo.currentIndexChanged.connect(self.changed)
            return combo
        if setting.kind == "bool":
            box = QCheckBox("on")
            box.setChecked(bool(setting.default))
            box.toggled.connect(self.changed)
            return box
        if setting.kind == "int" and setting.default is not None:
            spin = indented(QSpinBox())
            # A spin box holds 32 bits; what goes beyond is for `--set`.
            spin.setRange(
                int(setting.low or 0), int(min(setting.high or _WIDEST_SPIN, _WIDEST_SPIN))
            )
            spin.setValue(int(setting.default))
            spin.setSuffix(f" {setting.unit}" if setting.unit else "")
            spin.valueChanged.connect(self.changed)
            return spin
        line = QLineEdit("" if setting.default is None else str(setting.default))
        line.setPlaceholderText("default" if setting.default is None else str(setting.default))
        line.textChanged.connect(self.changed)
        return line

    def _value(self, name: str) -> Any:
        editor, kind = self.editors[name], self._settings[name].kind
        if isinstance(editor, QComboBox):
            return editor.currentText()
        if isinstance(editor, QCheckBox):
            return editor.isChecked()
        if isinstance(editor, QSpinBox):
            return editor.value()
        assert isinstance(editor, QLineEdit)
        text = editor.text().strip()
        if not text:
            return self._defaults[name]
        return _number(text) if kind in ("float", "int") else text


def _number(text: str) -> Any:
    try:
        value = float(text)
    except ValueError:
        return text  # the trainer names the field and what may stand there
    return int(value) if value.is_integer() and "e" not in text and "." not in text else value


def _tip(setting: Setting) -> str:
    bounds = ""
    if setting.low is not None and setting.high is not None:
        bounds = f"\nFrom {setting.low:g} to {setting.high:g} {setting.unit}".rstrip()
    return f"{setting.help}{bounds}\nDefault: {setting.default}".strip()
