"""Gaze against plain: how many seeds, the button, and the result in a sentence and a table."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHeaderView, QSpinBox

from app.ui import theme
from app.ui.small_widgets import button, column, indented, label, row
from app.ui.table_model import TableModel, table_view, text_columns
from app.ui.text import tr, trn
from app.workspace.probes import KINDS, METRICS

_TITLES = ("Setting", "Score", "Difference", "95 % interval", "p", "p (Holm)", "Seeds")

SEEDS = 3
"""Of a comparison, unless another number is chosen."""


class ComparePanel(QFrame):
    """Asks whether gaze helps.

    Signals
    -------
    wanted : int
        Compare with this many seeds each.
    """

    wanted = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self.seeds = indented(QSpinBox())
        self.seeds.setObjectName("compare_seeds")
        self.seeds.setAccessibleName(tr("Runs of each kind"))
        self.seeds.setRange(2, 30)
        self.seeds.setValue(SEEDS)
        wanted = self.wanted
        self.start = button(
            "compare",
            tr("Compare with plain"),
            lambda: wanted.emit(self.seeds.value()),
            picture="play",
        )
        layout = column(self, 2 * theme.GRID)
        layout.addWidget(label(tr("Does gaze help?"), "heading"))
        layout.addWidget(label(tr(
            "Trains with these settings, with gaze and without, once for each seed, and tests "
            "every encoder on the test split. It continues after the window is closed."
        ), "small"))  # fmt: skip
        layout.addLayout(row(label(tr("Seeds"), "hint", wrap=False), self.seeds, stretch=True))
        layout.addWidget(self.start)


class ComparedPanel(QFrame):
    """The result of a comparison."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self._said = label("")
        self._said.setObjectName("compared")
        self._model = TableModel(text_columns([tr(title) for title in _TITLES]))
        self._table = table_view(self._model, "compared_table", tr("Gaze against plain"))
        self._table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self._table.setMaximumHeight(96)
        layout = column(self, 2 * theme.GRID)
        layout.addWidget(self._said)
        layout.addWidget(self._table)
        self.hide()

    @property
    def text(self) -> str:
        """Its text."""
        return self._said.text()

    def show_result(self, event: Mapping[str, Any]) -> None:
        """Show the last event of a sweep."""
        settings = list(event.get("settings") or ())
        plain, metric = _number(event.get("plain")), str(event.get("metric", ""))
        self._said.setText("\n".join(sentence(one, metric, plain) for one in settings))
        self._model.set_rows([_cells(one) for one in settings])
        self.show()


def sentence(one: Mapping[str, Any], metric: str, plain: str) -> str:
    """Return how a setting compares with plain, in everyday words."""
    seeds = trn("{count} seed", "{count} seeds", int(one.get("seeds") or 0))
    figures = tr(
        "{metric}: {score} with gaze and {plain} without, a difference of {difference} "
        "(95 % interval {low} to {high}, {seeds}).",
        metric=_metric(metric), score=_number(one.get("score")), plain=plain,
        difference=_signed(one.get("difference")), low=_signed(one.get("low")),
        high=_signed(one.get("high")), seeds=seeds,
    )  # fmt: skip
    if one.get("verdict") == "gain":
        return tr("✓ Gaze helped. {figures}", figures=figures)
    if one.get("verdict") == "loss":
        return tr("Gaze made it worse. {figures}", figures=figures)
    return tr("No gain: these runs do not show that gaze helps. {figures}", figures=figures)


def _cells(one: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        str(one.get("setting", "")),
        _number(one.get("score")),
        _signed(one.get("difference")),
        f"{_signed(one.get('low'))} … {_signed(one.get('high'))}",
        _number(one.get("p")),
        _number(one.get("p_holm")),
        str(one.get("seeds", "")),
    )


def _metric(said: str) -> str:
    """Return the probe and score that a comparison uses: "linear, auc" in words."""
    probe, _, score = said.rpartition(", ")
    words = tr(METRICS.get(score, score))
    if not probe:
        return words
    return tr("{probe}, {score}", probe=tr(KINDS.get(probe, probe)), score=words)


def _number(value: Any) -> str:
    return "–" if value is None else f"{float(value):.3f}"


def _signed(value: Any) -> str:
    return "–" if value is None else f"{float(value):+.3f}".replace("-", "−")
