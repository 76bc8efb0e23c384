"""Intervals that hold for all measures of a table together.

The best of several measures is looked at, so an interval of each by itself would let chance pass
too often: with eight measures that carry nothing, one of them stands out in up to every third
cohort. Half-widths are therefore the 95 % quantile of the largest deviation among all measures,
each in units of its own bootstrap spread.
"""

from collections.abc import Mapping

import numpy as np

from migrations.study.evidence import Figure
from trainer.similarity.evidence.purity import Sampled

LEVEL = 0.95


def joint_figures(found: Mapping[str, Sampled | None], lowest: float = 0.0) -> dict[str, Figure]:
    """Return the figures of those measures that have one, with joint intervals.

    `lowest` is the least value that the figure can have at all.
    """
    sampled = {name: s for name, s in found.items() if s is not None}
    if not sampled:
        return {}
    draws = np.stack([s.draws for s in sampled.values()])
    values = np.array([s.value for s in sampled.values()])
    spread = np.maximum(np.nanstd(draws, axis=1), 1e-12)
    apart = np.abs(draws - values[:, None]) / spread[:, None]
    width = float(np.quantile(np.nanmax(np.nan_to_num(apart), axis=0), LEVEL)) * spread
    return {
        name: Figure(float(v), float(max(v - w, lowest)), float(v + w))
        for name, v, w in zip(sampled, values, width, strict=True)
    }
