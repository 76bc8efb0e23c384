"""Charts as SVG text: lines with a legend, a histogram with a mark. Colours come from the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
WIDTH, HEIGHT = 420, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 36
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


@dataclass(frozen=True, slots=True)
class _Axes:
    x: tuple[float, float]
    y: tuple[float, float]

    def place(self, x: FloatArray, y: FloatArray) -> FloatArray:
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        left = _LEFT + across * (WIDTH - _LEFT - _RIGHT)
        return np.column_stack((left, HEIGHT - _BOTTOM - up * (HEIGHT - _TOP - _BOTTOM)))


def line_chart(series: Sequence[Series], x_title: str, y_title: str) -> str:
    """Return a line chart; empty text if no series holds a finite value."""
    finite = [_finite(s) for s in series]
    finite = [s for s in finite if len(s.x)]
    if not finite:
        return ""
    x, y = np.concatenate([s.x for s in finite]), np.concatenate([s.y for s in finite])
    axes = _Axes(_span(x, 0.0), _span(y, 0.05))
    lines = "".join(_line(s, axes) for s in finite)
    description = f"{y_title} by {x_title}: " + "; ".join(
        f"{s.name} from {s.y[0]:.4g} to {s.y[-1]:.4g}" for s in finite
    )
    return _chart(description, _frame(axes, x_title, y_title) + lines)


def interval_chart(
    series: Sequence[Interval], categories: Sequence[str], x_title: str, y_title: str
) -> str:
    """Return means with whiskers over categories side by side; empty text without a value."""
    there = [p for s in series for p in s.points if p is not None]
    if not there or not categories:
        return ""
    values = np.array(there, np.float64)
    axes = _Axes((-0.5, len(categories) - 0.5), _span(values, 0.05))
    marks = "".join(_whiskers(s, k, len(series), axes) for k, s in enumerate(series))
    names = "".join(
        f'<text x="{axes.place(np.array([float(k)]), np.array([axes.y[0]]))[0, 0]:.1f}" '
        f'y="{HEIGHT - _BOTTOM + 14}" text-anchor="middle">{escape(name)}</text>'
        for k, name in enumerate(categories)
    )
    description = f"{y_title} by {x_title}: " + "; ".join(
        f"{s.name} " + ", ".join("none" if p is None else f"{p[0]:.3f}" for p in s.points)
        for s in series
    )
    return _chart(description, _frame(axes, x_title, y_title, ticked=False) + names + marks)


def _whiskers(series: Interval, number: int, count: int, axes: _Axes) -> str:
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
    low, high = _span(values, 0.0)
    counts, edges = np.histogram(values, bins=bins, range=(low, high))
    axes = _Axes((low, high), (0.0, float(counts.max()) * 1.05))
    corners = axes.place(edges, np.append(counts, 0).astype(np.float64))
    floor = HEIGHT - _BOTTOM
    bars = "".join(
        f'<rect class="bar" x="{left:.1f}" y="{top:.1f}" width="{right - left - 0.6:.1f}" '
        f'height="{floor - top:.1f}"/>'
        for (left, top), (right, _) in pairwise(corners)
        if top < floor - 0.05
    )
    description = f"Histogram of {len(values)} pairs from {low:.3f} to {high:.3f}"
    return _chart(description, _frame(axes, x_title, "pairs") + bars + _mark(axes, mark))


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


def _span(values: FloatArray, margin: float) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    if low == high:
        half = abs(low) / 2 or 0.5
        return low - half, high + half
    return low - margin * (high - low), high + margin * (high - low)


def _line(series: Series, axes: _Axes) -> str:
    points = axes.place(series.x, series.y)
    style = f"s{series.style % STYLES}"
    if len(points) == 1:
        x, y = points[0]
        return f'<circle class="series {style}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline class="series {style}" points="{path}"/>'


def _mark(axes: _Axes, mark: float | None) -> str:
    if mark is None or not axes.x[0] <= mark <= axes.x[1]:
        return ""
    x = axes.place(np.array([mark]), np.array([0.0]))[0, 0]
    anchor = "end" if x > WIDTH / 2 else "start"
    shift = -6 if x > WIDTH / 2 else 6
    return (
        f'<line class="mark" x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{HEIGHT - _BOTTOM}"/>'
        f'<text x="{x + shift:.1f}" y="{_TOP + 10}" text-anchor="{anchor}">'
        f"threshold {mark:.3f}</text>"
    )


def _frame(axes: _Axes, x_title: str, y_title: str, *, ticked: bool = True) -> str:
    floor = HEIGHT - _BOTTOM
    parts = [f'<path class="axis" d="M{_LEFT} {_TOP}V{floor}H{WIDTH - _RIGHT}"/>']
    for value in _ticks(*axes.x) if ticked else ():
        x = axes.place(np.array([value]), np.array([axes.y[0]]))[0, 0]
        parts.append(f'<text x="{x:.1f}" y="{floor + 14}" text-anchor="middle">{value:g}</text>')
    for value in _ticks(*axes.y):
        y = axes.place(np.array([axes.x[0]]), np.array([value]))[0, 1]
        parts.append(f'<path class="axis" d="M{_LEFT - 4} {y:.1f}H{_LEFT}"/>')
        parts.append(f'<text x="{_LEFT - 7}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    parts.append(
        f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x_title)}</text>'
    )
    parts.append(f'<text x="{_LEFT + 6}" y="{_TOP + 2}">{escape(y_title)}</text>')
    return "".join(parts)


def _ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Return round values within a span: multiples of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / wanted
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(power * k for k in (1, 2, 5, 10) if power * k >= rough * 0.999)
    first, last = int(np.ceil(low / step)), int(np.floor(high / step))
    return [round(float(k * step), 12) for k in range(first, last + 1)]


def _chart(description: str, content: str) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label='
        f'"{escape(description)}">{content}</svg>'
    )
