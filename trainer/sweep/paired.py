"""Gaze against plain, paired by seed: mean difference, interval, and p after Holm's correction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from trainer.probe.compare import holm
from trainer.sweep.plan import PLAIN
from trainer.sweep.rows import Row


@dataclass(frozen=True, slots=True)
class Paired:
    """One setting against plain.

    Attributes
    ----------
    setting, seeds
        Its name; how many seeds both have.
    score, difference
        Mean over these seeds, and of its difference from plain.
    low, high, p
        95 % interval and two-sided p of Student's t over the differences; NaN below two seeds.
    p_holm
        After Holm's correction for all settings of the sweep.
    """

    setting: str
    seeds: int
    score: float
    difference: float
    low: float
    high: float
    p: float
    p_holm: float = float("nan")


def against_plain(rows: Sequence[Row]) -> list[Paired]:
    """Return every setting against plain, over the seeds that both have, in order of rows."""
    by_setting: dict[str, dict[int, float]] = {}
    for row in rows:
        by_setting.setdefault(row.setting, {})[row.seed] = row.score
    plain = by_setting.pop(PLAIN, {})
    found = [_paired(name, scores, plain) for name, scores in by_setting.items()]
    there = [one for one in found if one.seeds]
    corrected = holm([one.p for one in there])
    return [replace(one, p_holm=p) for one, p in zip(there, corrected, strict=True)]


def _paired(name: str, scores: dict[int, float], plain: dict[int, float]) -> Paired:
    seeds = sorted(scores.keys() & plain.keys())
    own = np.array([scores[s] for s in seeds])
    gaps = own - np.array([plain[s] for s in seeds])
    none = float("nan")
    if not len(seeds):
        return Paired(name, 0, none, none, none, none, none)
    mean, count = float(gaps.mean()), len(seeds)
    if count < 2:
        return Paired(name, count, float(own.mean()), mean, none, none, none)
    error = float(gaps.std(ddof=1)) / np.sqrt(count)
    width = float(stats.t.ppf(0.975, count - 1)) * error
    p = float(2 * stats.t.sf(abs(mean) / error, count - 1)) if error > 0 else float(mean == 0)
    return Paired(name, count, float(own.mean()), mean, mean - width, mean + width, p)
