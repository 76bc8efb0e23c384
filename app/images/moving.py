"""A tile while it moves: one pass of OpenCV's scaling, which takes a quarter of a warp's time.

The scale is exact. Along each axis, the picture is at most a fifth of a device pixel off, because
this scaling begins at a whole source pixel; at rest a tile is sampled exactly (`resample`).
"""

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from devices.gaze.view import Affine

_MOST_OFF = 0.2
"""Device pixels."""
_STARTS = 16
"""Source pixels tried as the beginning: one that aligns well with the device's pixels is used."""
_LEAST_SHOWN = 8
"""Device pixels across; a warp also draws thinner images thick enough to be seen."""


class _Axis(NamedTuple):
    """Source pixels `low` to `high`, scaled, fill device pixels; both run the same way.

    Attributes
    ----------
    begin, step
        The first device pixel that shows the image is centred here, in source pixels; the next one
        a step on.
    first, shown
        Which device pixel that is; how many show the image.
    skipped, edge
        Scaled pixels before the first that is used; device pixels before that one.
    """

    low: int
    high: int
    begin: float
    step: float
    first: int
    shown: int
    skipped: int
    edge: int


def moving(stored: NDArray[Any], to_image: Affine, columns: int, rows: int) -> NDArray[Any] | None:
    """Return a tile's stored values, shape (rows, columns); outside the image, its border repeated.

    Parameters
    ----------
    to_image
        From device pixels (their centres) to `_image`, with quarter turns at most.

    Returns
    -------
    NDArray
        None if hardly any of the image is visible, or no start aligns well.
    """
    t, turned = to_image, abs(to_image.b) > abs(to_image.a)
    across, down = (rows, columns) if turned else (columns, rows)
    step_x, step_y = (t.c, t.b) if turned else (t.a, t.d)
    x = _axis(t.tx, step_x, across, stored.shape[1])
    y = _axis(t.ty, step_y, down, stored.shape[0])
    if x is None or y is None:
        return None
    source = stored.astype(np.int16) if stored.dtype == np.int8 else stored
    tile = _bordered(_seen(source, x, y), x, y, down, across)
    tile = tile[:: -1 if step_y < 0 else 1, :: -1 if step_x < 0 else 1]
    return (tile.swapaxes(0, 1) if turned else tile).astype(stored.dtype, copy=False)


def _axis(start: float, step: float, count: int, size: int) -> _Axis | None:
    """Return how `count` device pixels, at `start + step * k`, are filled."""
    if step < 0:
        start, step = start + step * (count - 1), -step
    first = max(int(np.ceil(-start / step)), 0)
    last = min(int(np.ceil((size - start) / step)), count) - 1
    shown = last - first + 1
    if shown < _LEAST_SHOWN:
        return None
    begin, end = start + step * first, start + step * last
    lows = max(int(begin - step / 2 - 0.5) - _STARTS + 1, 0) + np.arange(_STARTS)
    # Pixel j of the scaled crop shows low + (j + 1/2) * step; near its beginning it mixes nothing
    # of what lies before, which is right at the image's own border alone.
    places = (begin - lows) / step - 0.5
    whole = np.round(places).astype(int)
    skipped = np.maximum(whole, np.where(lows > 0, int(np.ceil(0.5 / step - 0.5)), 0))
    edges, off = skipped - whole, np.abs(places - whole)
    best = int(np.lexsort((off, edges, off > _MOST_OFF))[0])
    low, edge = int(lows[best]), int(edges[best])
    if off[best] > _MOST_OFF or edge >= shown or low >= size:
        return None
    high = min(int(end + 2 * step) + 2, size)
    return _Axis(low, high, begin, step, first, shown, int(skipped[best]), edge)


def _seen(source: NDArray[Any], x: _Axis, y: _Axis) -> NDArray[Any]:
    """Return what is visible of the image; one pixel less at its end if it ends within a pixel."""
    scaled = np.asarray(
        cv2.resize(
            source[y.low : y.high, x.low : x.high],
            None,
            fx=1 / x.step,
            fy=1 / y.step,
            interpolation=cv2.INTER_LINEAR,
        )
    )
    body = scaled[y.skipped :, x.skipped :][: y.shown - y.edge, : x.shown - x.edge]
    if not (x.edge or y.edge):
        return body
    rows, columns = y.edge + body.shape[0], x.edge + body.shape[1]
    seen = np.empty((rows, columns, *body.shape[2:]), body.dtype)
    seen[y.edge :, x.edge :] = body
    _warp_into(seen[: y.edge], source, x, y)
    _warp_into(seen[:, : x.edge], source, x, y)
    return seen


def _warp_into(part: NDArray[Any], source: NDArray[Any], x: _Axis, y: _Axis) -> None:
    if part.size:
        matrix = np.array([[x.step, 0, x.begin - 0.5], [0, y.step, y.begin - 0.5]])
        part[...] = cv2.warpAffine(
            source,
            matrix,
            part.shape[1::-1],
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )


def _bordered(seen: NDArray[Any], x: _Axis, y: _Axis, rows: int, columns: int) -> NDArray[Any]:
    height, width = seen.shape[:2]
    if (height, width) == (rows, columns):
        return seen
    below, right = rows - y.first - height, columns - x.first - width
    return np.asarray(
        cv2.copyMakeBorder(seen, y.first, below, x.first, right, cv2.BORDER_REPLICATE)
    )
