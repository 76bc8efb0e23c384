"""Recurrence of fixations: how often the eyes came back to where they had been."""

from typing import Any

import numpy as np

from trainer.analysis.definitions import Group, defined
from trainer.analysis.looked import BoolArray, Looked

RADIUS_DEG = 2.0
LINE = 2
"""Least length of a diagonal, vertical or horizontal line."""

_ANDERSON = "Anderson, Bischof, Laidlaw, Risko and Kingstone, Behavior Research Methods 45 (2013)"

DEFINITIONS = defined(
    "reading",
    [
        ("recurrence_pct", "%", "share of all pairs of fixations that lie within 2° of each other",
         _ANDERSON),
        ("determinism_pct", "%", "share of recurrent pairs on diagonal lines of at least 2",
         _ANDERSON),
        ("laminarity_pct", "%",
         "share of recurrent pairs on vertical and on horizontal lines of at least 2, averaged",
         _ANDERSON),
        ("recurrence_centre_pct", "%",
         "mean distance in order between recurrent fixations, as a share of the largest possible",
         _ANDERSON),
    ],
)  # fmt: skip


def recurrence(looked: Looked, radius_deg: float = RADIUS_DEG) -> dict[str, Any]:
    """Return the measures of one reading of one image."""
    names = [d.name for d in DEFINITIONS]
    count, scale = len(looked.frame), looked.scale_px_per_deg
    if count < 2 or not np.isfinite(scale):
        return dict.fromkeys(names, np.nan)
    apart = np.hypot(*(looked.points_image[:, None] - looked.points_image[None]).transpose(2, 0, 1))
    together = looked.frame[:, None] == looked.frame
    upper = np.triu((apart <= radius_deg * scale) & together, 1)
    found = int(upper.sum())
    if not found:
        return dict(zip(names, (0.0, np.nan, np.nan, np.nan), strict=True))
    first, second = np.nonzero(upper)
    diagonal, vertical, horizontal = (_on_lines(upper, *step) for step in ((1, 1), (1, 0), (0, 1)))
    values = (
        100 * 2 * found / (count * (count - 1)),
        100 * diagonal / found,
        100 * (vertical + horizontal) / (2 * found),
        100 * float((second - first).sum()) / ((count - 1) * found),
    )
    return dict(zip(names, values, strict=True))


def _on_lines(upper: BoolArray, down: int, right: int) -> int:
    """Return how many cells stand in a line: a neighbour along the step recurs as well.

    With lines of at least 2 (`LINE`) that is all there is to it.
    """
    count = len(upper)
    before, after = upper[: count - down, : count - right], upper[down:, right:]
    pairs = before & after
    beside = np.zeros_like(upper)
    beside[: count - down, : count - right] |= pairs
    beside[down:, right:] |= pairs
    return int(beside.sum())


GROUP = Group(DEFINITIONS, recurrence)
