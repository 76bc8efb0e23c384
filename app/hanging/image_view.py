"""What is shown of one image: viewport, window, inversion, and the resulting grey values.

No Qt here: the canvas turns mouse and keys into calls, and paints `grey`.
"""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from app.hanging.overlay_layer import draw_runs
from app.hanging.upright import Upright
from app.hanging.view_keys import MOVES, PLACES, WINDOWS
from app.images.greyscale import (
    DisplayLut,
    Window,
    by_hand,
    default_window,
    display_lut,
    has_fractions,
    presets,
)
from app.images.resample import Strip, strips_outside
from app.images.store import LoadedImage
from app.images.viewport import Rect, Resampled, Viewport
from devices.gaze.view import Affine, TileView

KEY_STEP = 1.25
FINE = 0.1
"""Share of the usual speed of a window drag while Shift is held."""
DRAG_PIXELS = 800.0
"""A drag of this length runs through the whole range of the image's values."""
_FINEST = 1000.0
NOTHING = ""
"""Kind of change when a key has no effect on this image: the view is unchanged."""


class ImageView:
    """One image and how it is shown.

    Parameters
    ----------
    image
        What is shown, initially in its first preset and fitted.
    tile_view
        (x, y, width, height) on the canvas.
    background
        Grey off the image, 0 to 255.

    Attributes
    ----------
    upright
        How it hangs, and how that is known: a page shows its `words`.
    overlaid
        Whether the image's overlay is drawn.
    smooth
        Whether `grey` averages over source pixels (at rest) or samples them (while dragging).
    """

    def __init__(self, image: LoadedImage, tile_view: Rect, background: int) -> None:
        self.image = image
        self.viewport = Viewport(
            image.width, image.height, tile_view, image.attributes.pixel_aspect
        )
        self.window: Window = default_window(image.attributes)
        self.inverted = False
        self.upright = Upright()
        self.overlaid = False
        self.smooth = True
        self._background = background
        self._sampled: Resampled | None = None
        self._outside: tuple[Strip, ...] = ()
        self._open: NDArray[np.uint8] | None = None
        self._shut: NDArray[np.uint8] | None = None
        self._lut: DisplayLut | None = None
        self._grey: NDArray[np.uint8] | None = None

    @property
    def frames(self) -> int:
        """Number of frames in the image."""
        return self.image.frame_count

    @property
    def frame(self) -> int:
        """Which frame of a stack is shown, from 0."""
        return self.image.frame

    @property
    def spacing_mm(self) -> tuple[float, float] | None:
        """Distance between columns and between rows, in `length_unit`; None where it is unknown."""
        return self.image.attributes.spacing_mm

    def act(
        self, action: str, device_pixel_ratio: float, view_pixel_mm: float | None = None
    ) -> str | None:
        """Do what a key means; return the kind of change, None for a key of something else.

        Parameters
        ----------
        view_pixel_mm
            Width of a device-independent pixel on the screen, for the true size.
        """
        if action.startswith("preset_"):
            return self._preset(int(action.removeprefix("preset_")) - 1)
        if action == "overlay":
            return self._toggle_overlay()
        if action == "invert":
            self.inverted = not self.inverted
            return self._recoloured("invert")
        if action in ("zoom_in", "zoom_out"):
            x, y, width, height = self.viewport.tile_view
            factor = KEY_STEP if action == "zoom_in" else 1 / KEY_STEP
            return self.zoom(factor, x + width / 2, y + height / 2)
        if action in PLACES:
            return self._place(action, device_pixel_ratio, view_pixel_mm)
        if action in MOVES:
            return self.pan(*MOVES[action])
        if action in WINDOWS:
            return self.window_by(*WINDOWS[action])
        if action in ("frame_next", "frame_back"):
            return self.scroll(1 if action == "frame_next" else -1)
        return self._turn(action)

    def scroll(self, frames: int) -> str:
        """Show another frame of a stack, within its range."""
        chosen = self.image.at_frame(self.frame + frames)
        if chosen is self.image:
            return NOTHING
        self.image = chosen
        return self._moved("frame")

    def hang(self, upright: Upright, anchor: float | None) -> None:
        """Hang upright and fitted, at an edge of the tile if one is given (`Viewport.anchor`)."""
        self.upright, viewport = upright, self.viewport
        viewport.hung_flipped = upright.flipped_horizontally
        viewport.hung_flipped_vertically = upright.flipped_vertically
        viewport.hung_rotation_deg = upright.rotation_deg
        viewport.anchor = 0.5 if anchor is None else anchor
        viewport.reset()

    def share_zoom(self, zoom: float) -> None:
        """Fit no larger than `zoom`, so that images side by side have the same scale."""
        self.viewport.shared_zoom = zoom
        if self.viewport.fitted:
            self.viewport.fit()
        self._moved("", smooth=self.smooth)

    def magnified(
        self, at_view: tuple[float, float], tile_view: Rect, factor: float
    ) -> "ImageView":
        """Return a lens over a place in this view, with the same window."""
        lens = ImageView(self.image, tile_view, self._background)
        lens.viewport = self.viewport.magnified(at_view, tile_view, factor)
        lens.window, lens.inverted = self.window, self.inverted
        lens._lut, lens.smooth = self._table(), False
        return lens

    def zoom(self, factor: float, x_view: float, y_view: float) -> str:
        """Zoom about a point of the canvas."""
        self.viewport.zoom_at(x_view, y_view, factor)
        return self._moved("zoom", smooth=False)

    def pan(self, dx_view: float, dy_view: float) -> str:
        """Move the image."""
        self.viewport.pan_by(dx_view, dy_view)
        return self._moved("pan", smooth=False)

    def set_tile(self, tile_view: Rect) -> str:
        """Give the image another tile."""
        self.viewport.set_tile(tile_view)
        return self._moved("resize")

    def window_by(self, dx_view: float, dy_view: float, speed: float = 1.0) -> str:
        """Widen the window with a drag to the right, raise its centre with a drag downwards.

        The speed depends on the range of the image's values, and the window stays near it. Colours
        have no window.
        """
        if self.image.attributes.is_colour:
            return NOTHING
        whole = presets(self.image.attributes)[-1]
        step = whole.width / DRAG_PIXELS * speed
        low, high = whole.center - whole.width, whole.center + whole.width
        least = whole.width / _FINEST if has_fractions(self.image.attributes) else 2.0
        window = by_hand(self.image.attributes, self.window)
        self.window = replace(
            window,
            center=min(max(window.center + dy_view * step, low), high),
            width=min(max(window.width + dx_view * step, min(least, whole.width)), 2 * whole.width),
        )
        return self._recoloured("window")

    def settle(self) -> None:
        """Sample smoothly from now on: dragging has ended."""
        self._moved("", smooth=True)

    def grey(self, device_pixel_ratio: float) -> NDArray[np.uint8]:
        """Return what is drawn, (height, width) in device pixels, (height, width, 3) in colour."""
        if self._grey is None:
            if self._sampled is None:
                self._sampled = self.viewport.resample(
                    self.image.stored, device_pixel_ratio, self.smooth
                )
                self._outside = strips_outside(self._sampled.mask)
                self._shutter_at(device_pixel_ratio)
            grey = self._table().apply(self._sampled.pixels)
            if self._open is not None:
                cv2.bitwise_and(grey, self._open, dst=grey)
                if self._shut is not None:
                    cv2.bitwise_or(grey, self._shut, dst=grey)
            if self.overlaid:
                draw_runs(grey, self.image, self.viewport, device_pixel_ratio)
            for strip in self._outside:
                grey[strip] = self._background
            self._grey = np.ascontiguousarray(grey)
        return self._grey

    def _toggle_overlay(self) -> str:
        self.overlaid = not self.overlaid and bool(self.image.attributes.overlay)
        return self._recoloured("overlay") if self.image.attributes.overlay else NOTHING

    def _shutter_at(self, device_pixel_ratio: float) -> None:
        """Prepare what a display shutter shows and hides, once per position."""
        shutter = self.image.attributes.shutter
        if shutter is not None:
            seen = shutter.open_on(*self.viewport.grid(device_pixel_ratio))
            if self.image.attributes.is_colour:
                seen = np.repeat(seen[..., None], 3, axis=2)
            self._open = np.where(seen, np.uint8(255), np.uint8(0))
            if shutter.grey:
                self._shut = np.where(seen, np.uint8(0), np.uint8(shutter.grey))

    def stale(self) -> None:
        """Redraw: the device pixels have changed."""
        self._moved("", smooth=self.smooth)

    def tile_view(
        self, time_us: int, kind: str, tile: int, origin_screen: tuple[float, float]
    ) -> TileView:
        """Return what is on the screen, given the screen position of the canvas's corner."""
        viewport, (x, y, width, height) = self.viewport, self.viewport.tile_view
        left, top = origin_screen
        return TileView(
            time_us,
            kind,
            tile,
            self.image.image_id,
            self.image.width,
            self.image.height,
            viewport.transform().then(Affine(tx=left, ty=top)),
            (left + x, top + y, width, height),
            frame=self.frame,
            window_center=self.window.center,
            window_width=self.window.width,
            inverted=self.inverted,
            flipped_horizontally=viewport.flipped_horizontally,
            flipped_vertically=viewport.flipped_vertically,
            rotation_deg=viewport.rotation_deg,
        )

    def _preset(self, index: int) -> str:
        offered = presets(self.image.attributes)
        if index < len(offered):
            self.window = offered[index]
        return self._recoloured("window")

    def _place(self, action: str, device_pixel_ratio: float, view_pixel_mm: float | None) -> str:
        if action == "fit":
            self.viewport.fit()
        elif action == "one_to_one":
            self.viewport.one_to_one(device_pixel_ratio)
        elif action == "true_size":
            if self.spacing_mm is None or view_pixel_mm is None:
                return NOTHING
            self.viewport.true_size(self.spacing_mm[0], view_pixel_mm)
        else:
            self.viewport.reset()
            self.window, self.inverted = default_window(self.image.attributes), False
        self._lut = None
        return self._moved(action)

    def _table(self) -> DisplayLut:
        if self._lut is None:
            self._lut = display_lut(self.image.attributes, self.window, self.inverted)
        return self._lut

    def _turn(self, action: str) -> str | None:
        if action in ("flip_horizontally", "flip_vertically"):
            across = action == "flip_horizontally"
            self.viewport.flip(horizontally=across, vertically=not across)
            return self._moved("flip")
        if action in ("rotate_right", "rotate_left"):
            self.viewport.rotate_by(90 if action == "rotate_right" else -90)
            return self._moved("rotate")
        return None

    def _moved(self, kind: str, *, smooth: bool = True) -> str:
        self.smooth = smooth
        self._sampled = self._grey = None
        return kind

    def _recoloured(self, kind: str) -> str:
        self._lut = self._grey = None
        return kind
