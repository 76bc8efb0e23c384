"""Accuracy, precision and loss per eye, as a small table."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from app.ui import theme
from app.ui.small_widgets import label, say
from app.ui.text import tr

_HEADS = (
    ("", ""),
    ("Accuracy", "Mean angle between target and gaze"),
    ("Precision (RMS)", "Root mean square of the angle between successive samples"),
    ("Precision (SD)", "Standard deviation of the gaze on a target"),
    ("Samples lost", "Percentage of samples without gaze"),
)


@dataclass(frozen=True, slots=True)
class EyeSummary:
    """Figures of one eye in degrees, `loss` a share; None where unknown."""

    name: str
    accuracy_deg: float | None
    rms_deg: float | None
    sd_deg: float | None
    loss: float | None


class QualityTable(QWidget):
    """Rows: both, left, right; figures over a limit have a sign."""

    def __init__(self) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, theme.GRID, 0, 0)
        grid.setHorizontalSpacing(3 * theme.GRID)
        for column, (text, tip) in enumerate(_HEADS):
            head = label(tr(text) if text else "", "caption", wrap=False)
            head.setToolTip(tr(tip) if tip else "")
            grid.addWidget(head, 0, column)
            grid.setColumnStretch(column, 1)
        self._cells = [[self._cell(grid, r, c) for c in range(len(_HEADS))] for r in range(3)]

    def show_eyes(
        self, eyes: Sequence[EyeSummary], max_accuracy_deg: float, max_loss: float
    ) -> None:
        """Show three eyes; the limits hold for the first row."""
        for cells, eye in zip(self._cells, eyes, strict=True):
            first = eye is eyes[0]
            over = eye.accuracy_deg is None or eye.accuracy_deg > max_accuracy_deg
            cells[0].setText(eye.name)
            self._show(cells[1], degrees(eye.accuracy_deg), warn=first and over)
            self._show(cells[2], degrees(eye.rms_deg))
            self._show(cells[3], degrees(eye.sd_deg))
            lost = "–" if eye.loss is None else f"{eye.loss:.1%}"
            self._show(cells[4], lost, warn=first and (eye.loss or 0) > max_loss)

    @property
    def text(self) -> str:
        """All of its text."""
        return "\n".join("  ".join(cell.text() for cell in cells) for cells in self._cells)

    @staticmethod
    def _cell(grid: QGridLayout, row: int, column: int) -> QLabel:
        cell = label("", "body", wrap=False)
        grid.addWidget(cell, row + 1, column)
        return cell

    @staticmethod
    def _show(cell: QLabel, text: str, *, warn: bool = False) -> None:
        say(cell, f"⚠ {text}" if warn else text, "warning" if warn else "body")


def degrees(value: float | None) -> str:
    """Return an angle with its unit, a dash where unknown."""
    return "–" if value is None else f"{value:.2f}°"
