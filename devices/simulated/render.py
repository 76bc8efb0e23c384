"""From gaze and losses to rows of samples."""

import numpy as np
from numpy.typing import NDArray

from devices.gaze.geometry import FloatArray
from devices.gaze.samples import VALUE_FIELDS, SampleArray
from devices.simulated.connection import Eyes

OPENNESS_MM = 10.0
HALF_BETWEEN_EYES_MM = 31.5
_GAZE_FIELDS = {
    eye: [n for n in VALUE_FIELDS if n.startswith(eye) and "openness" not in n]
    for eye in ("left", "right")
}


def fill_eyes(
    samples: SampleArray,
    gaze_norm: FloatArray,
    noise: NDArray[np.float32],
    eyes: Eyes,
    seconds: FloatArray,
) -> None:
    """Write what the tracker sees of both eyes: gaze (2, N, 2), pupils, places."""
    pupil_mm = eyes.pupil_mm(seconds)
    x, y, z = eyes.head_mm(seconds)
    for eye, side, column in (("left", -1, 0), ("right", 1, 1)):
        samples[f"{eye}_x_norm"] = gaze_norm[column, :, 0]
        samples[f"{eye}_y_norm"] = gaze_norm[column, :, 1]
        samples[f"{eye}_pupil_mm"] = pupil_mm + (0.04 * side) + 0.02 * noise[:, 4 + column]
        samples[f"{eye}_origin_x_mm"] = x + (side * HALF_BETWEEN_EYES_MM) + 0.2 * noise[:, 6]
        samples[f"{eye}_origin_y_mm"] = y + 0.2 * noise[:, 7]
        samples[f"{eye}_origin_z_mm"] = z


def hide(samples: SampleArray, lost: NDArray[np.bool_], lids: FloatArray) -> None:
    """Take away what a lost eye (2, N) cannot show, and close the lids in blinks."""
    openness = OPENNESS_MM * np.maximum(1.0 - 2.0 * lids, 0.0)
    for eye, gone in zip(("left", "right"), lost, strict=True):
        samples[f"{eye}_openness_mm"] = openness
        if gone.any():
            samples[f"{eye}_openness_mm"][gone & (lids == 0)] = np.nan
            for name in _GAZE_FIELDS[eye]:
                samples[name][gone] = np.nan
