"""The tracked screen: frames, units and visual angle.

Frames: `_norm` tracker display area, (0, 0) top-left to (1, 1) bottom-right, y down, may exceed
the range; `_screen` device-independent pixels, (0, 0) the top-left corner of the tracked screen
(so that a second screen's negative desktop origin and any device pixel ratio cancel); `_deg`
degrees of visual angle from the screen's centre, x right, y down.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
DEFAULT_DISTANCE_MM = 650.0


@dataclass(frozen=True, slots=True)
class ScreenGeometry:
    """Size and place of the tracked screen.

    Attributes
    ----------
    x_desktop, y_desktop
        Top-left corner on the desktop, device-independent pixels; may be negative.
    width_screen, height_screen
        Size in device-independent pixels.
    width_mm, height_mm
        Size of the visible area.
    distance_mm
        From the eyes to the screen.
    distance_source
        "tracker", "taped" or "assumed"; degrees from an assumed distance are marked so.
    """

    width_screen: float
    height_screen: float
    width_mm: float
    height_mm: float
    distance_mm: float = DEFAULT_DISTANCE_MM
    distance_source: str = "assumed"
    x_desktop: float = 0.0
    y_desktop: float = 0.0
    device_pixel_ratio: float = 1.0
    refresh_hz: float = 60.0
    name: str = ""

    def norm_to_screen(self, points_norm: ArrayLike) -> FloatArray:
        """Map points (N, 2) from `_norm` to `_screen`."""
        return np.asarray(points_norm, np.float64) * self._size_screen

    def screen_to_norm(self, points_screen: ArrayLike) -> FloatArray:
        """Map points (N, 2) from `_screen` to `_norm`."""
        return np.asarray(points_screen, np.float64) / self._size_screen

    def norm_to_deg(self, points_norm: ArrayLike) -> FloatArray:
        """Map points (N, 2) from `_norm` to `_deg`."""
        offset_mm = (np.asarray(points_norm, np.float64) - 0.5) * self._size_mm
        return np.degrees(np.arctan2(offset_mm, self.distance_mm))

    def deg_to_norm(self, points_deg: ArrayLike) -> FloatArray:
        """Map points (N, 2) from `_deg` to `_norm`."""
        offset_mm = np.tan(np.radians(np.asarray(points_deg, np.float64))) * self.distance_mm
        return offset_mm / self._size_mm + 0.5

    @property
    def px_per_deg(self) -> float:
        """Device-independent pixels that a degree covers at the screen's middle, along a row.

        NaN for a screen without a width in millimetres.
        """
        if self.width_mm <= 0:
            return float("nan")
        degree_mm = self.distance_mm * np.tan(np.radians(1.0))
        return float(degree_mm * self.width_screen / self.width_mm)

    def angle_deg(self, from_norm: ArrayLike, to_norm: ArrayLike) -> FloatArray:
        """Return the angle (N,) at the eye between points (N, 2) of the screen."""
        a, b = self._ray_mm(from_norm), self._ray_mm(to_norm)
        cross = np.linalg.norm(np.cross(a, b), axis=-1)
        angle: FloatArray = np.degrees(np.arctan2(cross, (a * b).sum(axis=-1)))
        return angle

    def at_distance_of(self, other: "ScreenGeometry") -> Self:
        """Return this screen seen from the distance of another, known from the same source."""
        return replace(self, distance_mm=other.distance_mm, distance_source=other.distance_source)

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Self:
        """Return the geometry that `as_dict` wrote."""
        return cls(**fields)

    @property
    def _size_screen(self) -> FloatArray:
        return np.array([self.width_screen, self.height_screen])

    @property
    def _size_mm(self) -> FloatArray:
        return np.array([self.width_mm, self.height_mm])

    def _ray_mm(self, points_norm: ArrayLike) -> FloatArray:
        offset_mm = (np.asarray(points_norm, np.float64) - 0.5) * self._size_mm
        depth = np.full((*offset_mm.shape[:-1], 1), self.distance_mm)
        return np.concatenate((offset_mm, depth), axis=-1)
