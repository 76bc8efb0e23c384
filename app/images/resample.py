"""A tile of an image in device pixels, still as stored values: the display LUT is applied later."""

import threading
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from app.images.moving import moving
from devices.gaze.view import Affine

Rect = tuple[float, float, float, float]
Stored = NDArray[Any]
Strip = tuple[slice, slice]
"""Rows and columns of a drawn tile."""


class Resampled(NamedTuple):
    """What a tile shows, in device pixels.

    Attributes
    ----------
    pixels
        Shape (h, w), stored values in the dtype of the image; outside the image they have no
        meaning.
    mask
        Shape (h, w), whether the pixel's centre is on the image.
    """

    pixels: Stored
    mask: NDArray[np.bool_]


def sampled(
    stored: Stored,
    view_to_image: Affine,
    tile_view: Rect,
    size_image: tuple[int, int],
    ratio_and_scale: tuple[float, float],
    *,
    smooth: bool,
) -> Resampled:
    """Return a tile; see `Viewport.resample`.

    Parameters
    ----------
    size_image
        Width and height of the image.
    ratio_and_scale
        Device pixels per `_view` pixel, and per source pixel along x.
    """
    key = _Key(view_to_image, tile_view, size_image, ratio_and_scale, smooth)
    with _LOCK:
        ready = _READY.pop((id(stored), key), None)
    if ready is not None and ready[0] is stored:
        return ready[1]
    return _computed(stored, key)


def sample_ahead(
    stored: Stored,
    view_to_image: Affine,
    tile_view: Rect,
    size_image: tuple[int, int],
    ratio_and_scale: tuple[float, float],
    *,
    smooth: bool,
) -> None:
    """Prepare what `sampled` will be asked for, in another thread; it then only takes the result.

    Averaging 14 megapixels takes tens of milliseconds, during which OpenCV holds no lock.
    """
    key = _Key(view_to_image, tile_view, size_image, ratio_and_scale, smooth)
    ready = stored, _computed(stored, key)
    with _LOCK:
        _READY[id(stored), key] = ready
        while len(_READY) > _MOST_READY:
            del _READY[next(iter(_READY))]


def device_grid(view_to_image: Affine, tile_view: Rect, ratio: float) -> tuple[Affine, int, int]:
    """Return the map from a tile's device pixels (their centres) to `_image`, columns and rows.

    Parameters
    ----------
    ratio
        Device pixels per `_view` pixel.
    """
    x, y, width, height = tile_view
    step = 1.0 / ratio
    device = Affine(step, 0.0, 0.0, step, x + step / 2, y + step / 2)
    columns, rows = max(round(width * ratio), 1), max(round(height * ratio), 1)
    return device.then(view_to_image), columns, rows


class _Key(NamedTuple):
    view_to_image: Affine
    tile_view: Rect
    size_image: tuple[int, int]
    ratio_and_scale: tuple[float, float]
    smooth: bool


_READY: dict[tuple[int, _Key], tuple[Stored, Resampled]] = {}
_LOCK = threading.Lock()
_THINNEST = 3
"""Minimum width of an image in device pixels, however thin it is."""
_MOST_READY = 5
"""Tiles held for what will be shown soon: a case of four images, and one coming to rest."""


def _computed(stored: Stored, key: _Key) -> Resampled:
    ratio, scale = key.ratio_and_scale
    size_image, smooth = key.size_image, key.smooth
    to_image, columns, rows = device_grid(key.view_to_image, key.tile_view, ratio)
    mask = _mask(to_image, columns, rows, size_image)
    if smooth and scale < 1.0:
        return Resampled(_shrunk(stored, to_image, columns, rows, scale), mask)
    quick = None if smooth else moving(stored, to_image, columns, rows)
    return Resampled(_warped(stored, to_image, columns, rows) if quick is None else quick, mask)


def _mask(
    to_image: Affine, columns: int, rows: int, size_image: tuple[int, int]
) -> NDArray[np.bool_]:
    # With quarter turns, one image axis depends only on the column, the other only on the row.
    i, j = np.arange(columns), np.arange(rows)
    along_i = to_image.map(np.stack((i, np.zeros(columns)), axis=1))
    along_j = to_image.map(np.stack((np.zeros(rows), j), axis=1))
    axis = 1 if abs(to_image.b) > abs(to_image.a) else 0
    on_i = _on(along_i[:, axis], size_image[axis])
    on_j = _on(along_j[:, 1 - axis], size_image[1 - axis])
    return np.asarray(on_j[:, None] & on_i[None, :])


def _on(places: NDArray[np.float64], size: int) -> NDArray[np.bool_]:
    """Return which device pixels along one axis show the image.

    An image that is a few thousand pixels long and a few high could fall between two of them when
    fitted, so it is drawn thick enough to be seen.
    """
    on = (places >= 0) & (places < size)
    step = abs(float(places[-1] - places[0])) / max(len(places) - 1, 1)
    in_tile = places.min() <= size and places.max() >= 0
    if size < _THINNEST * step and in_tile:
        middle = int(np.abs(places - size / 2).argmin())
        on[max(middle - _THINNEST // 2, 0) : middle + _THINNEST // 2 + 1] = True
    return np.asarray(on)


def _warped(stored: Stored, to_image: Affine, columns: int, rows: int) -> Stored:
    """Sample at the centres of device pixels; OpenCV counts from the centre of pixel (0, 0)."""
    t = to_image
    matrix = np.array([[t.a, t.c, t.tx - 0.5], [t.b, t.d, t.ty - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    source = stored.astype(np.int16) if stored.dtype == np.int8 else stored
    seen = cv2.warpAffine(
        source, matrix, (columns, rows), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(seen).astype(stored.dtype, copy=False)


def _shrunk(stored: Stored, to_image: Affine, columns: int, rows: int, scale: float) -> Stored:
    """Average the visible part down to about the tile's scale, then sample that in place."""
    corners = to_image.map([(-1, -1), (columns, -1), (-1, rows), (columns, rows)])
    size = np.array([stored.shape[1], stored.shape[0]])
    low = np.clip(np.floor(corners.min(axis=0)).astype(int) - 1, 0, size - 1)
    high = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 1, low + 1, size)
    crop = stored[low[1] : high[1], low[0] : high[0]]
    small = np.maximum(np.round((high - low) * scale).astype(int), 1)
    source = crop.astype(np.int16) if crop.dtype == np.int8 else crop
    averaged = np.asarray(
        cv2.resize(source, (int(small[0]), int(small[1])), interpolation=cv2.INTER_AREA)
    )
    fx, fy = small / (high - low)
    to_small = Affine(float(fx), 0.0, 0.0, float(fy), float(-low[0] * fx), float(-low[1] * fy))
    return _warped(averaged, to_image.then(to_small), columns, rows).astype(
        stored.dtype, copy=False
    )


def strips_outside(mask: NDArray[np.bool_]) -> tuple[Strip, ...]:
    """Return what lies above, below, left and right of the image, which is a rectangle."""
    if not mask.any():
        return ((slice(None), slice(None)),)
    row, column = divmod(int(mask.argmax()), mask.shape[1])
    rows, columns = np.flatnonzero(mask[:, column]), np.flatnonzero(mask[row])
    (top, bottom), (left, right) = (rows[0], rows[-1] + 1), (columns[0], columns[-1] + 1)
    strips = (
        (slice(0, top), slice(None)),
        (slice(bottom, None), slice(None)),
        (slice(top, bottom), slice(0, left)),
        (slice(top, bottom), slice(right, None)),
    )
    return tuple(strip for strip in strips if mask[strip].size)
