"""Calibration of the simulated tracker: an affine map fitted to what it saw at each target."""

import json
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np

from devices.errors import CalibrationError
from devices.gaze.geometry import FloatArray
from devices.gaze.view import Affine
from devices.tracker import CalibrationOutcome, PointResult

WINDOW_US = 500_000
LARGEST_SPREAD_NORM = 0.05
"""Standard deviation within one target beyond which the eye did not rest on it."""
LARGEST_RESIDUAL_NORM = 0.04
SMALLEST_EXTENT_NORM = 0.03

Status = Literal["success", "left_only", "right_only", "failure"]


@dataclass(frozen=True, slots=True)
class Correction:
    """What a calibration adds: raw gaze of each eye to `_norm`, on from `since_us`."""

    since_us: int
    left: Affine = field(default_factory=Affine)
    right: Affine = field(default_factory=Affine)


class Calibrated(Protocol):
    """What the calibrator needs of its tracker."""

    def raw_gaze(self, length_us: int) -> FloatArray:
        """Wait `length_us` and return what was seen (2, N, 2), uncorrected, NaN where lost."""

    def correct(self, left: Affine | None, right: Affine | None) -> None:
        """Apply a calibration from now on; None leaves an eye as it was."""


class SimulatedCalibrator:
    """A `Calibrator` that fits what a `SimulatedTracker` really saw."""

    def __init__(self, tracker: Calibrated) -> None:
        self._tracker = tracker
        self._entered = False
        self._seen: dict[tuple[float, float], FloatArray] = {}

    def enter(self) -> None:
        """Enter calibration mode with nothing collected."""
        self._entered = True
        self._seen.clear()

    def collect(self, x_norm: float, y_norm: float) -> PointResult:
        """Average half a second of gaze at a target; blocks that long on the clock.

        Raises
        ------
        CalibrationError
            Outside calibration mode, or if no sample arrives.
        """
        self._require_entered()
        seen = _averages(self._tracker.raw_gaze(WINDOW_US))
        self._seen[x_norm, y_norm] = seen
        left_ok, right_ok = (~np.isnan(seen[:, 0])).tolist()
        return PointResult(x_norm, y_norm, left_ok, right_ok)

    def discard(self, x_norm: float, y_norm: float) -> None:
        """Throw away what was collected at a target."""
        self._require_entered()
        self._seen.pop((x_norm, y_norm), None)

    def compute(self) -> CalibrationOutcome:
        """Fit each eye that saw three targets or more, and apply what could be fitted."""
        self._require_entered()
        left, right = self._fit(0), self._fit(1)
        points = tuple(
            PointResult(x, y, *(~np.isnan(seen[:, 0])).tolist())
            for (x, y), seen in self._seen.items()
        )
        if left is None and right is None:
            return CalibrationOutcome("failure", points)
        self._tracker.correct(left, right)
        return CalibrationOutcome(_status(left, right), points, as_bytes(left, right))

    def leave(self) -> None:
        """Leave calibration mode."""
        self._entered = False

    def _fit(self, eye: int) -> Affine | None:
        targets = np.array(list(self._seen)).reshape(-1, 2)
        seen = np.array([s[eye] for s in self._seen.values()]).reshape(-1, 2)
        usable = ~np.isnan(seen).any(axis=1)
        return fit_affine(seen[usable], targets[usable])

    def _require_entered(self) -> None:
        if not self._entered:
            raise CalibrationError(
                "The simulated tracker is not in calibration mode. Enter it first."
            )


def fit_affine(seen: FloatArray, targets: FloatArray) -> Affine | None:
    """Return the least-squares map from (N, 2) seen points to targets.

    None if fewer than three points, points on one line, or a fit so poor that the eye cannot
    have looked at the targets.
    """
    if len(seen) < 3 or _narrowest(seen) < SMALLEST_EXTENT_NORM:
        return None
    design = np.column_stack((seen, np.ones(len(seen))))
    solution = np.linalg.lstsq(design, targets, rcond=None)[0]
    residual = float(np.sqrt(((design @ solution - targets) ** 2).sum(axis=1).mean()))
    if residual > LARGEST_RESIDUAL_NORM:
        return None
    (a, b), (c, d), (tx, ty) = solution.tolist()
    return Affine(a, b, c, d, tx, ty)


def _narrowest(points: FloatArray) -> float:
    """Return the standard deviation across the line that fits the points best."""
    centred = points - points.mean(axis=0)
    return float(np.linalg.svd(centred, compute_uv=False)[-1] / np.sqrt(len(points)))


def _averages(raw: FloatArray) -> FloatArray:
    """Return the mean (2, 2) per eye; NaN where half is lost or the eye did not rest."""
    means = np.full((2, 2), np.nan)
    for eye, points in enumerate(raw):
        there = points[~np.isnan(points[:, 0])]
        rested = len(there) and there.std(axis=0).max() <= LARGEST_SPREAD_NORM
        if rested and 2 * len(there) >= len(points):
            means[eye] = there.mean(axis=0)
    return means


def _status(left: Affine | None, right: Affine | None) -> Status:
    if left is None:
        return "right_only"
    return "success" if right is not None else "left_only"


def as_bytes(left: Affine | None, right: Affine | None) -> bytes:
    """Return a calibration as the simulated tracker stores it."""

    def numbers(m: Affine | None) -> list[float] | None:
        return None if m is None else [m.a, m.b, m.c, m.d, m.tx, m.ty]

    return json.dumps({"left": numbers(left), "right": numbers(right)}).encode()


def from_bytes(data: bytes) -> tuple[Affine | None, Affine | None]:
    """Return the two eyes' maps that `as_bytes` wrote.

    Raises
    ------
    CalibrationError
        If the data is of another tracker or damaged.
    """
    try:
        stored = json.loads(data)
        left, right = (stored[eye] and Affine(*stored[eye]) for eye in ("left", "right"))
    except (ValueError, TypeError, KeyError) as error:
        raise CalibrationError(
            "The stored calibration does not belong to the simulated tracker. Calibrate again."
        ) from error
    return left, right
