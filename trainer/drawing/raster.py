"""A chart as PNG: its own SVG drawn by Pillow, so that neither Qt nor a browser is needed."""

import io
import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from trainer.drawing.style import resolved

SCALE = 3
"""Pixels a unit of the sheet: some 300 dpi where a sheet of 420 units is 10 cm wide."""
_FINER = 2
"""Drawn so much larger and made smaller, for Pillow draws hard edges."""
_FONTS = ("DejaVuSans.ttf", "segoeui.ttf", "arial.ttf", "Arial.ttf", "Helvetica.ttc",
          "LiberationSans-Regular.ttf")  # fmt: skip
_PLAIN = str.maketrans({"–": "-", "—": "-", "≥": ">=", "≤": "<=", "×": "x", "μ": "u"})

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Points = list[tuple[float, float]]


def png(svg: str) -> bytes:
    """Return a chart as PNG, black on white.

    Raises
    ------
    ValueError
        It is not an SVG.
    """
    root = resolved(svg)
    scale = SCALE * _FINER
    size = [round(float(root.get(name, "0"))) for name in ("width", "height")]
    picture = Image.new("RGB", (size[0] * scale, size[1] * scale), "white")
    pen = _Pen(ImageDraw.Draw(picture, "RGBA"), scale)
    for element in root.iter():
        pen.draw(element)
    small = picture.resize((size[0] * SCALE, size[1] * SCALE), Image.Resampling.BOX)
    buffer = io.BytesIO()
    small.save(buffer, "png", dpi=(300, 300))
    return buffer.getvalue()


class _Pen:
    """Draws elements, one at a time."""

    def __init__(self, draw: ImageDraw.ImageDraw, scale: int) -> None:
        self._draw, self._scale = draw, scale

    def draw(self, element: ElementTree.Element) -> None:
        get = element.attrib
        match element.tag:
            case "rect" if get.get("width") != "100%":
                x, y, width, height = self._numbers(get, "x", "y", "width", "height")
                self._area([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], get)
            case "line":
                x1, y1, x2, y2 = self._numbers(get, "x1", "y1", "x2", "y2")
                self._line([(x1, y1), (x2, y2)], get)
            case "polyline":
                self._line(self._points(get.get("points", "")), get)
            case "polygon":
                self._area(self._points(get.get("points", "")), get)
            case "path":
                for part in self._path(get.get("d", "")):
                    self._line(part, get)
            case "circle":
                x, y, r = self._numbers(get, "cx", "cy", "r")
                turn = np.linspace(0, 2 * np.pi, 49)
                self._area(list(zip(x + r * np.cos(turn), y + r * np.sin(turn), strict=True)), get)
            case "text":
                self._text(element)

    def _area(self, points: Points, get: Mapping[str, str]) -> None:
        fill = _colour(get, "fill", "#000000")
        if fill is not None and len(points) > 2:
            self._draw.polygon(points, fill=fill)
        self._line([*points, points[0]], get)

    def _line(self, points: Points, get: Mapping[str, str]) -> None:
        colour = _colour(get, "stroke", "none")
        if colour is None or len(points) < 2:
            return
        width = max(1, round(float(get.get("stroke-width", "1")) * self._scale))
        dashes = [float(d) * self._scale for d in get.get("stroke-dasharray", "").split()]
        for part in _dashed(points, dashes) if dashes else [points]:
            self._draw.line(part, fill=colour, width=width, joint="curve")

    def _text(self, element: ElementTree.Element) -> None:
        get, words = element.attrib, element.text or ""
        (x, y), size = self._numbers(get, "x", "y"), float(get.get("font-size", "11"))
        font, knows_all = _font(round(size * self._scale))
        anchor = {"middle": "ms", "end": "rs"}.get(get.get("text-anchor", ""), "ls")
        said = words if knows_all else words.translate(_PLAIN)
        colour = _colour(get, "fill", "#000000")
        if colour is not None:
            self._draw.text((x, y), said, fill=colour, font=font, anchor=anchor)

    def _numbers(self, get: Mapping[str, str], *names: str) -> list[float]:
        return [float(get.get(name, "0")) * self._scale for name in names]

    def _points(self, text: str) -> Points:
        values = [float(v) * self._scale for v in re.split(r"[ ,]+", text.strip()) if v]
        return list(zip(values[::2], values[1::2], strict=True))

    def _path(self, text: str) -> Iterator[Points]:
        """Yield the lines of a path of M, L, H and V, absolute."""
        points, x, y = list[tuple[float, float]](), 0.0, 0.0
        for sign, rest in re.findall(r"([MLHV])([^MLHV]*)", text):
            values = [float(v) * self._scale for v in re.split(r"[ ,]+", rest.strip()) if v]
            if sign == "M" and points:
                yield points
                points = []
            x = values[0] if sign in "MLH" else x
            y = values[-1] if sign in "MLV" else y
            points.append((x, y))
        yield points


def _colour(get: Mapping[str, str], what: str, usual: str) -> tuple[int, int, int, int] | None:
    value = get.get(what, usual).lstrip("#")
    if value == "none":
        return None
    full = value if len(value) == 6 else "".join(2 * c for c in value)
    red, green, blue = (int(full[k : k + 2], 16) for k in (0, 2, 4))
    return red, green, blue, round(255 * float(get.get("opacity", "1")))


def _dashed(points: Points, dashes: list[float]) -> list[Points]:
    """Return the drawn pieces of a line, its pattern running on round corners."""
    corners: NDArray[np.float64] = np.array(points, np.float64)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T))])
    edges = np.cumsum(np.tile(dashes, int(along[-1] // sum(dashes)) + 1))
    edges = np.concatenate([[0.0], edges[edges < along[-1]], [along[-1]]])
    pieces = []
    for start, end in list(pairwise(edges))[::2]:
        inner = along[(along > start) & (along < end)]
        stops = np.concatenate([[start], inner, [end]])
        x, y = (np.interp(stops, along, axis) for axis in corners.T)
        pieces.append(list(zip(x.tolist(), y.tolist(), strict=True)))
    return pieces


@cache
def _font(size: int) -> tuple[Font, bool]:
    """Return the system's plain font and whether it knows every sign; else Pillow's own."""
    for name in _FONTS:
        try:
            return ImageFont.truetype(name, size), True
        except OSError:
            continue
    return ImageFont.load_default(size), False
