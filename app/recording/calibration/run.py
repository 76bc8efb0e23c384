"""Calibration and validation, step by step and without Qt; the page draws what it is told.

Calibration targets go to the tracker's own calibrator; validation targets are held out and are
judged only from recorded samples. A tracker that is calibrated by its own software is only
validated. The calibrator stays in calibration mode until the reader accepts the validation, so that
single targets can be collected again while the rest is kept.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from app.errors import WrongStep
from app.recording.calibration.correction import corrected_samples
from app.recording.calibration.earlier import EarlierCalibration
from app.recording.calibration.target_watch import Point, TargetWatch
from app.recording.calibration.targets import CALIBRATION_TARGETS, VALIDATION_TARGETS
from app.recording.calibration.validation import (
    ValidationResult,
    judge_validation,
    validation_columns,
)
from app.recording.recorder import Recorder
from app.recording.writer import insert_into
from devices.clock import HostClock
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.quality import validate
from devices.gaze.view import Affine
from devices.tracker import (
    CalibrationOutcome,
    Calibrator,
    KeepsCalibration,
    PlansTargets,
    PointResult,
)
from migrations.study.schema import Calibration, new_id
from migrations.study.settings import StudySettings


class CalibrationRun:
    """One calibration with its validation, or a validation alone.

    `collect`, `discard`, `compute`, `reapply` and `release` block: call them from a worker. The
    others may be called from the GUI thread.

    Parameters
    ----------
    recorder
        Running; its samples are validated.
    on_end
        Called with the last validation when the run ends; None if there was none.
    correction
        Correction of the point of gaze, in force during the validation.
    after
        A run whose calibrator is still in calibration mode: only `targets` are collected again.

    Attributes
    ----------
    targets
        Those to collect; empty if the tracker is calibrated by its own software.
    validation_targets
        Those to show afterwards, one by one.
    outcome
        Result of the calibration; None before it was computed.
    unchecked
        What this run changed on the tracker without a validation since, in words.
    """

    def __init__(
        self,
        recorder: Recorder,
        clock: HostClock,
        geometry: ScreenGeometry,
        settings: StudySettings,
        on_end: Callable[[ValidationResult | None], None],
        *,
        targets: Sequence[Point] | None = None,
        validation_targets: Sequence[Point] | None = None,
        correction: Affine | None = None,
        after: "CalibrationRun | None" = None,
    ) -> None:
        self._calibrator = recorder.tracker.calibrator()
        self._is_entered = self._is_over = False
        if after is not None and after._is_entered:
            self._calibrator, self._is_entered, after._is_entered = after._calibrator, True, False
        wanted = CALIBRATION_TARGETS[settings.calibration_points] if targets is None else targets
        self.targets = tuple(wanted) if self._calibrator else ()
        held_out = VALIDATION_TARGETS if validation_targets is None else validation_targets
        self.validation_targets = tuple(held_out)
        self.result: ValidationResult | None = None
        self.outcome: CalibrationOutcome | None = after.outcome if after else None
        self._recorder, self._clock = recorder, clock
        self._geometry, self._settings, self._on_end = geometry, settings, on_end
        self._correction = correction
        self.unchecked = ""
        self._started_us = clock.now_us()
        self._watch = TargetWatch(recorder, clock)

    @property
    def may_redo(self) -> bool:
        """Whether single targets can be collected again."""
        return self._is_entered and not isinstance(self._calibrator, PlansTargets)

    def collect(self, target: Point) -> PointResult:
        """Collect one target while the reader looks at it; call again to redo it. Blocks.

        Raises
        ------
        WrongStep
            If the tracker is calibrated by its own software.
        CalibrationError
            If the tracker fails.
        """
        calibrator = self._require_calibrator()
        if not self._is_entered:
            self._started_us = self._clock.now_us()
            if isinstance(calibrator, PlansTargets):
                calibrator.plan(self.targets)
            calibrator.enter()
            self._is_entered = True
        return calibrator.collect(*target)

    def discard(self, target: Point) -> None:
        """Discard what was collected at a target, to collect it again. Blocks."""
        self._require_calibrator().discard(*target)

    def compute(self) -> CalibrationOutcome:
        """Compute and apply the calibration and write its row. Blocks."""
        self.unchecked = "a calibration was begun and not checked"
        outcome = self.outcome = self._require_calibrator().compute()
        self._write(
            "calibration",
            outcome.status,
            points=[asdict(point) for point in outcome.points],
            device_data=outcome.device_data,
        )
        return outcome

    def reapply(self, earlier: EarlierCalibration) -> None:
        """Apply an earlier calibration again and write its row; the validation follows. Blocks.

        Raises
        ------
        WrongStep
            If the tracker keeps no calibrations.
        CalibrationError
            If it refuses this one.
        """
        tracker = self._recorder.tracker
        if not isinstance(tracker, KeepsCalibration):
            raise WrongStep(f"{tracker.info.name} does not store calibrations. Calibrate it again.")
        self._started_us = self._clock.now_us()
        self.unchecked = "an earlier calibration was applied and not checked"
        tracker.apply_calibration(earlier.data)
        self._write(
            "calibration",
            "re-applied",
            points=[{"from": earlier.calibration_id}],
            device_data=earlier.data,
        )

    def show(self, target: Point) -> None:
        """Report that a validation target is on the screen from now on."""
        if not self._watch.seen:
            self._started_us = self._clock.now_us()
        self._watch.show(target)

    def is_sampled(self) -> bool:
        """Return whether the target shown has been looked at long enough; take it if so."""
        return self._watch.is_sampled()

    def validate(self) -> ValidationResult:
        """Judge the targets sampled so far against the study's limits; write the row.

        Raises
        ------
        WrongStep
            If no target has been sampled.
        """
        seen, self._watch.seen = self._watch.seen, {}
        if not seen:
            raise WrongStep("There is nothing to validate yet. Show the validation targets first.")
        samples = [corrected_samples(part, self._correction) for part in seen.values()]
        validation = validate(list(seen), samples, self._geometry)
        self.result, self.unchecked = judge_validation(validation, self._settings), ""
        status = "within limits" if self.result.within_limits else "beyond limits"
        self._write("validation", status, **validation_columns(validation))
        return self.result

    def end(self, *, keep: bool = False) -> None:
        """End the run, completed or cancelled; safe to call twice.

        Parameters
        ----------
        keep
            Whether the calibrator stays in calibration mode for the `after` of another run;
            `release` ends it.
        """
        if self._is_over:
            return
        self._is_over = True
        self._watch.stop()
        if not keep:
            self.release()
        self._on_end(self.result)

    def release(self) -> None:
        """Leave calibration mode; safe to call twice."""
        if self._is_entered and self._calibrator is not None:
            self._calibrator.leave()
            self._is_entered = False

    def _require_calibrator(self) -> Calibrator:
        if self._calibrator is None:
            name = self._recorder.tracker.info.name
            raise WrongStep(f"{name} is calibrated by its own software; Foveate validates it.")
        return self._calibrator

    def _write(self, kind: str, status: str, **values: Any) -> None:
        row = {
            "id": new_id(),
            "session_id": self._recorder.session_id,
            "kind": kind,
            "status": status,
            "started_us": self._started_us,
            "ended_us": self._clock.now_us(),
            **values,
        }
        self._recorder.writer.put(insert_into(Calibration, row))
