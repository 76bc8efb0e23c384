"""What all measures share: the gaze of one reading, its canvas, features and their similarity."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trainer.errors import SimilarityError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

MIN_CANVAS = 32
OFF_CANVAS = ("clip", "drop")
PROPORTIONS = ("square", "image")
POINTS = ("samples", "fixations")


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
    fixations_image, fixation_us
        Shapes (M, 2) and (M,), optional: fixations and how long they lasted.
    image_px_per_deg
        Image pixels that one degree of visual angle covers, where the geometry is known.
    """

    points_image: FloatArray
    width: float
    height: float
    time_us: NDArray[np.int64] | None = None
    fixations_image: FloatArray | None = None
    fixation_us: NDArray[np.int64] | None = None
    image_px_per_deg: float | None = None


@dataclass(frozen=True, slots=True)
class CanvasParameters:
    """Parameters every measure has.

    Attributes
    ----------
    canvas
        Longer side of the canvas in pixels, at least 32.
    proportions
        "square", the released way, or those of the "image".
    off_canvas
        Points off the canvas: "clip" to its border or "drop".
    """

    canvas: int = 800
    proportions: str = "square"
    off_canvas: str = "clip"

    def __post_init__(self) -> None:
        require(self.canvas >= MIN_CANVAS, "canvas", f"at least {MIN_CANVAS}", self.canvas)
        require_one_of(OFF_CANVAS, "off_canvas", self.off_canvas)
        require_one_of(PROPORTIONS, "proportions", self.proportions)


@dataclass(frozen=True, slots=True)
class PointParameters(CanvasParameters):
    """Those of every measure that takes either raw samples or fixations.

    Attributes
    ----------
    points
        "samples", the released way, or "fixations" as Foveate's filter found them.
    """

    points: str = "samples"

    def __post_init__(self) -> None:
        CanvasParameters.__post_init__(self)
        require_one_of(POINTS, "points", self.points)


def require(fine: bool, name: str, wanted: str, value: object) -> None:
    """Raise SimilarityError naming the parameter, unless its value is fine."""
    if not fine:
        raise SimilarityError(f"Parameter {name} must be {wanted}, not {value!r}.")


def require_one_of(choices: Sequence[str], name: str, value: str) -> None:
    """Raise SimilarityError naming the parameter and the choices, unless it is one of them."""
    require(value in choices, name, f"{', '.join(choices[:-1])} or {choices[-1]}", value)


def require_weights(weight_mu: float, weight_hu: float) -> None:
    """Raise SimilarityError unless both are 0 or more and not both 0."""
    weights = weight_mu, weight_hu
    fine = min(weights) >= 0 and 0 < sum(weights) < np.inf
    require(fine, "weight_mu, weight_hu", "0 or more", weights)


@dataclass(frozen=True, slots=True)
class CanvasPoints:
    """Gaze on a canvas.

    Attributes
    ----------
    xy
        Shape (N, 2), integer pixels of the canvas, in order of time.
    kept
        Shape (N,): which points of the gaze they came from.
    width, height
        Of the canvas.
    """

    xy: NDArray[np.int64]
    kept: NDArray[np.int64]
    width: int
    height: int


def canvas_points(gaze: Gaze, parameters: CanvasParameters) -> CanvasPoints:
    """Return the pixels of the canvas on which gaze fell, in order of time.

    The pixel is the floor of the scaled coordinate, since (0, 0) is the corner of the first pixel;
    whole coordinates on an image of the canvas's size stay as they are.
    """
    require(gaze.width > 0 and gaze.height > 0, "image size", "positive", (gaze.width, gaze.height))
    points = np.asarray(chosen_points(gaze, parameters), np.float64).reshape(-1, 2)
    kept = np.flatnonzero(np.isfinite(points).all(axis=1))
    width, height = canvas_size(gaze, parameters)
    pixels = np.floor(points[kept] * [width, height] / [gaze.width, gaze.height])
    last = np.array([width - 1, height - 1])
    if parameters.off_canvas == "drop":
        on_canvas = ((pixels >= 0) & (pixels <= last)).all(axis=1)
        pixels, kept = pixels[on_canvas], kept[on_canvas]
    return CanvasPoints(np.clip(pixels, 0, last).astype(np.int64), kept, width, height)


def canvas_size(gaze: Gaze, parameters: CanvasParameters) -> tuple[int, int]:
    """Return width and height of the canvas of one reading."""
    if parameters.proportions == "square":
        return parameters.canvas, parameters.canvas
    scale = parameters.canvas / max(gaze.width, gaze.height)
    sides = (max(MIN_CANVAS, round(side * scale)) for side in (gaze.width, gaze.height))
    width, height = sides
    return width, height


def chosen_points(gaze: Gaze, parameters: CanvasParameters) -> FloatArray:
    """Return the points (N, 2) that count: samples, or fixations where the parameters say so."""
    wanted = getattr(parameters, "points", "samples")
    return fixations_of(gaze)[0] if wanted == "fixations" else gaze.points_image


def fixations_of(gaze: Gaze) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return fixations (M, 2) and their durations (M,) in microseconds.

    Raises
    ------
    SimilarityError
        If none were ever made of this gaze.
    """
    if gaze.fixations_image is None or gaze.fixation_us is None:
        raise SimilarityError(
            "These readings have gaze points but no fixations, which only a study provides. Use "
            "points=samples, and source=anchors for multimatch."
        )
    return gaze.fixations_image, gaze.fixation_us


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """Features of N readings, one after another.

    Attributes
    ----------
    flat
        Shape (total, K).
    starts
        Shape (N + 1,): reading i has rows starts[i] to starts[i + 1].
    """

    flat: NDArray[Any]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, found: Sequence[NDArray[Any]]) -> "FeatureTable":
        """Return the table of some features, each of shape (any, K)."""
        lengths = [len(f) for f in found]
        starts = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        flat = np.concatenate(list(found)) if len(found) else np.empty((0, 1))
        return cls(flat, starts)

    def __len__(self) -> int:
        """Return N."""
        return len(self.starts) - 1

    def part(self, first: int, end: int) -> "FeatureTable":
        """Return readings first … end − 1, without a copy."""
        starts = self.starts[first : end + 1]
        return FeatureTable(self.flat[starts[0] : starts[-1]], starts - starts[0])

    def take(self, readings: NDArray[np.int64]) -> "FeatureTable":
        """Return some readings, copied."""
        return FeatureTable.of([self.flat[self.starts[i] : self.starts[i + 1]] for i in readings])

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Rows of each reading (N,)."""
        return np.diff(self.starts)

    def stacked(self) -> NDArray[Any]:
        """Return (N, rows, K) where all readings have the same number of rows."""
        rows = int(self.lengths[0]) if len(self) else 1
        return self.flat.reshape(len(self), rows, self.flat.shape[1])


@dataclass(frozen=True, slots=True)
class Pairs:
    """Similarity of the readings of one table with those of another.

    Attributes
    ----------
    values
        Shape (A, B), or (A, B, D) by dimension.
    valid
        Shape (A, B): whether the definition gives a value; where not, `values` holds the value
        that the definition prescribes for such pairs.
    """

    values: FloatArray
    valid: BoolArray


class Table(Protocol):
    """Features of N things, of which runs can be taken."""

    def __len__(self) -> int:
        """Return N."""

    def part(self, first: int, end: int) -> Any:
        """Return things first … end − 1, without a copy."""

    def take(self, readings: NDArray[np.int64]) -> Any:
        """Return some things, copied."""

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Rows of features of each (N,)."""


Compare = Callable[[Any, Any, Any], Pairs]
"""`similarity(a: Table, b: Table, parameters)` of all pairs of two tables of one kind."""


Fitted = dict[str, NDArray[Any]]
"""What a measure learnt of a cohort, by name."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of R readings beside their gaze.

    Attributes
    ----------
    image
        Shape (R,): code of the image.
    reader
        Shape (R,): code of the person; a reading of nobody known has one of its own.
    label
        Shape (R,): code of the image's label, −1 without one.
    """

    image: NDArray[np.int64]
    reader: NDArray[np.int64]
    label: NDArray[np.int64]

    def take(self, readings: NDArray[np.int64]) -> "Known":
        """Return the same of some readings."""
        return Known(self.image[readings], self.reader[readings], self.label[readings])


@dataclass(frozen=True, slots=True)
class CohortPass:
    """The second pass of a measure that looks at the whole cohort.

    Attributes
    ----------
    fit
        Of the features of the readings that are trained on, what is known of them, and the
        parameters; SimilarityError where they teach nothing.
    apply
        Of the features of all readings, what was fitted, and the parameters: the features that are
        compared.
    learns
        "labels" or "readers" where it learns of those, so that it must be judged on images that it
        did not see; "" where it looks at gaze alone.
    """

    fit: Callable[[FeatureTable, Known, Any], Fitted]
    apply: Callable[[FeatureTable, Fitted, Any], FeatureTable]
    learns: str = ""


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of how alike two readings are: two functions and what is said of them.

    Attributes
    ----------
    name, title
        As settings and as people call it.
    parameters
        A frozen dataclass whose defaults are the released ones.
    features
        Features of one reading, an array (any, K); frees the GIL where it matters.
    similarity
        Of two tables of features, for all pairs; frees the GIL.
    diagonal
        Similarity of a reading with itself; None: as `similarity` gives it.
    pair_parameters
        Those that only `similarity` looks at, so that features outlive a change of them.
    cohort
        Its second pass over all readings, where it has one.
    vectors
        Whether it is the inner product of one vector a reading, so that the nearest can be found
        approximately.
    dimensions, by_dimension
        Where similarity has several: their names, and a `similarity` with values (A, B, D).
    plug_in
        Name and version of the other distribution that brought it; empty of Foveate's own. Results
        carry it, and what another version computed is not taken for this one's.
    """

    name: str
    title: str
    parameters: type[CanvasParameters]
    features: Callable[[Gaze, Any], NDArray[Any]]
    similarity: Compare
    diagonal: float | None = 1.0
    pair_parameters: tuple[str, ...] = ()
    dimensions: tuple[str, ...] = ()
    by_dimension: Compare | None = None
    cohort: CohortPass | None = None
    vectors: bool = False
    plug_in: str = ""


@dataclass(frozen=True, slots=True)
class Similarity:
    """How alike all readings (or images) of a list are.

    Attributes
    ----------
    matrix
        Shape (N, N), float64, symmetric; 1 is the same. (N, N, D) where asked for by dimension.
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
    parameters: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0


def by_name(measure: Measure, parameters: CanvasParameters) -> dict[str, Any]:
    """Return a measure's parameters as results carry them, with the distribution it is of."""
    brought = {"plug_in": measure.plug_in} if measure.plug_in else {}
    return {**asdict(parameters), **brought}
