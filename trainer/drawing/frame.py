"""Axes of a chart: where a value lies on the sheet, and the frame with its round numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
WIDTH, HEIGHT = 420, 240


@dataclass(frozen=True, slots=True)
class Frame:
    """The axes of a chart, all sizes in units of the sheet.

    Attributes
    ----------
    x, y
        Least and largest value shown.
    width, height
        Of the sheet.
    left, right, top, bottom
        Room for numbers and titles.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    width: float = WIDTH
    height: float = HEIGHT
    left: float = 52
    right: float = 12
    top: float = 12
    bottom: float = 36

    @property
    def floor(self) -> float:
        """Where the lower axis lies."""
        return self.height - self.bottom

    def place(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Return where values (N,) lie, (N, 2)."""
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        inner = self.width - self.left - self.right
        return np.column_stack(
            (self.left + across * inner, self.floor - up * (self.floor - self.top))
        )

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return where one value lies."""
        ((left, top),) = self.place(np.array([x]), np.array([y]))
        return float(left), float(top)

    def drawn(
        self, x_title: str, y_title: str, *, x_ticks: bool = True, y_ticks: bool = True
    ) -> str:
        """Return the axes with their titles, and round numbers where they are wanted."""
        floor, end = self.floor, self.width - self.right
        parts = [f'<path class="axis" d="M{self.left:g} {self.top:g}V{floor:g}H{end:g}"/>']
        for value in ticks(*self.x) if x_ticks else ():
            x, _ = self.at(value, self.y[0])
            parts.append(text(x, floor + 14, f"{value:g}", "middle"))
        for value in ticks(*self.y) if y_ticks else ():
            _, y = self.at(self.x[0], value)
            parts.append(f'<path class="axis" d="M{self.left - 4:g} {y:.1f}H{self.left:g}"/>')
            parts.append(text(self.left - 7, y + 4, f"{value:g}", "end"))
        parts.append(text((self.left + end) / 2, self.height - 6, x_title, "middle"))
        above = -5 if self.top > 13 else 2
        parts.append(text(self.left + 6, self.top + above, y_title))
        return "".join(parts)


def text(x: float, y: float, words: str, anchor: str = "", kind: str = "") -> str:
    """Return words at a place, escaped; `anchor` is middle or end, `kind` a class."""
    placed = f' text-anchor="{anchor}"' if anchor else ""
    styled = f' class="{kind}"' if kind else ""
    return f'<text{styled} x="{x:.1f}" y="{y:.1f}"{placed}>{escape(words)}</text>'


def polyline(points: FloatArray, kind: str) -> str:
    """Return a line through places (N, 2) of the sheet."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline class="{kind}" points="{path}"/>'


def rectangle(x: float, y: float, width: float, height: float, kind: str) -> str:
    """Return a filled rectangle."""
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" '
        f'height="{max(height, 0):.1f}"/>'
    )


def line(start: tuple[float, float], end: tuple[float, float], kind: str) -> str:
    """Return a straight line."""
    return (
        f'<line class="{kind}" x1="{start[0]:.1f}" y1="{start[1]:.1f}" '
        f'x2="{end[0]:.1f}" y2="{end[1]:.1f}"/>'
    )


def chart(description: str, content: str, width: float = WIDTH, height: float = HEIGHT) -> str:
    """Return a chart of a size; the description is read out to who does not see it."""
    return (
        f'<svg class="chart" viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label='
        f'"{escape(description)}">{content}</svg>'
    )


def span(values: FloatArray | Sequence[float], margin: float) -> tuple[float, float]:
    """Return the least and the largest value with a margin (a share); never one point."""
    low, high = float(np.min(values)), float(np.max(values))
    if low == high:
        half = abs(low) / 2 or 0.5
        return low - half, high + half
    return low - margin * (high - low), high + margin * (high - low)


def ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Return round values within a span: multiples of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / wanted
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(power * k for k in (1, 2, 5, 10) if power * k >= rough * 0.999)
    first, last = int(np.ceil(low / step)), int(np.floor(high / step))
    return [round(float(k * step), 12) for k in range(first, last + 1)]
