"""Made readings for the tests of the analysis."""

import numpy as np

from trainer.analysis.looked import Looked

SCALE = 40.0
"""Image pixels a degree."""


def made_look(seed: int, fixations: int = 40, frames: int = 1, reader: str = "R1") -> Looked:
    """Return random fixations on an image of 600 × 400 pixels, 15 × 10 degrees."""
    rng = np.random.default_rng(seed)
    duration = rng.integers(60_000, 600_000, fixations)
    gaps = rng.integers(20_000, 80_000, fixations)
    start = 1_000_000 + np.cumsum(duration + gaps) - duration
    points = rng.uniform([0, 0], [600, 400], (fixations, 2))
    # Returns, so that there is something to recur.
    points[5::7] = points[: len(points[5::7])] + rng.normal(0, 10, (len(points[5::7]), 2))
    points = np.clip(points, 0, [599.9, 399.9])
    return Looked(
        reading=f"{reader}-{seed}",
        reader=reader,
        image="i",
        arm="",
        width=600,
        height=400,
        shown_us=1_000_000,
        left_us=int(start[-1] + duration[-1] + 100_000) if fixations else 2_000_000,
        start_us=start.astype(np.int64),
        duration_us=duration.astype(np.int64),
        points_image=points,
        frame=rng.integers(0, frames, fixations),
        px_per_deg=np.full(fixations, SCALE),
        saccade_start_us=(start + duration)[:-1].astype(np.int64),
        amplitude_deg=rng.uniform(0.5, 8, max(fixations - 1, 0)),
        peak_velocity_deg_s=rng.uniform(80, 400, max(fixations - 1, 0)),
    )
