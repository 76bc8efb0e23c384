"""Cells in numbers: means over seeds, differences to the plain run of the same seed, intervals."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

Line = dict[str, Any]
BUDGETS = ("10", "25", "100")


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean over seeds with its 95 % t interval; NaN bounds where there is one seed."""

    mean: float
    low: float
    high: float
    seeds: int

    def text(self, *, signed: bool = False) -> str:
        """Return it as the tables print it."""
        sign = "+" if signed else ""
        if self.seeds == 0:
            return "–"
        if self.seeds == 1:
            return f"{self.mean:{sign}.3f}"
        return f"{self.mean:{sign}.3f} [{self.low:{sign}.3f}, {self.high:{sign}.3f}]"


def over_seeds(values: Sequence[float]) -> Figure:
    """Return mean and interval of one value for each seed."""
    there = np.array([v for v in values if v is not None and np.isfinite(v)], np.float64)
    if len(there) == 0:
        return Figure(np.nan, np.nan, np.nan, 0)
    mean = float(there.mean())
    if len(there) == 1:
        return Figure(mean, np.nan, np.nan, 1)
    half = float(stats.t.ppf(0.975, len(there) - 1) * there.std(ddof=1) / np.sqrt(len(there)))
    return Figure(mean, mean - half, mean + half, len(there))


def by_cell(lines: Iterable[Line]) -> dict[str, list[Line]]:
    """Return the lines of each cell over its seeds."""
    cells: dict[str, list[Line]] = {}
    for line in lines:
        cells.setdefault(line["cell"], []).append(line)
    return cells


def auc(lines: Iterable[Line], budget: str, probe: str = "linear") -> Figure:
    """Return the AUC of a cell."""
    return over_seeds([line[probe][budget] for line in lines])


def right_pairs(lines: Iterable[Line]) -> list[float]:
    """Return how many extra pairs of each run's batch join images of one class, on average."""
    return [(line.get("purity") or 0.0) * line["extra_pairs_per_batch"] for line in lines]


def gain(lines: Iterable[Line], plain: Iterable[Line], budget: str) -> Figure:
    """Return the difference to the plain run of the same seed: same phantoms, labels, weights."""
    reference = {line["seed"]: line["linear"][budget] for line in plain}
    return over_seeds(
        [line["linear"][budget] - reference[line["seed"]] for line in lines
         if line["seed"] in reference]
    )  # fmt: skip
