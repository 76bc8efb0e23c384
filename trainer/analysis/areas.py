"""Areas of interest in image pixels: where they are, and which points lie in them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np
from scipy.spatial import cKDTree

from trainer.analysis.looked import BoolArray, FloatArray, IntArray
from trainer.errors import AnalysisError

Kind = Literal["box", "ellipse", "polygon", "keypoint", "mask"]
KINDS: tuple[Kind, ...] = ("box", "ellipse", "polygon", "keypoint", "mask")


@dataclass(frozen=True, slots=True)
class Area:
    """An area of one image.

    Attributes
    ----------
    image, name
        Whose it is, and what it is called there.
    kind
        box, ellipse, polygon, keypoint or mask.
    corners
        Shape (P, 2), image pixels: a box or ellipse by its upper left and lower right corner, a
        polygon by its vertices in order, a keypoint by its point; empty of a mask.
    mask
        Shape (H, W), of a mask alone: true inside.
    frame
        Frame of a stack it belongs to; None: every frame.
    lesion
        Whether a lesion is in it.
    """

    image: str
    name: str
    kind: Kind
    corners: FloatArray
    mask: BoolArray | None = field(default=None, repr=False)
    frame: int | None = None
    lesion: bool = False

    def contains(self, points: FloatArray, frame: IntArray, margin_px: float = 0.0) -> BoolArray:
        """Return which points (F, 2) of which frames (F,) lie in it or within a margin of it.

        The border belongs to it. NaN lies nowhere.
        """
        there = np.isfinite(points).all(axis=1)
        if self.frame is not None:
            there &= frame == self.frame
        inside = np.zeros(len(points), dtype=bool)
        inside[there] = self.distance_px(points[there]) <= margin_px
        return inside

    def distance_px(self, points: FloatArray) -> FloatArray:
        """Return how far each point (F, 2) lies outside, pixels; 0 or less inside."""
        return _DISTANCES[self.kind](self, points)


def _from_box(area: Area, points: FloatArray) -> FloatArray:
    (left, top), (right, bottom) = area.corners
    x, y = points.T
    beyond_x = np.maximum(left - x, x - right)
    beyond_y = np.maximum(top - y, y - bottom)
    outside = np.hypot(np.maximum(beyond_x, 0), np.maximum(beyond_y, 0))
    return np.asarray(np.where(outside > 0, outside, np.maximum(beyond_x, beyond_y)), np.float64)


def _from_ellipse(area: Area, points: FloatArray) -> FloatArray:
    """Return the distance along the ray from the centre: exact on the border and of a circle."""
    centre, radii = area.corners.mean(axis=0), np.diff(area.corners, axis=0)[0] / 2
    away = points - centre
    far = np.hypot(*away.T)
    with np.errstate(divide="ignore", invalid="ignore"):
        border = far / np.sqrt(((away / radii) ** 2).sum(axis=1))
    return np.asarray(np.where(far > 0, far - border, -radii.min()), np.float64)


def _from_polygon(area: Area, points: FloatArray) -> FloatArray:
    outline = area.corners.astype(np.float32)
    return np.array(
        [-cv2.pointPolygonTest(outline, (float(x), float(y)), measureDist=True) for x, y in points]
    ).reshape(len(points))


def _from_keypoint(area: Area, points: FloatArray) -> FloatArray:
    return np.asarray(np.hypot(*(points - area.corners[0]).T), np.float64)


def _from_mask(area: Area, points: FloatArray) -> FloatArray:
    """Return the distance to the nearest pixel of the mask, 0 within one."""
    assert area.mask is not None
    to_mask = cv2.distanceTransform(
        (~area.mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )
    height, width = area.mask.shape
    column, row = np.floor(points).astype(np.int64).T
    near_column, near_row = np.clip(column, 0, width - 1), np.clip(row, 0, height - 1)
    found = np.asarray(to_mask[near_row, near_column], np.float64)
    beyond = (column != near_column) | (row != near_row)
    if beyond.any():  # gaze moved by the tracker's error may lie beside the picture
        pixels = cKDTree(np.argwhere(area.mask))
        found[beyond] = pixels.query(np.column_stack([row, column])[beyond])[0]
    return found


_DISTANCES = {
    "box": _from_box, "ellipse": _from_ellipse, "polygon": _from_polygon,
    "keypoint": _from_keypoint, "mask": _from_mask,
}  # fmt: skip


def grid(image: str, width: int, height: int, columns: int, rows: int) -> list[Area]:
    """Return a grid of boxes, named by row and column from 1: `r1c1`, `r1c2`, …."""
    if columns < 1 or rows < 1:
        raise AnalysisError(f"A grid has at least one column and row, not {columns} × {rows}.")
    x, y = np.linspace(0, width, columns + 1), np.linspace(0, height, rows + 1)
    return [
        Area(image, f"r{r + 1}c{c + 1}", "box", np.array([[x[c], y[r]], [x[c + 1], y[r + 1]]]))
        for r in range(rows)
        for c in range(columns)
    ]


def halves(image: str, width: int, height: int) -> list[Area]:
    """Return the image's left and right half, as it is stored."""
    left, right = grid(image, width, height, 2, 1)
    return [_named(left, "image left"), _named(right, "image right")]


def thirds(image: str, width: int, height: int) -> list[Area]:
    """Return the image's upper, middle and lower third."""
    names = ("upper third", "middle third", "lower third")
    return [_named(a, n) for a, n in zip(grid(image, width, height, 1, 3), names, strict=True)]


def _named(area: Area, name: str) -> Area:
    return Area(area.image, name, area.kind, area.corners)


def first_area(
    areas: Sequence[Area], points: FloatArray, frame: IntArray, margin_px: float
) -> IntArray:
    """Return for each point the area it belongs to, (F,); -1 for none.

    Where areas overlap a point belongs to the one it lies deepest in, ties to the earlier one.
    """
    if not areas:
        return np.full(len(points), -1, np.int64)
    depth = np.full((len(areas), len(points)), np.inf)
    for k, area in enumerate(areas):
        inside = area.contains(points, frame, margin_px)
        depth[k, inside] = area.distance_px(points[inside])
    return np.where(np.isfinite(depth).any(axis=0), depth.argmin(axis=0), -1)
