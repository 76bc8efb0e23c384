"""Look and press: the place on an image that the reader is looking at, from the last samples."""

import threading
from collections import deque
from dataclasses import dataclass

import numpy as np

from devices.gaze.geometry import ScreenGeometry
from devices.gaze.samples import Eye, SampleArray, empty_samples
from devices.gaze.steady import SteadyGaze
from devices.gaze.view import Affine, TileView, ViewHistory

SPAN_US = 200_000
_KEPT_US = 1_000_000
_LEAST = 3


class RecentGaze:
    """Keeps the last second of samples; `listen` is for the recorder's thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parts: deque[SampleArray] = deque()

    def listen(self, samples: SampleArray) -> None:
        """Take fresh samples (the recorder's listener)."""
        if len(samples) == 0:
            return
        with self._lock:
            self._parts.append(samples)
            oldest_us = int(samples["host_us"][-1]) - _KEPT_US
            while len(self._parts) > 1 and self._parts[0]["host_us"][-1] < oldest_us:
                self._parts.popleft()

    def latest(self) -> SampleArray:
        """Return what is kept, (N,), in order of time."""
        with self._lock:
            return np.concatenate(self._parts) if self._parts else empty_samples(0)


@dataclass(frozen=True, slots=True)
class LookedAt:
    """A place on an image.

    Attributes
    ----------
    x_image, y_image
        Median of the valid samples.
    spread_image
        Root mean square distance of the samples from it, source pixels.
    sample_count
        Samples on that image.
    """

    tile: int
    image_id: str
    frame: int
    x_image: float
    y_image: float
    spread_image: float
    sample_count: int


def looked_at(
    samples: SampleArray,
    eye: Eye,
    geometry: ScreenGeometry,
    views: list[TileView],
    now_us: int,
    correction: Affine | None = None,
) -> LookedAt | None:
    """Return where the reader looked during the last 200 ms of valid gaze.

    Parameters
    ----------
    samples
        Shape (N,), the most recent ones.
    views
        The position of the tiles on the screen now.
    correction
        Correction of the point of gaze, as in force for the reading.

    Returns
    -------
    LookedAt or None
        None without gaze on an image during the last 400 ms.
    """
    norm = SteadyGaze(eye, correction).push(samples)
    recent = samples["host_us"] >= now_us - 2 * SPAN_US
    valid = np.flatnonzero(recent & ~np.isnan(norm[:, 0]))
    if len(valid) < _LEAST:
        return None
    times = samples["host_us"][valid]
    chosen = valid[times > times[-1] - SPAN_US]
    history = ViewHistory(views)
    starts = np.full(len(chosen), max(view.time_us for view in views), np.int64)
    on = history.image_points(starts, geometry.norm_to_screen(norm[chosen]))
    index = int(np.bincount(on.view_index[on.view_index >= 0], minlength=1).argmax())
    points = on.points_image[on.view_index == index]
    if len(points) < _LEAST:
        return None
    x, y = np.median(points, axis=0).tolist()
    spread = float(np.sqrt(((points - (x, y)) ** 2).sum(axis=1).mean()))
    view = history.views[index]
    return LookedAt(view.tile, view.image_id, view.frame, x, y, spread, len(points))
