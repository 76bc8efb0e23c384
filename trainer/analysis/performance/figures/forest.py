"""A forest plot of readers: each one's figure with its interval, and the mean over readers."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from scipy import stats

from trainer.analysis.figures.figure import WIDTH, Figure, Target, shortened
from trainer.analysis.performance.covariance import COVARIANCES, auc_matrix
from trainer.analysis.performance.ratings import FloatArray, Ratings
from trainer.drawing.frame import Frame, line, rectangle, span, text
from trainer.errors import PerformanceError

COLUMNS = ("what", "reader", "value", "low", "high")
MEAN = "mean of readers"
LEVEL = 0.95
_ROW = 20.0
_ROUNDING = 1e-18

Row = tuple[str, str, float, float, float]


def forest_figure(ratings: Ratings, found: Mapping[str, Any]) -> Figure:
    """Return each reader's difference between arms, with one arm each reader's area.

    Parameters
    ----------
    found
        What `performance_of` said: the mean over readers is the comparison's own.
    """
    rows = forest_rows(ratings, found)
    groups = list(dict.fromkeys(row[0] for row in rows))
    is_difference = len(ratings.arms) > 1
    height = 16 + (len(rows) + len(groups)) * _ROW + 36
    values = [v for row in rows for v in row[2:] if np.isfinite(v)]
    axis = span([*values, 0.0] if is_difference else values, 0.05)
    frame = Frame(axis, (1.0, 0.0), WIDTH, height, left=150, right=150, top=8)
    targets = []
    parts = [frame.drawn("difference of AUC" if is_difference else "AUC", "", y_ticks=False)]
    if is_difference:
        parts.append(line((frame.at(0, 0)[0], frame.top), (frame.at(0, 0)[0], frame.floor), "rule"))
    y = frame.top + _ROW
    for group in groups:
        parts.append(text(8, y, group, kind="strong"))
        for row in (row for row in rows if row[0] == group):
            y += _ROW
            parts.append(_drawn(frame, y - 4, row))
            if found.get("answers"):
                where = {} if row[1] == MEAN else {"reader": row[1]}
                targets.append(Target(0, y - 4 - _ROW / 2, WIDTH, _ROW, "", "answers", where))
        y += _ROW
    return Figure(
        "forest", "Readers compared" if is_difference else "AUC of each reader",
        "Each square is one reader with that reader's own 95 % interval (jackknife over cases); "
        "the diamond is the mean over readers with its interval "
        f"({_words(str(found.get('random')))}). No line: the variance is unknown.",
        "".join(parts), WIDTH, height, COLUMNS, rows, targets=tuple(targets),
        tells_readers=True,
    )  # fmt: skip


def forest_rows(ratings: Ratings, found: Mapping[str, Any]) -> list[Row]:
    """Return a row of `COLUMNS` for each reader and for the mean, of each pair of arms.

    A reader's interval is normal, its variance by the jackknife over cases; that of an area ends
    at 0 and 1. NaN where there are too few cases, or none of them makes a difference.
    """
    figures = auc_matrix(ratings)
    covariance = _covariance(ratings)
    arms, readers = figures.shape
    rows: list[Row] = []
    if arms == 1:
        what = f"arm {ratings.arms[0]}"
        for j in range(readers):
            reader, area, *limits = _reader(ratings, j, figures[0, j], covariance[j, j])
            foot, top = np.clip(limits, 0.0, 1.0)
            rows.append((what, reader, area, float(foot), float(top)))
        ((low, high),) = found["auc_interval"]
        return [*rows, (what, MEAN, *_known(found["auc"][0], low, high))]
    for k, (a, b) in enumerate(combinations(range(arms), 2)):
        what = f"{ratings.arms[a]} minus {ratings.arms[b]}"
        for j in range(readers):
            one, other = a * readers + j, b * readers + j
            variance = (covariance[one, one] + covariance[other, other]
                        - 2 * covariance[one, other])  # fmt: skip
            rows.append((what, *_reader(ratings, j, figures[a, j] - figures[b, j], variance)))
        mean = float((figures[a] - figures[b]).mean())
        ends = (_one(found["low"], k), _one(found["high"], k))
        rows.append((what, MEAN, *_known(mean, *ends)))
    return rows


def _covariance(ratings: Ratings) -> FloatArray:
    try:
        return COVARIANCES["jackknife"](ratings)
    except PerformanceError:
        cells = len(ratings.arms) * len(ratings.readers)
        return np.full((cells, cells), np.nan)


def _reader(
    ratings: Ratings, reader: int, value: float, variance: float
) -> tuple[str, float, float, float]:
    known = variance > _ROUNDING  # an area of 1 does not vary, however few the cases
    reach = float(stats.norm.ppf((1 + LEVEL) / 2) * np.sqrt(variance)) if known else np.nan
    return ratings.readers[reader], float(value), float(value) - reach, float(value) + reach


def _one(values: float | Sequence[float] | None, place: int) -> float | None:
    return values[place] if isinstance(values, Sequence) else values


def _known(*values: float | None) -> tuple[float, float, float]:
    first, low, high = (np.nan if value is None else float(value) for value in values)
    return first, low, high


def _words(random: str) -> str:
    return {
        "both": "readers and cases random", "readers": "readers random", "cases": "cases random",
    }.get(random, random)  # fmt: skip


def _drawn(frame: Frame, y: float, row: Row) -> str:
    _, reader, value, low, high = row
    is_mean = reader == MEAN
    (x, _), style = frame.at(value, 0), "s0"
    parts = [text(frame.left - 8, y + 4, shortened(reader, 22), "end")]
    said = f"{value:.3f}"
    if np.isfinite(low):
        left, right = frame.at(low, 0)[0], frame.at(high, 0)[0]
        said += f" [{low:.3f}, {high:.3f}]"
        if is_mean:
            corners = (
                f"{left:.1f},{y:.1f} {x:.1f},{y - 6:.1f} {right:.1f},{y:.1f} {x:.1f},{y + 6:.1f}"
            )
            parts.append(f'<polygon class="f0" points="{corners}"/>')
        else:
            parts.append(line((left, y), (right, y), f"whisker {style}"))
    if not is_mean or not np.isfinite(low):
        parts.append(rectangle(x - 3.5, y - 3.5, 7, 7, "f0"))
    parts.append(text(frame.width - frame.right + 8, y + 4, said))
    return "".join(parts)
