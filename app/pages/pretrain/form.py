"""The settings of a pre-training: the few that matter first, presets, and all others by name."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QFrame,
    QGridLayout,
    QLabel,
    QScrollArea,
    QWidget,
)

from app.pages.pretrain.run_settings import RunSettings, settings_of
from app.ui import theme
from app.ui.fields import Field
from app.ui.form import Form
from app.ui.small_widgets import button, column, label

OFFERED: dict[str, tuple[tuple[str, str], ...]] = {
    "method": (("byol", "BYOL"), ("simsiam", "SimSiam")),
    "pairs": (
        ("gzpt", "GzPT (gaze)"),
        ("mcgip", "McGIP (gaze)"),
        ("none", "None (plain)"),
        ("label", "Labels (upper bound)"),
    ),
    "measure": (
        ("auto", "Chosen by evidence"),
        ("tima", "TIMA"),
        ("moment", "Gaze moments"),
        ("moment_sequence", "Gaze moments in sequence"),
        ("dhash", "dHash"),
        ("density", "Dwell density"),
    ),
    "encoder": tuple((name, name) for name in ("resnet18", "resnet34", "resnet50", "resnet101")),
}
"""Choices and their words until the trainer has said what it offers; the first is the default."""
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
        "measure": "auto",
        "rule": _RATE,
        "amount": 5,
    },
    "Plain baseline": {"method": "byol", "pairs": "none"},
    "Quick trial": {"method": "byol", "epochs": 5, "size": 64, "batch": 16},
}
_NAMED_OPTIONS = ("epochs", "size", "batch")
_BY_RULE = ("threshold", "positive_rate")


def _choice(name: str, label: str) -> Field:
    offered = OFFERED[name]
    return Field(name, label, "choice", choices=offered, default=offered[0][0])


_BASIC = (
    _choice("method", "Method"),
    _choice("pairs", "Pairs"),
    _choice("measure", "Similarity"),
    _choice("encoder", "Encoder"),
    Field(
        "rule", "Positive if", "choice", default=_RATE,
        choices=((_RATE, "The most alike"), (_THRESHOLD, "Alike above")),
    ),
    Field("amount", "", "float", default=5.0),
    Field("epochs", "Epochs", "int", low=1, high=10_000, default=100),
    Field("size", "View", "int", low=32, high=1024, step=32, unit=" px", default=128),
    Field("batch", "Batch", "int", low=2, high=4096, unit=" images", default=32),
)  # fmt: skip


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
        self.presets = QComboBox()
        self.presets.setObjectName("presets")
        self.presets.setAccessibleName("Preset")
        for words, name in (("Choose…", ""), *((name, name) for name in PRESETS)):
            self.presets.addItem(words, name)
        self._add(label("Preset", "hint", wrap=False), self.presets)
        self.basic, self.rest = Form(), Form("setting_")
        for field in _BASIC:
            self._add(*self.basic.add(field))
        self.measure = self.basic.editors["measure"]
        self._described: dict[str, Any] = {}
        self._recipes: Mapping[str, Mapping[str, Mapping[str, Any]]] = {}
        self._all = button("all_settings", "All settings…", self.all_wanted.emit, role="quiet")
        self._arrange()
        self._connect()
        self._rule_changed()

    def options(self) -> list[str]:
        """Return the arguments of `python main.py train` that say the same."""
        chosen = self.basic.values()
        words = [w for n in ("method", "pairs", "encoder") for w in (f"--{n}", chosen[n])]
        if _by_gaze(chosen["pairs"]):
            words += ["--measure", chosen["measure"]]
            if chosen["rule"] == _RATE:
                words += ["--positive-rate", f"{chosen['amount'] / 100:g}"]
            else:
                words += ["--threshold", f"{chosen['amount']:g}"]
        words += [w for n in _NAMED_OPTIONS for w in (f"--{n}", str(chosen[n]))]
        return words + settings_of(self.rest.changes())

    def values(self) -> dict[str, Any]:
        """Return the settings that decide how long a run takes."""
        chosen = self.basic.values()
        return {name: chosen[name] for name in ("method", "pairs", "encoder", *_NAMED_OPTIONS)}

    def problem(self) -> str:
        """Return which setting cannot be, in words; empty for none."""
        return self.basic.problem() or self.rest.problem()

    def preset(self, **values: Any) -> None:
        """Set fields by name, e.g. ``epochs=4, size=96``; `rule` before `amount`.

        Raises
        ------
        KeyError
            If there is no such field.
        """
        for name, value in values.items():
            form = self.basic if name in self.basic.editors else self.rest
            form.set_value(name, value)

    def show_settings(self, settings: RunSettings) -> None:
        """Offer all that the trainer takes; what was chosen stays."""
        for field in settings.fields:
            if field.name in OFFERED and field.choices:
                self.basic.offer(field.name, field.choices)
        while self._rows.rowCount():
            self._rows.removeRow(0)
        self.rest.clear()
        named = {*self.basic.editors, *_BY_RULE}
        self.rest.add_rows(self._rows, [f for f in settings.fields if f.name not in named])
        self._described = {f.name: f.default for f in settings.fields}
        self._recipes = settings.recipes
        _combo(self.rest, "recipe").currentIndexChanged.connect(self._follow_recipe)
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
        inside = QWidget()
        self._rows = QFormLayout(inside)
        self._rows.setContentsMargins(0, 0, theme.GRID, 0)
        self._rows.setVerticalSpacing(theme.GRID)
        self._rows.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self._scroll.setWidget(inside)
        self._scroll.hide()
        layout.addWidget(self._scroll, 1)
        layout.addStretch(0)

    def _connect(self) -> None:
        for name, changed in (
            ("rule", self._rule_changed),
            ("pairs", self._pairs_changed),
            ("method", self._follow_recipe),
        ):
            _combo(self.basic, name).currentIndexChanged.connect(changed)
        self.presets.activated.connect(self._preset_chosen)
        self.basic.changed.connect(self.changed)
        self.rest.changed.connect(self.changed)

    def _follow_recipe(self) -> None:
        """Show what the recipe sets for this method, where the user has not chosen otherwise."""
        if not self._recipes:
            return  # the trainer was not asked yet; it follows the recipe by itself
        recipe = self._recipes[self.rest.values()["recipe"]]
        chosen = recipe.get(self.basic.values()["method"], {})
        self.rest.follow(chosen)
        known = {**self._described, **chosen}
        self.basic.follow({name: known[name] for name in _NAMED_OPTIONS})

    def _preset_chosen(self) -> None:
        name = self.presets.currentData()
        if name:
            self.preset(**PRESETS[name])

    def _rule_changed(self) -> None:
        by_rate = self.basic.values()["rule"] == _RATE
        amount = self.basic.editors["amount"]
        assert isinstance(amount, QDoubleSpinBox)
        amount.setDecimals(1 if by_rate else 3)
        amount.setRange(*((0.1, 99.9) if by_rate else (-1, 1)))
        amount.setSuffix(" % of pairs" if by_rate else "")
        amount.setSingleStep(1 if by_rate else 0.01)
        amount.setValue(5 if by_rate else 0.95)

    def _pairs_changed(self) -> None:
        by_gaze = _by_gaze(self.basic.values()["pairs"])
        for name in ("measure", "rule", "amount"):
            self.basic.editors[name].setEnabled(by_gaze)

    def _add(self, text: QLabel, chosen: QWidget) -> None:
        line = self._grid.rowCount()
        self._grid.addWidget(text, line, 0)
        self._grid.addWidget(chosen, line, 1)


def _by_gaze(pairs: str) -> bool:
    return pairs not in ("none", "label")


def _combo(form: Form, name: str) -> QComboBox:
    found = form.editors[name]
    assert isinstance(found, QComboBox)
    return found
