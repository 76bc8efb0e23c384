"""How many labelled images a probe may learn from, and which."""

from collections.abc import Sequence

import numpy as np

from trainer.errors import ProbeError
from trainer.probe.labelled import IntArray

Budget = int | str
ALL = "all"


def parse_budgets(text: str) -> tuple[Budget, ...]:
    """Return the budgets of an option: numbers of labelled images in all, or "all".

    Raises
    ------
    ProbeError
        If a part is neither.

    Examples
    --------
    >>> parse_budgets("10, 25,all")
    (10, 25, 'all')
    """
    budgets: list[Budget] = []
    for word in (part.strip().lower() for part in text.split(",") if part.strip()):
        if word != ALL and (not word.isdecimal() or int(word) < 2):
            raise ProbeError(
                f"--label-budget {word}: a budget is a total number of labelled images, at least "
                "2, or the word all. Separate several with commas: 10,25,100,all."
            )
        budgets.append(ALL if word == ALL else int(word))
    if not budgets:
        raise ProbeError("--label-budget is empty; e.g. 10,25,100,all.")
    return tuple(dict.fromkeys(budgets))


def possible_budgets(
    budgets: Sequence[Budget], pool: int, classes: int
) -> tuple[tuple[Budget, ...], tuple[str, ...]]:
    """Return the budgets that `pool` training images allow, and a sentence on each other."""
    kept: list[Budget] = []
    notes = []
    for budget in budgets:
        if budget == ALL or (isinstance(budget, int) and classes <= budget <= pool):
            kept.append(budget)
        elif isinstance(budget, int) and budget < classes:
            notes.append(
                f"Budget {budget} was left out: each of the {classes} classes needs a label."
            )
        else:
            notes.append(f"Budget {budget} was left out: only {pool} images can be trained on.")
    if not kept:
        raise ProbeError(" ".join(notes))
    return tuple(kept), tuple(notes)


def draw_labelled(codes: IntArray, budget: Budget, rng: np.random.Generator) -> IntArray:
    """Return positions of the images whose labels are given, ascending.

    Each class is there at least once, else in proportion. With the same generator a smaller budget
    draws from the front of the same order, so that budgets are nested as far as shares allow.

    Parameters
    ----------
    codes
        Classes of the training images, shape (N,).
    budget
        Labelled images in all, or "all".
    """
    present, counts = np.unique(codes, return_counts=True)
    orders = [rng.permutation(np.flatnonzero(codes == code)) for code in present]
    if isinstance(budget, str):
        return np.arange(len(codes))
    quotas = shares(counts, min(budget, len(codes)))
    chosen = np.concatenate([order[:n] for order, n in zip(orders, quotas, strict=True)])
    return np.sort(chosen)


def shares(counts: IntArray, budget: int) -> IntArray:
    """Divide a budget in proportion to counts, at least 1 each and none above its count.

    Examples
    --------
    >>> shares(np.array([90, 9, 1]), 10)
    array([8, 1, 1])
    """
    given = np.ones(len(counts), np.int64)
    exact = counts / counts.sum() * budget
    while given.sum() < budget:
        lacking = np.where(given < counts, exact - given, -np.inf)
        given[int(np.argmax(lacking))] += 1
    return given
