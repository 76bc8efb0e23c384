"""The settings of a pre-training: the few most important ones, all others in folded groups."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFrame,
    QGridLayout,
    QLabel,
    QWidget,
)

from app.pages.pretrain.basic_settings import (
    BASIC,
    BY_RATE,
    NAMED_OPTIONS,
    OFFERED,
    PRESETS,
    offered,
    show_rule,
)
from app.pages.pretrain.encoder_rows import FIELDS, EncoderRows, choose_encoder
from app.pages.pretrain.options import (
    by_gaze,
    encoder_of,
    encoder_question,
    sweep_options,
    train_options,
)
from app.pages.pretrain.run_settings import RunSettings
from app.pages.pretrain.setting_help import SettingHelp
from app.ui import theme
from app.ui.form import Form
from app.ui.small_widgets import button, column, label, row, scrolled
from app.ui.text import tr

WIDTH = 376
"""Width of the form and what is under it, pixels."""
_BY_RULE = ("threshold", "positive_rate")


class TrainingForm(QFrame):
    """Settings of a run, as the trainer's command line takes them.

    Signals
    -------
    changed
        A value has changed.
    all_wanted
        The other settings should be shown; `show_settings` follows.
    """

    changed = Signal()
    all_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self.setFixedWidth(WIDTH)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(theme.GRID)
        self._grid.setVerticalSpacing(theme.GRID)
        self._grid.setColumnStretch(1, 1)
        self.presets = QComboBox()
        self.presets.setObjectName("presets")
        self.presets.setAccessibleName(tr("Preset"))
        for words, name in (("Choose…", ""), *((name, name) for name in PRESETS)):
            self.presets.addItem(tr(words), name)
        self._add(label(tr("Preset"), "hint", wrap=False), self.presets)
        self.basic, self.rest = Form(), Form("setting_")
        for field in BASIC:
            self._add(*self.basic.add(field))
            if field.name == "encoder":
                self.encoder = EncoderRows(self.basic, self._add)
        self.measure = self.basic.editors["measure"]
        self._described: dict[str, Any] = {}
        self._recipes: Mapping[str, Mapping[str, Mapping[str, Any]]] = {}
        self.help = SettingHelp()
        self._later: dict[str, Any] = {}
        self._all = button("all_settings", tr("All settings…"), self._all_pressed, role="quiet")
        self._arrange()
        self._connect()
        self._rule_changed()

    def options(self) -> list[str]:
        """Return the equivalent arguments of `python main.py train`."""
        return train_options(self.basic.values(), self._changes())

    def sweep_options(self, seeds: int) -> list[str]:
        """Return the arguments of `python main.py sweep` that compare this with plain runs."""
        return sweep_options(self.basic.values(), self._changes(), seeds)

    def said(self) -> dict[str, Any]:
        """Return the contents of the form, to be restored another day (JSON)."""
        titles = {name: _combo(self.basic, name).currentText() for name in OFFERED}
        return {"basic": self.basic.values(), "titles": titles, "further": self._changes()}

    def restore(self, said: Mapping[str, Any]) -> None:
        """Restore what `said` returned; further settings once the trainer was asked for them.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is something else.
        """
        self.reset()
        further = dict(said["further"])
        # Those of the encoder's start were further settings before they stood here.
        start = {f.name: further.pop(f.name, f.default) for f in FIELDS}
        basic = {**start, **said["basic"]}
        for name, choices in OFFERED.items():
            value = basic[name]
            if _combo(self.basic, name).findData(value) < 0:
                self.basic.offer(name, (*choices, (value, str(said["titles"][name]))))
        self.preset(**{n: basic[n] for n in self.basic.editors})
        self._later = further
        if self._described:
            self._say_later()
        self._name_all()

    def reset(self) -> None:
        """Restore the defaults of a new form."""
        self._later = {}
        for form, first in ((self.rest, "recipe"), (self.basic, "method")):
            names = sorted(form.editors, key=lambda name, first=first: name != first)  # type: ignore[misc]
            for name in names:
                form.set_value(name, None)
        self.basic.set_value("amount", None)
        self.presets.setCurrentIndex(0)
        self._name_all()

    def values(self) -> dict[str, Any]:
        """Return the settings that decide how long a run takes."""
        chosen = self.basic.values()
        named = {name: chosen[name] for name in ("method", "pairs", *NAMED_OPTIONS)}
        return {**named, "encoder": encoder_of(chosen)}

    def encoder_question(self) -> list[str]:
        """Return the question to the trainer about the encoder; empty if it is known here."""
        return encoder_question(self.basic.values(), self._changes())

    def problem(self) -> str:
        """Return which setting is impossible, in words; "" for none."""
        return self.basic.problem() or self.rest.problem() or self.encoder.problem()

    def preset(self, **values: Any) -> None:
        """Set fields by name, e.g. ``epochs=4, size=96``; `rule` before `amount`.

        Raises
        ------
        KeyError
            If there is no such field.
        """
        for name, value in values.items():
            if name == "encoder":
                choose_encoder(self.basic, value)
                continue
            form = self.basic if name in self.basic.editors else self.rest
            form.set_value(name, value)

    def show_settings(self, settings: RunSettings) -> None:
        """Offer all settings of the trainer; the current choices stay."""
        for field in settings.fields:
            if field.name in OFFERED and field.choices:
                self.basic.offer(field.name, offered(field.name, field.choices))
        while (item := self._groups.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        self.rest.clear()
        named = {*self.basic.editors, *_BY_RULE}
        for group in settings.groups:
            left = [field for field in group.fields if field.name not in named]
            if left:
                self._groups.addWidget(self.help.fold(group, left, self.rest))
        for field in settings.fields:
            if field.name in self.basic.editors:
                self.help.explain(self.basic.editors[field.name], field)
        self._described = {f.name: f.default for f in settings.fields}
        self._recipes = settings.recipes
        _combo(self.rest, "recipe").currentIndexChanged.connect(self._follow_recipe)
        self._follow_recipe()
        self._say_later()
        self._show_all(True)

    def show_no_settings(self, why: str) -> None:
        """Say that the trainer did not answer."""
        self._all.setText(tr("The trainer does not answer. Is it installed?"))
        self._all.setToolTip(why)
        self._all.setEnabled(False)

    def _all_pressed(self) -> None:
        if self._described:
            self._show_all(not self._inside.isVisibleTo(self))
        else:
            self._all.setText(tr("Asking the trainer…"))
            self.all_wanted.emit()

    def _show_all(self, is_shown: bool) -> None:
        self._inside.setVisible(is_shown)
        self.help.setVisible(is_shown)
        self._name_all()

    def _name_all(self) -> None:
        """Say that there are further settings, and how many are changed."""
        if not self._inside.isHidden():
            self._all.setText(tr("Hide further settings"))
        elif count := len(self._changes()):
            self._all.setText(tr("All settings… ({count} changed)", count=count))
        else:
            self._all.setText(tr("All settings…"))

    def _changes(self) -> dict[str, Any]:
        """Return the further settings that are changed, shown or not."""
        return {**self._later, **self.rest.changes()}

    def _say_later(self) -> None:
        """Fill in the further settings that were restored before they could be shown."""
        chosen, later, self._later = self.basic.values(), self._later, {}
        if not later:
            return
        known = [name for name in later if name in self.rest.editors]
        for name in sorted(known, key=lambda name: name != "recipe"):
            self.rest.set_value(name, later[name])
        if gone := [name for name in later if name not in known]:
            self.help.setText(tr("These settings from last time no longer exist: {names}.",
                                 names=", ".join(gone)))  # fmt: skip
        self.preset(**chosen)  # a recipe's settings must not replace the user's choices

    def _arrange(self) -> None:
        layout = column(self, 2 * theme.GRID)
        defaults = button("form_defaults", tr("Defaults"), self.reset, role="quiet")
        defaults.setToolTip(tr("Reset every setting to its default."))
        head = row(label(tr("Settings"), "heading"), defaults)
        head.setStretch(0, 1)
        layout.addLayout(head)
        whole = QWidget()
        lines = column(whole)
        lines.setContentsMargins(0, 0, theme.GRID, 0)
        lines.addLayout(self._grid)
        lines.addWidget(self._all)
        self._inside = QWidget()
        self._groups = column(self._inside, gap=theme.GRID // 2)
        lines.addWidget(self._inside)
        lines.addStretch(1)
        layout.addWidget(scrolled(whole), 1)
        layout.addWidget(self.help)
        self._inside.hide()
        self.help.hide()

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
        """Show what the recipe sets for this method, unless the user has chosen otherwise."""
        if not self._recipes:
            return  # the trainer was not asked yet; it follows the recipe by itself
        recipe = self._recipes[self.rest.values()["recipe"]]
        chosen = recipe.get(self.basic.values()["method"], {})
        self.rest.follow(chosen)
        known = {**self._described, **chosen}
        self.basic.follow({name: known[name] for name in NAMED_OPTIONS})

    def _preset_chosen(self) -> None:
        name = self.presets.currentData()
        if name:
            self.preset(**PRESETS[name])

    def _rule_changed(self) -> None:
        by_rate = self.basic.values()["rule"] == BY_RATE
        amount = self.basic.editors["amount"]
        assert isinstance(amount, QDoubleSpinBox)
        show_rule(amount, by_rate=by_rate)

    def _pairs_changed(self) -> None:
        is_on = by_gaze(self.basic.values()["pairs"])
        for name in ("measure", "rule", "amount"):
            self.basic.editors[name].setEnabled(is_on)

    def _add(self, text: QLabel, chosen: QWidget) -> None:
        line = self._grid.rowCount()
        self._grid.addWidget(text, line, 0)
        self._grid.addWidget(chosen, line, 1)


def _combo(form: Form, name: str) -> QComboBox:
    found = form.editors[name]
    assert isinstance(found, QComboBox)
    return found
