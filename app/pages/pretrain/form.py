"""The settings of a pre-training: the few that matter first, all others in folded groups."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal
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

from app.pages.pretrain.basic_settings import BASIC, BY_RATE, NAMED_OPTIONS, OFFERED, PRESETS
from app.pages.pretrain.run_settings import RunSettings, SettingsGroup, settings_of
from app.ui import theme
from app.ui.fields import Field
from app.ui.fold import Fold
from app.ui.form import Form
from app.ui.small_widgets import button, column, label
from app.ui.text import tr

WIDTH = 376
"""Of the form and what stands under it, pixels."""
_HELP_LINES = 5
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
        self.setFixedWidth(WIDTH)
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
        for field in BASIC:
            self._add(*self.basic.add(field))
        self.measure = self.basic.editors["measure"]
        self._described: dict[str, Any] = {}
        self._recipes: Mapping[str, Mapping[str, Mapping[str, Any]]] = {}
        self._helps: dict[QObject, str] = {}
        self._all = button("all_settings", tr("All settings…"), self._all_pressed, role="quiet")
        self._arrange()
        self._connect()
        self._rule_changed()

    def options(self) -> list[str]:
        """Return the arguments of `python main.py train` that say the same."""
        chosen = self.basic.values()
        words = [w for n in ("method", "pairs", "encoder") for w in (f"--{n}", chosen[n])]
        if _by_gaze(chosen["pairs"]):
            words += ["--measure", chosen["measure"], *self._rule()]
        words += [w for n in NAMED_OPTIONS for w in (f"--{n}", str(chosen[n]))]
        return words + settings_of(self.rest.changes())

    def sweep_options(self, seeds: int) -> list[str]:
        """Return the arguments of `python main.py sweep` that compare this with plain runs.

        Pairs that do not come from gaze are those of GzPT then; McGIP is GzPT that drops no pair.
        """
        chosen, changed = self.basic.values(), self.rest.changes()
        drop = 0 if chosen["pairs"] == "mcgip" else changed.pop("drop", 0.5)
        words = ["--seeds", str(seeds), "--measures", chosen["measure"], *self._rule()]
        words += ["--drop", f"{drop:g}", "--"]
        words += [w for n in ("method", "encoder", *NAMED_OPTIONS)
                  for w in (f"--{n}", str(chosen[n]))]  # fmt: skip
        mine = {n: value for n, value in changed.items() if n not in ("seed", "name")}
        return words + settings_of(mine)

    def _rule(self) -> list[str]:
        chosen = self.basic.values()
        if chosen["rule"] == BY_RATE:
            return ["--positive-rate", f"{chosen['amount'] / 100:g}"]
        return ["--threshold", f"{chosen['amount']:g}"]

    def values(self) -> dict[str, Any]:
        """Return the settings that decide how long a run takes."""
        chosen = self.basic.values()
        return {name: chosen[name] for name in ("method", "pairs", "encoder", *NAMED_OPTIONS)}

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
        while (item := self._groups.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        self.rest.clear()
        named = {*self.basic.editors, *_BY_RULE}
        for group in settings.groups:
            left = [field for field in group.fields if field.name not in named]
            if left:
                self._groups.addWidget(self._fold(group, left))
        for field in settings.fields:
            if field.name in self.basic.editors:
                self._explain(self.basic.editors[field.name], field)
        self._described = {f.name: f.default for f in settings.fields}
        self._recipes = settings.recipes
        _combo(self.rest, "recipe").currentIndexChanged.connect(self._follow_recipe)
        self._follow_recipe()
        self._show_all(True)

    def show_no_settings(self, why: str) -> None:
        """Say that the trainer could not be asked."""
        self._all.setText(tr("The trainer is not installed: pip install foveate[train]"))
        self._all.setToolTip(why)
        self._all.setEnabled(False)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Explain the setting that has the keyboard or lies under the pointer."""
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.Enter) and watched in self._helps:
            self._help.setText(self._helps[watched])
        return super().eventFilter(watched, event)

    def _fold(self, group: SettingsGroup, fields: list[Field]) -> Fold:
        fold = Fold(f"group_{fields[0].name}", group.title or tr("More"))
        if group.help:
            fold.inside.addWidget(label(group.help, "small"))
        rows = QFormLayout()
        rows.setVerticalSpacing(theme.GRID)
        rows.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self.rest.add_rows(rows, fields)
        fold.inside.addLayout(rows)
        for field in fields:
            self._explain(self.rest.editors[field.name], field)
        return fold

    def _explain(self, editor: QWidget, field: Field) -> None:
        self._helps[editor] = f"{field.label}: {field.tip()}"
        editor.installEventFilter(self)

    def _all_pressed(self) -> None:
        if self._described:
            self._show_all(not self._inside.isVisibleTo(self))
        else:
            self._all.setText(tr("Asking the trainer…"))
            self.all_wanted.emit()

    def _show_all(self, is_shown: bool) -> None:
        self._inside.setVisible(is_shown)
        self._help.setVisible(is_shown)
        self._all.setText(tr("Hide further settings") if is_shown else tr("All settings…"))

    def _arrange(self) -> None:
        layout = column(self, 2 * theme.GRID)
        layout.addWidget(label(tr("Settings"), "heading"))
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        whole = QWidget()
        lines = column(whole)
        lines.setContentsMargins(0, 0, theme.GRID, 0)
        lines.addLayout(self._grid)
        lines.addWidget(self._all)
        self._inside = QWidget()
        self._groups = column(self._inside, gap=theme.GRID // 2)
        lines.addWidget(self._inside)
        lines.addStretch(1)
        scroll.setWidget(whole)
        layout.addWidget(scroll, 1)
        self._help = label(tr("Point at a setting to read what it does."), "small")
        self._help.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._help.setFixedHeight(_HELP_LINES * self._help.fontMetrics().lineSpacing())
        layout.addWidget(self._help)
        self._inside.hide()
        self._help.hide()

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
        self.basic.follow({name: known[name] for name in NAMED_OPTIONS})

    def _preset_chosen(self) -> None:
        name = self.presets.currentData()
        if name:
            self.preset(**PRESETS[name])

    def _rule_changed(self) -> None:
        by_rate = self.basic.values()["rule"] == BY_RATE
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
