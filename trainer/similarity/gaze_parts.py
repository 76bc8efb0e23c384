"""What measures that learn look at: one reading as numbers, in parts of several scales.

Parts: *position* (root of a dwell map), *folded* (the same with left and right laid on each other),
*order* (coarse maps of four phases of the reading), *spread* (centre, deviations, entropy, steps
and their directions, first and last place). A cohort makes each part comparable: its mean is
taken away, its commonest ways of differing are played down, and its energy is made 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.similarity.base import (
    FeatureTable,
    Fitted,
    FloatArray,
    Gaze,
    PointParameters,
    canvas_points,
)
from trainer.similarity.measures.density import dwell_of, spread_over

GRID, COARSE, PHASES, TURNS = 24, 6, 4, 8
SIGMA, COARSE_SIGMA, PHASE_SIGMA = 0.04, 0.12, 0.15
STEP = 0.03
"""Share of the canvas from which on a way between two samples is a step, not noise."""
SIZES = {
    "position": GRID * GRID,
    "folded": (GRID // 2) * (GRID // 4),
    "order": PHASES * COARSE * COARSE,
    "spread": 14 + TURNS,
}
KEPT = {"position": 80, "folded": 40, "order": 40, "spread": 22}
"""Ways of differing of each part that are kept."""
WEIGHTS = {"position": 1.0, "folded": 0.2, "order": 0.2, "spread": 0.1}
"""Without anything learnt; chosen on viewers 0 to 9 of docs/similarity.md."""
_WHITENING, _SHRINKAGE = 0.5, 0.01


@dataclass(frozen=True, slots=True)
class _Dwell:
    """Places (N, 2) as shares of the canvas, weights that sum to 1, and coarse spreads (N, 6)."""

    place: FloatArray
    weight: FloatArray
    across: FloatArray
    down: FloatArray


def part_features(gaze: Gaze, parameters: PointParameters) -> NDArray[np.float32]:
    """Return all parts of a reading one after another, (1, K); zeros without a point."""
    points = canvas_points(gaze, parameters)
    if len(points.xy) == 0:
        return np.zeros((1, sum(SIZES.values())), np.float32)
    weights, phase = dwell_of(gaze, points, parameters)
    place = (points.xy + 0.5) / [points.width, points.height]
    across, down = (spread_over(place[:, k], COARSE, COARSE_SIGMA) for k in (0, 1))
    dwell = _Dwell(place, weights / weights.sum(), across, down)
    fine = _fine_map(dwell)
    parts = (np.sqrt(fine), _folded(fine), _order(dwell, phase), _spread(dwell))
    return np.concatenate([part.ravel() for part in parts]).astype(np.float32)[None]


def _fine_map(dwell: _Dwell) -> FloatArray:
    across, down = (spread_over(dwell.place[:, k], GRID, SIGMA) for k in (0, 1))
    return np.asarray((down * dwell.weight[:, None]).T @ across)


def _folded(fine: FloatArray) -> FloatArray:
    half = fine.reshape(GRID // 2, 2, GRID // 2, 2).sum(axis=(1, 3))
    return np.asarray(np.sqrt((half + half[:, ::-1]) / 2)[:, : GRID // 4])


def _order(dwell: _Dwell, phase: FloatArray) -> FloatArray:
    shares = spread_over(phase, PHASES, PHASE_SIGMA) * dwell.weight[:, None]
    maps = [(dwell.down * shares[:, k : k + 1]).T @ dwell.across for k in range(PHASES)]
    return np.asarray(np.sqrt(np.stack(maps)))


def _spread(dwell: _Dwell) -> FloatArray:
    centre = dwell.weight @ dwell.place
    apart = dwell.place - centre
    deviation = np.sqrt(dwell.weight @ apart**2)
    slant = float(dwell.weight @ apart.prod(axis=1)) / max(float(deviation.prod()), 1e-6)
    coarse = (dwell.down * dwell.weight[:, None]).T @ dwell.across
    entropy = -float((coarse * np.log(coarse + 1e-9)).sum())
    ways = np.diff(dwell.place, axis=0)
    lengths = np.hypot(ways[:, 0], ways[:, 1])
    steps = ways[lengths > STEP]
    turns = np.histogram(np.arctan2(steps[:, 1], steps[:, 0]), TURNS, (-np.pi, np.pi))[0]
    length = float(np.log1p(lengths[lengths > STEP]).mean()) if len(steps) else 0.0
    size = np.log(len(dwell.place)), np.log1p(len(steps)), length
    ends = (*dwell.place[0], *dwell.place[-1])
    sides = (*centre, abs(centre[0] - 0.5), *deviation, slant, entropy)
    return np.array((*sides, *size, *ends, *turns / max(len(steps), 1)))


def fit_parts(table: FeatureTable) -> Fitted:
    """Return the cohort's mean (K,) and how its parts are made comparable, (K, D)."""
    rows = table.flat[table.flat.any(axis=1)].astype(np.float64)
    mean, ways, first = np.zeros(table.flat.shape[1]), [], 0
    for name, size in SIZES.items():
        part = rows[:, first : first + size]
        if len(part):
            mean[first : first + size] = part.mean(axis=0)
        own = np.zeros((len(mean), KEPT[name]))
        own[first : first + size] = _ways(part, KEPT[name], scaled=name == "spread")
        ways.append(own)
        first += size
    return {"mean": mean, "parts": np.concatenate(ways, axis=1)}


def _ways(part: FloatArray, kept: int, *, scaled: bool) -> FloatArray:
    """Return (size, kept): the commonest ways in which a part differs, whitened by half."""
    if len(part) < 2:
        return np.eye(part.shape[1])[:, :kept]
    left = part - part.mean(axis=0)
    scale = 1 / np.maximum(left.std(axis=0), 1e-9) if scaled else np.ones(part.shape[1])
    left = left * scale
    variance, ways = np.linalg.eigh(left.T @ left)
    variance, ways = variance[::-1][:kept], ways[:, ::-1][:, :kept]
    share = np.maximum(variance / max(float(variance[0]), 1e-12), 0.0)
    ways = ways * (share + _SHRINKAGE) ** (-_WHITENING / 2)
    energy = float(np.sqrt(((left @ ways) ** 2).sum(axis=1).mean()))
    return np.asarray(scale[:, None] * ways / max(energy, 1e-9))


def in_parts(table: FeatureTable, fitted: Fitted) -> FloatArray:
    """Return the comparable parts of readings (R, D), each of energy 1 in the cohort."""
    return np.asarray((table.flat.astype(np.float64) - fitted["mean"]) @ fitted["parts"])


def weights_of(weights: Mapping[str, float]) -> FloatArray:
    """Return (D,): the weight of each column of `in_parts`."""
    return np.concatenate([np.full(KEPT[name], weights[name]) for name in SIZES])


def of_length_one(rows: FloatArray) -> FloatArray:
    """Return rows (R, D) of length 1; zeros stay zeros."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(length > 0, length, 1.0))
