"""dwell: where gaze dwelt, against where the cohort dwells on any image; ours, without labels.

A map of dwell on a small grid, its root (so that one long look does not drown the others), less the
cohort's mean map (everybody looks at the middle), its commonest ways of differing played down, and
the cosine of what is left. Mean and ways are those of the readings that are trained on.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.similarity.base import (
    CohortPass,
    FeatureTable,
    Fitted,
    Gaze,
    Known,
    Measure,
    Pairs,
    PointParameters,
    canvas_points,
    require,
)
from trainer.similarity.measures.density import dwell_of, spread_over


@dataclass(frozen=True, slots=True)
class DwellParameters(PointParameters):
    """Parameters of dwell.

    Attributes
    ----------
    grid
        Cells along each side.
    sigma
        Spread of a sample as a share of the canvas.
    power
        To which dwell is raised.
    whitening
        0 leaves the ways of differing as they are, 1 makes all of them count alike.
    shrinkage
        Share of the commonest way's variance below which the others are not raised further.
    prior
        Readings from which on the cohort's own mean and ways count more than none at all.
    """

    grid: int = 24
    sigma: float = 0.04
    power: float = 0.5
    whitening: float = 0.5
    shrinkage: float = 0.01
    prior: float = 20.0

    def __post_init__(self) -> None:
        PointParameters.__post_init__(self)
        require(2 <= self.grid <= 64, "grid", "from 2 to 64", self.grid)
        require(0.005 <= self.sigma <= 1, "sigma", "from 0.005 to 1", self.sigma)
        require(0 < self.power <= 1, "power", "above 0, at most 1", self.power)
        require(0 <= self.whitening <= 1, "whitening", "from 0 to 1", self.whitening)
        require(self.shrinkage > 0, "shrinkage", "above 0", self.shrinkage)
        require(self.prior >= 0, "prior", "0 or more", self.prior)


def features(gaze: Gaze, parameters: DwellParameters) -> NDArray[np.float32]:
    """Return the map, (1, cells), before the cohort is taken away; zeros without a point."""
    points, cells = canvas_points(gaze, parameters), parameters.grid
    if len(points.xy) == 0:
        return np.zeros((1, cells * cells), np.float32)
    weights, _ = dwell_of(gaze, points, parameters)
    centre = (points.xy + 0.5) / [points.width, points.height]
    across, down = (spread_over(centre[:, k], cells, parameters.sigma) for k in (0, 1))
    dwell = (down * weights[:, None]).T @ across
    root = (dwell / dwell.sum()) ** parameters.power
    return np.asarray(root.reshape(1, -1), np.float32)


def fit(table: FeatureTable, _known: Known, parameters: DwellParameters) -> Fitted:
    """Return the cohort's mean map (cells,) and how its ways of differing count (cells, ways)."""
    maps = table.flat[table.flat.any(axis=1)].astype(np.float64)
    cells, share = table.flat.shape[1], len(maps) / max(len(maps) + parameters.prior, 1)
    if len(maps) == 0:
        return {"mean": np.zeros(cells), "ways": np.eye(cells)}
    mean = maps.mean(axis=0)
    variance, ways = np.linalg.eigh((maps - mean).T @ (maps - mean))
    highest = max(float(variance[-1]), 1e-12)
    raised = np.maximum(variance / highest, 0.0) + parameters.shrinkage
    # Few readings know little of how a cohort differs: then all ways count as they are.
    scale = raised ** (-parameters.whitening * share / 2)
    return {"mean": mean * share, "ways": ways * scale}


def apply(table: FeatureTable, fitted: Fitted, _parameters: DwellParameters) -> FeatureTable:
    """Return maps less the cohort's, of length 1; zeros stay zeros."""
    has = table.flat.any(axis=1)
    left = (table.flat.astype(np.float64) - fitted["mean"]) @ fitted["ways"]
    length = np.linalg.norm(left, axis=1)
    fine = has & (length > 0)
    out = np.zeros(left.shape, np.float32)
    out[fine] = left[fine] / length[fine, None]
    return FeatureTable(out, table.starts)


def similarity(a: FeatureTable, b: FeatureTable, _parameters: DwellParameters) -> Pairs:
    """Return the cosines, −1 to 1; 0 and invalid without a point."""
    values = np.clip(a.flat @ b.flat.T, -1.0, 1.0).astype(np.float64)
    has = [table.flat.any(axis=1) for table in (a, b)]
    return Pairs(values, np.logical_and.outer(*has))


MEASURE = Measure(
    "dwell",
    "Dwell against the cohort",
    DwellParameters,
    features,
    similarity,
    pair_parameters=("whitening", "shrinkage", "prior"),
    cohort=CohortPass(fit, apply),
    vectors=True,
)
