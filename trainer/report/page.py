"""The bricks of the page: text, tables, facts, sections; whatever is handed in is escaped."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files

from trainer.drawing.style import sheet

MISSING = "–"

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: its anchor, its heading, its finished HTML."""

    anchor: str
    title: str
    html: str


def page(title: str, head: str, sections: Sequence[Section]) -> str:
    """Return the whole document; nothing in it is fetched from anywhere."""
    own = files("trainer.report").joinpath("report.css").read_text(encoding="utf-8")
    style = sheet() + own
    links = "".join(f'<li><a href="#{s.anchor}">{escape(s.title)}</a></li>' for s in sections)
    body = "".join(
        f'<section id="{s.anchor}"><h2>{escape(s.title)}</h2>{s.html}</section>' for s in sections
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "img-src data:; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{style}</style></head>"
        f'<body><main>{head}<nav aria-label="Sections"><ul>{links}</ul></nav>{body}'
        "</main></body></html>\n"
    )


def paragraph(text: str, kind: str = "") -> str:
    """Return a paragraph; `kind` is a class of the style sheet."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def missing(text: str) -> str:
    """Return the sentence that stands where there is nothing to show."""
    return paragraph(text, "missing")


def facts(pairs: Iterable[tuple[str, Cell]]) -> str:
    """Return a row of figures with their names."""
    items = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(shown(value))}</dd></div>"
        for name, value in pairs
    )
    return f'<dl class="facts">{items}</dl>'


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return a table; columns whose cells are all numbers are set flush right."""
    lines = [list(row) for row in rows]
    numeric = [_is_numeric([line[k] for line in lines]) for k in range(len(head))]
    top = "".join(
        f'<th scope="col"{_flush(flag)}>{escape(name)}</th>'
        for name, flag in zip(head, numeric, strict=True)
    )
    body = "".join(f"<tr>{_cells(line, numeric)}</tr>" for line in lines)
    return (
        f'<div class="scroll"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def figure(content: str, caption: str) -> str:
    """Return a figure with its caption; `content` is HTML."""
    return f"<figure>{content}<figcaption>{escape(caption)}</figcaption></figure>"


def shown(value: Cell) -> str:
    """Return a value as people read it: whole numbers grouped, others to two significant digits.

    From 10 on, whole numbers are shown, so that no digit before the point is lost.
    """
    if value is None or (isinstance(value, float) and value != value):
        return MISSING
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u202f")
    return rounded(value)


def rounded(value: float) -> str:
    """Return a number to two significant digits, from 10 on to the whole number."""
    if abs(value) < 9.95:
        return "0" if value == 0 else f"{value:#.2g}"
    return f"{value:,.0f}".replace(",", "\u202f")


def percent(share: float | None) -> str | None:
    """Return a share as percent, to two significant digits; above 99 % with one decimal."""
    if share is None or share != share:
        return None
    hundred = share * 100
    return f"{hundred:.1f} %" if 99 < hundred < 99.95 else f"{rounded(hundred)} %"


def _is_numeric(cells: Sequence[Cell]) -> bool:
    there = [c for c in cells if c is not None]
    return bool(there) and all(
        isinstance(c, int | float) or c.replace(".", "").removesuffix(" %").isdigit() for c in there
    )


def _cells(line: Sequence[Cell], numeric: Sequence[bool]) -> str:
    return "".join(
        f"<td{_flush(flag)}>{escape(shown(cell))}</td>"
        for cell, flag in zip(line, numeric, strict=True)
    )


def _flush(right: bool) -> str:
    return ' class="number"' if right else ""
