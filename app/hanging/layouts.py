"""Where the tiles of a hanging lie on the canvas, on the grid of its device pixels."""

import math
from collections.abc import Collection

from app.images.viewport import Rect

HANGINGS = ("one-up", "two-up", "mammo", "prior")
"""One image; two side by side; four mammograms, chest walls meeting; current over prior."""
GAP_VIEW = 4.0
"""Gap between tiles, device-independent pixels."""


def grid_of(hanging: str, count: int) -> tuple[int, int]:
    """Return rows and columns for `count` images; a hanging grows if there are more."""
    count = max(count, 1)
    if hanging == "mammo":
        return max(2, math.ceil(count / 2)), 2
    if hanging == "prior":
        return 2, max(1, math.ceil(count / 2))
    if hanging == "two-up":
        return max(1, math.ceil(count / 2)), 2
    columns = math.ceil(math.sqrt(count))
    return math.ceil(count / columns), columns


def tile_rects(
    hanging: str, count: int, size_view: tuple[float, float], device_pixel_ratio: float
) -> tuple[Rect, ...]:
    """Return (x, y, width, height) of each tile, row by row, `_view`.

    Every edge lies on a device pixel, so that a tile is drawn one to one; tiles in one row and one
    column have the same size.

    Parameters
    ----------
    size_view
        Width and height of the canvas.
    """
    return _grid(*grid_of(hanging, count), size_view, device_pixel_ratio)


def page_rects(
    places: Collection[int], size_view: tuple[float, float], device_pixel_ratio: float
) -> dict[int, Rect]:
    """Return (x, y, width, height) by place on a page of mammograms, as `tile_rects` does.

    Empty rows and columns of the two by two take no space; two views of one breast lie side by
    side, because both would be small if stacked in a wide row.

    Parameters
    ----------
    places
        Places 0 to 3: upper row, lower row.
    """
    rows = sorted({place // 2 for place in places})
    columns = sorted({place % 2 for place in places})
    if len(rows) == 2 and len(columns) == 1:
        beside = _grid(1, 2, size_view, device_pixel_ratio)
        return {place: beside[place // 2] for place in places}
    rects = _grid(max(len(rows), 1), max(len(columns), 1), size_view, device_pixel_ratio)
    return {
        place: rects[rows.index(place // 2) * len(columns) + columns.index(place % 2)]
        for place in places
    }


def _grid(
    rows: int, columns: int, size_view: tuple[float, float], device_pixel_ratio: float
) -> tuple[Rect, ...]:
    wide = _side(size_view[0], columns, device_pixel_ratio)
    high = _side(size_view[1], rows, device_pixel_ratio)
    gap = round(GAP_VIEW * device_pixel_ratio) / device_pixel_ratio
    if columns == rows == 1:
        return ((0.0, 0.0, float(size_view[0]), float(size_view[1])),)
    return tuple(
        (column * (wide + gap), row * (high + gap), wide, high)
        for row in range(rows)
        for column in range(columns)
    )


def _side(length: float, count: int, ratio: float) -> float:
    gap = round(GAP_VIEW * ratio)
    return max(math.floor((length * ratio - gap * (count - 1)) / count), 1) / ratio
