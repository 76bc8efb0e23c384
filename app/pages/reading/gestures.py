"""What a drag or the wheel does to the tile under it."""

import math

from app.hanging.image_view import FINE
from app.hanging.lightbox import Changes, LightBox

WHEEL_STEP = 1.15
ZOOM_PIXELS = 200.0
"""A zoom drag of this length zooms by e."""

Point = tuple[float, float]


def dragged(box: LightBox, tile: int, does: str, start: Point, by: Point, *, fine: bool) -> Changes:
    """Window, pan or zoom with a drag, as the key map says; other words do nothing.

    Parameters
    ----------
    does
        "window", "pan" or "zoom".
    start, by
        Where the drag began and its distance since then, device-independent pixels of the canvas.
    fine
        Whether windowing is slow.
    """
    if does == "window":
        return {tile: box.views[tile].window_by(*by, FINE if fine else 1.0)}
    if does == "pan":
        return box.pan(tile, *by)
    if does == "zoom":
        return box.zoom(tile, math.exp(-by[1] / ZOOM_PIXELS), *start)
    return {}


def wheeled(box: LightBox, tile: int, notches: float, at: Point, *, zoom: bool) -> Changes:
    """Zoom at the cursor; a stack is scrolled unless `zoom` is set."""
    view = box.views[tile]
    if view.frames > 1 and not zoom:
        return {tile: view.scroll(-int(math.copysign(max(1, abs(notches)), notches)))}
    return box.zoom(tile, WHEEL_STEP**notches, *at)
