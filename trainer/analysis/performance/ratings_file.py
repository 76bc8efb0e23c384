"""Ratings of any study as a table: columns reader, treatment, case, truth, rating."""

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from migrations.study.errors import AmbiguousName
from migrations.study.names import Names
from trainer.analysis.performance.ratings import Rating, Ratings, ratings_of
from trainer.data.csv_table import CsvTable
from trainer.errors import PerformanceError

COLUMNS = ("reader", "treatment", "case", "truth", "rating")
_TRUTHS = {
    "0": False, "0.0": False, "negative": False, "false": False, "no": False,
    "1": True, "1.0": True, "positive": True, "true": True, "yes": True,
}  # fmt: skip


def read_ratings(path: Path) -> Ratings:
    """Return the ratings of a csv; other columns are passed over.

    Parameters
    ----------
    path
        UTF-8, separated by comma, semicolon or tab. `truth` is 0 or 1 (or negative, positive, no,
        yes, false, true); `rating` a number, higher is more suspicious.

    Raises
    ------
    PerformanceError
        Naming the line and the column that cannot be understood, and readers, arms or cases that
        are written in two ways; see also `ratings_of`.
    """
    try:
        rows = [_rating(row, where) for where, row in _rows(path)]
        _refuse_two_spellings("Readers", [row.reader for row in rows])
        _refuse_two_spellings("Treatments", [row.arm for row in rows])
        _refuse_two_spellings("Cases", [row.case for row in rows])
        return ratings_of(rows)
    except PerformanceError as error:
        raise PerformanceError(_with_path(path, error)) from error


def _refuse_two_spellings(what: str, names: Iterable[str]) -> None:
    """Refuse `1`, `01` and `1.0`, or `r1` and `R1`: one that counts as two changes each figure."""
    known: dict[str, str] = {}
    for name in names:
        plain = name.casefold().removesuffix(".0").lstrip("0") or "0"
        first = known.setdefault(plain, name)
        if first != name:
            raise PerformanceError(
                f'{what} "{first}" and "{name}" differ only in spelling. Use one spelling for '
                "one name, or choose two names that cannot be confused."
            )


def _with_path(path: Path, error: PerformanceError) -> str:
    return str(error) if str(path) in str(error) else f"{path}: {error}"


def read_truth(path: Path, cases: Names) -> dict[str, bool]:
    """Return the truth of each case that a csv of `case` and `truth` names, by the case's name.

    Raises
    ------
    PerformanceError
        Naming the line: a case that the study does not have, or a truth that is not 0 or 1.
    """
    found: dict[str, bool] = {}
    for where, row in _rows(path, ("case", "truth")):
        try:
            case = cases.meant(row["case"])
        except AmbiguousName as error:
            raise PerformanceError(f"{where}: {error}") from error
        if case is None:
            raise PerformanceError(f'{where}: this study has no case "{row["case"]}".')
        truth = _truth(row["truth"], where)
        if found.setdefault(cases[case], truth) != truth:
            raise PerformanceError(
                f"{where}: case {row['case']} has a different truth in an earlier line."
            )
    return found


def _rows(path: Path, columns: Sequence[str] = COLUMNS) -> Iterator[tuple[str, dict[str, str]]]:
    table = CsvTable(path, PerformanceError)
    table.require(columns, columns)
    return table.rows()


def _rating(row: dict[str, str], where: str) -> Rating:
    for name in ("reader", "treatment", "case"):
        if not row[name]:
            raise PerformanceError(f"{where}: {name} is empty.")
    truth = _truth(row["truth"], where)
    return Rating(row["reader"], row["treatment"], row["case"], truth, _number(row, where))


def _truth(text: str, where: str) -> bool:
    truth = _TRUTHS.get(text.lower())
    if truth is None:
        raise PerformanceError(f"{where}: truth is {text!r}; it must be 0 or 1.")
    return truth


def _number(row: dict[str, str], where: str) -> float:
    try:
        number = float(row["rating"])
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or "_" in row["rating"]:  # float() takes 1_0 for 10
        raise PerformanceError(f"{where}: rating is {row['rating']!r}; it must be a number.")
    return number
