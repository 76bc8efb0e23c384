"""Where gaze dwelled on an image: a smooth map, with colours for a dark room."""

import math

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

_STOPS = np.array(
    # Dark blue over teal to pale yellow: lightness rises all the way, so the order can be read
    # without seeing colour, and nothing glares beside a dark radiograph.
    [
        (22, 28, 74),
        (28, 58, 122),
        (24, 94, 136),
        (30, 128, 132),
        (66, 160, 108),
        (140, 186, 76),
        (208, 204, 84),
        (250, 232, 150),
    ],
    np.float64,
)
_MAX_ALPHA = 200
_OPAQUE_FROM = 0.5


def heat_map(
    points_image: ArrayLike,
    weights: ArrayLike | None,
    width: int,
    height: int,
    sigma_image: float,
    max_side: int = 512,
) -> NDArray[np.float32]:
    """Return the dwell-weighted density of gaze over an image.

    Parameters
    ----------
    points_image
        Shape (N, 2), source-image pixels; points off the image or NaN do not count.
    weights
        Shape (N,), e.g. durations; None for one each. Not finite or negative does not count.
    width, height
        Of the image, source pixels.
    sigma_image
        Standard deviation of the Gaussian, source pixels; about one degree of visual angle.
    max_side
        The map is computed with at most so many pixels on its longer side.

    Returns
    -------
    NDArray
        Shape (h, w), peak 1; all 0 where no point counts.

    Raises
    ------
    ValueError
        If the size, `sigma_image`, `max_side` or the shapes make no sense.
    """
    if min(width, height, max_side) < 1 or not sigma_image > 0:
        raise ValueError(
            f"A heat map needs a size of at least 1 and a sigma above 0, not "
            f"{width} × {height}, at most {max_side}, sigma {sigma_image}."
        )
    points, weight = _counted(points_image, weights, width, height)
    scale = min(1.0, max_side / max(width, height))
    shape = (max(1, round(height * scale)), max(1, round(width * scale)))
    heat = _spread(points, weight, (shape[1] / width, shape[0] / height), shape)
    sigmas = sigma_image * shape[1] / width, sigma_image * shape[0] / height
    heat = _blur(heat, *sigmas)
    peak = float(heat.max())
    return np.clip(heat / peak, 0, 1).astype(np.float32) if peak > 0 else heat.astype(np.float32)


def colour(heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return a heat map as colours to lay over a grey image.

    Parameters
    ----------
    heat
        Shape (h, w), 0 … 1.

    Returns
    -------
    NDArray
        Shape (h, w, 4), RGBA, alpha not multiplied in; 0 is fully transparent.
    """
    level = np.clip(np.nan_to_num(heat), 0, 1)
    colours: NDArray[np.uint8] = _TABLE[np.round(level * 255).astype(np.uint8)]
    return colours


def _counted(
    points_image: ArrayLike, weights: ArrayLike | None, width: int, height: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    points = np.asarray(points_image, np.float64).reshape(-1, 2)
    weight = np.ones(len(points)) if weights is None else np.asarray(weights, np.float64)
    if weight.shape != (len(points),):
        raise ValueError(
            f"{len(points)} points need the same number of weights, not {weight.shape}."
        )
    with np.errstate(invalid="ignore"):
        inside = ((points >= 0) & (points < (width, height))).all(axis=1)
        counts = inside & np.isfinite(weight) & (weight > 0)
    return points[counts], weight[counts]


def _spread(
    points: NDArray[np.float64],
    weight: NDArray[np.float64],
    scale: tuple[float, float],
    shape: tuple[int, int],
) -> NDArray[np.float64]:
    """Divide each weight among the four nearest pixel centres: positions are not rounded."""
    heat = np.zeros(shape)
    place = points * scale - 0.5
    low = np.floor(place).astype(np.intp)
    part = place - low
    for dx in (0, 1):
        for dy in (0, 1):
            share = np.abs(1 - dx - part[:, 0]) * np.abs(1 - dy - part[:, 1])
            x = np.clip(low[:, 0] + dx, 0, shape[1] - 1)
            y = np.clip(low[:, 1] + dy, 0, shape[0] - 1)
            np.add.at(heat, (y, x), weight * share)
    return heat


def _blur(heat: NDArray[np.float64], sigma_x: float, sigma_y: float) -> NDArray[np.float64]:
    """Blur with black beyond the border, because gaze there was not on the image."""
    kernel_x = cv2.getGaussianKernel(2 * math.ceil(4 * sigma_x) + 1, sigma_x)
    kernel_y = cv2.getGaussianKernel(2 * math.ceil(4 * sigma_y) + 1, sigma_y)
    blurred = cv2.sepFilter2D(heat, cv2.CV_64F, kernel_x, kernel_y, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(blurred, np.float64)


def _colour_table() -> NDArray[np.uint8]:
    level = np.linspace(0, 1, 256)
    stops = np.linspace(0, 1, len(_STOPS))
    channels = [np.interp(level, stops, _STOPS[:, c]) for c in range(3)]
    alpha = np.clip(level / _OPAQUE_FROM, 0, 1) * _MAX_ALPHA
    return np.column_stack([*channels, alpha]).round().astype(np.uint8)


_TABLE = _colour_table()
