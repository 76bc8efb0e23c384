"""Where an image was on the canvas of its gaze, as data that can travel between processes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from devices.gaze.geometry import ScreenGeometry


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the image is on the canvas from one sample on.

    Attributes
    ----------
    first
        Index of the first sample it applies to.
    scale_x, scale_y
        Canvas pixels per image pixel.
    x_canvas, y_canvas
        The image's top-left corner.
    rect_canvas
        (x, y, width, height) in which gaze is on the image; None: all of the image.
    kind
        Kind of the view event: open, zoom, frame, …
    frame
        Frame of a stack, from 0.
    """

    first: int = 0
    scale_x: float = 1.0
    scale_y: float = 1.0
    x_canvas: float = 0.0
    y_canvas: float = 0.0
    rect_canvas: tuple[float, float, float, float] | None = None
    kind: str = "open"
    frame: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Width and height of an image in pixels → its placements, in order of sample.

    Attributes
    ----------
    rule
        whole, height, shown, screen, stretched, own-size, axes or listed; see the functions below.
    values
        Arguments of the rule.
    listed
        Of the rule `listed`.
    frames
        (first sample, frame) of a stack, in order; empty: frame 0.
    """

    rule: str = "whole"
    values: tuple[float, ...] = ()
    listed: tuple[Placement, ...] = ()
    frames: tuple[tuple[int, int], ...] = ()

    def __call__(self, width: int, height: int) -> Sequence[Placement]:
        """Return the placements of an image of that size."""
        if self.rule == "listed":
            return list(self.listed)
        placement = self._one(width, height)
        if not self.frames:
            return [placement]
        return [
            replace(placement, first=first, frame=frame, kind="frame" if k else "open")
            for k, (first, frame) in enumerate(self.frames)
        ]

    def _one(self, width: int, height: int) -> Placement:
        v = self.values
        if self.rule == "height":
            return Placement(scale_x=v[0] / height, scale_y=v[0] / height)
        if self.rule == "shown":
            return Placement(0, v[2] / width, v[3] / height, v[0], v[1])
        if self.rule == "screen":
            scale = min(v[0] / width, v[1] / height)
            return Placement(
                0, scale, scale, (v[0] - scale * width) / 2, (v[1] - scale * height) / 2
            )
        if self.rule == "stretched":
            return Placement(0, v[0] / width, v[1] / height, v[2], v[3])
        if self.rule == "own-size":
            x, y = (v[0] - width / 2, v[1] - height / 2) if v[2] else (v[0], v[1])
            return Placement(0, 1.0, 1.0, x, y)
        if self.rule == "axes":
            return _axes(width, height, v[0] > 0, int(v[1]))
        return Placement()


whole_image = Place()
"""The canvas counts the image's own pixels."""


def fitted_height(canvas_height: float) -> Place:
    """Place the image resized to a height, with its aspect ratio kept, at the canvas's origin."""
    return Place("height", (canvas_height,))


def shown_at(x: float, y: float, shown_width: float, shown_height: float) -> Place:
    """Place the image in a rectangle of the screen, in the screen's pixels."""
    return Place("shown", (x, y, shown_width, shown_height))


def fitted_screen(screen: ScreenGeometry) -> Place:
    """Place the image in the middle of the screen, as large as possible."""
    return Place("screen", (screen.width_screen, screen.height_screen))


def stretched(width: float, height: float, origin: float = 0.0) -> Place:
    """Lay a grid of some width and height, counted from `origin`, over the whole image."""
    return Place("stretched", (width, height, origin, origin))


def own_size(x: float, y: float, *, centred: bool) -> Place:
    """Place the image in its own pixels, with its middle or corner at a point of the canvas."""
    return Place("own-size", (x, y, float(centred)))


def listed(placements: Sequence[Placement]) -> Place:
    """Place the image as listed, whatever its size."""
    return Place("listed", listed=tuple(placements))


ORIGINS = ("top-left", "bottom-left", "centre")


def image_axes(*, in_pixels: bool, origin: str) -> Place:
    """Count in the image's pixels, or fractions of it, from one of `ORIGINS`."""
    return Place("axes", (float(in_pixels), float(ORIGINS.index(origin))))


def _axes(width: int, height: int, in_pixels: bool, origin: int) -> Placement:
    x, y = (1.0, 1.0) if in_pixels else (1 / width, 1 / height)
    if origin == 0:
        return Placement(0, x, y)
    if origin == 1:
        return Placement(0, x, -y, 0.0, y * height)
    return Placement(0, x, -y, -x * width / 2, y * height / 2)
