"""A foreign reading as our samples and views: placed on a screen and a clock, nothing invented.

Gaze without a screen is placed on a virtual one, magnified and moved so that the image fills a
quarter to a half of its middle. The screen's side and the magnification are powers of two, so that
whole pixels of the source are exact in the chunks' float32.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.interchange.foreign_reading import IntArray, SourceFixations, SourceReading
from app.interchange.places import Placement
from devices.gaze.geometry import DEFAULT_DISTANCE_MM, FloatArray, ScreenGeometry
from devices.gaze.samples import NO_DEVICE_TIME, SampleArray, empty_samples
from devices.gaze.view import Affine, TileView

VIRTUAL_SIDE = 8192
ASSUMED_IMAGE_HEIGHT_MM = 300.0
ASSUMED_RATE_HZ = 60
_STEP_US = 1_000_000 // ASSUMED_RATE_HZ


@dataclass(frozen=True, slots=True, eq=False)
class PlacedReading:
    """A reading ready to be written; times are those of the session's clock.

    Attributes
    ----------
    clamped
        Shape (N,), samples on the border to which they were moved.
    source_zero_us
        What to add to a time here to get the source's; None without times.
    """

    samples: SampleArray
    views: list[TileView]
    screen: ScreenGeometry
    started_us: int
    ended_us: int
    clamped: NDArray[np.bool_]
    source_zero_us: int | None
    placements: Sequence[Placement]
    zoom: float
    shift: tuple[float, float]

    def to_screen(self, points_canvas: FloatArray) -> FloatArray:
        """Map points (N, 2) from `_canvas` to `_screen`."""
        moved: FloatArray = points_canvas * self.zoom + np.array(self.shift)
        return moved


def placed(
    reading: SourceReading, image_id: str, width: int, height: int, started_us: int
) -> PlacedReading:
    """Put a reading of an image onto a screen and onto the session's clock.

    Parameters
    ----------
    width, height
        Of the image, source pixels.
    started_us
        When it begins, on the session's clock.
    """
    points, eyes, source_us, placements = _gaze(reading, width, height)
    zoom, shift = (1.0, (0.0, 0.0)) if reading.screen else _centred(placements[0], width, height)
    zero_us = _first_us(reading, source_us)
    if zero_us is None or source_us is None:
        host_us = started_us + _STEP_US * np.arange(len(points), dtype=np.int64)
    else:
        host_us = started_us + source_us - zero_us
    clamped = np.zeros(len(points), np.bool_)
    if reading.border_clamped:
        clamped = _on_border(points, placements[0], width, height)
    made = PlacedReading(
        samples=empty_samples(len(points)),
        views=[],
        screen=reading.screen or virtual_screen(placements[0].scale_y * height * zoom),
        started_us=started_us,
        ended_us=_end_us(reading, host_us, started_us, zero_us),
        clamped=clamped,
        source_zero_us=None if zero_us is None else zero_us - started_us,
        placements=placements,
        zoom=zoom,
        shift=shift,
    )
    _fill(made, points, eyes, reading)
    made.samples["host_us"] = host_us
    made.views.extend(_views(made, host_us, image_id, (width, height), reading.border_clamped))
    return made


def virtual_screen(height_screen: float) -> ScreenGeometry:
    """Return an assumed screen for gaze without one: the image 300 mm tall, 650 mm away."""
    side_mm = VIRTUAL_SIDE * ASSUMED_IMAGE_HEIGHT_MM / abs(height_screen)
    return ScreenGeometry(
        VIRTUAL_SIDE, VIRTUAL_SIDE, side_mm, side_mm, DEFAULT_DISTANCE_MM, "assumed",
        name="virtual: the source does not name a screen",
    )  # fmt: skip


def image_points(fixations: SourceFixations, width: int, height: int) -> FloatArray:
    """Return a source's fixations (M, 2) in image pixels, NaN outside the image."""
    placements = fixations.place(width, height)
    index = _in_force(placements, len(fixations.start_us))
    scale = np.array([(p.scale_x, p.scale_y) for p in placements])[index]
    corner = np.array([(p.x_canvas, p.y_canvas) for p in placements])[index]
    points: FloatArray = (fixations.points_canvas - corner) / scale
    with np.errstate(invalid="ignore"):
        points[~((points >= 0) & (points < (width, height))).all(axis=1)] = np.nan
    return points


def frames_of(fixations: SourceFixations, width: int, height: int) -> IntArray:
    """Return the frame of a stack that each fixation (M,) is on."""
    placements = fixations.place(width, height)
    frames = np.array([p.frame for p in placements], np.int64)
    found: IntArray = frames[_in_force(placements, len(fixations.start_us))]
    return found


def _gaze(
    reading: SourceReading, width: int, height: int
) -> tuple[FloatArray, tuple[FloatArray, FloatArray] | None, IntArray | None, list[Placement]]:
    """Return points, eyes, times and placements; made from fixations if there are no samples."""
    placements = list(reading.place(width, height))
    if len(reading.points_canvas) or reading.fixations is None:
        return reading.points_canvas, reading.eyes_canvas, reading.time_us, placements
    found = reading.fixations
    counts = np.maximum(found.duration_us // _STEP_US, 1)
    of = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts)
    placements = list(found.place(width, height))
    firsts = np.concatenate(([0], np.cumsum(counts)))
    moved = [_starting(p, int(firsts[min(p.first, len(counts))])) for p in placements]
    return found.points_canvas[of], None, found.start_us[of] + _STEP_US * within, moved


def _starting(placement: Placement, first: int) -> Placement:
    return replace(placement, first=first)


def _first_us(reading: SourceReading, source_us: IntArray | None) -> int | None:
    times = [] if source_us is None else [source_us]
    if reading.fixations is not None and len(reading.fixations.start_us):
        times.append(reading.fixations.start_us)
    return min((int(t.min()) for t in times if len(t)), default=None)


def _end_us(reading: SourceReading, host_us: IntArray, started_us: int, zero_us: int | None) -> int:
    """Return 1 us after the last sample and the last fixation."""
    last = int(host_us.max()) if len(host_us) else started_us
    found = reading.fixations
    if found is not None and len(found.start_us) and zero_us is not None:
        last = max(last, int((found.start_us + found.duration_us).max()) - zero_us + started_us)
    return last + 1


def _centred(p: Placement, width: int, height: int) -> tuple[float, tuple[float, float]]:
    """Return the magnification and the whole pixels that move the image into the middle."""
    extent = max(abs(p.scale_x) * width, abs(p.scale_y) * height)
    zoom = 2.0 ** math.floor(math.log2(VIRTUAL_SIDE / 2 / extent))
    x = (p.x_canvas + p.scale_x * width / 2) * zoom
    y = (p.y_canvas + p.scale_y * height / 2) * zoom
    return zoom, (math.floor(VIRTUAL_SIDE / 2 - x), math.floor(VIRTUAL_SIDE / 2 - y))


def _fill(
    made: PlacedReading,
    points: FloatArray,
    eyes: tuple[FloatArray, FloatArray] | None,
    reading: SourceReading,
) -> None:
    samples = made.samples
    # A point of gaze that belongs to neither eye is stored in both, so that their mean is the
    # point.
    for side, own in zip(("left", "right"), eyes or (points, points), strict=True):
        norm = made.screen.screen_to_norm(made.to_screen(own))
        samples[f"{side}_x_norm"], samples[f"{side}_y_norm"] = norm.T
    if reading.pupils_mm is not None:
        samples["left_pupil_mm"], samples["right_pupil_mm"] = reading.pupils_mm.T
    samples["device_us"] = NO_DEVICE_TIME if reading.time_us is None else reading.time_us


def _views(
    made: PlacedReading,
    host_us: IntArray,
    image_id: str,
    size: tuple[int, int],
    border_clamped: bool,
) -> list[TileView]:
    views, zoom = [], made.zoom
    for p in made.placements if len(host_us) else ():
        x, y, w, h = p.rect_canvas or _rect(p, size)
        if border_clamped:
            x, y, w, h = 0.5, 0.5, math.floor(w) - 0.5, math.floor(h) - 0.5
        (tx, ty), (left, top) = made.to_screen(np.array([(p.x_canvas, p.y_canvas), (x, y)]))
        time_us = int(host_us[min(p.first, len(host_us) - 1)])
        to_screen = Affine(p.scale_x * zoom, 0.0, 0.0, p.scale_y * zoom, float(tx), float(ty))
        rect = (float(left), float(top), w * zoom, h * zoom)
        views.append(TileView(time_us, p.kind, 0, image_id, *size, to_screen, rect, p.frame))
    return views


def _rect(p: Placement, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Return where the image is, a hair wider: its own bounds decide (`TileView.to_image`)."""
    w, h = p.scale_x * size[0], p.scale_y * size[1]
    x, y, hair = p.x_canvas + min(w, 0.0), p.y_canvas + min(h, 0.0), 1e-6 * abs(h)
    return x - hair, y - hair, abs(w) + 2 * hair, abs(h) + 2 * hair


def _on_border(points: FloatArray, p: Placement, width: int, height: int) -> NDArray[np.bool_]:
    right, bottom = math.floor(p.scale_x * width), math.floor(p.scale_y * height)
    x, y = points[:, 0], points[:, 1]
    return np.asarray((x <= 0) | (x >= right) | (y <= 0) | (y >= bottom), np.bool_)


def _in_force(placements: Sequence[Placement], count: int) -> IntArray:
    firsts = np.array([p.first for p in placements], np.int64)
    found = np.searchsorted(firsts, np.arange(count), side="right") - 1
    return np.maximum(found, 0).astype(np.int64)
