"""Every signal of a training as a small curve, with one slider that smooths them all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QSlider, QWidget

from app.pages.pretrain.curve import Curve
from app.ui import theme
from app.ui.nothing_yet import NothingOr
from app.ui.small_widgets import column, label, row
from app.ui.text import tr

_COLLAPSED = 0.1
_WAITING = 0.1
_COLUMNS, _WIDE_COLUMNS, _WIDE_PX = 3, 4, 960


@dataclass(frozen=True, slots=True)
class _Signal:
    caption: str
    form: str
    tip: str
    empty: str = ""
    warns: Callable[[float], bool] = lambda _value: False


def _signals() -> dict[str, _Signal]:
    return {
        "loss": _Signal(
            tr("Loss"), ".3f",
            tr("The quantity that training minimises. For BYOL it is a negated similarity: the "
               "best value is −2."),
        ),
        "knn": _Signal(
            tr("kNN accuracy"), ".1%",
            tr("Share of labelled images whose class is predicted by their nearest neighbours from "
               "other patients. It is measured about twenty times in a run."),
            tr("Needs labels."),
        ),
        "rank_me": _Signal(
            tr("RankMe"), ".1f",
            tr("How many directions the features use. A value falling towards 1 means collapse."),
        ),
        "feature_spread": _Signal(
            tr("Feature spread"), ".2f",
            tr("1 if the features fill their space, 0 if all images have the same features."),
            warns=lambda value: value < _COLLAPSED,
        ),
        "positives_per_anchor": _Signal(
            tr("Positives per image"), ".2f",
            tr("Mean number of positive pairs per image in a batch, including the image itself."),
        ),
        "learning_rate": _Signal(
            tr("Learning rate"), ".2e", tr("It rises while the run warms up, then falls.")
        ),
        "data_wait": _Signal(
            tr("Data loading"), ".0%", tr("Share of the time spent waiting for images."),
            warns=lambda value: value > _WAITING,
        ),
        "images_per_s": _Signal(
            tr("Images per second"), ",.0f", tr("Measured since the last report.")
        ),
    }  # fmt: skip


class SignalsPanel(QFrame):
    """Curves by their names in the event `metrics`.

    Attributes
    ----------
    curves
        By name, in order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self.curves = {
            name: Curve(one.caption, one.empty, one.form, one.warns, one.tip)
            for name, one in _signals().items()
        }
        self.smoothing = QSlider(Qt.Orientation.Horizontal)
        self.smoothing.setObjectName("smoothing")
        self.smoothing.setAccessibleName(tr("Smoothing"))
        self.smoothing.setRange(0, 99)
        self.smoothing.setMaximumWidth(180)
        self.smoothing.valueChanged.connect(self._smooth)
        self._arrange()

    def show_metrics(self, event: Mapping[str, Any]) -> None:
        """Add what an event reports; a signal that it leaves out has no value at that step."""
        for name, curve in self.curves.items():
            if (value := event.get(name)) is not None:
                curve.add(int(event["step"]), float(value), int(event["steps"]))
        self._say_whether()

    def clear(self) -> None:
        """Remove all values."""
        for curve in self.curves.values():
            curve.clear()
        self._say_whether()

    def keep_until(self, step: int) -> None:
        """Remove the values at or after a step: they will be reported again."""
        for curve in self.curves.values():
            curve.keep_until(step)
        self._say_whether()

    def _say_whether(self) -> None:
        """Show the curves once one of them has a value."""
        self._shown.show_content(any(curve.points for curve in self.curves.values()))

    def _smooth(self, percent: int) -> None:
        for curve in self.curves.values():
            curve.smooth(percent / 100)

    def _arrange(self) -> None:
        layout = column(self, theme.GRID + theme.GRID // 2)
        head = row(label(tr("Signals"), "heading", wrap=False))
        head.addStretch(1)
        head.addWidget(label(tr("Smoothing"), "hint", wrap=False))
        head.addWidget(self.smoothing)
        layout.addLayout(head)
        self._grid, self._columns = QGridLayout(), 0
        self._grid.setSpacing(theme.GRID // 2)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._place(_COLUMNS)
        drawn = QWidget()
        drawn.setLayout(self._grid)
        waiting = label(
            tr("While a run trains, its loss and what tells whether it goes well are drawn here."),
            "hint",
        )
        waiting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._shown = NothingOr(waiting, drawn)
        layout.addWidget(self._shown, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put as many curves side by side as there is space for."""
        super().resizeEvent(event)
        self._place(_WIDE_COLUMNS if self.width() > _WIDE_PX else _COLUMNS)

    def _place(self, columns: int) -> None:
        if columns != self._columns:
            self._columns = columns
            for place, curve in enumerate(self.curves.values()):
                self._grid.addWidget(curve, place // columns, place % columns)
