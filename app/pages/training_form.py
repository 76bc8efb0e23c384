"""The few settings of a pre-training that matter first; all others have the trainer's defaults."""

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDoubleSpinBox,
    QFrame,
    QGridLayout,
    QSpinBox,
    QWidget,
)

from app import theme
from app.widgets.parts import column, label

_CHOICES = {
    "method": (("byol", "BYOL"), ("simsiam", "SimSiam")),
    "pairs": (
        ("gzpt", "GzPT (gaze)"),
        ("mcgip", "McGIP (gaze)"),
        ("none", "None (plain)"),
    ),
    "measure": (
        ("tima", "TIMA"),
        ("moment", "Moments"),
        ("moment_sequence", "Moment sequence"),
        ("dhash", "dHash"),
        ("density", "Density"),
    ),
}
_RATE, _THRESHOLD = "most alike", "alike above"


class TrainingForm(QFrame):
    """Method, pairs, measure and size of a run, as the trainer's command line takes them."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self.setFixedWidth(320)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(theme.GRID)
        self._grid.setVerticalSpacing(theme.GRID)
        self._grid.setColumnStretch(1, 1)
        self._fields: dict[str, QWidget] = {}
        for name, text in (("method", "Method"), ("pairs", "Pairs"), ("measure", "Similarity")):
            self._add(name, text, _combo(_CHOICES[name]))
        self.method, self.pairs, self.measure = (
            self._combo(name) for name in ("method", "pairs", "measure")
        )
        self.rule = _combo(((_RATE, "The most alike"), (_THRESHOLD, "Alike above")))
        self._add("rule", "Positive if", self.rule)
        self.amount = QDoubleSpinBox()
        self._add("amount", "", self.amount)
        self._count("epochs", "Epochs", 1, 10_000, 100)
        self._count("size", "View", 32, 1024, 128, " px", step=32)
        self._count("batch", "Batch", 2, 4096, 32, " images")
        layout = column(self, 2 * theme.GRID)
        layout.addWidget(label("Settings", "heading"))
        layout.addLayout(self._grid)
        layout.addStretch(1)
        self.rule.currentIndexChanged.connect(self._rule_changed)
        self.pairs.currentIndexChanged.connect(self._pairs_changed)
        self._rule_changed()

    def options(self) -> list[str]:
        """Return the arguments of `python main.py train` that say the same."""
        words = ["--method", self.method.currentData(), "--pairs", self.pairs.currentData()]
        if self.pairs.currentData() != "none":
            words += ["--measure", self.measure.currentData()]
            if self.rule.currentData() == _RATE:
                words += ["--positive-rate", f"{self.amount.value() / 100:g}"]
            else:
                words += ["--threshold", f"{self.amount.value():g}"]
        for name in ("epochs", "size", "batch"):
            words += [f"--{name}", str(self._spin(name).value())]
        return words

    def preset(self, **values: Any) -> None:
        """Set fields by name, e.g. ``epochs=4, size=96``.

        Raises
        ------
        KeyError
            If there is no such field.
        """
        for name, value in values.items():
            chosen = self._fields[name]
            if isinstance(chosen, QComboBox):
                chosen.setCurrentIndex(chosen.findData(value))
            elif isinstance(chosen, QSpinBox | QDoubleSpinBox):
                chosen.setValue(value)

    def _rule_changed(self) -> None:
        if self.rule.currentData() == _RATE:
            self.amount.setDecimals(1)
            self.amount.setRange(0.1, 100)
            self.amount.setSuffix(" % of pairs")
            self.amount.setSingleStep(1)
            self.amount.setValue(5)
        else:
            self.amount.setSuffix("")
            self.amount.setDecimals(3)
            self.amount.setRange(-1, 1)
            self.amount.setSingleStep(0.01)
            self.amount.setValue(0.95)

    def _pairs_changed(self) -> None:
        by_gaze = self.pairs.currentData() != "none"
        for chosen in (self.measure, self.rule, self.amount):
            chosen.setEnabled(by_gaze)

    def _add(self, name: str, text: str, chosen: QWidget) -> None:
        chosen.setObjectName(name)
        chosen.setAccessibleName(text or name)
        if isinstance(chosen, QAbstractSpinBox):  # style sheets do not reach its text
            chosen.lineEdit().setTextMargins(6, 0, 0, 0)
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
        chosen = QSpinBox()
        chosen.setRange(low, high)
        chosen.setSingleStep(step)
        chosen.setValue(value)
        chosen.setSuffix(unit)
        self._add(name, text, chosen)


def _combo(choices: tuple[tuple[str, str], ...]) -> QComboBox:
    made = QComboBox()
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    for value, text in choices:
        made.addItem(text, value)
        made.setItemData(made.count() - 1, text, Qt.ItemDataRole.ToolTipRole)
    return made
