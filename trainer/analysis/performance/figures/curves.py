"""ROC and AFROC of readers, thin, and their mean, thick, by arm."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from trainer.analysis.figures.figure import STYLES, Figure, Target, line_legend
from trainer.analysis.performance.auc import roc_curve
from trainer.analysis.performance.ratings import FloatArray, Ratings
from trainer.drawing.frame import Frame, line, polyline

COLUMNS = ("arm", "reader", "x", "y")
MEAN = "mean of readers"
_SIDE = 400.0

Curve = tuple[FloatArray, FloatArray, FloatArray]
"""x, y and threshold of each point."""
Curves = Mapping[tuple[str, str], Curve]


def roc_figure(ratings: Ratings, has_answers: bool = False) -> Figure:
    """Return the empirical ROC curves of each reader and arm.

    Parameters
    ----------
    has_answers
        Whether a table of answers stands beside it, whose rows a click on a point lists.
    """
    curves: dict[tuple[str, str], Curve] = {}
    for i, arm in enumerate(ratings.arms):
        for j, reader in enumerate(ratings.readers):
            there = ~np.isnan(ratings.rating[i, j])
            curves[arm, reader] = roc_curve(ratings.rating[i, j][there], ratings.truth[there])
    return _figure(
        "roc", "ROC of readers", curves, ("false positive rate", "true positive rate"),
        "Empirical curves. Thin lines: single readers. Thick lines: the mean of an arm's readers "
        "at each false positive rate; its area is the mean of their areas.",
        "answers" if has_answers else "",
    )  # fmt: skip


LOCALISED = {
    "afroc": ("AFROC of readers", "share of lesions found", "Each lesion by its best mark"),
    "wafroc": ("Weighted AFROC of readers", "weighted share of lesions found",
               "Each lesion by its best mark, with the lesions of a case weighted to a total of 1"),
    "lroc": ("LROC of readers", "share of cases with lesions located",
             "Each case with lesions by its best mark, if it lies on a lesion"),
}  # fmt: skip


def localised_figure(curves: Sequence[Mapping[str, Any]], name: str) -> Figure | None:
    """Return one of the `LOCALISED` curves from the points of `localisation_of`; None of none."""
    title, upwards, words = LOCALISED[name]
    points = [row for row in curves if row["curve"] == name]
    by_reader = {
        key: (
            np.array([r["x"] for r in rows]),
            np.array([r["y"] for r in rows]),
            np.array([r["threshold"] for r in rows], np.float64),
        )
        for key, own in groupby(points, lambda r: (str(r["arm"]), str(r["reader"])))
        for rows in [list(own)]
    }
    if not by_reader:
        return None
    return _figure(
        name, title, by_reader, ("share of normal cases with a false mark", upwards),
        f"{words}; each normal case by its worst. Thin lines: single readers; thick "
        "lines: the mean of an arm's readers.", "marks",
    )  # fmt: skip


def mean_curve(curves: Sequence[tuple[FloatArray, FloatArray]]) -> tuple[FloatArray, FloatArray]:
    """Return the mean of curves over y at each x where one of them bends.

    Where a curve rises straight up its foot and its top are both kept, so the area under the mean
    is the mean of the areas.
    """
    bends = np.unique(np.concatenate([x for x, _ in curves]))
    feet = np.mean([_at(x, y, bends, "left") for x, y in curves], axis=0)
    tops = np.mean([_at(x, y, bends, "right") for x, y in curves], axis=0)
    return np.repeat(bends, 2), np.column_stack([feet, tops]).ravel()


def _at(x: FloatArray, y: FloatArray, wanted: FloatArray, side: str) -> FloatArray:
    """Return y at each wanted x, of a straight rise its foot ("left") or its top ("right")."""
    ends = np.flatnonzero(np.diff(x, append=np.inf))  # the last point at each x: its top
    starts = np.flatnonzero(np.diff(x, prepend=-np.inf))
    exact = starts if side == "left" else ends
    found = np.empty(len(wanted))
    for k, value in enumerate(wanted):
        place = int(np.searchsorted(x[starts], value))
        if place < len(starts) and x[starts[place]] == value:
            found[k] = y[exact[place]]
        else:  # between a top and the next foot
            before, after = ends[place - 1], starts[place]
            share = (value - x[before]) / (x[after] - x[before])
            found[k] = y[before] + share * (y[after] - y[before])
    return found


def _figure(
    name: str, title: str, curves: Curves, axes: tuple[str, str], caption: str,
    table: str = "",
) -> Figure:  # fmt: skip
    """Return curves; a click on a point lists the rows of `table` that its threshold calls."""
    arms = list(dict.fromkeys(arm for arm, _ in curves))
    named = [f"arm {arm}" for arm in arms] if len(arms) > 1 else []
    legend, high = line_legend(named, 8, 6, _SIDE - 8)
    frame = Frame((0.0, 1.0), (0.0, 1.0), _SIDE, _SIDE + high, top=high + 16)
    parts = [legend, frame.drawn(*axes)]
    parts.append(line(frame.at(0, 0), frame.at(1, 1), "rule"))
    rows: list[tuple[Any, ...]] = []
    targets: list[Target] = []
    for number, arm in enumerate(arms):
        own = {reader: curve for (a, reader), curve in curves.items() if a == arm}
        both = {reader: curve[:2] for reader, curve in own.items()}
        both[MEAN] = mean_curve(list(both.values()))
        for reader, (x, y) in both.items():
            kind = "thick" if reader == MEAN else "thin"
            style = f"series {kind} s{number % STYLES}"
            parts.append(polyline(frame.place(x, y), style))
            rows += [(arm, reader, float(a), float(b)) for a, b in zip(x, y, strict=True)]
            if table and reader != MEAN:
                targets += _listed(frame.place(x, y), own[reader][2], table, reader, arm)
    return Figure(name, title, caption, "".join(parts), _SIDE, _SIDE + high, COLUMNS, rows,
                  targets=tuple(targets), tells_readers=True)  # fmt: skip


def _listed(
    placed: FloatArray, thresholds: FloatArray, table: str, reader: str, arm: str
) -> list[Target]:
    """Return the places of a reader's points but the first, which is above every rating.

    The point below every rating has all rows of the reader in that arm.
    """
    where = {"reader": reader, "arm": arm}
    return [
        Target(x - 4, y - 4, 8, 8, "", table, where,
               {"rating": least} if np.isfinite(least) else {})
        for (x, y), least in zip(placed.tolist()[1:], thresholds.tolist()[1:], strict=True)
    ]  # fmt: skip
