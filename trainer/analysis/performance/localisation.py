"""Marks and ratings held against lesions: LROC, FROC and AFROC of one reader in one arm.

A mark within the acceptance radius of a lesion's centre, or inside a lesion with an extent, finds
that lesion; each lesion is found once, by its highest-rated mark; every other mark on a lesion is
passed over, every mark elsewhere is a false positive. Definitions: Chakraborty and Berbaum,
"Observer studies involving detection and localization", Medical Physics 31 (2004); for LROC
Swensson, Medical Physics 23 (1996).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trainer.analysis.areas import Area
from trainer.analysis.performance.auc import auc, placements
from trainer.analysis.performance.ratings import FloatArray
from trainer.analysis.reported import Reported, said_once

UNMARKED = -np.inf
"""Rating of a case or lesion without a mark: below every rating given."""


@dataclass(frozen=True, slots=True)
class ScoredCase:
    """A case's marks judged: the best rating of each lesion (or `UNMARKED`), and the others."""

    lesions: tuple[float, ...]
    elsewhere: tuple[float, ...]


def score_case(marks: Sequence[Reported], lesions: Sequence[Area], radius_px: float) -> ScoredCase:
    """Hold a case's marks against its lesions, over all of its images.

    Parameters
    ----------
    radius_px
        A mark finds a lesion whose border its centre is within this of, image pixels; a mark that
        a resumed reading sets again within it counts once.
    """
    best = [UNMARKED] * len(lesions)
    elsewhere = []
    for mark, found in judged(marks, lesions, radius_px):
        if found is None:
            elsewhere.append(mark.rating)
        else:
            best[found] = max(best[found], mark.rating)
    return ScoredCase(tuple(best), tuple(elsewhere))


def judged(
    marks: Sequence[Reported], lesions: Sequence[Area], radius_px: float
) -> list[tuple[Reported, int | None]]:
    """Return each mark of a case with the place of the lesion it finds; None for none."""
    found: list[tuple[Reported, int | None]] = []
    for mark in said_once(marks, radius_px):
        apart = [_apart(lesion, mark) for lesion in lesions]
        nearest = int(np.argmin(apart)) if apart else -1
        is_near = nearest >= 0 and apart[nearest] <= radius_px
        found.append((mark, nearest if is_near else None))
    return found


def _apart(lesion: Area, mark: Reported) -> float:
    if lesion.image != mark.image or lesion.frame not in (None, mark.frame):
        return np.inf
    return float(lesion.distance_px(mark.centre)[0])


def froc_curve(cases: Sequence[ScoredCase]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return false marks a case, the share of lesions found, and the threshold, strictest first."""
    found = np.array([r for case in cases for r in case.lesions])
    false = np.array([r for case in cases for r in case.elsewhere])
    thresholds = _thresholds(found, false)
    return (
        _counts_above(false, thresholds) / max(len(cases), 1),
        _counts_above(found, thresholds) / max(len(found), 1),
        thresholds,
    )


def afroc_curve(cases: Sequence[ScoredCase]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the share of normal cases with a false mark and of lesions found, and the threshold.

    From (0, 0) to (1, 1), whose threshold is below every mark.
    """
    found = np.array([r for case in cases for r in case.lesions])
    return _curve_of(found, None, cases, end=1.0)


def afroc_area(cases: Sequence[ScoredCase]) -> float:
    """Return the area under the AFROC; NaN without lesions or without normal cases.

    The chance that a lesion's rating is above the highest of a normal case, ties one half.
    """
    found = np.array([r for case in cases for r in case.lesions])
    false = _of_normal(cases)
    if not len(found) or not len(false):
        return np.nan
    truth = np.arange(len(found) + len(false)) < len(found)
    return auc(np.concatenate([found, false]), truth)


def wafroc_curve(cases: Sequence[ScoredCase]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return `afroc_curve` with the lesions of a case weighing 1 together, (0,0) to (1,1)."""
    return _curve_of(*_weighted(cases), cases, end=1.0)


def wafroc_area(cases: Sequence[ScoredCase]) -> float:
    """Return the area under the weighted AFROC; NaN without lesions or without normal cases.

    As `afroc_area`, but every case with lesions weighs the same and its lesions share its weight
    equally: a case of many lesions does not count for more than another (Chakraborty, "Observer
    Performance Methods for Diagnostic Imaging", CRC Press 2017; RJafroc's `wAFROC`).
    """
    found, weights = _weighted(cases)
    false = _of_normal(cases)
    if not len(found) or not len(false):
        return np.nan
    truth = np.arange(len(found) + len(false)) < len(found)
    above, _ = placements(np.concatenate([found, false]), truth)
    return float(np.average(above, weights=weights))


def _weighted(cases: Sequence[ScoredCase]) -> tuple[FloatArray, FloatArray]:
    """Return the rating of each lesion and its share of the weight of its case."""
    found = [(r, 1 / len(case.lesions)) for case in cases for r in case.lesions]
    ratings, weights = np.array(found, np.float64).reshape(-1, 2).T
    return ratings, weights


def lroc_curve(cases: Sequence[ScoredCase]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the share of normal cases marked, of abnormal ones located, and the threshold.

    An abnormal case is located where its highest mark is on a lesion. From (0, 0) level to x = 1,
    whose threshold is below every mark; the area under it is `lroc_area`.
    """
    located = np.array([max(case.lesions) if max(case.lesions) >= _highest(case) else UNMARKED
                        for case in cases if case.lesions])  # fmt: skip
    return _curve_of(located, None, cases)


def lroc_area(cases: Sequence[ScoredCase]) -> float:
    """Return the area under the LROC; NaN without abnormal or without normal cases.

    The chance that an abnormal case's highest mark is on a lesion and is rated above the highest
    of a normal case, ties one half.
    """
    normal = _of_normal(cases)
    abnormal = [case for case in cases if case.lesions]
    if len(normal) == 0 or not abnormal:
        return np.nan
    total = 0.0
    for case in abnormal:
        top = max(case.lesions)
        if top > UNMARKED and top >= _highest(case):
            total += float((normal < top).mean() + (normal == top).mean() / 2)
    return total / len(abnormal)


def _curve_of(
    found: FloatArray,
    weights: FloatArray | None,
    cases: Sequence[ScoredCase],
    end: float | None = None,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the share of normal cases marked, of what is found, and the threshold.

    The last point, below every mark, has x = 1 and y = `end`; None: that of the point before it.
    """
    false = _of_normal(cases)
    thresholds = _thresholds(found, false)
    total = len(found) if weights is None else weights.sum()
    y = _counts_above(found, thresholds, weights) / max(total, 1)
    return (
        np.append(_counts_above(false, thresholds) / max(len(false), 1), 1.0),
        np.append(y, y[-1] if end is None else end),
        np.append(thresholds, UNMARKED),
    )


def _of_normal(cases: Sequence[ScoredCase]) -> FloatArray:
    return np.array([_highest(case) for case in cases if not case.lesions], np.float64)


def _highest(case: ScoredCase) -> float:
    return max(case.elsewhere, default=UNMARKED)


def _thresholds(*ratings: FloatArray) -> FloatArray:
    given = np.concatenate(ratings)
    return np.append(np.inf, np.unique(given[np.isfinite(given)])[::-1])


def _counts_above(
    ratings: FloatArray, thresholds: FloatArray, weights: FloatArray | None = None
) -> FloatArray:
    """Return how many ratings are at or above each threshold, or their weights together."""
    above = (ratings[None, :] >= thresholds[:, None]) & np.isfinite(ratings)[None, :]
    counts: FloatArray = above @ (np.ones(len(ratings)) if weights is None else weights)
    return counts
