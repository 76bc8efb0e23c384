"""Which samples are gaze: validity columns whose meaning must be inferred, and codes for missing.

Trackers disagree: Tobii's older software writes 0 for the best sample and 4 for none, others 1 and
0, or words. The meaning is inferred from all rows of a file together, never from one reading: the
best reading has only one value.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.interchange.notes import Note, note
from app.interchange.number_text import plain_float
from devices.gaze.errors import GazeFileError
from devices.gaze.geometry import FloatArray

BoolArray = NDArray[np.bool_]
_YES = {"true", "yes", "valid", "ok", "good", "found", "tracked", "t", "y", "both"}
_NO = {
    "false", "no", "invalid", "bad", "lost", "missing", "not found", "notfound", "f", "n", "none",
    "not valid", "untracked", "blink",
}  # fmt: skip
_HALF = {"left", "right", "partial"}
_LEGACY = {"0", "1", "2", "3", "4"}
_COMPARED = re.compile(r"(<=|>=|<|>|=)?\s*(-?\d+(?:\.\d+)?)")
_MOSTLY, _RARELY = 0.9, 0.1
LARGE_CODES = (-9999.0, 9999.0, -32768.0, 32768.0, 99999.0, -99999.0, 1e8, -1e8)
"""Coordinates that mean missing gaze, on either axis."""


@dataclass(frozen=True, slots=True)
class ValidWhen:
    """A rule for which values of a validity column are gaze."""

    text: str
    holds: Callable[[str], bool]

    def __call__(self, cells: Iterable[str]) -> BoolArray:
        """Return which cells (N,) mean valid gaze; an empty cell means none."""
        known: dict[str, bool] = {"": False}
        found = []
        for cell in cells:
            plain = cell.strip()
            if plain not in known:
                known[plain] = self.holds(plain)
            found.append(known[plain])
        return np.array(found, bool)


def said_rule(text: str) -> ValidWhen:
    """Return the rule of `--valid-when`: values, or comparisons like >=1, separated by commas."""
    parts = [part.strip() for part in text.split(",") if part.strip()]

    def holds(cell: str) -> bool:
        return any(_holds(part, cell) for part in parts)

    return ValidWhen(text, holds)


def _holds(rule: str, cell: str) -> bool:
    compared = _COMPARED.fullmatch(rule)
    value = _as_number(cell)
    if compared is None or value is None:
        return rule.lower() == cell.lower()
    sign, limit = compared[1] or "=", float(compared[2])
    return {
        "=": value == limit, "<": value < limit, ">": value > limit,
        "<=": value <= limit, ">=": value >= limit,
    }[sign]  # fmt: skip


def _as_number(text: str) -> float | None:
    try:
        return plain_float(text.replace(",", "."))
    except ValueError:
        return None


def _code(text: str) -> str:
    value = _as_number(text)
    return text.lower() if value is None else f"{value:g}"


def rule_of(
    path: Path,
    column: str,
    words: Iterable[str],
    sample: Sequence[str],
    has_gaze: BoolArray,
    *,
    zero_is_best: bool,
) -> tuple[ValidWhen, Note]:
    """Return which words of a validity column mean gaze, and why.

    Parameters
    ----------
    words
        All its values.
    sample, has_gaze
        Some of its rows, and whether they contain gaze: codes are compared with it.
    zero_is_best
        Whether software with this layout writes Tobii's older codes, if all rows are 0 or 1.

    Raises
    ------
    GazeFileError
        If words and gaze are inconclusive or contradict each other.
    """
    codes = {_code(word) for word in words if word.strip()}
    if codes and codes <= _YES | _NO | _HALF:
        good = codes & (_YES | _HALF)
        return _among(column, good or {"valid"}, "the words say so")
    if not codes <= _LEGACY | {"-1"}:
        raise _ask(path, column, f"its values are {', '.join(sorted(codes)[:6])}")
    if codes & {"2", "3", "4"}:
        return _among(column, {"0", "1"}, "codes above 1 are Tobii's older ones, 0 the best")
    if zero_is_best:
        return _among(column, {"0", "1"}, "this software writes 0 for the best and 4 for none")
    return _by_evidence(path, column, codes, sample, has_gaze)


def _by_evidence(
    path: Path, column: str, codes: set[str], sample: Sequence[str], has_gaze: BoolArray
) -> tuple[ValidWhen, Note]:
    own = np.array([_code(cell) for cell in sample])
    share = {c: float(has_gaze[own == c].mean()) for c in ("0", "1") if (own == c).any()}
    one, zero = share.get("1"), share.get("0")
    if one is not None and zero is not None:
        if zero > _MOSTLY and one < _RARELY:
            return _among(column, {"0"}, "there is gaze where it is 0 and not where it is 1")
        return _among(column, {"1"}, "0 and 1 are no and yes")
    if one is not None:
        return _among(column, {"1"}, "0 and 1 are no and yes")
    if zero is not None and zero > _RARELY:
        raise _ask(path, column, "it is 0 in every row, although there is gaze")
    return _among(column, {"1"}, "0 and 1 are no and yes")


def _among(column: str, good: set[str], why: str) -> tuple[ValidWhen, Note]:
    shown = " or ".join(sorted(good))
    rule = ValidWhen(shown, lambda cell: _code(cell) in good)
    return rule, note("validity", column=column, valid=shown, why=why)


def _ask(path: Path, column: str, why: str) -> GazeFileError:
    return GazeFileError(
        f"{path}: it is unclear which values of `{column}` mean valid gaze: {why}. Specify them "
        "with --valid-when VALUES, e.g. --valid-when 0,1 or --valid-when '>=0.5'."
    )


@dataclass(frozen=True, slots=True)
class MissingCodes:
    """Coordinates that mean missing gaze.

    Attributes
    ----------
    pairs
        Values that x and y have together.
    singles
        Values that either one has.
    """

    pairs: tuple[float, ...] = ()
    singles: tuple[float, ...] = ()

    def lost(self, points: FloatArray) -> BoolArray:
        """Return which points (N, 2) mean missing gaze."""
        x, y = points.T
        found = np.zeros(len(points), bool)
        for code in self.pairs:
            found |= (x == code) & (y == code)
        for code in self.singles:
            found |= (x == code) | (y == code)
        return found

    def found(self, points: FloatArray) -> list[str]:
        """Return in words which codes occur among points (N, 2)."""
        x, y = points.T
        pairs = [f"({c:g}, {c:g})" for c in self.pairs if ((x == c) & (y == c)).any()]
        return pairs + [f"{c:g}" for c in self.singles if ((x == c) | (y == c)).any()]


def missing_codes(said: str | None, *, corner_is_lost: bool) -> MissingCodes:
    """Return the codes for missing gaze.

    Parameters
    ----------
    said
        By the user: numbers separated by commas, which either coordinate may have; `none` for no
        code.
    corner_is_lost
        Whether (0, 0), the corner of image or screen, and (-1, -1) are not places to look at: not
        so if the origin is the middle.

    Raises
    ------
    GazeFileError
        If the user's text is not a number.
    """
    if said is None:
        return MissingCodes((0.0, -1.0) if corner_is_lost else (), LARGE_CODES)
    if said.strip().lower() == "none":
        return MissingCodes()
    try:
        return MissingCodes((), tuple(plain_float(part) for part in said.split(",")))
    except ValueError as error:
        raise GazeFileError(
            f"--missing requires numbers separated by commas, or none, not {said!r}."
        ) from error
