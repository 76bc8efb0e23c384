"""One editor for each kind of field; all show a value and return it."""

from abc import ABC, abstractmethod
from typing import Any

from PySide6.QtCore import SignalInstance
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QWidget,
)

from app.ui import theme
from app.ui.fields import Field
from app.ui.small_widgets import indented, row
from app.ui.text import tr

_LINES = 4
_WIDEST_SPIN = 2**31 - 1
_HIGHEST = 1e6


class Editor(ABC):
    """The widget of one field.

    Parameters
    ----------
    changed
        Emitted whenever the user or the program changes its value.
    """

    widget: QWidget

    def __init__(self, field: Field, changed: SignalInstance) -> None:
        self.field = field
        self._make(field, changed)
        self.widget.setAccessibleName(tr(field.label) if field.label else field.name)
        self.widget.setToolTip(field.tip())
        self._shown: tuple[Any, Any] = (field.default, self._read())

    def value(self) -> Any:
        """Return its value; None for a line that is empty and may be.

        An unchanged value is returned as it was shown, even if the widget rounds it.
        """
        shown, as_read = self._shown
        read = self._read()
        return shown if read == as_read else read

    def show(self, value: Any) -> None:
        """Show a value."""
        self._write(value)
        self._shown = value, self._read()

    @abstractmethod
    def _make(self, field: Field, changed: SignalInstance) -> None: ...

    @abstractmethod
    def _read(self) -> Any: ...

    @abstractmethod
    def _write(self, value: Any) -> None: ...


class _Text(Editor):
    widget: QLineEdit

    def _make(self, field: Field, changed: SignalInstance) -> None:
        self.widget = QLineEdit()
        if field.optional:
            self.widget.setPlaceholderText(
                tr("default") if field.default is None else str(field.default)
            )
        self.widget.textChanged.connect(changed)

    def _read(self) -> Any:
        text = self.widget.text().strip()
        return None if self.field.optional and not text else text

    def _write(self, value: Any) -> None:
        self.widget.setText("" if value is None else str(value))


class _Number(_Text):
    def _read(self) -> Any:
        text = self.widget.text().strip()
        return _number(text) if text else None


class _Long(Editor):
    widget: QPlainTextEdit

    def _make(self, field: Field, changed: SignalInstance) -> None:
        self.widget = QPlainTextEdit()
        self.widget.setTabChangesFocus(True)
        spacing = self.widget.fontMetrics().lineSpacing()
        self.widget.setFixedHeight(_LINES * spacing + 3 * theme.GRID)
        self.widget.textChanged.connect(changed)

    def _read(self) -> Any:
        return self.widget.toPlainText().strip()

    def _write(self, value: Any) -> None:
        self.widget.setPlainText(value)


class _List(_Long):
    def _read(self) -> Any:
        lines = self.widget.toPlainText().splitlines()
        return tuple(line.strip() for line in lines if line.strip())

    def _write(self, value: Any) -> None:
        self.widget.setPlainText("\n".join(value))


class _Choice(Editor):
    widget: QComboBox

    def _make(self, field: Field, changed: SignalInstance) -> None:
        self.widget = QComboBox()
        self.widget.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        for value, words in field.choices:
            self.widget.addItem(tr(words), value)
        self.widget.currentIndexChanged.connect(changed)

    def _read(self) -> Any:
        return self.widget.currentData()

    def _write(self, value: Any) -> None:
        self.widget.setCurrentIndex(self.widget.findData(value))


class _Many(Editor):
    def _make(self, field: Field, changed: SignalInstance) -> None:
        self._boxes = {value: QCheckBox(tr(words)) for value, words in field.choices}
        self.widget = QWidget()
        self.widget.setLayout(row(*self._boxes.values(), gap=2 * theme.GRID, stretch=True))
        for box in self._boxes.values():
            box.toggled.connect(changed)

    def _read(self) -> Any:
        return tuple(value for value, box in self._boxes.items() if box.isChecked())

    def _write(self, value: Any) -> None:
        for name, box in self._boxes.items():
            box.setChecked(name in value)


class _Yes(Editor):
    widget: QCheckBox

    def _make(self, field: Field, changed: SignalInstance) -> None:
        self.widget = QCheckBox(tr("Yes"))
        self.widget.toggled.connect(changed)

    def _read(self) -> Any:
        return self.widget.isChecked()

    def _write(self, value: Any) -> None:
        self.widget.setChecked(value)


class _Int(Editor):
    widget: QSpinBox

    def _make(self, field: Field, changed: SignalInstance) -> None:
        self.widget = indented(QSpinBox())
        # A spin box holds 32 bits; larger values can be shown and kept, but not typed.
        high = _WIDEST_SPIN if field.high is None else min(round(field.high), _WIDEST_SPIN)
        self.widget.setRange(round(field.low or 0), high)
        self.widget.setSingleStep(round(field.step))
        self.widget.setSuffix(tr(field.unit) if field.unit else "")
        self.widget.valueChanged.connect(changed)

    def _read(self) -> Any:
        return self.widget.value()

    def _write(self, value: Any) -> None:
        self.widget.setValue(max(self.widget.minimum(), min(value, self.widget.maximum())))


class _Float(Editor):
    widget: QDoubleSpinBox

    def _make(self, field: Field, changed: SignalInstance) -> None:
        self.widget = indented(QDoubleSpinBox())
        self.widget.setDecimals(2)
        self.widget.setRange(field.low or 0, _HIGHEST if field.high is None else field.high)
        self.widget.setSingleStep(field.step)
        self.widget.setSuffix(tr(field.unit) if field.unit else "")
        self.widget.valueChanged.connect(changed)

    def _read(self) -> Any:
        return self.widget.value()

    def _write(self, value: Any) -> None:
        self.widget.setValue(value)


_EDITORS: dict[str, type[Editor]] = {
    "text": _Text,
    "number": _Number,
    "long": _Long,
    "list": _List,
    "choice": _Choice,
    "many": _Many,
    "bool": _Yes,
    "int": _Int,
    "float": _Float,
}


def make_editor(field: Field, changed: SignalInstance) -> Editor:
    """Return the editor of a field's kind, showing the default."""
    made = _EDITORS[field.kind](field, changed)
    if field.default is not None:
        made.show(field.default)
    return made


def _number(text: str) -> Any:
    try:
        value = float(text)
    except ValueError:
        return text  # `Field.problem` reports that it is not a number
    if "_" in text:  # float() takes 1_0 for 10
        return text
    return int(value) if value.is_integer() and "e" not in text and "." not in text else value
