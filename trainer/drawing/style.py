"""Charts as files of their own: the style sheet's values written into each element.

Other programs (Word, Inkscape, Qt) know no variables of a style sheet; the classes stay, so that
the same file takes the page's colours where it stands in a report.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from xml.etree import ElementTree

SPACE = "http://www.w3.org/2000/svg"
_PARTS = frozenset({"svg", "g", "rect", "line", "polyline", "polygon", "path", "circle", "text",
                    "image"})  # fmt: skip
_PLACES = frozenset([
    "class", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "width", "height", "points",
    "d", "text-anchor", "viewBox", "role", "aria-label", "href", "fill", "fill-opacity",
    "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linejoin",
    "opacity", "font-size", "font-family", "paint-order", "preserveAspectRatio", 
    "image-rendering",
])  # fmt: skip
_KEPT = ("fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-size")


def sheet() -> str:
    """Return the style sheet of charts."""
    return files("trainer.drawing").joinpath("chart.css").read_text(encoding="utf-8")


def dark_colours() -> dict[str, str]:
    """Return what each print colour is on a dark ground, for who shows files of charts there."""
    dark, light = (
        re.findall(r"--\w+: (#\w+)", part)
        for part in sheet().split("svg.chart {")[0].split("@media print")
    )
    found: dict[str, str] = {}
    for printed, shown in zip(light, dark, strict=True):
        found.setdefault(printed, shown)
    return found


def standalone(svg: str) -> str:
    """Return a chart as a file of its own: black on white, as it prints.

    Raises
    ------
    ValueError
        It is not an SVG.
    """
    return ElementTree.tostring(resolved(svg), encoding="unicode") + "\n"


def resolved(svg: str) -> ElementTree.Element:
    """Return a chart with the print colours in each element, on white.

    Raises
    ------
    ValueError
        It is not an SVG.
    """
    root = parsed(svg)
    kinds = tuple(root.get("class", "").split())
    for element in root.iter():
        _paint(element, kinds)
    _, _, width, height = (float(part) for part in root.get("viewBox", "0 0 420 240").split())
    paper = ElementTree.Element("rect", {"class": "paper", "width": "100%", "height": "100%"})
    _paint(paper, ("chart",))
    root.insert(0, paper)
    root.set("xmlns", SPACE)
    root.set("width", f"{width:g}")
    root.set("height", f"{height:g}")
    root.set("font-family", "sans-serif")
    return root


def inlined(svg: str) -> str:
    """Return the chart in a file as it stands on a page: known parts alone, no paper, no size.

    Raises
    ------
    ValueError
        It is not an SVG.
    """
    root = parsed(svg)
    for paper in [child for child in root if child.get("class") == "paper"]:
        root.remove(paper)
    for name in ("width", "height", "font-family"):
        root.attrib.pop(name, None)
    return ElementTree.tostring(root, encoding="unicode")


def parsed(svg: str) -> ElementTree.Element:
    """Return a chart's elements without namespaces; what a chart never has is left out.

    Raises
    ------
    ValueError
        It is not an SVG.
    """
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as error:
        raise ValueError(f"It is not an SVG: {error}.") from error
    _clean(root)
    if root.tag != "svg":
        raise ValueError("It is not an SVG.")
    return root


def _clean(element: ElementTree.Element) -> None:
    element.tag = element.tag.rsplit("}", 1)[-1] if isinstance(element.tag, str) else ""
    for name in [n for n in element.attrib if n not in _PLACES]:
        del element.attrib[name]
    if not element.get("href", "data:image/").startswith("data:image/"):
        del element.attrib["href"]
    for child in list(element):
        _clean(child)
        if child.tag not in _PARTS:
            element.remove(child)


def _paint(element: ElementTree.Element, kinds: tuple[str, ...]) -> None:
    if element.tag == "svg":
        return
    values: dict[str, str] = {}
    own = set(element.get("class", "").split())
    for inside, name, said in _rules():
        if (not inside or inside in kinds) and (name == element.tag or name[1:] in own):
            values |= said
    for name in _KEPT:
        value = values.get(name, "").removesuffix("px")
        if (value and value != "none") or (value == "none" and name in ("fill", "stroke")):
            element.set(name, value)
        elif name in values:
            element.attrib.pop(name, None)


@cache
def _rules() -> tuple[tuple[str, str, Mapping[str, str]], ...]:
    """Return (class of the chart, last word of the selector, values), the weaker ones first."""
    text = sheet()
    colours = dict(re.findall(r"--(\w+): (#\w+)", text[text.index("@media print") :]))
    found = list(_read(text[text.index("svg.chart") :], colours))
    return tuple(sorted(found, key=lambda rule: bool(rule[0]) + rule[1].startswith(".")))


def _read(text: str, colours: Mapping[str, str]) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", text):
        words = selector.split()
        said = dict(re.findall(r"([\w-]+): ([^;]+);", body))
        plain = {k: re.sub(r"var\(--(\w+)\)", lambda m: colours[m[1]], v) for k, v in said.items()}
        inside = words[0].removeprefix("svg.") if len(words) > 1 else ""
        if not words[-1].startswith("svg"):
            yield inside, words[-1], plain
