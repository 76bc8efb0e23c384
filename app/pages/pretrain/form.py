"""The settings of a pre-training: the few that matter first, presets, and all others by name."""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFrame,
    QGridLayout,
    QScrollArea,
    QSpinBox,
    QWidget,
)

from app.pages.pretrain.fields import SettingFields
from app.ui import theme
from app.ui.small_widgets import button, column, indented, label
from app.workspace.run_settings import RunSettings

_TITLES = {
    "simclr": "SimCLR",
    "mocov2": "MoCo v2",
    "mocov3": "MoCo v3",
    "byol": "BYOL",
    "simsiam": "SimSiam",
    "gzpt": "GzPT (gaze)",
    "mcgip": "McGIP (gaze)",
    "none": "None (plain)",
    "label": "Labels (upper bound)",
    "tima": "TIMA",
    "moment": "Moments",
    "moment_sequence": "Moment sequence",
    "dhash": "dHash",
    "multimatch": "MultiMatch",
    "density": "Density",
}
_CHOICES = {
    "method": ("byol", "simsiam"),
    "pairs": ("gzpt", "mcgip", "none", "label"),
    "measure": ("tima", "moment", "moment_sequence", "dhash", "density"),
    "encoder": ("resnet18", "resnet34", "resnet50", "resnet101"),
}
"""Until the trainer has told what it offers."""
_RATE, _THRESHOLD = "most alike", "alike above"
PRESETS: dict[str, dict[str, Any]] = {
    "GzPT, as published": {
        "method": "byol",
        "pairs": "gzpt",
        "measure": "tima",
        "rule": _THRESHOLD,
        "amount": 0.95,
    },
    "McGIP, as published": {
        "method": "byol",
        "pairs": "mcgip",
        "measure": "moment",
        "rule": _THRESHOLD,
        "amount": 0.95,
    },
    "Gaze pairs of any cohort": {
        "method": "byol",
        "pairs": "gzpt",
        "measure": "tima",
        "rule": _RATE,
        "amount": 5,
    },
    "Plain baseline": {"method": "byol", "pairs": "none"},
    "Quick trial": {"method": "byol", "epochs": 5, "size": 64, "batch": 16},
}
_BASIC = ("method", "pairs", "measure", "encoder", "epochs", "size", "batch")
_BY_RULE = ("threshold", "positive_rate")


class TrainingForm(QFrame):
    """Settings of a run, as the trainer's command line takes them.

    Signals
    -------
    changed
        A value is another one now.
    all_wanted
        The other settings are to be shown; `show_settings` follows.
    """

    changed = Signal()
    all_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self.setFixedWidth(336)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(theme.GRID)
        self._grid.setVerticalSpacing(theme.GRID)
        self._grid.setColumnStretch(1, 1)
        self._fields: dict[str, QWidget] = {}
        self.presets = QComboBox()
        self.presets.addItem("Choose…", "")
        for name in PRESETS:
            self.presets.addItem(name, name)
        self._add("presets", "Preset", self.presets)
        for name, text in (
            ("method", "Method"),
            ("pairs", "Pairs"),
            ("measure", "Similarity"),
            ("encoder", "Encoder"),
        ):
            self._add(name, text, _combo(_CHOICES[name]))
        self.method, self.pairs, self.measure, self.encoder = (
            self._combo(name) for name in ("method", "pairs", "measure", "encoder")
        )
        self.rule = _combo((_RATE, _THRESHOLD), ("The most alike", "Alike above"))
        self._add("rule", "Positive if", self.rule)
        self.amount = indented(QDoubleSpinBox())
        self._add("amount", "", self.amount)
        self._count("epochs", "Epochs", 1, 10_000, 100)
        self._count("size", "View", 32, 1024, 128, " px", step=32)
        self._count("batch", "Batch", 2, 4096, 32, " images")
        self.rest = SettingFields()
        self._described: dict[str, Any] = {}
        self._defaults: dict[str, Any] = {}
        self._recipes: Mapping[str, Mapping[str, Mapping[str, Any]]] = {}
        self._all = button("all_settings", "All settings…", self.all_wanted.emit, role="quiet")
        self._arrange()
        self._connect()
        self._rule_changed()

    def options(self) -> list[str]:
        """Return the arguments of `python main.py train` that say the same."""
        words = ["--method", self.method.currentData(), "--pairs", self.pairs.currentData()]
        words += ["--encoder", self.encoder.currentData()]
        if self.pairs.currentData() not in ("none", "label"):
            words += ["--measure", self.measure.currentData()]
            if self.rule.currentData() == _RATE:
                words += ["--positive-rate", f"{self.amount.value() / 100:g}"]
            else:
                words += ["--threshold", f"{self.amount.value():g}"]
        for name in ("epochs", "size", "batch"):
            words += [f"--{name}", str(self._spin(name).value())]
        return words + self.rest.options()

    def values(self) -> dict[str, Any]:
        """Return the settings that decide how long a run takes."""
        chosen = {n: self._combo(n).currentData() for n in ("method", "pairs", "encoder")}
        return chosen | {n: self._spin(n).value() for n in ("epochs", "size", "batch")}

    def preset(self, **values: Any) -> None:
        """Set fields by name, e.g. ``epochs=4, size=96``; `rule` before `amount`.

        Raises
        ------
        KeyError
            If there is no such field.
        """
        for name, value in values.items():
            chosen = self._fields.get(name) or self.rest.editors[name]
            if name not in self._fields:
                self.rest.set_value(name, value)
            elif isinstance(chosen, QComboBox):
                chosen.setCurrentIndex(chosen.findData(value))
            elif isinstance(chosen, QSpinBox | QDoubleSpinBox):
                chosen.setValue(value)

    def show_settings(self, settings: RunSettings) -> None:
        """Offer all that the trainer takes; what was chosen stays."""
        for setting in settings.fields:
            if setting.name in _CHOICES and setting.choices:
                _refill(self._combo(setting.name), setting.choices)
        others = [s for s in settings.fields if s.name not in (*_BASIC, *_BY_RULE)]
        self.rest.show_settings(others)
        self._described = {s.name: s.default for s in settings.fields}
        self._defaults = dict(self._described)
        self._recipes = settings.recipes
        recipe = self.rest.editors["recipe"]
        assert isinstance(recipe, QComboBox)
        recipe.currentIndexChanged.connect(self._follow_recipe)
        self._follow_recipe()
        self._all.hide()
        self._scroll.show()

    def show_no_settings(self, why: str) -> None:
        """Say that the trainer could not be asked."""
        self._all.setText("The trainer is not installed: pip install foveate[train]")
        self._all.setToolTip(why)
        self._all.setEnabled(False)

    def _arrange(self) -> None:
        layout = column(self, 2 * theme.GRID)
        layout.addWidget(label("Settings", "heading"))
        layout.addLayout(self._grid)
        layout.addWidget(self._all)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(self.rest)
        self._scroll.hide()
        layout.addWidget(self._scroll, 1)
        layout.addStretch(0)

    def _connect(self) -> None:
        self.rule.currentIndexChanged.connect(self._rule_changed)
        self.pairs.currentIndexChanged.connect(self._pairs_changed)
        self.method.currentIndexChanged.connect(self._follow_recipe)
        self.presets.activated.connect(self._preset_chosen)
        for name in ("method", "pairs", "encoder"):
            self._combo(name).currentIndexChanged.connect(self.changed)
        for name in ("epochs", "size", "batch"):
            self._spin(name).valueChanged.connect(self.changed)
        self.rest.changed.connect(self.changed)

    def _follow_recipe(self) -> None:
        """Show what the recipe sets for this method, where the user has not chosen otherwise."""
        if not self._recipes:
            return  # the trainer was not asked yet; it follows the recipe by itself
        recipe = self.rest.editors["recipe"]
        assert isinstance(recipe, QComboBox)
        chosen = self._recipes[recipe.currentText()].get(self.method.currentData(), {})
        self.rest.follow(chosen)
        for name in ("epochs", "size", "batch"):
            spin, default = self._spin(name), chosen.get(name, self._described[name])
            if spin.value() == self._defaults[name]:
                spin.setValue(default)
            self._defaults[name] = default

    def _preset_chosen(self) -> None:
        name = self.presets.currentData()
        if name:
            self.preset(**PRESETS[name])

    def _rule_changed(self) -> None:
        by_rate = self.rule.currentData() == _RATE
        self.amount.setDecimals(1 if by_rate else 3)
        self.amount.setRange(*((0.1, 99.9) if by_rate else (-1, 1)))
        self.amount.setSuffix(" % of pairs" if by_rate else "")
        self.amount.setSingleStep(1 if by_rate else 0.01)
        self.amount.setValue(5 if by_rate else 0.95)

    def _pairs_changed(self) -> None:
        by_gaze = self.pairs.currentData() not in ("none", "label")
        for chosen in (self.measure, self.rule, self.amount):
            chosen.setEnabled(by_gaze)

    def _add(self, name: str, text: str, chosen: QWidget) -> None:
        chosen.setObjectName(name)
        chosen.setAccessibleName(text or name)
        line = self._grid.rowCount()
        self._grid.addWidget(label(text, "hint", wrap=False), line, 0)
        self._grid.addWidget(chosen, line, 1)
        self._fields[name] = chosen

    def _combo(self, name: str) -> QComboBox:
        chosen = self._fields[name]
        assert isinstance(chosen, QComboBox)
        return chosen

    def _spin(self, name: str) -> QSpinBox:
        chosen = self._fields[name]
        assert isinstance(chosen, QSpinBox)
        return chosen

    def _count(
        self,
        name: str,
        text: str,
        low: int,
        high: int,
        value: int,
        unit: str = "",
        step: int = 1,
    ) -> None:
        chosen = indented(QSpinBox())
        chosen.setRange(low, high)
        chosen.setSingleStep(step)
        chosen.setValue(value)
        chosen.setSuffix(unit)
        self._add(name, text, chosen)


def _combo(values: Sequence[str], titles: Sequence[str] = ()) -> QComboBox:
    made = QComboBox()
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    for k, value in enumerate(values):
        made.addItem(titles[k] if titles else _TITLES.get(value, value), value)
    return made


def _refill(combo: QComboBox, values: Sequence[str]) -> None:
    chosen = combo.currentData()
    combo.blockSignals(True)
    combo.clear()
    for value in values:
        combo.addItem(_TITLES.get(value, value), value)
    combo.setCurrentIndex(max(0, combo.findData(chosen)))
    combo.blockSignals(False)
