"""The form made from typed settings: shows values, knows what was changed and what is wrong."""

from collections.abc import Iterable, Mapping
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QLabel, QLayout, QWidget

from app.ui.editors import Editor, make_editor
from app.ui.fields import Field
from app.ui.small_widgets import column, label
from app.ui.text import tr


class Form(QObject):
    """Editors of fields by name; the page that owns it lays them out.

    Parameters
    ----------
    prefix
        Prefix of a field's name in the object name of its editor.

    Attributes
    ----------
    editors
        The widgets by name of field.

    Signals
    -------
    changed
        Its values have changed.
    """

    changed = Signal()

    def __init__(self, prefix: str = "") -> None:
        super().__init__()
        self._prefix = prefix
        self._made: dict[str, Editor] = {}
        self._before: dict[str, Any] = {}
        self.editors: dict[str, QWidget] = {}

    def add(self, field: Field, role: str = "hint") -> tuple[QLabel, QWidget]:
        """Make the editor of a field, and its label in a style-sheet role."""
        editor = self._made[field.name] = make_editor(field, self.changed)
        self._before[field.name] = field.default
        self.editors[field.name] = editor.widget
        editor.widget.setObjectName(f"{self._prefix}{field.name}")
        text = label(tr(field.label), role, wrap=False)
        text.setToolTip(field.tip())
        return text, editor.widget

    def add_rows(self, layout: QFormLayout, fields: Iterable[Field], role: str = "hint") -> None:
        """Make the editors of fields, one row each, with hints under them."""
        for field in fields:
            text, widget = self.add(field, role)
            if field.hint:
                layout.addRow(text, _with_hint(widget, tr(field.hint)))
            else:
                layout.addRow(text, widget)

    def offer(self, name: str, choices: Iterable[tuple[Any, str]]) -> None:
        """Offer other values and words of a choice; what was chosen stays if it is among them.

        Raises
        ------
        KeyError
            If there is no such field.
        """
        combo, chosen = self.editors[name], self._made[name].value()
        assert isinstance(combo, QComboBox)
        combo.blockSignals(True)
        combo.clear()
        for value, words in choices:
            combo.addItem(tr(words), value)
        combo.setCurrentIndex(max(0, combo.findData(chosen)))
        combo.blockSignals(False)

    def clear(self) -> None:
        """Remove all fields; their widgets belong to the page."""
        for known in (self._made, self._before, self.editors):
            known.clear()

    def values(self) -> dict[str, Any]:
        """Return every value by name; a line that is empty and may be gives its default."""
        return {name: self._value(name) for name in self._made}

    def changes(self) -> dict[str, Any]:
        """Return what differs from the values last shown or followed, at first the defaults."""
        return {n: value for n, value in self.values().items() if value != self._before[n]}

    def problem(self) -> str:
        """Return why the first impossible change is impossible, in words; "" for none."""
        found = (self._made[n].field.problem(value) for n, value in self.changes().items())
        return next(filter(None, found), "")

    def show(self, values: Mapping[str, Any]) -> None:
        """Show values, the new basis for changes.

        Raises
        ------
        KeyError
            If there is no such field.
        """
        self.blockSignals(True)
        for name, value in values.items():
            self._made[name].show(value)
            self._before[name] = value
        self.blockSignals(False)
        self.changed.emit()

    def follow(self, defaults: Mapping[str, Any]) -> None:
        """Use other defaults, a field's own if none is given; changes are kept."""
        for name, editor in self._made.items():
            is_untouched = self._value(name) == self._before[name]
            self._before[name] = defaults.get(name, editor.field.default)
            if is_untouched:
                editor.show(self._before[name])

    def set_value(self, name: str, value: Any) -> None:
        """Fill in one field as a user would; None fills in its default.

        Raises
        ------
        KeyError
            If there is no such field.
        """
        self._made[name].show(self._before[name] if value is None else value)

    def _value(self, name: str) -> Any:
        value = self._made[name].value()
        return self._before[name] if value is None else value


def _with_hint(widget: QWidget, hint: str) -> QLayout:
    layout = column(gap=2)
    layout.addWidget(widget)
    layout.addWidget(label(hint, "small"))
    return layout
