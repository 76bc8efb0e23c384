"""Where gaze lies, by homogeneous matrices: an oracle that imports nothing of ours."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
STEP_US = 4_000
REST_US = 200_000
NEAR_PX = 1e-6


@dataclass(frozen=True)
class Screen:
    """A tracked screen from an instant on; what lies in `ignored` must not count."""

    from_us: int
    width_px: float
    height_px: float
    width_mm: float
    height_mm: float
    distance_mm: float
    ignored: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Shown:
    """An image in a tile from an instant on: zoom of the fit, pan in tiles, turn, flips."""

    from_us: int
    tile: int
    frame: int
    zoom: float
    pan: tuple[float, float]
    turn_deg: int
    flips: tuple[bool, bool]
    closed: bool = False


@dataclass(frozen=True)
class Scenario:
    """A reading: times since its start, points as shares of the screen.

    `rests` are where the reader looks, 200 ms each; `apart` is right eye minus left eye; a span of
    samples (first, behind the last) loses an eye.
    """

    screens: tuple[Screen, ...]
    shown: tuple[Shown, ...]
    image_sizes: tuple[tuple[int, int], ...]
    rests: tuple[tuple[float, float], ...]
    apart: tuple[float, float]
    eye: str
    left_lost: tuple[int, int]
    right_lost: tuple[int, int]
    correction: tuple[float, float, float, float, float, float] | None

    @property
    def time_us(self) -> NDArray[np.int64]:
        return np.arange(0, REST_US * len(self.rests), STEP_US)

    def eyes(self) -> tuple[Array, Array]:
        """Return the points (N, 2) of the left and of the right eye, NaN where lost."""
        middle = np.repeat(np.array(self.rests), REST_US // STEP_US, axis=0)
        half = np.array(self.apart) / 2
        left, right = middle - half, middle + half
        left[slice(*self.left_lost)] = np.nan
        right[slice(*self.right_lost)] = np.nan
        return left, right


@dataclass(frozen=True)
class Expected:
    """Where each sample (N,) lies; image -1 is none. Not `sure` where rounding would decide."""

    norm: Array
    screen: Array
    deg: Array
    image: Array
    image_index: NDArray[np.int64]
    frame: NDArray[np.int64]
    px_per_deg: Array
    sure: bool


def expected(scenario: Scenario) -> Expected:
    """Return where the gaze of a scenario lies."""
    time_us, norm = scenario.time_us, point_of_gaze(scenario)
    count = len(time_us)
    screen, deg, image = (np.full((count, 2), np.nan) for _ in range(3))
    index, frame = np.full(count, -1), np.full(count, -1)
    px_per_deg, sure = np.full(count, np.nan), True
    for i in range(count):
        at = in_force(scenario.screens, int(time_us[i]))
        screen[i] = applied(np.diag([at.width_px, at.height_px, 1.0]), norm[i])
        offset_mm = (norm[i] - 0.5) * (at.width_mm, at.height_mm)
        deg[i] = np.degrees(np.arctan(offset_mm / at.distance_mm))
        if np.isnan(norm[i]).any():
            continue
        for tile, size in enumerate(scenario.image_sizes):
            own = [s for s in scenario.shown if s.tile == tile and s.from_us <= time_us[i]]
            if not own or own[-1].closed:
                continue
            rect = tile_rect(in_force(scenario.screens, own[-1].from_us), tile, scenario)
            matrix = image_to_screen(own[-1], rect, size)
            point = applied(np.linalg.inv(matrix), screen[i])
            (left, top, width, height), sides = rect, np.abs(np.linalg.det(matrix))
            gaps = [*(screen[i] - (left, top)), *((left + width, top + height) - screen[i])]
            gaps += [*point, *(size - point)]
            sure &= min(abs(gap) for gap in gaps) > NEAR_PX
            if min(gaps) >= 0:
                image[i], index[i], frame[i] = point, tile, own[-1].frame
                degree = at.distance_mm * np.tan(np.pi / 180) * at.width_px / at.width_mm
                px_per_deg[i] = degree / np.sqrt(sides)
    return Expected(norm, screen, deg, image, index, frame, px_per_deg, sure)


def point_of_gaze(scenario: Scenario) -> Array:
    """Return the point of gaze (N, 2): a lost eye moves it only while both were never seen."""
    left, right = scenario.eyes()
    seen_left, seen_right = ~np.isnan(left[:, 0]), ~np.isnan(right[:, 0])
    if scenario.eye == "both":
        known = np.logical_or.accumulate(seen_left & seen_right)[:, None]
        half = np.array(scenario.apart) / 2 * known
        point = np.where(seen_left[:, None], left + half, right - half)
        both = seen_left & seen_right
        point[both] = (left[both] + right[both]) / 2
    else:
        point = left if scenario.eye == "left" else right
    if scenario.correction is None:
        return point
    a, b, c, d, tx, ty = scenario.correction
    return np.array([applied(np.array([[a, c, tx], [b, d, ty], [0, 0, 1]]), p) for p in point])


def tile_rect(screen: Screen, tile: int, scenario: Scenario) -> tuple[float, float, float, float]:
    """Return where a tile lies: the tiles share the screen's width."""
    width = screen.width_px / len(scenario.image_sizes)
    return tile * width, 20.0, width, screen.height_px - 20.0


def image_to_screen(shown: Shown, rect: Sequence[float], size: tuple[int, int]) -> Array:
    """Return the map (3, 3) from image to screen pixels: to the middle, flip, turn, zoom, pan."""
    left, top, width, height = rect
    zoom = shown.zoom * min(width / size[0], height / size[1])
    turn = np.radians(shown.turn_deg)
    turned = np.array(
        [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    )
    flipped = np.diag([-1.0 if shown.flips[0] else 1.0, -1.0 if shown.flips[1] else 1.0, 1.0])
    place = left + (0.5 + shown.pan[0]) * width, top + (0.5 + shown.pan[1]) * height
    zoomed = np.diag([zoom, zoom, 1.0])
    return moved(*place) @ zoomed @ turned @ flipped @ moved(-size[0] / 2, -size[1] / 2)


def moved(x: float, y: float) -> Array:
    return np.array([[1.0, 0, x], [0, 1.0, y], [0, 0, 1.0]])


def applied(matrix: Array, point: Array) -> Array:
    x, y, w = matrix @ [point[0], point[1], 1.0]
    return np.array([x / w, y / w])


def in_force(screens: Sequence[Screen], time_us: int) -> Screen:
    return [s for s in screens if s.from_us <= time_us][-1]
