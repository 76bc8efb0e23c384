"""How much of the image came within the useful field of view, and when."""

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numba import njit

from trainer.analysis.definitions import Group, defined
from trainer.analysis.looked import BoolArray, FloatArray, IntArray, Looked

USEFUL_FIELD_DEG = 2.5
CELLS = 128
"""Cells along the longer side; a cell counts by its centre."""

# The table and the figure both need it, and it is what takes their time.
_KNOWN: WeakKeyDictionary[Looked, dict[float, FloatArray | None]] = WeakKeyDictionary()

_KUNDEL = "Kundel, Nodine and Carmody, Investigative Radiology 13 (1978)"

DEFINITIONS = defined(
    "reading",
    [
        ("coverage", "1", "share of the image within the useful field (radius 2.5° unless set) of "
         "a fixation", _KUNDEL),
        ("time_to_half_coverage_ms", "ms",
            "time from when the image was first shown until half of it was covered; "
            "empty if it never was", _KUNDEL),
    ],
)  # fmt: skip


def coverage(looked: Looked, useful_field_deg: float = USEFUL_FIELD_DEG) -> dict[str, Any]:
    """Return the measures of one reading of one image."""
    curve = coverage_curve(looked, useful_field_deg)
    if curve is None:
        return {"coverage": np.nan, "time_to_half_coverage_ms": np.nan}
    half = np.flatnonzero(curve >= 0.5)
    ends = (looked.start_us + looked.duration_us - looked.shown_us) / 1000.0
    return {
        "coverage": float(curve[-1]) if len(curve) else 0.0,
        "time_to_half_coverage_ms": float(ends[half[0]]) if len(half) else np.nan,
    }


def coverage_curve(looked: Looked, useful_field_deg: float = USEFUL_FIELD_DEG) -> FloatArray | None:
    """Return the share of the image covered after each fixation, (F,); None without geometry.

    Of a stack: the share of its images' area over all frames that were fixated. Computed once for
    each reading and field, and read only.
    """
    known = _KNOWN.setdefault(looked, {})
    if useful_field_deg not in known:
        known[useful_field_deg] = _curve(looked, useful_field_deg)
    return known[useful_field_deg]


def _curve(looked: Looked, useful_field_deg: float) -> FloatArray | None:
    if not np.isfinite(looked.px_per_deg).all():
        return None
    side = max(looked.width, looked.height) / CELLS
    x = np.asarray((np.arange(int(np.ceil(looked.width / side))) + 0.5) * side, np.float64)
    y = np.asarray((np.arange(int(np.ceil(looked.height / side))) + 0.5) * side, np.float64)
    x, y = x[x < looked.width], y[y < looked.height]
    frames, places = np.unique(looked.frame, return_inverse=True)
    seen = np.zeros((len(frames), len(y), len(x)), np.bool_)
    radii = useful_field_deg * looked.px_per_deg
    points = np.ascontiguousarray(looked.points_image, np.float64)
    covered = _covered(x, y, points, radii, places.astype(np.int64), seen)
    curve = np.asarray(covered / (len(x) * len(y) * len(frames)), np.float64)
    curve.setflags(write=False)
    return curve


@njit(cache=True, nogil=True)
def _covered(
    x: FloatArray, y: FloatArray, points: FloatArray, radii: FloatArray, frames: IntArray,
    seen: BoolArray,
) -> IntArray:  # fmt: skip
    """Return the cells covered after each fixation (F,), of all frames together."""
    counts, covered = np.empty(len(points), np.int64), 0
    for k in range(len(points)):
        radius, frame = radii[k], frames[k]
        # Only cells in the square round the fixation (a pixel more, for rounding) can be near it.
        left = np.searchsorted(x, points[k, 0] - radius)
        top = np.searchsorted(y, points[k, 1] - radius)
        for row in range(top, len(y)):
            down = y[row] - points[k, 1]
            if down > radius + 1:
                break
            for column in range(left, len(x)):
                across = x[column] - points[k, 0]
                if across > radius + 1:
                    break
                if not seen[frame, row, column] and across**2 + down**2 <= radius**2:
                    seen[frame, row, column] = True
                    covered += 1
        counts[k] = covered
    return counts


GROUP = Group(DEFINITIONS, coverage, settings=("useful_field_deg",))
