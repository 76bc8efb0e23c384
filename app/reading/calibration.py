"""Calibration and validation, step by step and without Qt; the page draws what it is told to.

Targets of the calibration go to the tracker's own calibrator, those of the validation are held out
and are judged from recorded samples alone. A tracker that is calibrated by its own software is only
validated.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from app.errors import WrongStep
from app.reading.recorder import Recorder
from app.reading.validation import ValidationResult, judge_validation, validation_columns
from app.reading.writer import insert_into
from devices.clock import HostClock
from devices.geometry import ScreenGeometry
from devices.quality import validate
from devices.samples import SampleArray, concatenate_samples
from devices.tracker import CalibrationOutcome, Calibrator, PointResult
from migrations.schema import Calibration, new_id
from migrations.settings import StudySettings

Point = tuple[float, float]
"""A place on the tracked screen, `_norm`."""

_NEAR, _FAR = 0.1, 0.9
_CORNERS = ((_NEAR, _NEAR), (_FAR, _NEAR), (_NEAR, _FAR), (_FAR, _FAR))
_EDGES = ((0.5, _NEAR), (_NEAR, 0.5), (_FAR, 0.5), (0.5, _FAR))
_INNER = ((0.3, 0.3), (0.7, 0.3), (0.3, 0.7), (0.7, 0.7))
CALIBRATION_TARGETS: dict[int, tuple[Point, ...]] = {
    5: ((0.5, 0.5), *_CORNERS),
    9: ((0.5, 0.5), *_CORNERS, *_EDGES),
    13: ((0.5, 0.5), *_CORNERS, *_EDGES, *_INNER),
}
VALIDATION_TARGETS: tuple[Point, ...] = (
    (0.4, 0.5),
    (0.2, 0.25),
    (0.8, 0.25),
    (0.2, 0.75),
    (0.8, 0.75),
)
"""Held out: none of them is a calibration target."""

SETTLE_US = 500_000
"""From a target's appearance until the eye rests on it."""
WINDOW_US = 500_000
"""What is judged after that."""
_KEPT_US = 3 * (SETTLE_US + WINDOW_US)
_GIVE_UP_REAL_S = 1.0


class CalibrationRun:
    """One calibration with its validation, or a validation alone.

    `collect`, `discard` and `compute` block: call them from a worker. The others may be called
    from the GUI thread.

    Parameters
    ----------
    recorder
        Running; its samples are what is validated.
    on_end
        Told the last validation when the run ends; None where there was none.

    Attributes
    ----------
    targets
        To be collected; empty where the tracker is calibrated by its own software.
    validation_targets
        To be shown afterwards, one by one.
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
    ) -> None:
        self._calibrator = recorder.tracker.calibrator()
        wanted = CALIBRATION_TARGETS[settings.calibration_points] if targets is None else targets
        self.targets = tuple(wanted) if self._calibrator else ()
        held_out = VALIDATION_TARGETS if validation_targets is None else validation_targets
        self.validation_targets = tuple(held_out)
        self.result: ValidationResult | None = None
        self._recorder, self._clock = recorder, clock
        self._geometry, self._settings, self._on_end = geometry, settings, on_end
        self._started_us = clock.now_us()
        self._is_entered = self._is_over = False
        self._recent: list[SampleArray] = []
        self._shown: tuple[Point, int] | None = None
        self._seen: dict[Point, SampleArray] = {}
        recorder.add_listener(self._listen)

    def collect(self, target: Point) -> PointResult:
        """Collect one target while the reader looks at it; again, to redo it. Blocks.

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
            calibrator.enter()
            self._is_entered = True
        return calibrator.collect(*target)

    def discard(self, target: Point) -> None:
        """Throw away what was collected at a target, to collect it again. Blocks."""
        self._require_calibrator().discard(*target)

    def compute(self) -> CalibrationOutcome:
        """Compute and apply the calibration, write its row, leave calibration mode. Blocks."""
        calibrator = self._require_calibrator()
        outcome = calibrator.compute()
        self._leave()
        self._write(
            "calibration",
            outcome.status,
            points=[asdict(point) for point in outcome.points],
            device_data=outcome.device_data,
        )
        return outcome

    def show(self, target: Point) -> None:
        """Say that a validation target is on the screen from now on."""
        if not self._seen:
            self._started_us = self._clock.now_us()
        self._shown = (target, self._clock.now_us())

    def is_sampled(self) -> bool:
        """Return whether the target shown has been looked at long enough; take it if so.

        A tracker that gives nothing does not hold the reader up: the target then has no sample.
        """
        if self._shown is None:
            raise WrongStep("No validation target is shown; show one first.")
        target, shown_us = self._shown
        start_us, end_us = shown_us + SETTLE_US, shown_us + SETTLE_US + WINDOW_US
        samples = concatenate_samples(self._recent)
        patience_us = 1e6 * _GIVE_UP_REAL_S * self._clock.speed
        arrived = len(samples) > 0 and samples["host_us"][-1] >= end_us
        if not arrived and self._clock.now_us() < end_us + patience_us:
            return False
        times = samples["host_us"]
        self._seen[target] = samples[(times >= start_us) & (times < end_us)]
        return True

    def validate(self) -> ValidationResult:
        """Judge the targets sampled so far against the limits of the study; write the row.

        Raises
        ------
        WrongStep
            If no target has been sampled.
        """
        if not self._seen:
            raise WrongStep("Nothing to validate yet; show the validation targets first.")
        validation = validate(list(self._seen), list(self._seen.values()), self._geometry)
        self.result = judge_validation(validation, self._settings)
        status = "within limits" if self.result.within_limits else "beyond limits"
        self._write("validation", status, **validation_columns(validation))
        self._seen = {}
        return self.result

    def end(self) -> None:
        """End the run, whether it was gone through or given up; safe to call twice."""
        if self._is_over:
            return
        self._is_over = True
        self._recorder.remove_listener(self._listen)
        self._leave()
        self._on_end(self.result)

    def _listen(self, samples: SampleArray) -> None:
        oldest_us = int(samples["host_us"][-1]) - _KEPT_US
        kept = [part for part in self._recent if part["host_us"][-1] >= oldest_us]
        self._recent = [*kept, samples]

    def _leave(self) -> None:
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
