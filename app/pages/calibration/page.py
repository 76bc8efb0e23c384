"""Calibration and validation: targets on the dark page, then the result as a picture in degrees."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QComboBox, QSpinBox, QStackedWidget, QVBoxLayout, QWidget

from app.pages.calibration.head_guide import HeadGuide
from app.pages.calibration.target import TargetField
from app.pages.calibration.validation_panel import ValidationPanel, ValidationSummary
from app.ui import theme
from app.ui.icons import pixmap
from app.ui.page import Page
from app.ui.small_widgets import button, column, indented, label, panel, row, say, set_role
from app.ui.text import tr, trn

__all__ = ["CalibrationPage", "ValidationSummary"]

_EYEWEAR = {
    "": "Not recorded",
    "none": "None",
    "glasses": "Glasses",
    "contact lenses": "Contact lenses",
    "varifocals": "Varifocals",
}
_UNMEASURED_MM, _FARTHEST_MM = 199, 2000


class CalibrationPage(Page):
    """Leads through calibration and validation.

    Attributes
    ----------
    state
        "idle", "positioning", "collecting", "validating", "drift" or "done".
    field, guide
        The dark page with the target; the head in front of the tracker.

    Signals
    -------
    begin_wanted, validate_wanted, reading_wanted, cancelled
        Buttons and keys.
    redo_wanted : object
        Calibration targets to be collected again.
    correction_wanted : bool
        A correction should be used, or no longer be used.
    target_shown : object, object
        A target is shown at (x_norm, y_norm).
    target_settled
        The eye rests on it.
    """

    begin_wanted = Signal()
    validate_wanted = Signal()
    reading_wanted = Signal()
    cancelled = Signal()
    redo_wanted = Signal(object)
    correction_wanted = Signal(bool)
    target_shown = Signal(object, object)
    target_settled = Signal()

    def __init__(self) -> None:
        super().__init__("calibration", tr("Calibration"))
        self.state = "idle"
        self.field, self.guide = TargetField(), HeadGuide()
        self.field.settled.connect(self.target_settled)
        self.field.cancelled.connect(self.cancelled)
        self.guide.cancelled.connect(self.cancelled)
        self._result: ValidationSummary | None = None
        self._led_here = False
        self._parts = QStackedWidget()
        self._parts.addWidget(self._make_intro())
        self._panel = ValidationPanel()
        self._panel.chosen_changed.connect(self._show_buttons)
        self._parts.addWidget(self._panel)
        self.body.addWidget(self._parts, 1)
        self._fill_foot()
        for cover in (self.field, self.guide):
            cover.setParent(self)
            cover.hide()
        self.show_idle(tr("Not calibrated in this session."))

    @property
    def result(self) -> ValidationSummary | None:
        """The validation that is shown."""
        return self._result

    @property
    def eyewear(self) -> str:
        """What the reader wears; "" if not stated."""
        return str(self._eyewear.currentData())

    @property
    def taped_mm(self) -> float | None:
        """The distance measured by hand; None if it was not."""
        value = self._distance.value()
        return None if value == _UNMEASURED_MM else float(value)

    def show_device(self, name: str, calibrates: bool, points: int) -> None:
        """Say what will happen with this tracker."""
        self.calibrate.setText(f" {tr('Calibrate') if calibrates else tr('Validate')}")
        if calibrates:
            plan = trn(
                "{name}: {count} calibration point, then others to check the accuracy.",
                "{name}: {count} calibration points, then others to check the accuracy.",
                points, name=name,
            )  # fmt: skip
        else:
            plan = tr(
                "{name}: calibrated in its own software; Foveate checks the accuracy.", name=name
            )
        self._plan.setText(plan)

    def set_ground(self, grey: int) -> None:
        """Show the targets on a background as bright as the cases, 0 to 255."""
        for cover in (self.field, self.guide):
            cover.set_ground(QColor(grey, grey, grey))

    def show_idle(self, text: str, *, warn: bool = False) -> None:
        """Wait for the user."""
        self.state = "idle"
        self._cover(None)
        self._parts.setCurrentIndex(0 if self._result is None else 1)
        self.calibrate.setEnabled(True)
        self._show_buttons()
        self.say_state(text, "warning" if warn else "lead")

    def show_waiting(self, text: str) -> None:
        """Say what the page waits for (the tracker being opened)."""
        self.calibrate.setEnabled(False)
        self.say_state(text)

    def show_guide(self) -> None:
        """Show the head in front of the tracker; `guide` is told what to draw."""
        self.state = "positioning"
        self._cover(self.guide)

    def show_target(
        self, state: str, at: QPointF, norm: tuple[float, float], text: str, speed: float
    ) -> None:
        """Show one target at a point of the desktop; `target_settled` follows."""
        self.state = state
        self._cover(self.field)
        self.target_shown.emit(*norm)
        self.field.show_target(QPointF(self.field.mapFromGlobal(at)), text, speed=speed)

    def show_result(self, result: ValidationSummary) -> None:
        """Compare a validation with the study's limits."""
        self._result = result
        self.state = "done"
        self._cover(None)
        self._parts.setCurrentIndex(1)
        self.calibrate.setEnabled(True)
        self._panel.show_summary(result)
        problems = result.problems
        if problems:
            self.say_state(
                tr("Outside the study limits: {problems}.", problems="; ".join(problems)), "warning"
            )
        else:
            self.say_state(tr("✓ Calibrated within the study limits."))
        say(self._advice, _advice(problems), "hint")
        self._show_buttons()

    def lead_here(self) -> None:
        """Say that calibration comes before reading, and offer to read anyway."""
        self._led_here = True
        shown = self._result
        if shown is not None and shown.problems:
            self.show_result(shown)
        elif shown is None and self.state == "idle":
            self.show_idle(tr("Calibrate first, so that your gaze counts. It takes half a minute."))

    def forget(self) -> None:
        """Discard the result of an earlier session."""
        self._result = None
        self._led_here = False
        self.show_idle(tr("Not calibrated in this session."))

    def resizeEvent(self, event: object) -> None:
        """Keep the dark field over the whole page."""
        for cover in (self.field, self.guide):
            cover.setGeometry(self.rect())

    def _cover(self, cover: QWidget | None) -> None:
        for each in (self.field, self.guide):
            each.setVisible(each is cover)
        if cover is not self.field:
            self.field.clear()
        if cover is not None:
            cover.setGeometry(self.rect())
            cover.raise_()
            cover.setFocus()

    def _show_buttons(self) -> None:
        shown, count = self._result, len(self._panel.chosen)
        possible = shown is not None
        good = shown is not None and not shown.problems
        self.again.setVisible(possible)
        self.start.setVisible(possible or self._led_here)
        self.start.setText(f" {tr('Start reading') if good else tr('Read anyway')}")
        marked = tr("The readings will be marked as not calibrated.")
        self.start.setToolTip("" if good else marked)
        set_role(self.start, "primary" if good else "")
        set_role(self.calibrate, "" if good else "primary")
        last = self.start if good else self.calibrate
        self._foot.removeWidget(last)
        self._foot.addWidget(last)
        self.redo.setVisible(bool(shown and shown.collected and count))
        self.redo.setText(f" {trn('Redo {count} point', 'Redo {count} points', count)}")
        self.correct.setVisible(bool(shown and shown.may_correct))
        corrected = bool(shown and shown.corrected)
        self.correct.setText(tr("Remove the correction") if corrected else tr("Correct the offset"))
        self.correct.setToolTip(_correction_tip(corrected))

    def _make_intro(self) -> QWidget:
        frame, layout = panel(margin=32)
        layout.setAlignment(Qt.AlignmentFlag.AlignCenter)
        sign = label("", wrap=False)
        sign.setPixmap(pixmap("calibration", theme.MUTED, 56))
        self._plan = label("", "body", wrap=False)
        lines: QVBoxLayout = column(gap=2 * theme.GRID)
        for widget in (
            sign,
            label(tr("Look at each dot until it moves on"), "heading", wrap=False),
            label(tr("Sit as you do when you read: centred, about an arm's length from the "
                     "screen,\nwith the room as dark as it will be then."), "hint", wrap=False),
            self._plan,
        ):  # fmt: skip
            widget.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            lines.addWidget(widget)
        layout.addLayout(lines)
        layout.addSpacing(2 * theme.GRID)
        layout.addLayout(self._make_questions())
        return frame

    def _make_questions(self) -> QVBoxLayout:
        self._eyewear = QComboBox()
        self._eyewear.setObjectName("eyewear")
        self._eyewear.setAccessibleName(tr("Eyewear"))
        for value, text in _EYEWEAR.items():
            self._eyewear.addItem(tr(text), value)
        self._distance = indented(QSpinBox())
        self._distance.setObjectName("taped_distance")
        self._distance.setAccessibleName(tr("Distance from your eyes to the screen"))
        self._distance.setRange(_UNMEASURED_MM, _FARTHEST_MM)
        self._distance.setSpecialValueText(tr("Not measured"))
        self._distance.setSuffix(" mm")
        self._distance.setSingleStep(10)
        asked = row(
            label(tr("Eyewear"), "hint", wrap=False),
            self._eyewear,
            label(tr("Viewing distance (measured)"), "hint", wrap=False),
            self._distance,
        )
        asked.insertStretch(0, 1)
        asked.addStretch(1)
        why = label(
            tr("Used if the tracker does not report the distance. Without either, a distance is "
               "assumed."), "small", wrap=False,
        )  # fmt: skip
        why.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        lines = column()
        lines.addLayout(asked)
        lines.addWidget(why)
        return lines

    def _fill_foot(self) -> None:
        self._advice = label("", "hint")
        self.correct = button("correct", tr("Correct the offset"), self._correct)
        self.redo = button(
            "redo_points", tr("Redo points"), self._redo, picture="refresh",
            tip=tr("Calibrate only the points that are marked in the picture again."),
        )  # fmt: skip
        self.calibrate = button(
            "calibrate", tr("Calibrate"), self.begin_wanted.emit, picture="calibration"
        )
        self.again = button(
            "validate_again", tr("Check again"), self.validate_wanted.emit, picture="refresh",
            tip=tr("Measure the accuracy again; the calibration stays as it is."),
        )  # fmt: skip
        self.start = button(
            "start_reading", tr("Start reading"), self.reading_wanted.emit, picture="play",
        )  # fmt: skip
        self.body.addWidget(self._advice)
        foot = self._foot = row()
        foot.addStretch(1)
        for made in (self.correct, self.redo, self.again, self.start, self.calibrate):
            foot.addWidget(made)
        self.body.addLayout(foot)

    def _redo(self) -> None:
        self.redo_wanted.emit(self._panel.chosen)

    def _correct(self) -> None:
        self.correction_wanted.emit(not (self._result and self._result.corrected))


def _advice(problems: Sequence[str]) -> str:
    if not problems:
        return ""
    return tr(
        "Wipe your glasses, sit centred, keep your head still and calibrate again. "
        "If you read anyway, the session is marked."
    )


def _correction_tip(corrected: bool) -> str:
    if corrected:
        return tr("Use the gaze as the tracker reports it, then check again.")
    return tr("Shift the gaze by the offset just measured, then check again.")
