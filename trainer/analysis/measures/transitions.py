"""From area to area: the transition matrix and its entropies."""

from typing import Any

import numpy as np

from trainer.analysis.definitions import defined
from trainer.analysis.looked import FloatArray, IntArray

_KREJTZ = "Krejtz, Szmidt, Duchowski and Krejtz, ETRA 2014"

DEFINITIONS = defined(
    "reading",
    [
        ("transition_count", "1", "direct moves from one area to another", _KREJTZ),
        ("transition_entropy_bit", "bit",
            "entropy of the destinations of moves given their origin, weighted by how "
            "often moves start there", _KREJTZ),
        ("stationary_entropy_bit", "bit", "entropy of dwell over the areas", _KREJTZ),
    ],
)  # fmt: skip


def transition_counts(visited: IntArray, areas: int) -> FloatArray:
    """Return how often a fixation in area i was followed by one in another area j, (A, A).

    Parameters
    ----------
    visited
        Shape (F,): the area of each fixation, -1 of none; a fixation in none ends a move.
    """
    counts = np.zeros((areas, areas))
    start, end = visited[:-1], visited[1:]
    moved = (start >= 0) & (end >= 0) & (start != end)
    np.add.at(counts, (start[moved], end[moved]), 1)
    return counts


def transitions(visited: IntArray, duration_us: IntArray, areas: int) -> dict[str, Any]:
    """Return the measures of one reading over its image's areas."""
    counts = transition_counts(visited, areas)
    dwell = np.array([duration_us[visited == k].sum() for k in range(areas)], np.float64)
    leaving = counts.sum(axis=1)
    rows = [_entropy(row) for row in counts]
    total = leaving.sum()
    return {
        "transition_count": int(total),
        "transition_entropy_bit": float(leaving @ rows / total) if total else np.nan,
        "stationary_entropy_bit": _entropy(dwell) if dwell.sum() else np.nan,
    }


def _entropy(weights: FloatArray) -> float:
    known = weights[weights > 0]
    share = known / known.sum() if len(known) else known
    return float(-(share * np.log2(share)).sum())
