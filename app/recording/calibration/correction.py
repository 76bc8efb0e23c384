"""A stored correction of the point of gaze, for trackers that calibrate with their own software.

Raw samples stay unchanged; the correction is stored in the rows of the readings it applies to, and
is applied wherever their gaze is mapped.
"""

import numpy as np

from devices.gaze.quality import Validation
from devices.gaze.samples import SampleArray
from devices.gaze.view import Affine


def offset_correction(validation: Validation) -> Affine | None:
    """Return the shift that moves the median gaze on the targets onto them; None without gaze.

    Only a shift, the mean of all targets: five targets do not support more, and what remains after
    a tracker's own calibration is mostly a shift.
    """
    offsets = [
        (t.x_norm - t.gaze_x_norm, t.y_norm - t.gaze_y_norm)
        for t in validation.targets
        if t.gaze_x_norm is not None and t.gaze_y_norm is not None
    ]
    if not offsets:
        return None
    x, y = np.mean(offsets, axis=0).tolist()
    return Affine(tx=x, ty=y)


def corrected_samples(samples: SampleArray, correction: Affine | None) -> SampleArray:
    """Return samples (N,) with the gaze of both eyes corrected; unchanged without a correction."""
    if correction is None:
        return samples
    moved = samples.copy()
    for eye in ("left", "right"):
        names = (f"{eye}_x_norm", f"{eye}_y_norm")
        points = correction.map(np.column_stack([samples[name] for name in names]))
        for axis, name in enumerate(names):
            moved[name] = points[:, axis]
    return moved
