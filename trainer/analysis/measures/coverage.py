"""How much of the image came within the useful field of view, and when."""

from typing import Any

import numpy as np

from trainer.analysis.definitions import Group, defined
from trainer.analysis.looked import FloatArray, Looked

USEFUL_FIELD_DEG = 2.5
CELLS = 128
"""Cells along the longer side; a cell counts by its centre."""

_KUNDEL = "Kundel, Nodine and Carmody, Investigative Radiology 13 (1978)"

DEFINITIONS = defined(
    "reading",
    [
        ("coverage", "1", "share of the image within the useful field (radius 2.5° unless set) of "
         "a fixation", _KUNDEL),
        ("time_to_half_coverage_ms", "ms", "from the first showing until half of the image was "
         "covered; empty where it never was", _KUNDEL),
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

    Of a stack: the share of its images' area over all frames that were fixated.
    """
    if not np.isfinite(looked.px_per_deg).all():
        return None
    side = max(looked.width, looked.height) / CELLS
    x = (np.arange(int(np.ceil(looked.width / side))) + 0.5) * side
    y = (np.arange(int(np.ceil(looked.height / side))) + 0.5) * side
    x, y = x[x < looked.width], y[y < looked.height]
    frames = {frame: np.zeros((len(y), len(x)), bool) for frame in np.unique(looked.frame)}
    covered, shares = 0, np.empty(len(looked.frame))
    places = zip(looked.points_image, looked.frame, looked.px_per_deg, strict=True)
    for k, (point, frame, scale) in enumerate(places):
        radius = useful_field_deg * scale
        # Only cells in the square round the fixation can be near it.
        left, right = np.searchsorted(x, (point[0] - radius, point[0] + radius + side))
        top, bottom = np.searchsorted(y, (point[1] - radius, point[1] + radius + side))
        seen = frames[frame][top:bottom, left:right]
        near = (x[left:right] - point[0]) ** 2 + (y[top:bottom, None] - point[1]) ** 2 <= radius**2
        near &= ~seen
        seen |= near
        covered += int(near.sum())
        shares[k] = covered / (len(x) * len(y) * len(frames))
    return shares


GROUP = Group(DEFINITIONS, coverage, settings=("useful_field_deg",))
