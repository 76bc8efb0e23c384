"""Focal or ambient attention: the coefficient K, normed over all readings that are compared."""

from collections.abc import Sequence

import numpy as np

from trainer.analysis.definitions import defined
from trainer.analysis.looked import FloatArray, Looked

DEFINITIONS = defined(
    "reading",
    [
        ("k_coefficient", "1",
            "mean over fixations of the standardised duration minus the standardised amplitude "
            "of the next step, both standardised over all readings: above 0 focal, below 0 "
            "ambient",
         "Krejtz, Duchowski, Krejtz, Szarkowska and Kopacz, ACM TAP 13 (2016)"),
    ],
)  # fmt: skip


def k_coefficients(all_looked: Sequence[Looked]) -> FloatArray:
    """Return K of each reading; NaN with fewer than two fixations, or where nothing varies."""
    pairs = [_durations_and_steps(looked) for looked in all_looked]
    durations = np.concatenate([d for d, _ in pairs]) if pairs else np.zeros(0)
    steps = np.concatenate([s for _, s in pairs]) if pairs else np.zeros(0)
    if len(durations) < 2 or not durations.std() or not steps.std():
        return np.full(len(pairs), np.nan)
    return np.array(
        [
            ((d - durations.mean()) / durations.std() - (s - steps.mean()) / steps.std()).mean()
            if len(d)
            else np.nan
            for d, s in pairs
        ]
    )


def _durations_and_steps(looked: Looked) -> tuple[FloatArray, FloatArray]:
    """Return of each fixation that another follows its duration (ms) and the step (deg)."""
    if len(looked.frame) < 2:
        return np.zeros(0), np.zeros(0)
    scale = (looked.px_per_deg[1:] + looked.px_per_deg[:-1]) / 2
    steps = np.hypot(*np.diff(looked.points_image, axis=0).T) / scale
    known = np.isfinite(steps) & (np.diff(looked.frame) == 0)
    return looked.duration_us[:-1][known] / 1000.0, steps[known]
