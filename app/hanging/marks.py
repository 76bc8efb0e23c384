"""What is drawn over an image: rulers, boxes, keypoints; places in source-image pixels."""

import math
from dataclasses import dataclass
from typing import Literal

from app.hanging.image_view import ImageView

Kind = Literal["ruler", "box", "keypoint"]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark.

    Attributes
    ----------
    tile, frame
        Those of the image it lies on.
    start_image, end_image
        Two ends of a ruler, two corners of a box; the same point twice for a keypoint.
    text
        Written beside it.
    draft
        Whether it is still being drawn.
    """

    kind: Kind
    tile: int
    frame: int
    start_image: Point
    end_image: Point
    text: str = ""
    draft: bool = False

    @property
    def box_image(self) -> tuple[float, float, float, float]:
        """The (x, y, width, height) between its corners."""
        (x0, y0), (x1, y1) = self.start_image, self.end_image
        return min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0)


def inside(view: ImageView, point_image: Point) -> Point:
    """Return the nearest point of the image."""
    return (
        min(max(point_image[0], 0.0), float(view.image.width)),
        min(max(point_image[1], 0.0), float(view.image.height)),
    )


def length_text(view: ImageView, start_image: Point, end_image: Point) -> str:
    """Return a distance in millimetres; if the file has no spacing, in pixels, with a note."""
    dx, dy = end_image[0] - start_image[0], end_image[1] - start_image[1]
    spacing = view.spacing_mm
    if spacing is None:
        return f"{math.hypot(dx, dy):.0f} px (no pixel spacing in the file)"
    unit = view.image.attributes.length_unit
    return f"{math.hypot(dx * spacing[0], dy * spacing[1]):.1f} {unit}"
