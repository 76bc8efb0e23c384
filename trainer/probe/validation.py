"""Choosing settings of a probe by inner validation, on its own training images alone."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from trainer.probe.labelled import FloatArray, IntArray, patient_labels

FOLDS = 5
_FEW, _REPEATS_OF_FEW = 60, 2

Choice = TypeVar("Choice")
Attempt = Callable[[IntArray, IntArray], Iterable[FloatArray]]
"""`attempt(train, held)` gives log-probabilities (held, K) of each choice in turn, when asked."""


def inner_folds(codes: IntArray, patients: IntArray, rng: np.random.Generator) -> IntArray | None:
    """Return a fold for each image, patients whole and classes spread; None if impossible.

    Parameters
    ----------
    codes, patients
        Class and patient of each training image, shape (N,).
    rng
        Deals patients out.
    """
    of_patient = patient_labels(codes, patients)
    sizes = [list(of_patient.values()).count(code) for code in np.unique(codes).tolist()]
    folds = min(FOLDS, *sizes) if len(sizes) > 1 else 0
    if folds < 2:
        return None
    fold_of: dict[int, int] = {}
    for code in sorted(set(of_patient.values())):
        own = rng.permutation([p for p, c in of_patient.items() if c == code])
        start = int(rng.integers(folds))
        fold_of.update({int(p): (start + k) % folds for k, p in enumerate(own)})
    return np.array([fold_of[p] for p in patients.tolist()], np.int64)


def choose(
    choices: Sequence[Choice],
    default: Choice,
    attempt: Attempt,
    codes: IntArray,
    patients: IntArray,
    rng: np.random.Generator,
    *,
    rises: int | None = None,
) -> Choice:
    """Return the choice of least held-out log loss, each class counting the same.

    The first of equals is taken: list the simplest first. Few images are folded twice over,
    for one way of folding them says little. After `rises` rises of the loss in a row no further
    choice is tried.
    """
    tried: list[tuple[IntArray, Iterator[FloatArray]]] = []
    for _ in range(_REPEATS_OF_FEW if len(codes) < _FEW else 1):
        folds = inner_folds(codes, patients, rng)
        if folds is None:
            return default
        for fold in range(int(folds.max()) + 1):
            train, held = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            if len(np.unique(codes[train])) < len(np.unique(codes)):
                return default
            tried.append((held, iter(attempt(train, held))))
    losses: list[float] = []
    risen = 0
    for _ in choices:  # a sum over folds, so that every held-out image counts once
        losses.append(sum(_loss(next(scores), codes, held) for held, scores in tried))
        risen = risen + 1 if len(losses) > 1 and losses[-1] > losses[-2] else 0
        if risen == rises:
            break
    return choices[int(np.argmin(losses))]


def _loss(log_probabilities: FloatArray, codes: IntArray, held: IntArray) -> float:
    weights = class_weights(codes)[codes[held]]
    own = log_probabilities[np.arange(len(held)), codes[held]]
    return float(-(weights * own).sum())


def class_weights(codes: IntArray) -> FloatArray:
    """Return the weight of each class (K,) that lets all present ones count the same."""
    counts = np.bincount(codes)
    present = np.count_nonzero(counts)
    return np.where(counts > 0, len(codes) / (present * np.maximum(counts, 1)), 0.0)
