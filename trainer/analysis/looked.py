"""One reading's gaze on one image, as every measure takes it."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Looked:
    """What one reader did on one image in one reading; equal to itself alone.

    Attributes
    ----------
    reading, reader, image, arm
        Their names; `arm` is empty in a study without arms.
    width, height
        Of the image, pixels.
    shown_us, left_us
        When the image was first seen and last left, in the reading's microseconds.
    start_us, duration_us
        Shape (F,): fixations on this image in order of time.
    points_image
        Shape (F, 2): x, y in image pixels.
    frame
        Shape (F,): frame of a stack, 0 of a single image.
    px_per_deg
        Image pixels that a degree of visual angle covered, by fixation (F,); NaN where the
        geometry is not known.
    saccade_start_us, amplitude_deg, peak_velocity_deg_s
        Shape (S,): saccades within the image.
    blinks
        Blinks while it was shown.
    blink_us
        Their time, all together.
    pupil_mm
        Mean diameter; NaN where the tracker does not tell it.
    frame_time_us, frame_shown
        Shape (V,): from when on which frame was shown.
    accuracy_deg
        Validated accuracy in force; NaN where it was not validated.
    """

    reading: str
    reader: str
    image: str
    arm: str
    width: int
    height: int
    shown_us: int
    left_us: int
    start_us: IntArray
    duration_us: IntArray
    points_image: FloatArray
    frame: IntArray
    px_per_deg: FloatArray
    saccade_start_us: IntArray
    amplitude_deg: FloatArray
    peak_velocity_deg_s: FloatArray
    blinks: int = 0
    blink_us: int = 0
    pupil_mm: float = np.nan
    frame_time_us: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    frame_shown: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    accuracy_deg: float = np.nan

    @property
    def dwell_us(self) -> int:
        """Time of all fixations on the image."""
        return int(self.duration_us.sum())

    @property
    def scale_px_per_deg(self) -> float:
        """Image pixels a degree, the mean over fixations; NaN where it is not known."""
        known = self.px_per_deg[np.isfinite(self.px_per_deg)]
        return float(known.mean()) if len(known) else np.nan
