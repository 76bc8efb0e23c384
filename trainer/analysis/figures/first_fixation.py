"""When lesions were first fixated: the cumulative share over time."""

from collections.abc import Sequence

import numpy as np

from trainer.analysis.figures.figure import STYLES, WIDTH, Figure, Target, line_legend
from trainer.analysis.figures.spread import arms_of
from trainer.analysis.looked import FloatArray
from trainer.analysis.tables import Row
from trainer.drawing.frame import Frame, polyline

COLUMNS = ("arm", "reader", "time_ms", "share_fixated", "fixated", "of")
ALL = "all readers"


def first_fixation_figure(areas: Sequence[Row]) -> Figure | None:
    """Return the curves of first fixations on lesions, on all areas where none is a lesion.

    A lesion that was never fixated counts in the share's base throughout. None without areas.
    """
    rows = [row for row in areas if row["lesion"]] or list(areas)
    if not rows:
        return None
    what = "lesions" if rows[0]["lesion"] else "areas"
    arms = arms_of(rows)
    times = [_first_ms(row) for row in rows]
    end_ms = max((t for t in times if np.isfinite(t)), default=1000.0)
    legend, high = line_legend(arms if len(arms) > 1 else [], 8, 6, WIDTH - 8)
    height = 300.0 + high
    frame = Frame((0.0, end_ms / 1000), (0.0, 1.0), WIDTH, height, top=high + 14)
    parts = [legend, frame.drawn("time since the image was first shown (s)",
                                 f"share of {what} fixated")]  # fmt: skip
    table, targets = [], list[Target]()
    for number, arm in enumerate(arms):
        own = [row for row in rows if row["arm"] == arm]
        for reader in [*sorted({str(row["reader"]) for row in own}), ALL]:
            values = [_first_ms(r) for r in own if reader in (ALL, r["reader"])]
            curve = cumulative_share(values)
            table += [(arm, reader, *point, len(values)) for point in curve]
            kind = "thick" if reader == ALL else "thin"
            drawn = _steps(curve, end_ms)
            parts.append(polyline(frame.place(drawn[:, 0] / 1000, drawn[:, 1]),
                                  f"series {kind} s{number % STYLES}"))  # fmt: skip
            if reader != ALL:
                targets += _targets(frame, curve, [r for r in own if r["reader"] == reader])
    return Figure(
        "first-fixation", f"First fixations on {what}",
        f"Share of {what} fixated by a given time, over all readings of all images. Thin lines: "
        "single readers; thick line: all readers. What was never fixated counts as not fixated "
        "until the end.",
        "".join(parts), WIDTH, height, COLUMNS, table, targets=tuple(targets), tells_readers=True,
    )  # fmt: skip


def _targets(
    frame: Frame, curve: Sequence[tuple[float, float, int]], rows: Sequence[Row]
) -> list[Target]:
    """Return where a reader's curve rises, each with the reading that made it rise."""
    share_at = {time: share for time, share, _ in curve}
    found = []
    for row in rows:
        if np.isfinite(time := _first_ms(row)):
            x, y = frame.at(time / 1000, share_at[time])
            found.append(Target(x - 4, y - 4, 8, 8, str(row["reading"])))
    return found


def cumulative_share(first_ms: Sequence[float]) -> list[tuple[float, float, int]]:
    """Return time, share and count of those fixated by it, at each time one was; NaN is never."""
    known = np.sort([t for t in first_ms if np.isfinite(t)])
    return [
        (float(t), float((known <= t).sum() / len(first_ms)), int((known <= t).sum()))
        for t in np.unique(known)
    ]


def _first_ms(row: Row) -> float:
    return float(row["time_to_first_fixation_ms"])


def _steps(curve: Sequence[tuple[float, float, int]], end_ms: float) -> FloatArray:
    """Return the corners of a curve that rises at each of its times, from 0 to the end."""
    points, share = [(0.0, 0.0)], 0.0
    for time, higher, _ in curve:
        points += [(time, share), (time, higher)]
        share = higher
    return np.array([*points, (end_ms, share)])
