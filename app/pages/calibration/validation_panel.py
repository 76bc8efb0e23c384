"""The result of a validation: a picture of the targets, figures per eye, the study's limits."""

from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.pages.calibration.offsets import OffsetPicture, Point, TargetOffset
from app.pages.calibration.quality_table import EyeSummary, QualityTable
from app.ui.small_widgets import column, label, panel
from app.ui.text import tr


@dataclass(frozen=True, slots=True)
class ValidationSummary:
    """A validation as the page shows it; degrees of visual angle, None where unknown.

    Attributes
    ----------
    in_force
        Which calibration is in force, with its date and age.
    limit_norm
        Half axes of the accuracy limit, as seen in the middle of the screen.
    eyes
        Both, left, right.
    collected, bad
        Calibration targets, and those worth repeating; empty if nothing can be collected again.
    may_correct
        Whether a correction can be offered: the tracker calibrates with its own software.
    corrected
        Whether one is in force.
    """

    offsets: tuple[TargetOffset, ...]
    aspect: float
    limit_norm: tuple[float, float]
    eyes: tuple[EyeSummary, EyeSummary, EyeSummary]
    max_accuracy_deg: float
    max_loss: float
    distance_note: str = ""
    in_force: str = ""
    collected: tuple[Point, ...] = ()
    bad: tuple[Point, ...] = ()
    may_correct: bool = False
    corrected: bool = False

    @property
    def accuracy_deg(self) -> float | None:
        """Of both eyes."""
        return self.eyes[0].accuracy_deg

    @property
    def loss(self) -> float | None:
        """Of both eyes."""
        return self.eyes[0].loss

    @property
    def problems(self) -> list[str]:
        """Which limits of the study are not met, in words."""
        found = []
        unseen = sum(target.gaze_norm is None for target in self.offsets)
        if self.accuracy_deg is None:
            found.append(tr("no gaze was detected"))
        elif unseen:
            found.append(
                tr(
                    "no gaze at {unseen} of {count} targets",
                    unseen=f"{unseen:,}", count=f"{len(self.offsets):,}",
                )
            )  # fmt: skip
        if self.accuracy_deg is not None and self.accuracy_deg > self.max_accuracy_deg:
            found.append(
                tr(
                    "accuracy {value:.2f}° (limit {limit:g}°)",
                    value=self.accuracy_deg, limit=self.max_accuracy_deg,
                )
            )  # fmt: skip
        if self.loss is not None and self.loss > self.max_loss:
            found.append(
                tr(
                    "{share:.0%} of samples lost (limit {limit:.0%})",
                    share=self.loss, limit=self.max_loss,
                )
            )  # fmt: skip
        return found


class ValidationPanel(QWidget):
    """Shows one.

    Signals
    -------
    chosen_changed
        Other targets are selected to be collected again (`chosen`).
    """

    chosen_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.picture = OffsetPicture()
        self.table = QualityTable()
        self._limits = label("", "small")
        self.picture.chosen_changed.connect(self.chosen_changed)
        frame, layout = panel()
        layout.addWidget(self.picture, 1)
        layout.addWidget(self.table)
        layout.addWidget(self._limits)
        column(self).addWidget(frame)

    @property
    def chosen(self) -> tuple[Point, ...]:
        """Calibration targets selected to be collected again."""
        return self.picture.chosen

    def show_summary(self, shown: ValidationSummary) -> None:
        """Show a validation; its bad targets are selected at first."""
        self.picture.show_offsets(shown.offsets, shown.aspect, shown.limit_norm)
        self.picture.show_collected(shown.collected, shown.bad)
        self.table.show_eyes(shown.eyes, shown.max_accuracy_deg, shown.max_loss)
        limits = tr(
            "Study limits: accuracy {accuracy:g}°, gaze loss {loss:.0%}.",
            accuracy=shown.max_accuracy_deg, loss=shown.max_loss,
        )  # fmt: skip
        corrected = tr("An offset correction is in use; raw gaze is stored uncorrected.")
        parts = (
            limits, corrected if shown.corrected else "", shown.distance_note, shown.in_force
        )  # fmt: skip
        self._limits.setText(" ".join(part for part in parts if part))
