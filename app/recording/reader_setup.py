"""How the reader sits in front of the tracker: distance, eyewear, validation, correction, drift."""

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from app.recording.calibration.earlier import EarlierCalibration, earlier_calibration
from app.recording.calibration.standing import READ_ANYWAY, Hindrance, against_reading
from app.recording.calibration.validation import ValidationResult
from app.recording.session_services import SessionServices
from app.recording.writer import insert_into, update_row
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.samples import SampleArray
from devices.gaze.view import Affine
from devices.tracker import PositionGuide
from migrations.study.schema import Calibration, new_id
from migrations.study.schema import Session as SessionRow

EYEWEAR = ("", "none", "glasses", "contact lenses", "varifocals")
"""What the reader wears; "" if not asked."""
_NEAREST_MM, _FARTHEST_MM = 200.0, 2000.0


class ReaderSetup:
    """Each change is a row, or part of the session's row, at once.

    Attributes
    ----------
    validation
        The last one; None before the first.
    drift_deg
        Drift in the last probe since the last validation; None before the first.
    unchecked
        What has changed since the last validation that makes it invalid; "" for nothing.
    """

    def __init__(self, services: SessionServices) -> None:
        self.validation: ValidationResult | None = None
        self.drift_deg: float | None = None
        self.unchecked = ""
        self._anyway: Hindrance | None = None
        self._services = services

    @property
    def against_reading(self) -> Hindrance | None:
        """What speaks against reading with the current calibration; None for nothing."""
        return against_reading(self.validation, self.unchecked)

    @property
    def unanswered(self) -> str:
        """What speaks against reading and was not yet overridden, in words."""
        against = self.against_reading
        return "" if against is None or against == self._anyway else against.text

    def read_anyway(self) -> None:
        """Read despite what speaks against it now; a new obstacle asks again."""
        against = self.against_reading
        if against is None or against == self._anyway:
            return
        self._anyway = against
        self._services.note(**{READ_ANYWAY: against.text})
        reader = self._services.rows.pseudonym
        self._services.audit(
            "read anyway", {"reader": reader, **asdict(against)}, reason=against.text
        )

    @property
    def geometry(self) -> ScreenGeometry:
        """The tracked screen with the distance in force."""
        return self._services.live.geometry

    @property
    def eyewear(self) -> str:
        """What the reader wears, one of `EYEWEAR`."""
        return str(self._services.details.get("eyewear", ""))

    @property
    def correction(self) -> Affine | None:
        """Applied to the point of gaze."""
        return self._services.live.correction

    def set_eyewear(self, eyewear: str) -> None:
        """Note what the reader wears; a calibration is valid only for that."""
        if eyewear != self.eyewear:
            self._services.note(eyewear=eyewear)

    def note_ground(self, grey: int) -> None:
        """Note the grey, 0 to 255, of the background of calibration targets."""
        self._services.note(calibration_grey=grey)

    def take_distance(self, taped_mm: float | None) -> ScreenGeometry:
        """Use the tracker's distance if it gives one, else the measured one; return the geometry.

        Without either, the assumed distance stays, and degrees are marked as assumed.
        """
        told_mm = self._tracker_distance_mm()
        if told_mm is not None:
            self._set_distance(told_mm, "tracker")
        elif taped_mm is not None:
            self._set_distance(taped_mm, "taped")
        return self.geometry

    def take_screen(self, geometry: ScreenGeometry) -> None:
        """Update the tracked screen between two readings; the distance in force stays."""
        self._services.live.geometry = geometry.at_distance_of(self.geometry)

    def correct(self, correction: Affine | None) -> None:
        """Correct the point of gaze from now on; None takes an earlier correction back."""
        services, now_us = self._services, self._services.clock.now_us()
        services.live.correction = correction
        self.unchecked = "the correction of the offset was changed and not checked"
        row = {
            "id": new_id(),
            "session_id": services.rows.session_id,
            "kind": "correction",
            "status": "withdrawn" if correction is None else "in use",
            "started_us": now_us,
            "ended_us": now_us,
            "points": [] if correction is None else [asdict(correction)],
        }
        services.writer.put(insert_into(Calibration, row))

    def earlier_calibration(self) -> EarlierCalibration | None:
        """Return an earlier calibration that fits. Asks the database: use a worker."""
        services = self._services
        return earlier_calibration(
            services.study,
            services.rows.pseudonym,
            services.recorder.tracker.info,
            self.geometry,
            self.eyewear,
        )

    def validated(self, validation: ValidationResult) -> None:
        """Note a validation in the session's row; an earlier drift no longer counts."""
        self.validation, self.drift_deg, self.unchecked = validation, None, ""
        if self._services.study.settings.eye == "better":
            self._services.live.eye = validation.better_eye
        self._services.note(
            validated=validation.within_limits, beyond_limits=list(validation.reasons)
        )

    def drifted(self, drift_deg: float | None) -> None:
        """Note the result of a drift probe."""
        self.drift_deg = drift_deg

    def _set_distance(self, distance_mm: float, source: str) -> None:
        if (distance_mm, source) == (self.geometry.distance_mm, self.geometry.distance_source):
            return
        changed = replace(self.geometry, distance_mm=distance_mm, distance_source=source)
        self._services.live.geometry = changed
        columns: dict[str, Any] = {
            "screen": changed.as_dict(),
            "distance_mm": distance_mm,
            "distance_source": source,
        }
        session_id = self._services.rows.session_id
        self._services.writer.put(update_row(SessionRow, session_id, **columns))

    def _tracker_distance_mm(self) -> float | None:
        tracker = self._services.recorder.tracker
        if isinstance(tracker, PositionGuide) and (position := tracker.user_position()) is not None:
            return _plausible(position.distance_mm)
        return _plausible(_origin_mm(self._services.recorder.latest()))


def _origin_mm(samples: SampleArray) -> float | None:
    if len(samples) == 0:
        return None
    depths = np.concatenate([samples["left_origin_z_mm"], samples["right_origin_z_mm"]])
    depths = depths[np.isfinite(depths)]
    return float(np.median(depths)) if len(depths) else None


def _plausible(distance_mm: float | None) -> float | None:
    if distance_mm is None or not _NEAREST_MM <= distance_mm <= _FARTHEST_MM:
        return None
    return round(distance_mm, 1)
