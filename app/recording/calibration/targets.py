"""Positions of calibration and validation targets, and which of them to show again."""

import math
from collections.abc import Iterable

from app.recording.calibration.target_watch import Point
from devices.gaze.quality import Validation
from devices.tracker import PointResult

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


def bad_targets(
    points: Iterable[PointResult], validation: Validation | None, limit_deg: float
) -> tuple[Point, ...]:
    """Return the calibration targets to repeat, in the order they were collected.

    Those that an eye missed, and the nearest one to each validation target that is off by more than
    the limit or was not seen.
    """
    collected = tuple(points)
    places = [(p.x_norm, p.y_norm) for p in collected]
    bad = {(p.x_norm, p.y_norm) for p in collected if not (p.left_ok and p.right_ok)}
    for target in validation.targets if validation and places else ():
        off_deg = target.both.accuracy_deg
        if off_deg is None or off_deg > limit_deg:
            here = (target.x_norm, target.y_norm)
            bad.add(min(places, key=lambda place: math.dist(place, here)))
    return tuple(place for place in places if place in bad)
