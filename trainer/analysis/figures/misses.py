"""Why lesions were missed: the share of each class, with the tracker's error and the sample's."""

from collections.abc import Sequence

import numpy as np

from trainer.analysis.figures.figure import WIDTH, Figure, Target, line_legend
from trainer.analysis.kundel import CLASSES, Thresholds
from trainer.analysis.looked import FloatArray
from trainer.analysis.tables import Row
from trainer.drawing.frame import Frame, line, text

DRAWS = 4000
COLUMNS = ("error", "class", "count", "share", "expected_share", "low", "high", "errors")
Shares = tuple[str, str, int, float, float, float, float, int]
_WORDS = {"false negative": "missed lesions", "false positive": "marks outside every lesion"}


def miss_figure(misses: Sequence[Row], thresholds: Thresholds, seed: int = 0) -> Figure | None:
    """Return the shares of search, recognition and decision errors; None without an error."""
    errors = sorted({str(row["error"]) for row in misses})
    if not errors:
        return None
    by_error = {error: [row for row in misses if row["error"] == error] for error in errors}
    rows = [row for error, own in by_error.items() for row in class_shares(own, error, seed)]
    legend, high = line_legend([_WORDS.get(error, error) for error in errors], 8, 6, WIDTH - 8)
    height = 280.0 + high
    frame = Frame((-0.5, len(CLASSES) - 0.5), (0.0, 1.0), WIDTH, height, top=high + 14)
    parts = [legend, frame.drawn("", "share of the errors", x_ticks=False)]
    targets = []
    for k, kind in enumerate(CLASSES):
        parts.append(text(frame.at(k, 0)[0], frame.floor + 16, kind, "middle"))
        for number, error in enumerate(errors):
            found = next(row for row in rows if row[:2] == (error, kind))
            x = k + (number - (len(errors) - 1) / 2) * 0.24
            parts.append(_whisker(frame, x, found, number))
            targets.append(_listed(frame, x, found))
    return Figure(
        "error-classes", "Why lesions were missed",
        "Circle: the share expected given the tracker's error. Line: its 95 % interval, from "
        "resampled readings with each error's class drawn from its probabilities. Cross: the "
        f"share with gaze taken as recorded. Looked at: within {thresholds.radius_deg:g}° of the "
        f"border; decision: for {thresholds.dwell_ms:g} ms or more (Kundel and others, 1978).",
        "".join(parts), WIDTH, height, COLUMNS, rows, targets=tuple(targets),
    )  # fmt: skip


def class_shares(misses: Sequence[Row], error: str, seed: int = 0) -> list[Shares]:
    """Return a row of `COLUMNS` for each class of one kind of error.

    The interval is a percentile bootstrap: readings are drawn with replacement (their errors stay
    together), and the class of each error is drawn from its probabilities. NaN where all errors are
    of one reading: it cannot say how readings differ.
    """
    chances = np.array([[float(row[f"p_{kind}"]) for kind in CLASSES] for row in misses])
    low = high = np.full(len(CLASSES), np.nan)
    if len({row["reading"] for row in misses}) > 1:
        low, high = np.percentile(_drawn_shares(misses, chances, seed), [2.5, 97.5], axis=0)
    kinds = [row["class"] for row in misses]
    return [
        (error, kind, kinds.count(kind), kinds.count(kind) / len(kinds),
         float(chances[:, k].mean()), float(low[k]), float(high[k]), len(kinds))
        for k, kind in enumerate(CLASSES)
    ]  # fmt: skip


def _drawn_shares(misses: Sequence[Row], chances: FloatArray, seed: int) -> FloatArray:
    rng = np.random.default_rng([seed, 45])
    readings = np.unique([str(row["reading"]) for row in misses], return_inverse=True)[1]
    members = [np.flatnonzero(readings == k) for k in range(readings.max() + 1)]
    edges = np.cumsum(chances, axis=1)[:, :-1]
    shares = np.empty((DRAWS, len(CLASSES)))
    for draw in range(DRAWS):
        chosen = np.concatenate([members[k] for k in rng.integers(len(members), size=len(members))])
        kinds = (rng.random((len(chosen), 1)) > edges[chosen]).sum(axis=1)
        shares[draw] = np.bincount(kinds, minlength=len(CLASSES)) / len(chosen)
    return shares


def _listed(frame: Frame, x: float, row: Shares) -> Target:
    """Return the place of a class: from its interval's foot to its top, with all its signs."""
    known = [value for value in row[3:7] if np.isfinite(value)]
    left, top = frame.at(x, max(known))
    where = {"error": row[0], "class": row[1]}
    return Target(left - 8, top - 8, 16, frame.at(x, min(known))[1] - top + 16, "", "misses", where)


def _whisker(frame: Frame, x: float, row: Shares, number: int) -> str:
    style = f"s{number}"
    (left, low), (_, high) = frame.at(x, row[5]), frame.at(x, row[6])
    _, middle = frame.at(x, row[4])
    _, plain = frame.at(x, row[3])
    count = text(left + 10, middle - 6, f"{row[2]} of {row[7]}")
    cross = line((left - 5, plain - 5), (left + 5, plain + 5), f"whisker {style}")
    cross += line((left - 5, plain + 5), (left + 5, plain - 5), f"whisker {style}")
    bar = line((left, low), (left, high), f"whisker {style}") if np.isfinite(row[5]) else ""
    return (
        f'{bar}{cross}<circle class="dot {style}" cx="{left:.1f}" cy="{middle:.1f}" r="3.5"/>'
        + count
    )
