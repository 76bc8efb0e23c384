"""Where the reader's eyes are in front of a Gazepoint tracker."""

import math

from devices.gazepoint.records import Pupil, Record
from devices.tracker import UserPosition

NEAR_M, FAR_M = 0.5, 0.8
"""The tracker is made for some 65 cm, with 15 cm either way."""


class PositionOfEyes:
    """Keeps the last position.

    Attributes
    ----------
    last
        None until an eye is seen, and while none is.
    """

    def __init__(self) -> None:
        self.last: UserPosition | None = None
        self._is_mirrored = False

    def take(self, record: Record, time_us: int) -> None:
        """Take over what a record says."""
        left, right = record.pupils
        if left is not None and right is not None:
            # The reader's left eye is at the reader's left, whichever way the camera looks.
            self._is_mirrored = left.x > right.x
        depths_m = [p.z_m for p in record.pupils if p is not None and math.isfinite(p.z_m)]
        distance_mm = 1e3 * sum(depths_m) / len(depths_m) if depths_m else None
        self.last = UserPosition(time_us, self._place(left), self._place(right), distance_mm)

    def _place(self, pupil: Pupil | None) -> tuple[float, float, float] | None:
        if pupil is None:
            return None
        x = 1.0 - pupil.x if self._is_mirrored else pupil.x
        z = (pupil.z_m - NEAR_M) / (FAR_M - NEAR_M) if math.isfinite(pupil.z_m) else 0.5
        return _within(x), _within(pupil.y), _within(z)


def _within(value: float) -> float:
    return min(max(value, 0.0), 1.0)
