"""Where an image lies in its tile: zoom, pan, flip and rotation as one transform, without Qt.

Frame `_view` is the device-independent pixels of the canvas. The state is the image point in the
middle of the tile, so that flips, rotations and a change of tile keep what the reader is looking
at.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.images.resample import Rect, Resampled, Stored, device_grid, sample_ahead, sampled
from devices.gaze.view import Affine

__all__ = ["Rect", "Resampled", "Viewport"]

MAX_ZOOM = 40.0
MIN_ZOOM_OF_FIT = 0.25


@dataclass(slots=True)
class Viewport:
    """One image in one tile.

    Attributes
    ----------
    image_width, image_height
        In source pixels.
    tile_view
        (x, y, width, height) of the tile, `_view`.
    pixel_aspect
        Height of a source pixel over its width; 1 for square pixels.
    zoom
        Device-independent pixels per source pixel, along x.
    center_x_image, center_y_image
        The image point in the middle of the tile.
    flipped_horizontally, flipped_vertically
        Applied to the image before it is rotated.
    rotation_deg
        Clockwise: 0, 90, 180 or 270.
    fitted
        Whether the zoom follows the tile.
    anchor
        Horizontal position of a fitted image in its tile: 0 at the left edge, 0.5 in the middle, 1
        at the right edge (a chest wall next to another).
    shared_zoom
        A fitted image is no larger than this, so that images side by side have the same scale.
    hung_flipped, hung_flipped_vertically, hung_rotation_deg
        How it hangs; reset returns to that.
    """

    image_width: int
    image_height: int
    tile_view: Rect
    pixel_aspect: float = 1.0
    zoom: float = 1.0
    center_x_image: float = 0.0
    center_y_image: float = 0.0
    flipped_horizontally: bool = False
    flipped_vertically: bool = False
    rotation_deg: int = 0
    fitted: bool = True
    anchor: float = 0.5
    shared_zoom: float | None = None
    hung_flipped: bool = False
    hung_flipped_vertically: bool = False
    hung_rotation_deg: int = 0

    def __post_init__(self) -> None:
        self.fit()

    def transform(self) -> Affine:
        """Return the map from `_image` to `_view`."""
        a, b, c, d = self._linear()
        x, y, width, height = self.tile_view
        cx, cy = self.center_x_image, self.center_y_image
        tx = x + width / 2 - (a * cx + c * cy)
        ty = y + height / 2 - (b * cx + d * cy)
        return Affine(a, b, c, d, tx, ty)

    def copy(self) -> "Viewport":
        """Return an independent viewport in the same state."""
        other = replace(self)  # which fits it
        other.zoom, other.fitted = self.zoom, self.fitted
        other.center_x_image, other.center_y_image = self.center_x_image, self.center_y_image
        return other

    def magnified(self, at_view: tuple[float, float], tile_view: Rect, factor: float) -> "Viewport":
        """Return a lens: the image point under `at_view` stays there, magnified by `factor`."""
        lens = self.copy()
        under = self.transform().inverse().map(at_view)
        lens.tile_view, lens.fitted = tile_view, False
        lens.zoom = min(self.zoom * factor, MAX_ZOOM)
        lens._place(under, *at_view)
        return lens

    def set_tile(self, tile_view: Rect) -> None:
        """Give it another tile; a fitted image stays fitted."""
        self.tile_view = tile_view
        if self.fitted:
            self.fit()

    def fit(self) -> None:
        """Show the whole image as large as the tile allows; flips and rotation stay."""
        own, shared = self.fit_zoom(), self.shared_zoom
        self.zoom = own if shared is None else min(own, shared)
        self.center_x_image, self.center_y_image = self.image_width / 2, self.image_height / 2
        self.fitted = True
        if self.anchor != 0.5:
            self._anchor()

    def fit_zoom(self) -> float:
        """Return the zoom at which the whole image just fits into the tile."""
        width, height = float(self.image_width), self.image_height * self.pixel_aspect
        if self.rotation_deg % 180:
            width, height = height, width
        return max(min(self.tile_view[2] / width, self.tile_view[3] / height), 1e-6)

    def reset(self) -> None:
        """Undo flips, rotation, zoom and pan: back to how it was hung."""
        self.flipped_horizontally = self.hung_flipped
        self.flipped_vertically = self.hung_flipped_vertically
        self.rotation_deg = self.hung_rotation_deg
        self.fit()

    def zoom_at(self, x_view: float, y_view: float, factor: float) -> None:
        """Zoom by a factor; the image point under (x_view, y_view) stays under it."""
        fit = self.fit_zoom()
        low, high = min(fit * MIN_ZOOM_OF_FIT, 1.0), max(fit, MAX_ZOOM)
        before = self.transform().inverse().map((x_view, y_view))
        self.zoom = float(np.clip(self.zoom * factor, low, high))
        self._place(before, x_view, y_view)
        self._keep_in_sight()
        self.fitted = False

    def pan_by(self, dx_view: float, dy_view: float) -> None:
        """Move the image by some `_view` pixels; part of it always stays in the tile."""
        a, b, c, d = self._linear()
        back = Affine(a, b, c, d).inverse().map((dx_view, dy_view))
        self.center_x_image -= float(back[0])
        self.center_y_image -= float(back[1])
        self._keep_in_sight()
        self.fitted = False

    def one_to_one(self, device_pixel_ratio: float) -> None:
        """Show one source pixel as one device pixel, on the grid of the screen: no blur."""
        self.zoom = 1.0 / device_pixel_ratio
        self.fitted = False
        to_view = self.transform()
        for _ in range(2):  # the second pass removes the rounding of the first
            corner = np.array([to_view.tx, to_view.ty])
            shift = np.round(corner * device_pixel_ratio) / device_pixel_ratio - corner
            self.pan_by(float(shift[0]), float(shift[1]))
            to_view = self.transform()

    def true_size(self, column_spacing_mm: float, view_pixel_mm: float) -> None:
        """Show the object at its true size.

        Parameters
        ----------
        column_spacing_mm
            Distance between the columns of the image.
        view_pixel_mm
            Width of a device-independent pixel on the screen.
        """
        self.zoom = column_spacing_mm / view_pixel_mm
        self.fitted = False

    def rotate_by(self, degrees: int) -> None:
        """Turn the image clockwise, as seen, by a multiple of 90°.

        Raises
        ------
        ValueError
            For any other angle: gaze maps stay exact under quarter turns only.
        """
        if degrees % 90:
            raise ValueError(f"images can be turned only by multiples of 90°, not by {degrees}°.")
        self.rotation_deg = (self.rotation_deg + degrees) % 360
        if self.fitted:
            self.fit()

    def flip(self, *, horizontally: bool = False, vertically: bool = False) -> None:
        """Mirror the image left to right or top to bottom, as seen."""
        if self.rotation_deg % 180:
            horizontally, vertically = vertically, horizontally
        self.flipped_horizontally ^= horizontally
        self.flipped_vertically ^= vertically
        if self.fitted:
            self.fit()

    def resample(self, stored: Stored, device_pixel_ratio: float, smooth: bool) -> Resampled:
        """Return the tile in device pixels, as stored values: the display LUT comes after it.

        Parameters
        ----------
        stored
            Shape (image_height, image_width); uint8, int8, uint16 or int16.
        device_pixel_ratio
            Device pixels per `_view` pixel.
        smooth
            Average over all source pixels when shrinking and place exactly (at rest), instead of
            sampling between neighbours up to a fifth of a device pixel off (while dragging).
        """
        return sampled(stored, *self._sampling(device_pixel_ratio), smooth=smooth)

    def resample_ahead(self, stored: Stored, device_pixel_ratio: float) -> None:
        """Prepare what the next smooth `resample` will ask for; in another thread, use a copy."""
        sample_ahead(stored, *self._sampling(device_pixel_ratio), smooth=True)

    def grid(self, device_pixel_ratio: float) -> tuple[Affine, int, int]:
        """Return the map from the tile's device pixels to `_image`, their columns and rows."""
        return device_grid(self.transform().inverse(), self.tile_view, device_pixel_ratio)

    def _sampling(
        self, device_pixel_ratio: float
    ) -> tuple[Affine, Rect, tuple[int, int], tuple[float, float]]:
        size = (self.image_width, self.image_height)
        scales = device_pixel_ratio, self.zoom * device_pixel_ratio
        return self.transform().inverse(), self.tile_view, size, scales

    def _anchor(self) -> None:
        """Push the image across its tile, towards the edge it is anchored to."""
        x, _, width, _ = self.tile_view
        size = (self.image_width, self.image_height)
        seen = self.transform().map([(0, 0), size])[:, 0]
        spare = width - abs(float(seen[1] - seen[0]))
        shift = x + self.anchor * spare - float(seen.min())
        a, b, c, d = self._linear()
        back = Affine(a, b, c, d).inverse().map((shift, 0.0))
        self.center_x_image -= float(back[0])
        self.center_y_image -= float(back[1])

    def _linear(self) -> tuple[float, float, float, float]:
        sx = -self.zoom if self.flipped_horizontally else self.zoom
        sy = self.zoom * self.pixel_aspect * (-1.0 if self.flipped_vertically else 1.0)
        cos, sin = _COS_SIN[self.rotation_deg]
        return cos * sx, sin * sx, -sin * sy, cos * sy

    def _place(self, point_image: NDArray[np.float64], x_view: float, y_view: float) -> None:
        there = self.transform().map(point_image)
        a, b, c, d = self._linear()
        off = Affine(a, b, c, d).inverse().map(there - (x_view, y_view))
        self.center_x_image += float(off[0])
        self.center_y_image += float(off[1])

    def _keep_in_sight(self) -> None:
        """Bring back an image that left its tile: its nearest edge then touches the tile's."""
        a, b, c, d = self._linear()
        half = np.array(self.tile_view[2:]) / 2
        reach = np.abs(Affine(a, b, c, d).inverse().map([(half[0], 0.0), (0.0, half[1])])).sum(0)
        size = self.image_width, self.image_height
        self.center_x_image = float(np.clip(self.center_x_image, -reach[0], size[0] + reach[0]))
        self.center_y_image = float(np.clip(self.center_y_image, -reach[1], size[1] + reach[1]))


_COS_SIN = {0: (1.0, 0.0), 90: (0.0, 1.0), 180: (-1.0, 0.0), 270: (0.0, -1.0)}
