"""How the reader sits before the tracker: distance, glasses, validation, correction, drift."""

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from app.recording.calibration.earlier import FormerCalibration, former_calibration
from app.recording.calibration.validation import ValidationResult
from app.recording.session_services import Capture
from app.recording.writer import insert_into, update_row
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.samples import SampleArray
from devices.gaze.view import Affine
from devices.tracker import PositionGuide
from migrations.study.schema import Calibration, new_id
from migrations.study.schema import Session as SessionRow

EYEWEAR = ("", "none", "glasses", "contact lenses", "varifocals")
"""What the reader wears; empty where it was not asked."""
_NEAREST_MM, _FARTHEST_MM = 200.0, 2000.0


class Setup:
    """Each change is a row, or part of the session's row, at once.

    Attributes
    ----------
    validation
        The last one; None before the first.
    drift_deg
        Of the last drift probe since the last validation; None before the first.
    """

    def __init__(self, capture: Capture) -> None:
        self.validation: ValidationResult | None = None
        self.drift_deg: float | None = None
        self._capture = capture

    @property
    def geometry(self) -> ScreenGeometry:
        """The tracked screen with the distance in force."""
        return self._capture.live.geometry

    @property
    def eyewear(self) -> str:
        """What the reader wears, one of `EYEWEAR`."""
        return str(self._capture.details.get("eyewear", ""))

    @property
    def correction(self) -> Affine | None:
        """Applied to the point of gaze."""
        return self._capture.live.correction

    def set_eyewear(self, eyewear: str) -> None:
        """Note what the reader wears; a calibration is good for that alone."""
        if eyewear != self.eyewear:
            self._capture.note(eyewear=eyewear)

    def note_ground(self, grey: int) -> None:
        """Note the grey, 0 to 255, that the calibration targets stand on."""
        self._capture.note(calibration_grey=grey)

    def take_distance(self, taped_mm: float | None) -> ScreenGeometry:
        """Take the tracker's distance where it tells one, else the taped one; return the geometry.

        Where neither is there the assumed distance stays, and degrees are marked so.
        """
        told_mm = self._told_mm()
        if told_mm is not None:
            self._set_distance(told_mm, "tracker")
        elif taped_mm is not None:
            self._set_distance(taped_mm, "taped")
        return self.geometry

    def take_screen(self, geometry: ScreenGeometry) -> None:
        """Take the tracked screen as it is between two readings; the distance in force stays."""
        self._capture.live.geometry = geometry.at_distance_of(self.geometry)

    def correct(self, correction: Affine | None) -> None:
        """Correct the point of gaze from now on; None takes an earlier correction back."""
        capture, now_us = self._capture, self._capture.clock.now_us()
        capture.live.correction = correction
        row = {
            "id": new_id(),
            "session_id": capture.sitting.session_id,
            "kind": "correction",
            "status": "withdrawn" if correction is None else "in use",
            "started_us": now_us,
            "ended_us": now_us,
            "points": [] if correction is None else [asdict(correction)],
        }
        capture.writer.put(insert_into(Calibration, row))

    def former(self) -> FormerCalibration | None:
        """Return an earlier calibration that fits. Asks the database: use a worker."""
        capture = self._capture
        return former_calibration(
            capture.study,
            capture.sitting.pseudonym,
            capture.recorder.tracker.info,
            self.geometry,
            self.eyewear,
        )

    def validated(self, validation: ValidationResult) -> None:
        """Note a validation in the session's row; an earlier drift counts no more."""
        self.validation, self.drift_deg = validation, None
        if self._capture.study.settings.eye == "better":
            self._capture.live.eye = validation.better_eye
        self._capture.note(
            validated=validation.within_limits, beyond_limits=list(validation.reasons)
        )

    def drifted(self, drift_deg: float | None) -> None:
        """Note what a drift probe found."""
        self.drift_deg = drift_deg

    def _set_distance(self, distance_mm: float, source: str) -> None:
        if (distance_mm, source) == (self.geometry.distance_mm, self.geometry.distance_source):
            return
        changed = replace(self.geometry, distance_mm=distance_mm, distance_source=source)
        self._capture.live.geometry = changed
        columns: dict[str, Any] = {
            "screen": changed.as_dict(),
            "distance_mm": distance_mm,
            "distance_source": source,
        }
        session_id = self._capture.sitting.session_id
        self._capture.writer.put(update_row(SessionRow, session_id, **columns))

    def _told_mm(self) -> float | None:
        tracker = self._capture.recorder.tracker
        if isinstance(tracker, PositionGuide) and (told := tracker.user_position()) is not None:
            return _plausible(told.distance_mm)
        return _plausible(_origin_mm(self._capture.recorder.latest()))


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
