"""How an area was looked at: dwell, visits, first fixation, returns."""

from typing import Any

import numpy as np

from trainer.analysis.definitions import Group, defined
from trainer.analysis.looked import BoolArray, Looked

_HOLMQVIST = "Holmqvist et al., Eye Tracking, Oxford 2011"

DEFINITIONS = defined(
    "area",
    [
        ("hit", "1", "1 if the area was fixated at least once, else 0", _HOLMQVIST),
        ("dwell_ms", "ms", "sum of the durations of fixations in the area", _HOLMQVIST),
        ("dwell_share", "1", "dwell in the area divided by dwell on the whole image", _HOLMQVIST),
        ("fixation_count", "1", "fixations in the area", _HOLMQVIST),
        ("mean_fixation_ms", "ms", "mean duration of fixations in the area", _HOLMQVIST),
        ("visit_count", "1",
            "runs of fixations in the area, uninterrupted by fixations elsewhere on "
            "the image", _HOLMQVIST),
        ("return_count", "1", "visits after the first", _HOLMQVIST),
        ("first_visit_dwell_ms", "ms", "dwell of the first visit", _HOLMQVIST),
        ("longest_visit_dwell_ms", "ms", "dwell of the longest visit", _HOLMQVIST),
        ("time_to_first_fixation_ms", "ms",
            "time from when the image was first shown to the start of the first "
            "fixation in the area; empty if there is none", _HOLMQVIST),
        ("fixations_before_first", "1",
            "fixations on the image before the first in the area; empty if there is "
            "none", _HOLMQVIST),
        ("first_fixation_ms", "ms", "duration of the first fixation in the area", _HOLMQVIST),
    ],
)  # fmt: skip


def dwell(looked: Looked, inside: BoolArray) -> dict[str, Any]:
    """Return the measures of one area by the fixations that lie in it, (F,)."""
    duration_ms = looked.duration_us / 1000.0
    total = float(duration_ms[inside].sum())
    visits = visit_dwells_ms(duration_ms, inside)
    first = int(np.argmax(inside)) if inside.any() else None
    whole = float(duration_ms.sum())
    return {
        "hit": int(inside.any()),
        "dwell_ms": total,
        "dwell_share": total / whole if whole else np.nan,
        "fixation_count": int(inside.sum()),
        "mean_fixation_ms": total / inside.sum() if inside.any() else np.nan,
        "visit_count": len(visits),
        "return_count": max(len(visits) - 1, 0),
        "first_visit_dwell_ms": visits[0] if visits else 0.0,
        "longest_visit_dwell_ms": max(visits, default=0.0),
        "time_to_first_fixation_ms": (
            np.nan if first is None else (int(looked.start_us[first]) - looked.shown_us) / 1000.0
        ),
        "fixations_before_first": np.nan if first is None else first,
        "first_fixation_ms": np.nan if first is None else float(duration_ms[first]),
    }


def visit_dwells_ms(
    duration_ms: np.ndarray[Any, np.dtype[np.float64]], inside: BoolArray
) -> list[float]:
    """Return the dwell of each visit, in order."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(np.int8)))
    return [float(duration_ms[a:b].sum()) for a, b in edges.reshape(-1, 2)]


GROUP = Group(DEFINITIONS, dwell)
