"""The evidence of all measures on one list of readings, and the measure that it recommends."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.gaze.pair_rates import positive_rate, share_of_valid, threshold_for_rate
from migrations.study.evidence import CohortEvidence, MeasureEvidence
from trainer.errors import NothingToLearnError
from trainer.similarity.base import Pairs, Similarity
from trainer.similarity.comparison import ComparisonControl, prepare
from trainer.similarity.evidence.halves import by_halves, learns
from trainer.similarity.evidence.intervals import joint_figures
from trainer.similarity.evidence.purity import (
    LEAST_LABELS,
    UNKNOWN,
    Labelled,
    Sampled,
    draw_weights,
    labelled_of,
    purity,
)
from trainer.similarity.evidence.recommend import recommend
from trainer.similarity.evidence.separation import Readings, between_readers, of_rereads
from trainer.similarity.items import (
    ItemSettings,
    chosen_readings,
    codes_of,
    combined,
    known_of,
    one_reading_each,
)
from trainer.similarity.registry import MEASURES
from trainer.similarity.sources import GazeList, chosen_items, readings_alone

DEFAULT_RATE = 0.05
"""As pre-training has it: one threshold would mean something else for each measure."""
MOST_READINGS = 5000
"""Readings beyond which some images are drawn: all pairs of readings are held in memory."""


@dataclass(frozen=True, slots=True)
class PairRule:
    """What makes a pair positive: a share of the valid pairs, or a threshold."""

    positive_rate: float = DEFAULT_RATE
    threshold: float | None = None

    @classmethod
    def of_options(cls, threshold: float | None, positive_rate: float | None) -> "PairRule":
        """Return the rule that is asked for; without one, a rate of 5 %."""
        return cls(DEFAULT_RATE if positive_rate is None else positive_rate, threshold)

    def of(self, similarity: Similarity) -> float:
        """Return the threshold in force for a matrix."""
        if self.threshold is not None:
            return self.threshold
        return threshold_for_rate(similarity.matrix, similarity.valid, self.positive_rate)

    def __str__(self) -> str:
        """Return it in words."""
        if self.threshold is not None:
            return f"similarity above {self.threshold:g}"
        return f"the {100 * self.positive_rate:.3g} % of pairs that are most similar"


@dataclass(frozen=True, slots=True)
class Found:
    """What one measure gave, before intervals."""

    purity: Sampled | None
    separation: Sampled | None
    rereads: Sampled | None
    without_value: float
    positive_rate: float


@dataclass(frozen=True, slots=True)
class Cohort:
    """Readings to judge on.

    Attributes
    ----------
    gaze
        The readings that count.
    readings
        Which image each is of, and who read it.
    labelled
        Items with a label.
    note
        What was left out.
    """

    gaze: GazeList
    readings: Readings
    labelled: Labelled
    note: str = ""


Told = Callable[[str], None]
"""Hears of the measure that is looked at now."""


def _nobody(_measure: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Judging:
    """How to judge: the rule of pairs, settings by name, the measures, who hears of them."""

    rule: PairRule
    settings: Mapping[str, Any] = field(default_factory=dict)
    measures: Sequence[str] = ()
    told: Told = _nobody


def judge(
    gaze: GazeList, labels: Sequence[str | None], judging: Judging, control: ComparisonControl
) -> CohortEvidence:
    """Return what each measure carries on some readings.

    Parameters
    ----------
    gaze
        Items with their readings.
    labels
        Of each item; None or "" without one.
    judging
        How.
    control
        Threads, listeners, stop and cache.

    Raises
    ------
    SimilarityError
        For settings that a measure does not have; see `check_settings`.
    Cancelled
        If the user asked to stop.
    """
    items, left = ItemSettings.split(judging.settings)
    cohort = _cohort(chosen_readings(gaze, items), labels)
    weights = draw_weights(cohort.labelled.images), draw_weights(cohort.readings.images)
    found = {}
    for name in judging.measures or tuple(MEASURES):
        judging.told(name)
        try:
            readings = _of_readings(name, cohort.gaze, left, control)
        except NothingToLearnError as error:
            if judging.measures:
                raise
            cohort = replace(cohort, note=f"{cohort.note} {error}".strip())
            continue
        found[name] = _found(readings, cohort, items.combine, judging.rule, weights)
    return _evidence(found, cohort, judging.rule)


def _cohort(gaze: GazeList, labels: Sequence[str | None]) -> Cohort:
    known = np.array([label or "" for label in labels], np.str_)
    note = ""
    if len(gaze.gazes) > MOST_READINGS:
        kept = _drawn(gaze, known)
        note = f"Evaluated on {len(kept):,} of {len(gaze.ids):,} items, drawn with a fixed seed."
        gaze, known = chosen_items(gaze, kept.tolist()), known[kept]
    gaze = replace(gaze, labels=tuple(known.tolist()))
    images = codes_of(gaze.cases or gaze.ids)
    coded = np.where(known == "", UNKNOWN, codes_of(known.tolist()))
    of = known_of(gaze)
    readings = Readings(of.image, of.reader, len(set(images.tolist())))
    return Cohort(gaze, readings, labelled_of(coded, images), note)


def _drawn(gaze: GazeList, known: NDArray[np.str_]) -> NDArray[np.int64]:
    """Return some items with `MOST_READINGS` readings at most; those with a label come first."""
    order = np.random.default_rng(0).permutation(len(gaze.ids))
    labelled = order[known[order] != ""]
    first = labelled[: MOST_READINGS // 2]
    rest = order[~np.isin(order, first)]
    counts = np.bincount(gaze.owners, minlength=len(gaze.ids))
    wanted = np.concatenate((first, rest))
    kept = wanted[np.cumsum(counts[wanted]) <= MOST_READINGS]
    return np.sort(kept).astype(np.int64)


def _of_readings(
    measure: str, gaze: GazeList, settings: Mapping[str, Any], control: ComparisonControl
) -> Similarity:
    alone = readings_alone(gaze)
    if learns(measure) and control.fitted is None:
        return by_halves(measure, alone, settings, control)
    return prepare(measure, alone, settings, control).matrix()


def _found(
    readings: Similarity,
    cohort: Cohort,
    combine: str,
    rule: PairRule,
    weights: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> Found:
    items = _of_items(readings, cohort.gaze, combine)
    threshold, values, valid = rule.of(items), readings.matrix, readings.valid
    pure = None
    if cohort.labelled.images >= LEAST_LABELS:
        pure = purity(items.matrix, items.valid, threshold, cohort.labelled, weights[0])
    return Found(
        pure,
        between_readers(values, valid, cohort.readings, weights[1]),
        of_rereads(values, valid, cohort.readings, weights[1]),
        share_of_valid(int((~np.diagonal(valid)).sum()), len(valid)),
        positive_rate(items.matrix, items.valid, threshold),
    )


def _of_items(readings: Similarity, gaze: GazeList, combine: str) -> Similarity:
    if one_reading_each(gaze):
        return readings
    starts = np.searchsorted(gaze.owners, np.arange(len(gaze.ids) + 1)).astype(np.int64)
    pairs = combined(Pairs(readings.matrix, readings.valid), starts, starts, combine)
    return replace(readings, matrix=pairs.values, valid=pairs.valid)


def _evidence(found: Mapping[str, Found], cohort: Cohort, rule: PairRule) -> CohortEvidence:
    pure = joint_figures({name: f.purity for name, f in found.items()})
    apart = joint_figures({name: f.separation for name, f in found.items()})
    again = joint_figures({name: f.rereads for name, f in found.items()})
    rows = tuple(
        MeasureEvidence(
            name,
            pure.get(name),
            apart.get(name),
            again.get(name),
            f.without_value,
            f.positive_rate,
            0 if f.purity is None else f.purity.count,
        )
        for name, f in found.items()
    )
    taken = recommend(rows, cohort.labelled.images)
    return CohortEvidence(
        rows,
        taken.measure,
        taken.reason,
        taken.carries,
        taken.judged_by,
        len(cohort.gaze.ids),
        len(cohort.gaze.gazes),
        cohort.readings.images,
        cohort.labelled.images,
        str(rule),
        cohort.note,
    )
