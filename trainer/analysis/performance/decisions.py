"""What readers decided, in figures: right and wrong, consensus, order, and themselves again."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from trainer.analysis.performance.agreement import cohen_kappa, icc
from trainer.analysis.performance.operating import operating
from trainer.analysis.performance.study_ratings import Decision, by_reader

Row = dict[str, Any]


def decision_rows(decisions: Sequence[Decision]) -> list[Row]:
    """Return sensitivity, specificity and accuracy of each arm and reader, and of consensus.

    Consensus is what most readers of a case and arm said; a tie calls it positive. Cases that one
    reader alone read in an arm have none.
    """
    groups = by_reader(decisions) | _consensus(decisions)
    rows = []
    for (arm, reader), own in groups.items():
        called, truth = (
            np.array([getattr(d, n) for d in own], bool) for n in ("positive", "truth")
        )
        figures = {name: asdict(getattr(operating(called, truth), name))
                   for name in ("sensitivity", "specificity", "accuracy")}  # fmt: skip
        rows.append({"arm": arm, "reader": reader, **figures})
    return rows


def _consensus(decisions: Sequence[Decision]) -> dict[tuple[str, str], list[Decision]]:
    votes: dict[tuple[str, str], list[Decision]] = defaultdict(list)
    for decision in decisions:
        votes[decision.arm, decision.case].append(decision)
    found: dict[tuple[str, str], list[Decision]] = defaultdict(list)
    for (arm, case), own in sorted(votes.items()):
        if len(own) < 2:
            continue
        called = 2 * sum(d.positive for d in own) >= len(own)
        mean = float(np.mean([d.rating for d in own]))
        found[arm, "consensus"].append(Decision("consensus", arm, case, own[0].truth, mean, called))
    return dict(found)


def within_reader(repeats: Sequence[tuple[Decision, Decision]]) -> list[Row]:
    """Return how far each reader agrees with themselves on cases that were read again."""
    own: dict[str, list[tuple[Decision, Decision]]] = defaultdict(list)
    for first, again in repeats:
        own[first.reader].append((first, again))
    rows = []
    for reader, pairs in sorted(own.items()):
        calls = np.array([[a.positive, b.positive] for a, b in pairs]).T
        ratings = np.array([[a.rating, b.rating] for a, b in pairs]).T
        ratings = ratings[:, ~np.isnan(ratings).any(axis=0)]
        rows.append(
            {
                "reader": reader,
                "cases": len(pairs),
                "same_call": float((calls[0] == calls[1]).mean()),
                "kappa": cohen_kappa(calls[0], calls[1]),
                "icc_2_1": icc(ratings),
            }
        )
    return rows


def by_order(decisions: Sequence[Decision]) -> list[Row]:
    """Return each reader's accuracy in the first and the second half of their readings."""
    own: dict[str, list[Decision]] = defaultdict(list)
    for decision in decisions:
        own[decision.reader].append(decision)
    rows = []
    for reader, given in sorted(own.items()):
        right = np.array([d.positive == d.truth for d in given])
        half = len(right) // 2
        if half:
            rows.append(
                {
                    "reader": reader,
                    "first_half_accuracy": float(right[:half].mean()),
                    "second_half_accuracy": float(right[half:].mean()),
                    "readings": len(right),
                }
            )
    return rows
