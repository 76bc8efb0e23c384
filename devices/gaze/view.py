"""What the reader saw, when, and where on the image each sample fell.

A `TileView` says how one image lay on the screen from an instant on; a `ViewHistory` holds all of
them, so that image coordinates can be computed again from raw samples at any time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
CLOSED = "close"
"""`kind` of the event that takes a tile's image off the screen."""


@dataclass(frozen=True, slots=True)
class Affine:
    """x' = a·x + c·y + tx,  y' = b·x + d·y + ty; here always from `_image` to `_screen`."""

    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 1.0
    tx: float = 0.0
    ty: float = 0.0

    def map(self, points: ArrayLike) -> FloatArray:
        """Map points (N, 2)."""
        xy = np.asarray(points, np.float64)
        x, y = xy[..., 0], xy[..., 1]
        return np.stack(
            (self.a * x + self.c * y + self.tx, self.b * x + self.d * y + self.ty), axis=-1
        )

    @property
    def scale(self) -> float:
        """Pixels that the side of a pixel becomes, the mean of both sides; 0 without area."""
        return float(np.sqrt(abs(self.a * self.d - self.b * self.c)))

    def inverse(self) -> "Affine":
        """Return the inverse map; ZeroDivisionError for a view without area."""
        det = self.a * self.d - self.b * self.c
        a, b, c, d = self.d / det, -self.b / det, -self.c / det, self.a / det
        return Affine(a, b, c, d, -(a * self.tx + c * self.ty), -(b * self.tx + d * self.ty))

    def then(self, other: "Affine") -> "Affine":
        """Return the map that applies this one first and `other` after it."""
        origin, right, down = other.map(self.map([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)]))
        (a, b), (c, d) = right - origin, down - origin
        return Affine(float(a), float(b), float(c), float(d), float(origin[0]), float(origin[1]))


@dataclass(frozen=True, slots=True)
class TileView:
    """One image on the screen from `time_us` on, until the same tile's next view.

    Attributes
    ----------
    time_us
        Host clock.
    kind
        What changed: open, zoom, pan, fit, window, invert, flip, rotate, frame, screen, close, …
    tile
        Index of the tile in the hanging.
    image_id, image_width, image_height, frame
        The image shown, its size in source pixels, its frame.
    transform
        From `_image` to `_screen`.
    rect_screen
        (x, y, width, height) of the tile; gaze outside it is not on this image.
    """

    time_us: int
    kind: str
    tile: int
    image_id: str
    image_width: int
    image_height: int
    transform: Affine
    rect_screen: tuple[float, float, float, float]
    frame: int = 0
    window_center: float | None = None
    window_width: float | None = None
    inverted: bool = False
    flipped_horizontally: bool = False
    flipped_vertically: bool = False
    rotation_deg: int = 0

    def to_image(self, points_screen: ArrayLike) -> FloatArray:
        """Map points (N, 2) from `_screen` to `_image`; NaN off the tile or off the image."""
        screen = np.asarray(points_screen, np.float64).reshape(-1, 2)
        image = self.transform.inverse().map(screen)
        x, y, width, height = self.rect_screen
        low, high = np.array([x, y]), np.array([x + width, y + height])
        size = np.array([self.image_width, self.image_height])
        with np.errstate(invalid="ignore"):
            on_tile = ((screen >= low) & (screen < high)).all(axis=1)
            on_image = ((image >= 0) & (image < size)).all(axis=1)
        image[~(on_tile & on_image)] = np.nan
        return image

    def as_row(self) -> dict[str, Any]:
        """Return the columns of table `view_event`, less its id and reading."""
        t, (x, y, width, height) = self.transform, self.rect_screen
        row = {name: getattr(self, name) for name in _PLAIN}
        row |= {"a": t.a, "b": t.b, "c": t.c, "d": t.d, "tx": t.tx, "ty": t.ty}
        return row | {"tile_x": x, "tile_y": y, "tile_width": width, "tile_height": height}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Return the view of a row of table `view_event`."""
        return cls(
            **{name: row[name] for name in _PLAIN},
            transform=Affine(*(row[name] for name in ("a", "b", "c", "d", "tx", "ty"))),
            rect_screen=(row["tile_x"], row["tile_y"], row["tile_width"], row["tile_height"]),
        )


_PLAIN = tuple(n for n in TileView.__slots__ if n not in ("transform", "rect_screen"))


@dataclass(frozen=True, slots=True)
class ImageGaze:
    """Where samples fell.

    Attributes
    ----------
    points_image
        Shape (N, 2), source-image pixels, NaN where off every image.
    view_index
        Shape (N,), index into `ViewHistory.views` of the view each point fell on; -1 for none.
    """

    points_image: FloatArray
    view_index: NDArray[np.int64]


class ViewHistory:
    """All views of one reading, and the map from screen to image through them."""

    def __init__(self, views: Iterable[TileView] = ()) -> None:
        self.views: list[TileView] = []
        self._by_tile: dict[int, list[int]] = {}
        for view in views:
            self.add(view)

    def add(self, view: TileView) -> None:
        """Append a view; views of one tile come in order of time."""
        self._by_tile.setdefault(view.tile, []).append(len(self.views))
        self.views.append(view)

    def image_points(self, time_us: ArrayLike, points_screen: ArrayLike) -> ImageGaze:
        """Map samples to the image they fell on.

        Parameters
        ----------
        time_us
            Shape (N,), host clock.
        points_screen
            Shape (N, 2).
        """
        times = np.asarray(time_us, np.int64).reshape(-1)
        screen = np.asarray(points_screen, np.float64).reshape(-1, 2)
        points = np.full(screen.shape, np.nan)
        index = np.full(len(times), -1, np.int64)
        for indices in self._by_tile.values():
            starts = np.array([self.views[i].time_us for i in indices], np.int64)
            in_force = np.searchsorted(starts, times, side="right") - 1
            for position in np.unique(in_force[in_force >= 0]):
                view = self.views[indices[position]]
                if view.kind == CLOSED:
                    continue
                chosen = np.flatnonzero(in_force == position)
                mapped = view.to_image(screen[chosen])
                hit = ~np.isnan(mapped[:, 0])
                points[chosen[hit]] = mapped[hit]
                index[chosen[hit]] = indices[position]
        return ImageGaze(points, index)
