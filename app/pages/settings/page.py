"""The study's settings: `study.toml` as a form; nothing is written before Save."""

from dataclasses import replace
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.pages.settings.fields import SECTIONS, Field
from app.ui import theme
from app.ui.page import Page
from app.ui.small_widgets import button, column, indented, label, panel, row
from migrations.study.settings import StudySettings

_LINES = 4


class SettingsPage(Page):
    """Shows and takes the settings of a study.

    Signals
    -------
    saved : object
        The settings (`StudySettings`) to write.
    """

    saved = Signal(object)

    def __init__(self) -> None:
        super().__init__("settings", "Study settings")
        self._settings = StudySettings()
        self._editors: dict[str, Editor] = {}
        self.save = button("save_settings", "Save", self._save, role="primary")
        self.undo = button(
            "undo_settings", "Undo changes", lambda: self.show_settings(self._settings)
        )
        self.head.addWidget(self.undo)
        self.head.addWidget(self.save)
        inside = QWidget()
        layout = column(inside, gap=2 * theme.GRID)
        for heading, fields in SECTIONS.items():
            layout.addWidget(self._section(heading, fields))
        layout.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inside)
        self.body.addWidget(scroll, 1)
        self.show_settings(self._settings)

    @property
    def values(self) -> StudySettings:
        """What the form says now."""
        return replace(self._settings, **{n: e.value() for n, e in self._editors.items()})

    def show_settings(self, settings: StudySettings, said: str = "") -> None:
        """Show settings, and what became of the last ones."""
        self._settings = settings
        for name, editor in self._editors.items():
            editor.show(getattr(settings, name))
        self._changed()
        if said:
            self.say_state(said)

    def editor(self, name: str) -> QWidget:
        """Return the widget of a setting."""
        return self._editors[name].widget

    def _section(self, heading: str, fields: tuple[Field, ...]) -> QWidget:
        frame, layout = panel()
        layout.addWidget(label(heading, "heading"))
        form = QFormLayout()
        form.setHorizontalSpacing(3 * theme.GRID)
        form.setVerticalSpacing(theme.GRID)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for field in fields:
            editor = self._editors[field.name] = Editor(field, self._changed)
            form.addRow(label(field.label, wrap=False), _with_hint(editor.widget, field.hint))
        layout.addLayout(form)
        return frame

    def _changed(self) -> None:
        if len(self._editors) < sum(map(len, SECTIONS.values())):
            return
        changed = self.values != self._settings
        problem = _problem(self.values)
        self.save.setEnabled(changed and not problem)
        self.undo.setEnabled(changed)
        if problem:
            self.say_state(problem, "warning")
        else:
            self.say_state("Changed, not saved yet." if changed else "As written in study.toml.")

    def _save(self) -> None:
        self.saved.emit(self.values)


class Editor:
    """The widget of one setting, whatever its kind."""

    def __init__(self, field: Field, changed: Any) -> None:
        self._field = field
        self.widget: QWidget = getattr(self, f"_make_{field.kind}")(changed)
        self.widget.setObjectName(f"setting_{field.name}")
        self.widget.setAccessibleName(field.label)

    def value(self) -> Any:
        """Return what it says, as `StudySettings` holds it."""
        widget, kind = self.widget, self._field.kind
        if isinstance(widget, QLineEdit):
            return widget.text().strip()
        if isinstance(widget, QPlainTextEdit):
            text = widget.toPlainText().strip()
            lines = tuple(line.strip() for line in text.splitlines() if line.strip())
            return lines if kind == "list" else text
        if isinstance(widget, QComboBox):
            return widget.currentData()
        if isinstance(widget, QCheckBox):
            return widget.isChecked()
        if isinstance(widget, QSpinBox | QDoubleSpinBox):
            return widget.value()
        return tuple(name for name, box in self._boxes.items() if box.isChecked())

    def show(self, value: Any) -> None:
        """Show a value."""
        widget = self.widget
        if isinstance(widget, QLineEdit):
            widget.setText(value)
        elif isinstance(widget, QPlainTextEdit):
            widget.setPlainText("\n".join(value) if isinstance(value, tuple) else value)
        elif isinstance(widget, QComboBox):
            widget.setCurrentIndex(widget.findData(value))
        elif isinstance(widget, QCheckBox):
            widget.setChecked(value)
        elif isinstance(widget, QSpinBox | QDoubleSpinBox):
            widget.setValue(value)
        else:
            for name, box in self._boxes.items():
                box.setChecked(name in value)

    def _make_text(self, changed: Any) -> QLineEdit:
        made = QLineEdit()
        made.textChanged.connect(lambda _text: changed())
        return made

    def _make_long(self, changed: Any) -> QPlainTextEdit:
        made = QPlainTextEdit()
        made.setTabChangesFocus(True)
        made.setFixedHeight(_LINES * made.fontMetrics().lineSpacing() + 3 * theme.GRID)
        made.textChanged.connect(lambda: changed())
        return made

    _make_list = _make_long

    def _make_choice(self, changed: Any) -> QComboBox:
        made = QComboBox()
        for value, words in self._field.choices:
            made.addItem(words, value)
        made.currentIndexChanged.connect(lambda _i: changed())
        return made

    def _make_bool(self, changed: Any) -> QCheckBox:
        made = QCheckBox("Yes")
        made.toggled.connect(lambda _on: changed())
        return made

    def _make_int(self, changed: Any) -> QSpinBox:
        made = indented(QSpinBox())
        made.setRange(round(self._field.low), round(self._field.high))
        made.setSuffix(self._field.unit)
        made.valueChanged.connect(lambda _value: changed())
        return made

    def _make_float(self, changed: Any) -> QDoubleSpinBox:
        made = indented(QDoubleSpinBox())
        made.setDecimals(2)
        made.setRange(self._field.low, self._field.high)
        made.setSingleStep(self._field.step)
        made.setSuffix(self._field.unit)
        made.valueChanged.connect(lambda _value: changed())
        return made

    def _make_many(self, changed: Any) -> QWidget:
        made = QWidget()
        self._boxes = {str(value): QCheckBox(words) for value, words in self._field.choices}
        made.setLayout(row(*self._boxes.values(), gap=2 * theme.GRID, stretch=True))
        for box in self._boxes.values():
            box.toggled.connect(lambda _on: changed())
        return made


def _with_hint(widget: QWidget, hint: str) -> QVBoxLayout:
    layout = column(gap=2)
    layout.addWidget(widget)
    if hint:
        layout.addWidget(label(hint, "small"))
    return layout


def _problem(settings: StudySettings) -> str:
    """Return what keeps settings from being saved, in words; empty for nothing."""
    classes = settings.classes
    if not settings.name:
        return "The study needs a name."
    if len(classes) < 2:
        return "A reader needs two answers at least."
    if len(classes) > 9:
        return "There are nine digit keys: nine answers at most."
    if len(set(classes)) < len(classes):
        return "Two answers are the same."
    if not settings.consent:
        return "The consent text is empty; readers must know what they agree to."
    return ""
