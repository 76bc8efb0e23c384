"""Numbers as people write them: decimal point or comma, thousands separators, words for missing."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from devices.gaze.geometry import FloatArray

MISSING_WORDS = {"", "nan", "na", "n/a", "none", "null", ".", "-", "nil"}
_GROUPED = {
    ",": re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?"),
    ".": re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d*)?"),
    " ": re.compile(r"[+-]?[1-9]\d{0,2}([ \u00a0\u202f]\d{3})+([.,]\d*)?"),
    "'": re.compile(r"[+-]?[1-9]\d{0,2}(['\u2019]\d{3})+(\.\d*)?"),
}
_REMEMBERED = 3
_ENOUGH = 5
_WHOLE = re.compile(r"[+-]?[1-9]\d{0,2}")
_GAPS = str.maketrans("", "", " \u00a0\u202f'\u2019")


@dataclass(frozen=True, slots=True)
class NumberStyle:
    """`decimal` is a point or a comma; `thousands` is the separator between groups, "" for none."""

    decimal: str = "."
    thousands: str = ""


class MixedNumbers(ValueError):
    """A column contains numbers in two contradictory notations."""


def style_of(cells: Sequence[str]) -> NumberStyle:
    """Return how numbers are written, judged from those that `float` cannot read.

    Raises
    ------
    MixedNumbers
        If some are 1.234,5 and others 1,234.5, or some 3,25 and others 512.3.
    """
    styles = {style for cell in cells if (style := _style(cell.strip())) is not None}
    decimals = {decimal for decimal, _ in styles if decimal}
    if len(decimals) > 1:
        raise MixedNumbers("numbers with a decimal comma and with a decimal point")
    gaps = sorted({gap for _, gap in styles if gap})
    dotted = [cell.strip() for cell in cells if "." in cell and "," not in cell]
    if any(_has_point(cell) for cell in dotted):
        if decimals == {","}:
            raise MixedNumbers("numbers with a decimal comma and with a decimal point")
        return NumberStyle(".", gaps[0] if gaps else "")
    if decimals == {","}:
        if dotted and all(_GROUPED["."].fullmatch(cell) for cell in dotted):
            gaps.append(".")
        return NumberStyle(",", next((g for g in gaps if g != ","), ""))
    if "," in gaps and not decimals and all(gap == "," for _, gap in styles):
        return NumberStyle(",", "")  # 1,234 alone is ambiguous: read as always, with a note
    return NumberStyle(".", gaps[0] if gaps else "")


def _has_point(text: str) -> bool:
    """Whether a point in a number is decimal, as in 512.3 but not in 1.234 (perhaps grouped)."""
    if _GROUPED["."].fullmatch(text):
        return False
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False  # a time of day, a word


def with_groups(style: NumberStyle, columns: Sequence[Sequence[str]]) -> NumberStyle:
    """Return the style shown by columns that count up: 998, 999, 1,000 is not a decimal comma.

    Parameters
    ----------
    style
        From the cells that `style_of` looked at.
    columns
        Cells of each column of numbers.

    Raises
    ------
    MixedNumbers
        If other numbers in the file have the same mark before their decimals.
    """
    for mark in ",.":
        if any(_counts_on(column, mark) for column in columns):
            decimal = "." if mark == "," else ","
            if any(_is_decimal(cell.strip(), mark) for column in columns for cell in column):
                raise MixedNumbers(f"`{mark}` both between thousands and before decimals")
            return NumberStyle(decimal, mark)
    return style


def _counts_on(column: Sequence[str], mark: str) -> bool:
    """Whether integers below a thousand occur beside numbers that are all grouped."""
    marked = [cell.strip() for cell in column if mark in cell and cell.strip() not in MISSING_WORDS]
    if not marked or not all(_GROUPED[mark].fullmatch(cell) for cell in marked):
        return False
    plain = [cell.strip() for cell in column if mark not in cell]
    whole = [cell for cell in plain if cell.lstrip("+-").isdigit() and cell.strip("+-0")]
    return len(whole) >= _ENOUGH and all(_WHOLE.fullmatch(cell) for cell in whole)


def _is_decimal(text: str, mark: str) -> bool:
    return mark in text and text not in MISSING_WORDS and not _GROUPED[mark].fullmatch(text)


def _style(text: str) -> tuple[str, str] | None:
    """Return what one number reveals about decimal and thousands; "" where nothing."""
    if "," in text and "." in text:
        return (",", ".") if text.rfind(",") > text.rfind(".") else (".", ",")
    if text.count(",") > 1:
        return ("", "," if _GROUPED[","].fullmatch(text) else "")
    if "," in text:
        grouped = _GROUPED[","].fullmatch(text)
        return ("", ",") if grouped else (",", _gap(text))
    return ("", _gap(text)) if _gap(text) else None


def _gap(text: str) -> str:
    return next((gap for gap in " '" if _GROUPED[gap].fullmatch(text)), "")


def number(text: str, style: NumberStyle) -> float:
    """Return a number; NaN for a word that means missing.

    Raises
    ------
    ValueError
        If it is not a number.
    """
    text = text.strip()
    if text.lower() in MISSING_WORDS:
        return math.nan
    if "_" in text:  # float() reads 1_0 as 10
        raise ValueError(text)
    if style.thousands != ".":
        try:
            return float(text)
        except ValueError:
            pass
    plain = text.translate(_GAPS)
    if style.thousands in (".", ","):
        plain = plain.replace(style.thousands, "")
    return float(plain.replace(style.decimal, "."))


def _has_underscore(cell: str) -> bool:
    return "_" in cell


def plain_float(text: str) -> float:
    """Return a number as a program writes it.

    Raises
    ------
    ValueError
        If it is not one.
    """
    if "_" in text:  # float() takes 1_0 for 10
        raise ValueError(text)
    return float(text)


def numbers(cells: Sequence[str], style: NumberStyle | None = None) -> FloatArray:
    """Return cells as numbers (N,), NaN for empty ones.

    Raises
    ------
    ValueError
        With the index of the first cell that is not a number as its argument.
    MixedNumbers
        If they contradict each other.
    """
    if (style is None or style == NumberStyle()) and not any(map(_has_underscore, cells)):
        try:
            return np.array(list(map(float, cells)), np.float64)
        except ValueError:
            pass
    known: dict[str, float] = {"": math.nan}
    used = style if style is not None else style_of(list(cells))
    values = np.empty(len(cells))
    for i, cell in enumerate(cells):
        try:
            values[i] = known[cell] if cell in known else number(cell, used)
        except ValueError:
            raise ValueError(i) from None
        if len(cell) < _REMEMBERED:
            known[cell] = float(values[i])
    return values
