"""Charts as SVG text: lines with a legend, a histogram with a mark. Colours come from the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

import numpy as np

from trainer.drawing.frame import WIDTH, FloatArray, Frame, chart, polyline, span

STYLES = 6


@dataclass(frozen=True, slots=True)
class Series:
    """A named line; x and y of shape (N,), y may hold NaN. `style` 0 … 3 sets colour and dash."""

    name: str
    x: FloatArray
    y: FloatArray
    style: int = 0


@dataclass(frozen=True, slots=True)
class Interval:
    """A named line of (mean, low, high) at each category, None where there is none."""

    name: str
    points: tuple[tuple[float, float, float] | None, ...]
    style: int = 0


def line_chart(series: Sequence[Series], x_title: str, y_title: str) -> str:
    """Return a line chart; empty text if no series holds a finite value."""
    finite = [_finite(s) for s in series]
    finite = [s for s in finite if len(s.x)]
    if not finite:
        return ""
    x, y = np.concatenate([s.x for s in finite]), np.concatenate([s.y for s in finite])
    axes = Frame(span(x, 0.0), span(y, 0.05))
    lines = "".join(_line(s, axes) for s in finite)
    description = f"{y_title} by {x_title}: " + "; ".join(
        f"{s.name} from {s.y[0]:.4g} to {s.y[-1]:.4g}" for s in finite
    )
    return chart(description, axes.drawn(x_title, y_title) + lines)


def interval_chart(
    series: Sequence[Interval], categories: Sequence[str], x_title: str, y_title: str
) -> str:
    """Return means with whiskers over categories side by side; empty text without a value."""
    there = [p for s in series for p in s.points if p is not None]
    if not there or not categories:
        return ""
    values = np.array(there, np.float64)
    axes = Frame((-0.5, len(categories) - 0.5), span(values, 0.05))
    marks = "".join(_whiskers(s, k, len(series), axes) for k, s in enumerate(series))
    names = "".join(
        f'<text x="{axes.place(np.array([float(k)]), np.array([axes.y[0]]))[0, 0]:.1f}" '
        f'y="{axes.floor + 14}" text-anchor="middle">{escape(name)}</text>'
        for k, name in enumerate(categories)
    )
    description = f"{y_title} by {x_title}: " + "; ".join(
        f"{s.name} " + ", ".join("none" if p is None else f"{p[0]:.3f}" for p in s.points)
        for s in series
    )
    return chart(description, axes.drawn(x_title, y_title, x_ticks=False) + names + marks)


def _whiskers(series: Interval, number: int, count: int, axes: Frame) -> str:
    """Return a line through the means, shifted a little so that whiskers stand side by side."""
    shift = (number - (count - 1) / 2) * 0.5 / max(count, 1)
    drawn = [(k + shift, *p) for k, p in enumerate(series.points) if p is not None]
    if not drawn:
        return ""
    x, mean, low, high = (np.array(column, np.float64) for column in zip(*drawn, strict=True))
    middle, bottom, top = (axes.place(x, y) for y in (mean, low, high))
    style = f"s{series.style % STYLES}"
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in middle)
    bars = "".join(
        f'<line class="whisker {style}" x1="{a:.1f}" y1="{b:.1f}" x2="{a:.1f}" y2="{c:.1f}"/>'
        for (a, b), (_, c) in zip(bottom, top, strict=True)
    )
    dots = "".join(f'<circle class="dot {style}" cx="{a:.1f}" cy="{b:.1f}" r="3"/>'
                   for a, b in middle)  # fmt: skip
    return f'<polyline class="series {style}" points="{path}"/>{bars}{dots}'


def histogram(values: FloatArray, mark: float | None, x_title: str, bins: int = 40) -> str:
    """Return a histogram of values (N,), a mark at a threshold; empty text without a value."""
    if len(values) == 0:
        return ""
    low, high = span(values, 0.0)
    counts, edges = np.histogram(values, bins=bins, range=(low, high))
    axes = Frame((low, high), (0.0, float(counts.max()) * 1.05), top=30)
    corners = axes.place(edges, np.append(counts, 0).astype(np.float64))
    floor = axes.floor
    bars = "".join(
        f'<rect class="bar" x="{left:.1f}" y="{top:.1f}" width="{right - left - 0.6:.1f}" '
        f'height="{floor - top:.1f}"/>'
        for (left, top), (right, _) in pairwise(corners)
        if top < floor - 0.05
    )
    description = f"Histogram of {len(values)} pairs from {low:.3f} to {high:.3f}"
    return chart(description, axes.drawn(x_title, "pairs") + bars + _mark(axes, mark))


def legend(names: Sequence[str]) -> str:
    """Return the legend of lines in the order of their styles."""
    items = "".join(
        f'<li><svg viewBox="0 0 32 8" aria-hidden="true"><line class="s{k % STYLES}" x1="0" y1="4" '
        f'x2="32" y2="4"/></svg>{escape(name)}</li>'
        for k, name in enumerate(names)
    )
    return f'<ul class="legend">{items}</ul>'


def _finite(series: Series) -> Series:
    kept = np.isfinite(series.x) & np.isfinite(series.y)
    return Series(series.name, series.x[kept], series.y[kept], series.style)


def _line(series: Series, axes: Frame) -> str:
    points = axes.place(series.x, series.y)
    style = f"s{series.style % STYLES}"
    if len(points) == 1:
        x, y = points[0]
        return f'<circle class="series {style}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
    return polyline(points, f"series {style}")


def _mark(axes: Frame, mark: float | None) -> str:
    if mark is None or not axes.x[0] <= mark <= axes.x[1]:
        return ""
    x = axes.place(np.array([mark]), np.array([0.0]))[0, 0]
    anchor = "end" if x > WIDTH / 2 else "start"
    shift = -6 if x > WIDTH / 2 else 6
    return (
        f'<line class="mark" x1="{x:.1f}" y1="4" x2="{x:.1f}" y2="{axes.floor}"/>'
        f'<text x="{x + shift:.1f}" y="12" text-anchor="{anchor}">'
        f"threshold {mark:.3g}</text>"
    )
