"""What a simulated reader is shown: findings in an image, or its salient places."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.errors import ImageUnreadable
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.view import Affine, TileView
from devices.simulated import Stimulus, Style, Target


@dataclass(frozen=True, slots=True)
class Findings:
    """What there is to see in an image, in `_image`, and how a reader looks at it."""

    targets: tuple[Target, ...] = ()
    style: Style = "search"


FindingSource = Callable[[str], Findings]
"""From an image id to the findings of that image."""

_SIDE = 256
_SCALES = (4.0, 8.0, 16.0)
_SURROUND = 1.6
_MAX_TARGETS = 6
_LEAST_SHARE = 0.25
_BORDER_SHARE = 0.04


def salient_targets(presentation: Path) -> tuple[Target, ...]:
    """Return the places in an image that attract the eye, strongest first.

    Bright or dark blobs against their surround: extremes of differences of Gaussians over three
    scales (Itti, Koch & Niebur 1998, the intensity channel), computed at 256 pixels.

    Parameters
    ----------
    presentation
        The 8-bit PNG of an image of the study.

    Returns
    -------
    tuple of Target
        In `_image`, at most six; none for an image without any structure.

    Raises
    ------
    ImageUnreadable
        If the file is missing or damaged.
    """
    # Read through NumPy: OpenCV cannot open paths outside the code page on Windows.
    raw = np.fromfile(presentation, np.uint8) if presentation.is_file() else np.empty(0, np.uint8)
    image = cv2.imdecode(raw, cv2.IMREAD_GRAYSCALE) if len(raw) else None
    if image is None:
        raise ImageUnreadable(f"{presentation} is missing or damaged. Import the image again.")
    scale = max(image.shape) / _SIDE
    size = (max(1, round(image.shape[1] / scale)), max(1, round(image.shape[0] / scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return tuple(
        Target((x + 0.5) * scale, (y + 0.5) * scale, radius * scale, weight)
        for x, y, radius, weight in _blobs(np.asarray(small, np.float32) / np.float32(255))
    )


def stimulus_for(view: TileView, geometry: ScreenGeometry, findings: Findings) -> Stimulus:
    """Return what a reader in front of the tracked screen sees of an image.

    Parameters
    ----------
    view
        Where the image is on the screen.
    findings
        Targets outside the visible tile cannot be looked at and are left out.
    """
    to_screen = Affine(a=1 / geometry.width_screen, d=1 / geometry.height_screen)
    area = visible_area(view)
    x, y, width, height = area
    seen = tuple(t for t in findings.targets if x <= t.x < x + width and y <= t.y < y + height)
    return Stimulus(seen, area, view.transform.then(to_screen), findings.style)


def visible_area(view: TileView) -> tuple[float, float, float, float]:
    """Return the part of the image that its tile shows, (x, y, width, height) in `_image`."""
    x, y, width, height = view.rect_screen
    corners = [(x, y), (x + width, y), (x, y + height), (x + width, y + height)]
    image = view.transform.inverse().map(corners)
    size = np.array([view.image_width, view.image_height], np.float64)
    low = np.clip(image.min(axis=0), 0, size)
    high = np.clip(image.max(axis=0), 0, size)
    left, top = low.tolist()
    w, h = (high - low).tolist()
    return left, top, w, h


def _blobs(image: NDArray[np.float32]) -> list[tuple[float, float, float, float]]:
    """Return x, y, radius, weight of the strongest blobs, without overlaps."""
    saliency = np.stack([np.abs(_difference(image, sigma)) for sigma in _SCALES])
    border = max(1, round(_BORDER_SHARE * max(image.shape)))
    inside = np.zeros(image.shape, bool)
    inside[border:-border, border:-border] = True
    saliency[:, ~inside] = 0
    strongest = float(saliency.max(initial=0.0))
    found: list[tuple[float, float, float, float]] = []
    while len(found) < _MAX_TARGETS:
        peak = np.unravel_index(int(saliency.argmax()), saliency.shape)
        weight = float(saliency[peak])
        if weight <= 1e-4 or weight < _LEAST_SHARE * strongest:
            break
        scale, y, x = (int(i) for i in peak)
        radius = _SCALES[scale] * np.sqrt(2)
        found.append((float(x), float(y), float(radius), weight / strongest))
        rows, columns = np.ogrid[: image.shape[0], : image.shape[1]]
        near = (rows - y) ** 2 + (columns - x) ** 2 <= (3 * radius) ** 2
        saliency[:, near] = 0
    return found


def _difference(image: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    centre = cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    surround = cv2.GaussianBlur(image, (0, 0), sigma * _SURROUND, borderType=cv2.BORDER_REFLECT)
    return np.asarray(centre - surround, np.float32)
