"""Dwell on each area: a dot for each reading, the mean of readers with its interval."""

from collections.abc import Sequence

import numpy as np

from trainer.analysis.figures.figure import STYLES, WIDTH, Figure, Target, line_legend, shortened
from trainer.analysis.figures.spread import arms_of, mean_of_readers
from trainer.analysis.tables import Row
from trainer.drawing.frame import Frame, line, text

MOST_AREAS, MOST_DOTS = 24, 2000
_ROW = 22.0
Mean = tuple[str, str, int, int, float, float, float]
COLUMNS = ("area", "arm", "readings", "readers", "mean_dwell_ms", "low_ms", "high_ms")


def dwell_figure(areas: Sequence[Row]) -> Figure | None:
    """Return dwell per area from the rows of areas; None of none.

    Areas of one name on several images are one; those with the most dwell are drawn.
    """
    by_area: dict[str, list[Row]] = {}
    for row in areas:
        by_area.setdefault(str(row["area"]), []).append(row)
    if not by_area:
        return None
    arms = arms_of(areas)
    rows = [_mean(name, arm, own) for name, own in by_area.items() for arm in arms]
    rows = [row for row in rows if row[2]]
    chosen = sorted(by_area, key=lambda name: -_most(rows, name))[:MOST_AREAS]
    legend, high = line_legend(arms if len(arms) > 1 else [], 8, 6, WIDTH - 8)
    height = high + 20 + len(chosen) * _ROW + 36
    longest = max((float(row["dwell_ms"]) for name in chosen for row in by_area[name]), default=1.0)
    frame = Frame((0.0, max(longest, 1.0) / 1000), (float(len(chosen)), 0.0), WIDTH, height,
                  left=150, top=high + 14)  # fmt: skip
    parts = [legend, frame.drawn("dwell (s)", "", y_ticks=False)]
    targets, listed = list[Target](), list[Target]()
    for k, name in enumerate(chosen):
        middle = frame.top + (k + 0.5) * _ROW
        parts.append(text(frame.left - 8, middle + 4, shortened(name, 24), "end"))
        parts += _dots(frame, middle, by_area[name], targets)
        means = [row for row in rows if row[0] == name]
        parts += [_whisker(frame, middle, row, arms) for row in means]
        listed += [_listed(frame, middle, row, arms) for row in means]
        listed.append(Target(0, middle - _ROW / 2, frame.left, _ROW, "", "areas", {"area": name}))
    more = (
        f" The {MOST_AREAS} of {len(by_area)} areas with the longest dwell are shown."
        if (len(by_area) > MOST_AREAS)
        else ""
    )
    dots = sum(len(by_area[name]) for name in chosen)
    if dots > len(targets):
        more += f" {len(targets):,} of {dots:,} dots are drawn; the means include all readings."
    return Figure(
        "dwell", "Dwell on each area",
        "Each dot is one reading of one image. Circle and line show the mean over readers and "
        f"its 95 % interval (Student's t over the readers' means).{more}",
        "".join(parts), WIDTH, height, COLUMNS, rows, targets=(*targets, *listed),
        tells_readers=True,
    )  # fmt: skip


def _mean(name: str, arm: str, rows: Sequence[Row]) -> Mean:
    own = [(str(row["reader"]), float(row["dwell_ms"])) for row in rows if row["arm"] == arm]
    found = mean_of_readers(own)
    if found is None:
        return name, arm, 0, 0, np.nan, np.nan, np.nan
    mean, low, high, readers = found
    return name, arm, len(own), readers, mean, low, high


def _most(rows: Sequence[Mean], name: str) -> float:
    return max((row[4] for row in rows if row[0] == name), default=0.0)


def _dots(frame: Frame, middle: float, rows: Sequence[Row], targets: list[Target]) -> list[str]:
    parts = []
    for row in rows:
        if len(targets) >= MOST_DOTS:
            break
        x, _ = frame.at(float(row["dwell_ms"]) / 1000, 0)
        parts.append(f'<circle class="thin f7" cx="{x:.1f}" cy="{middle:.1f}" r="2.2"/>')
        targets.append(Target(x - 4, middle - 5, 8, 10, str(row["reading"])))
    return parts


def _height(middle: float, row: Mean, arms: Sequence[str]) -> float:
    return middle + (arms.index(row[1]) - (len(arms) - 1) / 2) * 6


def _listed(frame: Frame, middle: float, row: Mean, arms: Sequence[str]) -> Target:
    """Return where a mean lies; smaller than a dot's place, which it may lie on."""
    x, y = frame.at(row[4] / 1000, 0)[0], _height(middle, row, arms)
    return Target(x - 4, y - 3, 8, 6, "", "areas", {"area": row[0], "arm": row[1]})


def _whisker(frame: Frame, middle: float, row: Mean, arms: Sequence[str]) -> str:
    y, number = _height(middle, row, arms), arms.index(row[1])
    mean, low, high = (frame.at(value / 1000, 0)[0] for value in row[4:])
    style = f"s{number % STYLES}"
    bar = ""
    if np.isfinite(low):
        left, right = max(low, frame.left), min(high, frame.width - frame.right)
        bar = line((left, y), (right, y), f"whisker {style}")
    return f'{bar}<circle class="dot {style}" cx="{mean:.1f}" cy="{y:.1f}" r="3.5"/>'
