"""Pictures of the report: an image with its scan path or heat map, and the similarity matrix."""

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage

from devices.gaze.density import colour, heat_map
from trainer.data.decode import load_grey
from trainer.data.readings import FixationList, ReadingGaze
from trainer.errors import ImageCacheError, ReportError
from trainer.similarity.base import BoolArray, FloatArray

MAX_SIDE = 480
SHOWN_FIXATIONS = 40
_SIGMA_SHARE = 0.035  # of the longer side: about a degree of visual angle of an image seen whole
_MATRIX_SIDE, _LEFT = 600, 92
_NUMBERED = 5
_SCALE = ((22, 24, 27), (31, 71, 107), (64, 140, 190), (158, 205, 236), (247, 250, 252))


def presentation(path: Path, side: int = MAX_SIDE) -> NDArray[np.uint8]:
    """Return the grey image (h, w), its longer side at most `side` px.

    Raises
    ------
    ReportError
        Naming the file, if it cannot be read.
    """
    try:
        grey = load_grey(path)
    except ImageCacheError as error:
        raise ReportError(str(error)) from error
    share = side / max(grey.shape)
    if share >= 1:
        return grey
    size = max(1, round(grey.shape[1] * share)), max(1, round(grey.shape[0] * share))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)


def grey_picture(image: NDArray[np.uint8], description: str) -> str:
    """Return an image (h, w) as it is."""
    return f'<img class="picture" src="{_jpeg(image)}" alt="{escape(description)}">'


def heat_picture(
    image: NDArray[np.uint8], reading: ReadingGaze, width: int, height: int, description: str
) -> str:
    """Return an image (h, w) under the heat map of a reading; `width`, `height` of the source."""
    sigma = _SIGMA_SHARE * max(width, height)
    weights = np.ones(len(reading.points_image))
    heat = heat_map(reading.points_image, weights, width, height, sigma, max_side=MAX_SIDE // 2)
    size = image.shape[1], image.shape[0]
    cover = cv2.resize(colour(heat), size, interpolation=cv2.INTER_LINEAR).astype(np.float64)
    share = cover[..., 3:] / 255
    mixed = image[..., None] * (1 - share) + cover[..., :3] * share
    source = _jpeg(np.rint(mixed).astype(np.uint8))
    return f'<img class="picture" src="{source}" alt="{escape(description)}">'


def path_picture(
    image: NDArray[np.uint8], fixations: FixationList, width: int, height: int, description: str
) -> str:
    """Return an image (h, w) under its scan path: fixations numbered, their area the duration."""
    h, w = image.shape
    points = fixations.points_image[:SHOWN_FIXATIONS] * (w / width, h / height)
    radii = 0.028 * max(w, h) * np.sqrt(fixations.duration_us[:SHOWN_FIXATIONS] / 250_000)
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    marks = "".join(
        _fixation(k, x, y, r, 0.048 * max(w, h))
        for k, ((x, y), r) in enumerate(zip(points, radii, strict=True), 1)
    )
    return (
        f'<svg class="picture" viewBox="0 0 {w} {h}" role="img" aria-label="{escape(description)}">'
        f'<image href="{_jpeg(image)}" width="{w}" height="{h}"/>'
        f'<polyline points="{line}" fill="none" stroke="#6cb0e0" stroke-opacity="0.85" '
        f'stroke-width="{0.004 * max(w, h):.1f}"/>{marks}</svg>'
    )


def matrix_picture(
    matrix: FloatArray,
    valid: BoolArray,
    span: tuple[float, float],
    classes: Sequence[tuple[str, int]] = (),
) -> str:
    """Return a matrix (N, N) as a picture with axes and colour bar; invalid pairs are grey.

    Parameters
    ----------
    classes
        Name and number of images of each class, in the order of rows; none: no borders.
    """
    low, high = span
    share = np.clip((matrix - low) / max(high - low, 1e-12), 0, 1)
    pixels = _coloured(share)
    pixels[~valid] = (90, 90, 90)
    side = len(matrix)
    if side > _MATRIX_SIDE:
        size = _MATRIX_SIDE, _MATRIX_SIDE
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    bar = _coloured(np.linspace(1, 0, 64)[:, None])
    ticks = "".join(
        f'<text x="{_LEFT + 440}" y="{14 + 392 * (1 - k / 4):.0f}">'
        f"{low + (high - low) * k / 4:.2f}</text>"
        for k in range(5)
    )
    description = f"Similarity of {side} images to each other, from {low:.2f} to {high:.2f}"
    return (
        f'<svg class="chart matrix" viewBox="0 0 {_LEFT + 480} 428" role="img" '
        f'aria-label="{description}">'
        f'<image href="{_png(pixels)}" x="{_LEFT}" y="8" width="396" height="396" '
        'preserveAspectRatio="none" image-rendering="pixelated"/>'
        f'<image href="{_png(bar)}" x="{_LEFT + 416}" y="8" width="16" height="396" '
        f'preserveAspectRatio="none"/>{ticks}{_borders(classes, side)}'
        f'<text x="{_LEFT + 198}" y="424" text-anchor="middle">image</text>'
        f'<text x="{_LEFT + 424}" y="424" text-anchor="middle">similarity</text></svg>'
    )


def _borders(classes: Sequence[tuple[str, int]], side: int) -> str:
    """Return a line between two classes both ways, and the name of each beside its rows."""
    parts, first = [], 0
    for name, count in classes:
        start, end = (8 + 396 * k / side for k in (first, first + count))
        if first:
            x = start - 8 + _LEFT
            parts += [
                f'<line class="border" x1="{_LEFT}" y1="{start:.1f}" x2="{_LEFT + 396}" '
                f'y2="{start:.1f}"/>',
                f'<line class="border" x1="{x:.1f}" y1="8" x2="{x:.1f}" y2="404"/>',
            ]
        if end - start >= 10:
            short = name if len(name) <= 14 else f"{name[:13]}…"
            parts.append(f'<text x="{_LEFT - 6}" y="{(start + end) / 2 + 4:.1f}" '
                         f'text-anchor="end">{escape(short or "no label")}</text>')  # fmt: skip
        first += count
    if not classes:
        parts.append(f'<text x="{_LEFT - 6}" y="210" text-anchor="end">image</text>')
    return "".join(parts)


def _fixation(number: int, x: float, y: float, radius: float, size: float) -> str:
    circle = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="#6cb0e0" fill-opacity="0.35" '
        f'stroke="#e8f3fb" stroke-width="1"/>'
    )
    if number > 1 and number % _NUMBERED:
        return circle  # a number in each would hide the others
    return (
        f'{circle}<text x="{x:.1f}" y="{y + size / 3:.1f}" '
        f'text-anchor="middle" font-size="{size:.1f}" font-family="sans-serif" fill="#fff" '
        f'stroke="#000" stroke-width="2" paint-order="stroke">{number}</text>'
    )


def _coloured(share: FloatArray) -> NDArray[np.uint8]:
    """Return colours (…, 3) of shares 0 … 1; lightness rises with the share."""
    stops = np.linspace(0, 1, len(_SCALE))
    bands = [np.interp(share, stops, [rgb[k] for rgb in _SCALE]) for k in range(3)]
    return np.rint(np.stack(bands, axis=-1)).astype(np.uint8)


def _png(pixels: NDArray[np.uint8]) -> str:
    return _data_url(pixels, "png")


def _jpeg(pixels: NDArray[np.uint8]) -> str:
    return _data_url(pixels, "jpeg", quality=88)


def _data_url(pixels: NDArray[np.uint8], kind: str, **options: int) -> str:
    buffer = io.BytesIO()
    PilImage.fromarray(pixels).save(buffer, kind, **options)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
