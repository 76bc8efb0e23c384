"""What the accuracy of gaze does not allow, said where a figure stands."""

from collections.abc import Mapping, Sequence

import numpy as np

from trainer.analysis.areas import Area
from trainer.analysis.looked import Looked


def accuracy_limits(
    looks: Sequence[Looked], areas: Mapping[str, Sequence[Area]]
) -> tuple[str, ...]:
    """Return sentences on areas that gaze cannot be told to lie in.

    An area counts as too small for a reading where it is narrower than twice the reading's
    validated accuracy: gaze in its middle may then have been outside.
    """
    with_areas = [looked for looked in looks if areas.get(looked.image)]
    if not with_areas:
        return ()
    readings = {looked.reading for looked in with_areas}
    unknown = {looked.reading for looked in with_areas if not np.isfinite(_reach_deg(looked))}
    small: dict[str, float] = {}
    for looked in with_areas:
        if least_deg(looked, areas[looked.image]) < _reach_deg(looked):
            small[looked.reading] = min(_reach_deg(looked), small.get(looked.reading, np.inf))
    said = []
    if small:
        said.append(
            f"Areas below {min(small.values()):.1f}° cannot be distinguished from their "
            f"surroundings in {len(small)} of {len(readings)} readings."
        )
    if unknown:
        said.append(
            f"The accuracy of {len(unknown)} of {len(readings)} readings is unknown, and so is "
            "the smallest area that gaze can be assigned to in them."
        )
    return tuple(said)


def least_deg(looked: Looked, areas: Sequence[Area]) -> float:
    """Return the width of the narrowest area of an image in a reading, degrees; inf of none."""
    return min((_width_px(area) for area in areas), default=np.inf) / looked.scale_px_per_deg


def _reach_deg(looked: Looked) -> float:
    return 2 * looked.accuracy_deg if np.isfinite(looked.scale_px_per_deg) else np.nan


def _width_px(area: Area) -> float:
    if area.kind == "keypoint":
        return np.inf  # it has no width: met within the margin alone
    if area.mask is not None:
        rows, columns = np.nonzero(area.mask)
        return float(min(np.ptp(rows), np.ptp(columns)) + 1)
    return float(np.ptp(area.corners, axis=0).min())
