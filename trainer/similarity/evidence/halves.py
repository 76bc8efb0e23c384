"""Measures that learn of labels or of readers, judged on images that they did not see.

The images are halved by a fixed seed; what is learnt of one half compares the readings of the
other. Pairs across the halves are not judged: one of them would have been seen.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from trainer.similarity.base import Similarity
from trainer.similarity.comparison import ComparisonControl, prepare
from trainer.similarity.items import held_out_of, known_of
from trainer.similarity.registry import find_measure
from trainer.similarity.sources import GazeList, chosen_items


def learns(measure: str) -> bool:
    """Return whether a measure learns of labels or of readers."""
    cohort = find_measure(measure).cohort
    return cohort is not None and bool(cohort.learns)


def by_halves(
    measure: str, alone: GazeList, settings: Mapping[str, Any], control: ComparisonControl
) -> Similarity:
    """Return the similarity (R, R) of readings, each an item of its own, within each half.

    Raises
    ------
    NothingToLearnError
        If a half teaches the measure nothing.
    """
    image = known_of(alone).image
    order = np.random.default_rng(0).permutation(int(image.max(initial=0)) + 1)
    held = np.array(held_out_of(alone) or np.zeros(len(image)), bool)
    upper = order[image] % 2 == 1
    matrix, valid = np.zeros((len(image),) * 2), np.zeros((len(image),) * 2, bool)
    found = None
    for half in (upper, ~upper):
        taught = replace(alone, held_out=tuple((half | held).tolist()))
        fitted = prepare(measure, taught, settings, control).fitted
        own = np.flatnonzero(half)
        judged = replace(control, fitted=fitted)
        found = prepare(measure, chosen_items(alone, own.tolist()), settings, judged).matrix()
        square = np.ix_(own, own)
        matrix[square], valid[square] = found.matrix, found.valid
    assert found is not None
    return replace(found, matrix=matrix, valid=valid)
