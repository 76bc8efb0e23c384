"""From samples to positions: the tracked screen over time, and where a fixation is on the image.

Used while recording and when a stored reading is recomputed, so that both agree.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from devices.gaze.fixations import Fixation
from devices.gaze.geometry import FloatArray, ScreenGeometry
from devices.gaze.samples import SampleArray
from devices.gaze.steady import SteadyGaze
from devices.gaze.view import ViewHistory


class ScreenHistory:
    """The geometry of the tracked screen, which may change during a reading.

    Parameters
    ----------
    first
        In force until the first change.
    """

    def __init__(self, first: ScreenGeometry) -> None:
        self._starts_us: list[int] = []
        self._geometries = [first]

    def add(self, time_us: int, geometry: ScreenGeometry) -> None:
        """Set the geometry in force from `time_us` on; times must be in order."""
        if geometry != self._geometries[-1]:
            self._starts_us.append(time_us)
            self._geometries.append(geometry)

    def at(self, time_us: int) -> ScreenGeometry:
        """Return the geometry in force at an instant."""
        return self._geometries[int(self._in_force(time_us))]

    def to_screen(self, time_us: ArrayLike, points_norm: FloatArray) -> FloatArray:
        """Map points (N, 2) of times (N,) from `_norm` to `_screen`."""
        return self._map("norm_to_screen", time_us, points_norm)

    def to_deg(self, time_us: ArrayLike, points_norm: FloatArray) -> FloatArray:
        """Map points (N, 2) of times (N,) from `_norm` to `_deg`."""
        return self._map("norm_to_deg", time_us, points_norm)

    def px_per_deg(self, time_us: ArrayLike) -> FloatArray:
        """Return the screen pixels (N,) that a degree covered at times (N,); NaN: not known."""
        each = np.array([geometry.px_per_deg for geometry in self._geometries])
        return each[self._in_force(time_us)]

    def _in_force(self, time_us: ArrayLike) -> NDArray[np.intp]:
        return np.searchsorted(self._starts_us, np.asarray(time_us, np.int64), side="right")

    def _map(self, name: str, time_us: ArrayLike, points_norm: FloatArray) -> FloatArray:
        in_force = self._in_force(time_us)
        mapped = np.full(points_norm.shape, np.nan)
        for i in np.unique(in_force):
            chosen = in_force == i
            mapped[chosen] = getattr(self._geometries[i], name)(points_norm[chosen])
        return mapped


@dataclass(frozen=True, slots=True)
class MappedGaze:
    """Samples and where they fell.

    Attributes
    ----------
    time_us
        Shape (N,), host clock, in order.
    points_norm, points_screen, points_deg, points_image
        Shape (N, 2); NaN without gaze, in image frame also off every image.
    view_index
        Shape (N,), index of the view each sample fell on, -1 for none.
    """

    time_us: NDArray[np.int64]
    points_norm: FloatArray
    points_screen: FloatArray
    points_deg: FloatArray
    points_image: FloatArray
    view_index: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.time_us)

    def from_time(self, time_us: int) -> "MappedGaze":
        """Return the samples from an instant on."""
        return self._cut(slice(int(np.searchsorted(self.time_us, time_us)), None))

    def during(self, start_us: int, end_us: int) -> "MappedGaze":
        """Return the samples from one instant to another, both included."""
        first, last = (
            np.searchsorted(self.time_us, start_us),
            np.searchsorted(self.time_us, end_us, side="right"),
        )
        return self._cut(slice(int(first), int(last)))

    @classmethod
    def join(cls, parts: Sequence["MappedGaze"]) -> Self:
        """Join consecutive parts into one."""
        return cls(*(np.concatenate([getattr(p, name) for p in parts]) for name in cls.__slots__))

    def _cut(self, part: slice) -> "MappedGaze":
        return MappedGaze(*(getattr(self, name)[part] for name in self.__slots__))


def map_samples(
    samples: SampleArray, screens: ScreenHistory, views: ViewHistory, steady: SteadyGaze
) -> MappedGaze:
    """Map samples (N,) through the screen and the views in force at the instant of each.

    `steady` begins afresh with the reading and is given all its samples in order, so that what
    is computed again equals what was recorded.
    """
    time_us = samples["host_us"].astype(np.int64)
    norm = steady.push(samples)
    screen, deg = screens.to_screen(time_us, norm), screens.to_deg(time_us, norm)
    on_image = views.image_points(time_us, screen)
    return MappedGaze(time_us, norm, screen, deg, on_image.points_image, on_image.view_index)


@dataclass(frozen=True, slots=True)
class FixationPlace:
    """Where a fixation lies; no image where most of its samples fell on none."""

    image_id: str | None
    frame: int
    x_image: float | None
    y_image: float | None
    spans_view_change: bool


def place_of(fixation: Fixation, gaze: MappedGaze, views: ViewHistory) -> FixationPlace:
    """Return where on which image a fixation lies.

    Each sample is mapped by the view in force at its own instant; the place is the mean of those
    that fell on the image most of them fell on. A view that changed meanwhile, in whatever way,
    flags it.
    """
    first = int(gaze.time_us.searchsorted(fixation.start_us))
    end = int(gaze.time_us.searchsorted(fixation.end_us, side="right"))
    spans = any(fixation.start_us < view.time_us <= fixation.end_us for view in views.views)
    own, points = gaze.view_index[first:end], gaze.points_image[first:end]
    seen = own[~np.isnan(gaze.points_norm[first:end, 0])]
    counts = Counter[tuple[str, int]]()
    for index in _distinct(seen):  # views are few and samples many: each view is looked up once
        counts[_shown(views, index)] += int((seen == index).sum())
    if not counts:
        return FixationPlace(None, 0, None, None, spans)
    most = max(sorted(counts), key=counts.__getitem__)
    if most[0] == "":
        return FixationPlace(None, 0, None, None, spans)
    indices = _distinct(own)
    if len(indices) > 1:
        on = np.zeros(len(own), bool)
        for index in indices:
            if _shown(views, index) == most:
                on |= own == index
        points = points[on]
    x, y = points.mean(axis=0)
    return FixationPlace(most[0], most[1], float(x), float(y), spans)


def _distinct(indices: NDArray[np.int64]) -> list[int]:
    """Return the distinct values in order; usually there is one, which needs no sorting."""
    if len(indices) == 0:
        return []
    if (indices == indices[0]).all():
        return [int(indices[0])]
    return [int(index) for index in np.unique(indices)]


def image_at(time_us: int, gaze: MappedGaze, views: ViewHistory) -> tuple[str | None, int]:
    """Return image and frame that the sample of an instant fell on; None and 0 for none."""
    k = int(np.searchsorted(gaze.time_us, time_us))
    if k == len(gaze) or gaze.time_us[k] != time_us:
        return None, 0
    image_id, frame = _shown(views, gaze.view_index[k])
    return image_id or None, frame


def _shown(views: ViewHistory, index: int) -> tuple[str, int]:
    """Return image and frame of a view, ("", 0) for none."""
    return ("", 0) if index < 0 else (views.views[index].image_id, views.views[index].frame)
