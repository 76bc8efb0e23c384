"""Display shutters: everything outside is hidden (PS3.3 C.7.6.11).

Collimator edges and the unexposed rim of a detector would dazzle; makers hide them without changing
the pixels.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.images.dicom.elements import Elements
from devices.gaze.view import Affine

Mask = NDArray[np.bool_]
_SHAPES = ("RECTANGULAR", "CIRCULAR", "POLYGONAL")
_EDGES = (
    "ShutterLeftVerticalEdge", "ShutterUpperHorizontalEdge", "ShutterRightVerticalEdge",
    "ShutterLowerHorizontalEdge",
)  # fmt: skip
_FRACTION_BITS = 4
_FARTHEST = 1 << 26


@dataclass(frozen=True, slots=True)
class Shutter:
    """The visible part of an image: what lies inside all shapes. Points are `_image`.

    Attributes
    ----------
    rectangle
        Left, top, right and bottom edge.
    circle
        Centre x and y, radius along x, radius along y.
    polygon
        Corners (x, y); empty for none.
    grey
        What is shown outside, 0 black to 255 white.
    """

    rectangle: tuple[float, float, float, float] | None = None
    circle: tuple[float, float, float, float] | None = None
    polygon: tuple[tuple[float, float], ...] = ()
    grey: int = 0

    @classmethod
    def from_json(cls, table: dict[str, Any]) -> "Shutter":
        """Return the shutter that `asdict` gave."""
        shapes = {name: table[name] and tuple(table[name]) for name in ("rectangle", "circle")}
        corners = tuple((float(x), float(y)) for x, y in table["polygon"])
        return cls(**shapes, polygon=corners, grey=int(table["grey"]))

    def open_on(self, to_image: Affine, columns: int, rows: int) -> Mask:
        """Return which points of a grid are visible.

        Parameters
        ----------
        to_image
            Maps column and row numbers of the grid to `_image`; quarter turns and flips only.
        columns, rows
            Size of the grid.

        Returns
        -------
        ndarray
            Shape (rows, columns).
        """
        along, down = np.zeros((columns, 2)), np.zeros((rows, 2))
        along[:, 0], down[:, 1] = np.arange(columns), np.arange(rows)
        across = abs(to_image.b) > abs(to_image.a)
        i, j = to_image.map(along)[:, int(across)], to_image.map(down)[:, 1 - int(across)]
        x, y = (j[:, None], i[None, :]) if across else (i[None, :], j[:, None])
        seen = np.ones((rows, columns), bool)
        if self.rectangle is not None:
            left, top, right, bottom = self.rectangle
            seen &= (x >= left) & (x <= right)
            seen &= (y >= top) & (y <= bottom)
        if self.circle is not None:
            cx, cy, rx, ry = self.circle
            seen &= ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 <= 1.0
        if self.polygon:
            seen &= self._inside_polygon(to_image, columns, rows)
        return seen

    def close(self, grey: NDArray[np.uint8]) -> None:
        """Hide what lies outside, in place, in a picture (H, W) of the whole image."""
        rows, columns = grey.shape
        grey[~self.open_on(PIXEL_CENTRES, columns, rows)] = self.grey

    def _inside_polygon(self, to_image: Affine, columns: int, rows: int) -> Mask:
        scale = 1 << _FRACTION_BITS
        corners = to_image.inverse().map(self.polygon) * scale
        corners = np.clip(np.round(corners), -_FARTHEST, _FARTHEST).astype(np.int32)
        drawn = np.zeros((rows, columns), np.uint8)
        cv2.fillPoly(drawn, [corners], 1, shift=_FRACTION_BITS)
        return drawn.astype(bool)


PIXEL_CENTRES = Affine(tx=0.5, ty=0.5)
"""Maps column and row numbers of an image to the centres of its pixels, `_image`."""


def shutter_of(elements: Elements, size: tuple[int, int, float]) -> Shutter | None:
    """Return the shutter of an image with these rows, columns and pixels; None for none.

    A shape that is not fully described is left out, as is a shutter that hides everything.
    """
    found = elements.value("ShutterShape")
    if found is None:
        return None
    named = {str(s).strip().upper() for s in ([found] if isinstance(found, str) else found)}
    rectangle = _rectangle(elements) if "RECTANGULAR" in named else None
    circle = _circle(elements, size[2]) if "CIRCULAR" in named else None
    polygon = _polygon(elements) if "POLYGONAL" in named else ()
    given = (rectangle is not None) + (circle is not None) + bool(polygon)
    shutter = Shutter(rectangle, circle, polygon, _grey(elements))
    rows, columns, _ = size
    shown = bool(given) and bool(shutter.open_on(PIXEL_CENTRES, columns, rows).any())
    if not shown or given < len(named):
        elements.say("shutter-left-out")
    if not shown:
        return None
    elements.say("shutter")
    return shutter


def _rectangle(elements: Elements) -> tuple[float, float, float, float] | None:
    edges = [elements.number(keyword) for keyword in _EDGES]
    left, top, right, bottom = edges
    if left is None or top is None or right is None or bottom is None:
        return None
    return left - 1.0, top - 1.0, right, bottom  # the listed pixels are visible


def _circle(elements: Elements, aspect: float) -> tuple[float, float, float, float] | None:
    centre, radius = (
        elements.numbers("CenterOfCircularShutter"),
        elements.number("RadiusOfCircularShutter"),
    )
    if len(centre) != 2 or not radius or radius < 0:
        return None
    # The radius is counted along a row; if pixels are not square, it is an ellipse of pixels.
    return centre[1] - 0.5, centre[0] - 0.5, radius, radius / aspect


def _polygon(elements: Elements) -> tuple[tuple[float, float], ...]:
    numbers = elements.numbers("VerticesOfThePolygonalShutter")
    corners = zip(numbers[1::2], numbers[0::2], strict=False)  # row before column
    found = tuple((column - 0.5, row - 0.5) for column, row in corners)
    return found if len(found) >= 3 else ()


def _grey(elements: Elements) -> int:
    value = elements.number("ShutterPresentationValue") or 0.0
    return min(max(round(value / 65535 * 255), 0), 255)
