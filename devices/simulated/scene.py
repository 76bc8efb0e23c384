"""What a simulated reader sees: a picture with targets, and what it may do next."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from devices.gaze.geometry import FloatArray, ScreenGeometry
from devices.gaze.view import Affine

Style = Literal["search", "concentrated", "radial"]


@dataclass(frozen=True, slots=True)
class Target:
    """A place worth looking at, in the stimulus's own frame (image pixels).

    Attributes
    ----------
    x, y, radius
        Centre and extent.
    weight
        Its pull beside the other targets.
    """

    x: float
    y: float
    radius: float
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Stimulus:
    """A picture before the simulated reader.

    Attributes
    ----------
    targets
        Findings or salient places; none for a normal image.
    area
        (x, y, width, height) of the picture in its own frame.
    to_norm
        From that frame to `_norm`.
    style
        How it is read where targets exist: a wide "search", "concentrated" on them, or
        "radial": concentrated, with excursions outwards along spicules.
    """

    targets: tuple[Target, ...]
    area: tuple[float, float, float, float]
    to_norm: Affine
    style: Style = "search"


@dataclass(frozen=True, slots=True)
class Aim:
    """The next fixation: where, for how long, and on which target (index) if on any."""

    x_norm: float
    y_norm: float
    duration_us: int
    target: int | None = None
    correction: bool = False


class Scale:
    """Degrees at the screen's centre as lengths of `_norm`, and back."""

    def __init__(self, geometry: ScreenGeometry) -> None:
        per_deg_mm = math.tan(math.radians(1.0)) * geometry.distance_mm
        self.x_norm = per_deg_mm / geometry.width_mm
        self.y_norm = per_deg_mm / geometry.height_mm

    def distance_deg(self, points_norm: FloatArray, from_norm: FloatArray) -> FloatArray:
        """Return about how far (N, 2) points lie from others, in degrees."""
        offset = (points_norm - from_norm) / (self.x_norm, self.y_norm)
        distance: FloatArray = np.hypot(offset[..., 0], offset[..., 1])
        return distance
