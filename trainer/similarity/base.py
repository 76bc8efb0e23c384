"""What all measures share: the gaze of one reading, its canvas, and how long work is driven."""

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.errors import Cancelled, SimilarityError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Progress = Callable[[int, int], None]
"""Called with (done, total) from the thread that called; total is the same all along."""

MIN_CANVAS = 32
OFF_CANVAS = ("clip", "drop")


@dataclass(frozen=True, slots=True)
class Gaze:
    """The gaze of one reading on one image.

    Attributes
    ----------
    points_image
        Shape (N, 2), source-image pixels, in order of time; NaN points are left out.
    width, height
        Of the image, in the same pixels.
    time_us
        Shape (N,), optional; only `density` weighs by time.
    """

    points_image: FloatArray
    width: float
    height: float
    time_us: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class CanvasParameters:
    """Parameters every measure has.

    Attributes
    ----------
    canvas
        Side of the square canvas in pixels, at least 32.
    off_canvas
        Points off the canvas: "clip" to its border or "drop".
    """

    canvas: int = 800
    off_canvas: str = "clip"

    def __post_init__(self) -> None:
        require(self.canvas >= MIN_CANVAS, "canvas", f"at least {MIN_CANVAS}", self.canvas)
        choices = " or ".join(OFF_CANVAS)
        require(self.off_canvas in OFF_CANVAS, "off_canvas", choices, self.off_canvas)


def require(fine: bool, name: str, wanted: str, value: object) -> None:
    """Raise SimilarityError naming the parameter, unless its value is fine."""
    if not fine:
        raise SimilarityError(f"Parameter {name} must be {wanted}, not {value!r}.")


@dataclass(frozen=True, slots=True)
class CanvasPoints:
    """Integer pixels (N, 2) of the canvas, and which points of the gaze they came from (N,)."""

    xy: NDArray[np.int64]
    kept: NDArray[np.int64]


def canvas_points(gaze: Gaze, parameters: CanvasParameters) -> CanvasPoints:
    """Return the pixels of the canvas on which gaze fell, in order of time.

    The pixel is the floor of the scaled coordinate, since (0, 0) is the corner of the first pixel;
    whole coordinates on an image of the canvas's size stay as they are.
    """
    require(gaze.width > 0 and gaze.height > 0, "image size", "positive", (gaze.width, gaze.height))
    points = np.asarray(gaze.points_image, np.float64).reshape(-1, 2)
    kept = np.flatnonzero(np.isfinite(points).all(axis=1))
    size = np.array([gaze.width, gaze.height], np.float64)
    pixels = np.floor(points[kept] * parameters.canvas / size)
    last = parameters.canvas - 1
    if parameters.off_canvas == "drop":
        on_canvas = ((pixels >= 0) & (pixels <= last)).all(axis=1)
        pixels, kept = pixels[on_canvas], kept[on_canvas]
    return CanvasPoints(np.clip(pixels, 0, last).astype(np.int64), kept)


def no_progress(_done: int, _total: int) -> None:
    """Tell nobody."""


def never() -> bool:
    """Go on: nobody asked to stop."""
    return False


@dataclass(frozen=True, slots=True)
class Work:
    """How long work is driven: threads, who is told, who may stop it.

    Attributes
    ----------
    jobs
        Threads; 0 is one for each core.
    progress, cancelled
        Called from the calling thread, between blocks.
    """

    jobs: int = 0
    progress: Progress = field(default=no_progress)
    cancelled: Callable[[], bool] = field(default=never)

    @property
    def threads(self) -> int:
        """Number of threads."""
        return self.jobs if self.jobs > 0 else os.cpu_count() or 1

    def run(self, tasks: Iterable[Callable[[], Any]], weights: Sequence[int]) -> None:
        """Run tasks on all threads; their kernels must free the GIL.

        Parameters
        ----------
        tasks
            Each writes its own part of a shared array.
        weights
            Shape (number of tasks,): what each counts for in the progress.

        Raises
        ------
        Cancelled
            As soon as `cancelled` says so and the tasks already begun have ended.
        """
        total, done = int(sum(weights)), 0
        stop = threading.Event()
        with ThreadPoolExecutor(self.threads) as pool:
            pending = {
                pool.submit(_unless, stop, t): w for t, w in zip(tasks, weights, strict=True)
            }
            try:
                while pending:
                    if self.cancelled():
                        raise Cancelled("Stopped while gaze similarity was computed.")
                    finished, _ = wait(pending, 0.2, FIRST_COMPLETED)
                    for future in finished:
                        future.result()
                        done += pending.pop(future)
                    self.progress(done, total)
            finally:
                stop.set()


def _unless(stop: threading.Event, task: Callable[[], Any]) -> None:
    if not stop.is_set():
        task()


def row_blocks(count: int, pairs_per_block: int = 200_000) -> list[tuple[int, int]]:
    """Return runs of rows (first, end) of the upper triangle with about as many pairs each."""
    blocks, first, pairs = [], 0, 0
    for row in range(count):
        pairs += count - 1 - row
        if pairs >= pairs_per_block or row == count - 1:
            blocks.append((first, row + 1))
            first, pairs = row + 1, 0
    return blocks


def run_rows(work: Work, count: int, task: Callable[[int, int], None]) -> None:
    """Run `task(first, end)` over all rows of an upper triangle, weighed by their pairs."""
    blocks = row_blocks(count)

    def bound(first: int, end: int) -> Callable[[], None]:
        return lambda: task(first, end)

    weights = [sum(count - 1 - row for row in range(first, end)) for first, end in blocks]
    work.run([bound(*block) for block in blocks], weights)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Similarity of all pairs.

    Attributes
    ----------
    matrix
        Shape (N, N), symmetric, diagonal 1.
    valid
        Shape (N, N): whether the definition gives a value; where not, `matrix` holds the value
        that the definition prescribes for such pairs.
    """

    matrix: FloatArray
    valid: BoolArray


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of how alike two readings are.

    Attributes
    ----------
    name, title
        As settings and as people call it.
    parameters
        A frozen dataclass whose defaults are the released ones.
    features
        Features of one reading, one float64 array; frees the GIL where it matters.
    matrix
        All pairs of features.
    """

    name: str
    title: str
    parameters: type[CanvasParameters]
    features: Callable[[Gaze, Any], FloatArray]
    matrix: Callable[[Sequence[FloatArray], Any, Work], Pairs]


@dataclass(frozen=True, slots=True)
class Similarity:
    """How alike all readings (or images) of a list are.

    Attributes
    ----------
    matrix
        Shape (N, N), float64, symmetric; 1 is the same.
    valid
        Shape (N, N): pairs for which the measure gives a value.
    measure, parameters
        Name, and every parameter by name.
    seconds
        It took.
    """

    matrix: FloatArray
    valid: BoolArray
    measure: str
    parameters: dict[str, Any]
    seconds: float
