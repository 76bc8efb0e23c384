"""The drift probe between two cases: a fixation mark, and the distance of the gaze from it."""

from collections.abc import Callable

from app.recording.calibration.correction import corrected_samples
from app.recording.calibration.target_watch import Point, TargetWatch
from app.recording.recorder import Recorder
from app.recording.writer import insert_into
from devices.clock import HostClock
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.quality import EyeQuality, validate
from devices.gaze.view import Affine
from migrations.study.schema import Calibration, new_id

MARK: Point = (0.5, 0.5)


class DriftProbe:
    """One look at the mark; created when the mark is on the screen.

    Parameters
    ----------
    limit_deg
        Of the study.
    on_end
        Called with the drift in degrees when it is known; None if the eyes were not seen.
    """

    def __init__(
        self,
        recorder: Recorder,
        clock: HostClock,
        geometry: ScreenGeometry,
        limit_deg: float,
        correction: Affine | None,
        on_end: Callable[[float | None], None],
    ) -> None:
        self._recorder, self._clock, self._geometry = recorder, clock, geometry
        self._limit_deg, self._correction, self._on_end = limit_deg, correction, on_end
        self._started_us = clock.now_us()
        self._watch = TargetWatch(recorder, clock)
        self._watch.show(MARK)

    def is_done(self) -> bool:
        """Return whether the mark was looked at long enough."""
        return self._watch.is_sampled()

    def drift_deg(self) -> float | None:
        """Judge the samples, write the row, and return the drift; None without gaze."""
        self._watch.stop()
        samples = corrected_samples(self._watch.seen[MARK], self._correction)
        validation = validate([MARK], [samples], self._geometry)
        drift_deg = validation.both.accuracy_deg
        self._write(validation.both, [target.as_dict() for target in validation.targets])
        self._on_end(drift_deg)
        return drift_deg

    def cancel(self) -> None:
        """Cancel; nothing is written."""
        self._watch.stop()

    def _write(self, both: EyeQuality, points: list[dict[str, object]]) -> None:
        within = both.accuracy_deg is not None and both.accuracy_deg <= self._limit_deg
        row = {
            "id": new_id(),
            "session_id": self._recorder.session_id,
            "kind": "drift",
            "status": "within limits" if within else "beyond limits",
            "started_us": self._started_us,
            "ended_us": self._clock.now_us(),
            "points": points,
            "accuracy_deg": both.accuracy_deg,
            "precision_rms_deg": both.precision_rms_deg,
            "precision_sd_deg": both.precision_sd_deg,
            "loss": both.loss,
        }
        self._recorder.writer.put(insert_into(Calibration, row))
