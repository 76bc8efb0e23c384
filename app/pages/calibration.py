"""Calibration and validation: targets on the dark page, then the result as a picture in degrees."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from app import theme
from app.pages.page import Page
from app.widgets.icons import pixmap
from app.widgets.offsets import OffsetPicture, TargetOffset
from app.widgets.parts import Figure, button, column, label, panel, row, say
from app.widgets.target import TargetField


@dataclass(frozen=True, slots=True)
class ValidationLook:
    """A validation as the page shows it; degrees of visual angle, None where unknown.

    `limit_norm` holds the half axes of the accuracy limit, as seen in the middle of the screen.
    """

    offsets: tuple[TargetOffset, ...]
    aspect: float
    limit_norm: tuple[float, float]
    accuracy_deg: float | None
    accuracy_left_deg: float | None
    accuracy_right_deg: float | None
    precision_deg: float | None
    loss: float | None
    max_accuracy_deg: float
    max_loss: float
    distance_note: str = ""

    @property
    def problems(self) -> list[str]:
        """Which limits of the study are not met, in words."""
        found = []
        if self.accuracy_deg is None:
            found.append("no gaze was seen")
        elif self.accuracy_deg > self.max_accuracy_deg:
            found.append(f"accuracy {self.accuracy_deg:.2f}° is over {self.max_accuracy_deg:g}°")
        if self.loss is not None and self.loss > self.max_loss:
            found.append(f"{self.loss:.0%} of the samples were lost, over {self.max_loss:.0%}")
        return found


class CalibrationPage(Page):
    """Leads through calibration and validation.

    Attributes
    ----------
    state
        "idle", "collecting", "validating" or "done".
    field
        The dark page with the target.

    Signals
    -------
    begin_wanted, validate_wanted, reading_wanted, cancelled
        Buttons and keys.
    target_shown : object, object
        A target stands at (x_norm, y_norm).
    target_settled
        The eye rests on it.
    """

    begin_wanted = Signal()
    validate_wanted = Signal()
    reading_wanted = Signal()
    cancelled = Signal()
    target_shown = Signal(object, object)
    target_settled = Signal()

    def __init__(self) -> None:
        super().__init__("calibration", "Calibration")
        self.state = "idle"
        self.field = TargetField()
        self.field.settled.connect(self.target_settled)
        self.field.cancelled.connect(self.cancelled)
        self._result: ValidationLook | None = None
        self._parts = QStackedWidget()
        self._parts.addWidget(self._make_intro())
        self._parts.addWidget(self._make_result())
        self.body.addWidget(self._parts, 1)
        self._fill_foot()
        self.field.setParent(self)
        self.field.hide()
        self.show_idle("Not calibrated in this session.")

    @property
    def result(self) -> ValidationLook | None:
        """The validation that is shown."""
        return self._result

    def show_device(self, name: str, calibrates: bool, points: int) -> None:
        """Say what will happen with this tracker."""
        self.calibrate.setText("Calibrate" if calibrates else "Validate")
        own = "" if calibrates else " It calibrates with its own software; Foveate validates it."
        first = f"{points} points to calibrate, then " if calibrates else ""
        self._plan.setText(f"{name}: {first}others to check the accuracy.{own}")

    def show_idle(self, text: str, *, warn: bool = False) -> None:
        """Wait for the user."""
        self.state = "idle"
        self._cover(False)
        self._parts.setCurrentIndex(0 if self._result is None else 1)
        self.calibrate.setEnabled(True)
        self._show_buttons()
        self.say_state(text, "warning" if warn else "lead")

    def show_waiting(self, text: str) -> None:
        """Say what the page waits for (the tracker being opened)."""
        self.calibrate.setEnabled(False)
        self.say_state(text)

    def show_target(
        self, state: str, at: QPointF, norm: tuple[float, float], text: str, speed: float
    ) -> None:
        """Show one target at a desktop place; `target_settled` follows."""
        self.state = state
        self._cover(True)
        self.target_shown.emit(*norm)
        self.field.show_target(QPointF(self.field.mapFromGlobal(at)), text, speed=speed)

    def show_result(self, result: ValidationLook) -> None:
        """Show a validation against the study's limits."""
        self._result = result
        self.state = "done"
        self._cover(False)
        self._parts.setCurrentIndex(1)
        self.calibrate.setEnabled(True)
        self._picture.show_offsets(result.offsets, result.aspect, result.limit_norm)
        self._show_figures(result)
        problems = result.problems
        if problems:
            self.say_state(f"Limits of the study not met: {'; '.join(problems)}.", "warning")
        else:
            self.say_state("✓ Calibrated: the limits of the study are met.")
        say(self._advice, _advice(problems), "hint")
        self._show_buttons()

    def forget(self) -> None:
        """Drop the result of an earlier session."""
        self._result = None
        self.show_idle("Not calibrated in this session.")

    def resizeEvent(self, event: object) -> None:
        """Keep the dark field over the whole page."""
        self.field.setGeometry(self.rect())

    def _cover(self, covered: bool) -> None:
        self.field.setVisible(covered)
        if covered:
            self.field.setGeometry(self.rect())
            self.field.raise_()
            self.field.setFocus()
        else:
            self.field.clear()

    def _show_buttons(self) -> None:
        possible = self._result is not None
        self.again.setVisible(possible)
        self.start.setVisible(possible)
        self.calibrate.setProperty("role", "" if possible else "primary")
        self.calibrate.style().unpolish(self.calibrate)
        self.calibrate.style().polish(self.calibrate)

    def _show_figures(self, result: ValidationLook) -> None:
        over = result.accuracy_deg is None or result.accuracy_deg > result.max_accuracy_deg
        self._accuracy.show_value(_degrees(result.accuracy_deg), warn=over)
        self._left.show_value(_degrees(result.accuracy_left_deg))
        self._right.show_value(_degrees(result.accuracy_right_deg))
        self._precision.show_value(_degrees(result.precision_deg))
        loss = "–" if result.loss is None else f"{result.loss:.1%}"
        self._loss.show_value(loss, warn=(result.loss or 0) > result.max_loss)
        self._limits.setText(
            f"Limits of the study: accuracy {result.max_accuracy_deg:g}°, "
            f"loss {result.max_loss:.0%}. {result.distance_note}"
        )

    def _make_intro(self) -> QWidget:
        frame, layout = panel(margin=32)
        layout.setAlignment(Qt.AlignmentFlag.AlignCenter)
        sign = label("", wrap=False)
        sign.setPixmap(pixmap("calibration", theme.MUTED, 56))
        self._plan = label("", "body", wrap=False)
        lines: QVBoxLayout = column(gap=2 * theme.GRID)
        for widget in (
            sign,
            label("Look at each dot until it moves on", "heading", wrap=False),
            label("Sit as you will read: about an arm's length from the screen,\n"
                  "in the middle of it, the room as dark as while reading.", "hint", wrap=False),
            self._plan,
        ):  # fmt: skip
            widget.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            lines.addWidget(widget)
        layout.addLayout(lines)
        return frame

    def _make_result(self) -> QWidget:
        frame, layout = panel()
        self._picture = OffsetPicture()
        layout.addWidget(self._picture, 1)
        self._accuracy = Figure("Accuracy", "Mean angle between target and gaze, both eyes")
        self._left, self._right = Figure("Left eye"), Figure("Right eye")
        self._precision = Figure("Precision", "Root mean square from sample to sample")
        self._loss = Figure("Samples lost")
        figures = row()
        for figure in (self._accuracy, self._left, self._right, self._precision, self._loss):
            figures.addWidget(figure, 1)
        layout.addLayout(figures)
        self._limits = label("", "small")
        layout.addWidget(self._limits)
        return frame

    def _fill_foot(self) -> None:
        self._advice = label("", "hint")
        self.calibrate = button(
            "calibrate", "Calibrate", self.begin_wanted.emit, picture="calibration"
        )
        self.again = button(
            "validate_again", "Check again", self.validate_wanted.emit, picture="refresh"
        )
        self.start = button(
            "start_reading", "Start reading", self.reading_wanted.emit, role="primary",
            picture="play",
        )  # fmt: skip
        foot = row(self._advice)
        foot.setStretch(0, 1)
        for made in (self.again, self.calibrate, self.start):
            foot.addWidget(made)
        self.body.addLayout(foot)


def _degrees(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}°"


def _advice(problems: Sequence[str]) -> str:
    if not problems:
        return ""
    return (
        "Wipe glasses, sit in the middle, keep the head still, calibrate again; "
        "or go on: the session is marked."
    )
