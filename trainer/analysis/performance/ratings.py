"""Ratings of a reader study: who gave which case what, in which arm, and what is true."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.errors import PerformanceError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Ratings:
    """Ratings of I arms, J readers and K cases.

    Attributes
    ----------
    arms, readers, cases
        Their names; arms and readers sorted as numbers where all are numbers.
    truth
        Shape (K,): whether the case is positive.
    rating
        Shape (I, J, K), higher is more suspicious; NaN where a reader did not rate a case in an
        arm.
    """

    arms: tuple[str, ...]
    readers: tuple[str, ...]
    cases: tuple[str, ...]
    truth: BoolArray
    rating: FloatArray


@dataclass(frozen=True, slots=True)
class Rating:
    """One rating: a row of a ratings file, or an answer of a study."""

    reader: str
    arm: str
    case: str
    truth: bool
    rating: float


def ratings_of(rows: Sequence[Rating]) -> Ratings:
    """Arrange ratings by arm, reader and case.

    Raises
    ------
    PerformanceError
        There is no rating, a case is both positive and negative, a case was rated twice by one
        reader in one arm, or a reader of an arm rated only one class.
    """
    if not rows:
        raise PerformanceError("There are no ratings.")
    arms, readers = in_order(r.arm for r in rows), in_order(r.reader for r in rows)
    truths = _truths(rows)
    cases = tuple(truths)
    place = {name: k for k, name in enumerate(cases)}
    arm_of = {name: i for i, name in enumerate(arms)}
    reader_of = {name: j for j, name in enumerate(readers)}
    rating = np.full((len(arms), len(readers), len(cases)), np.nan)
    for row in rows:
        cell = arm_of[row.arm], reader_of[row.reader], place[row.case]
        if not np.isnan(rating[cell]):
            raise PerformanceError(
                f"Reader {row.reader} rated case {row.case} twice in arm {row.arm}. Keep one "
                "rating for each case, reader and arm."
            )
        rating[cell] = row.rating
    found = Ratings(arms, readers, cases, np.array(list(truths.values()), dtype=bool), rating)
    _refuse_one_sided(found)
    return found


def _truths(rows: Sequence[Rating]) -> dict[str, bool]:
    truths: dict[str, bool] = {}
    for row in rows:
        if truths.setdefault(row.case, row.truth) != row.truth:
            raise PerformanceError(
                f"Case {row.case} is positive in one row and negative in another."
            )
    return truths


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Return names, each once, sorted as numbers where all are numbers."""
    found = set(names)
    try:
        numbers = {name: float(name) for name in found}
    except ValueError:
        return tuple(sorted(found))
    if not all(map(math.isfinite, numbers.values())):
        return tuple(sorted(found))
    return tuple(sorted(found, key=lambda name: (numbers[name], name)))


def _refuse_one_sided(ratings: Ratings) -> None:
    there = ~np.isnan(ratings.rating)
    for side, word in ((ratings.truth, "positive"), (~ratings.truth, "negative")):
        lacking = ~(there & side).any(axis=2)
        if lacking.any():
            arm, reader = (int(axis[0]) for axis in np.nonzero(lacking))
            raise PerformanceError(
                f"Reader {ratings.readers[reader]} has no rating of a {word} case in arm "
                f"{ratings.arms[arm]}. An ROC curve needs both."
            )
