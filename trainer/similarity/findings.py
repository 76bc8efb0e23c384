"""What similarity tells: how it is distributed, who matches whom, whether gaze carries the case.

Qt-free and figure-free: numbers for the table in the terminal, the report and the station.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.gaze.pair_rates import (
    COMMON_THRESHOLDS,
    odd_items,
    pair_values,
    pairs_among,
    positive_rate,
    rates_at,
)
from trainer.similarity.base import BoolArray, FloatArray, Similarity

PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
BINS = 50
_NAMED = 20
_SAMPLE = 1_000_000


@dataclass(frozen=True, slots=True)
class Distribution:
    """How the similarities of valid pairs lie.

    Attributes
    ----------
    pairs, valid_pairs
        i < j; those for which the measure gives a value.
    percentiles
        By percent as text.
    edges, counts
        Histogram: shapes (BINS + 1,) and (BINS,).
    positive_rates
        Share of valid pairs above common thresholds, by threshold as text.
    """

    pairs: int
    valid_pairs: int
    percentiles: dict[str, float]
    edges: list[float]
    counts: list[int]
    positive_rates: dict[str, float]


@dataclass(frozen=True, slots=True)
class Matches:
    """Items that match nearly everything or nothing above a threshold: their gaze may be bad.

    Attributes
    ----------
    threshold, positive_rate
        In force, and the share of valid pairs above it.
    everything
        (id, share of its valid pairs above), the most first; at most 20 are named.
    nothing
        Ids without one pair above; at most 20 are named.
    without_value
        Ids for which the measure gives no value at all; at most 20 are named.
    everything_count, nothing_count, without_value_count
        How many there are.
    """

    threshold: float
    positive_rate: float
    everything: list[tuple[str, float]]
    nothing: list[str]
    without_value: list[str]
    everything_count: int
    nothing_count: int
    without_value_count: int


@dataclass(frozen=True, slots=True)
class CaseSplit:
    """Whether gaze carries the case: readings of one case against readings of different cases.

    Attributes
    ----------
    who
        "different readers" where readers are known, else "different files".
    within_pairs, between_pairs
        Valid pairs of readings of the same case, and of different ones, compared alike (by
        different readers).
    within_mean, between_mean
        Their similarity.
    separation
        Chance that a pair of one case is more alike than a pair of two cases, ties counting half:
        0.5 where gaze says nothing of the case, 1 where it tells all cases apart.
    by_readers
        (reader, reader, within mean, between mean, within pairs) for each two readers.
    """

    who: str
    within_pairs: int
    between_pairs: int
    within_mean: float
    between_mean: float
    separation: float
    by_readers: list[tuple[str, str, float, float, int]]


@dataclass(frozen=True, slots=True)
class Findings:
    """All that is told of one measure on one list of items."""

    measure: str
    items: int
    distribution: Distribution
    matches: Matches | None
    case_split: CaseSplit | None
    agreement: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON and for `similarity_run.details`."""
        return asdict(self)


def describe(
    similarity: Similarity,
    ids: Sequence[str],
    threshold: float | None,
    case_split: CaseSplit | None = None,
    agreement: Mapping[str, float] | None = None,
) -> Findings:
    """Return the findings of a matrix (N, N) of items."""
    matches = None
    if threshold is not None:
        matches = odd_ones(similarity.matrix, similarity.valid, ids, threshold)
    return Findings(
        similarity.measure,
        len(ids),
        distribution(similarity.matrix, similarity.valid),
        matches,
        case_split,
        dict(agreement or {}),
    )


def distribution(matrix: FloatArray, valid: BoolArray) -> Distribution:
    """Return how the valid pairs of (N, N) matrices lie."""
    values, n = pair_values(matrix, valid), len(matrix)
    low = min(0.0, float(values.min())) if len(values) else 0.0
    counts, edges = np.histogram(values, BINS, (low, 1.0))
    points = np.percentile(values, PERCENTILES) if len(values) else ()
    return Distribution(
        pairs_among(n),
        len(values),
        {str(p): float(v) for p, v in zip(PERCENTILES, points, strict=False)},
        edges.tolist(),
        counts.tolist(),
        rates_at(matrix, valid, COMMON_THRESHOLDS),
    )


def odd_ones(
    matrix: FloatArray,
    valid: BoolArray,
    ids: Sequence[str],
    threshold: float,
    comparable: BoolArray | None = None,
) -> Matches:
    """Return the items that match nearly everything, nothing, or cannot be compared.

    `comparable` (N,) says which have a value where the matrices are those of a graph, `valid` only
    what it stores.
    """
    off = ~np.eye(len(ids), dtype=bool)
    partners = (valid & off).sum(axis=1) if comparable is None else partners_among(comparable)
    above = ((matrix > threshold) & valid & off).sum(axis=1)
    rate = positive_rate(matrix, valid, threshold, int(partners.sum()) // 2)
    return odd_of_counts(above, partners, ids, threshold, rate)


def partners_among(comparable: BoolArray) -> NDArray[np.int64]:
    """Return with how many others each item (N,) has a value, if it has one with any."""
    return np.where(comparable, np.count_nonzero(comparable) - 1, 0)


def odd_of_counts(
    above: NDArray[np.integer],
    partners: NDArray[np.integer],
    ids: Sequence[str],
    threshold: float,
    rate: float,
) -> Matches:
    """Return the same from how many partners (N,) each item has, and how many lie above."""
    most, none, without = odd_items(above, partners)
    return Matches(
        threshold,
        rate,
        [(ids[i], float(above[i] / partners[i])) for i in most[:_NAMED]],
        [ids[i] for i in none[:_NAMED]],
        [ids[i] for i in without[:_NAMED]],
        len(most),
        len(none),
        len(without),
    )


def case_split(
    readings: Similarity, cases: Sequence[object], readers: Sequence[str]
) -> CaseSplit | None:
    """Return how readings of one case compare with those of different cases.

    Parameters
    ----------
    readings
        Similarity of R readings.
    cases
        Shape (R,): what was read.
    readers
        Shape (R,); pairs of one and the same reader are left out on both sides, since a reader's
        own way of looking would count as the case. Empty where nobody is named; a reading without
        a name among named ones is its own reader's.

    Returns
    -------
    CaseSplit or None
        None unless there are pairs of both kinds.
    """
    first, second = np.triu_indices(len(cases), 1)
    fine = readings.valid[first, second]
    who = "different files"
    names = np.array(list(readers), dtype=np.str_)
    if len(names):
        who = "different readers"
        fine = fine & ((names[first] != names[second]) | (names[first] == ""))
    first, second = first[fine], second[fine]
    codes = np.unique(np.array([str(case) for case in cases]), return_inverse=True)[1]
    same, values = codes[first] == codes[second], readings.matrix[first, second]
    if not same.any() or same.all():
        return None
    by_readers = _by_readers(names, first, second, same, values) if len(names) else []
    return CaseSplit(
        who,
        int(same.sum()),
        int((~same).sum()),
        float(values[same].mean()),
        float(values[~same].mean()),
        separation(values[same], values[~same]),
        by_readers,
    )


def separation(within: FloatArray, between: FloatArray) -> float:
    """Return the chance that a value of `within` lies above one of `between`, ties half."""
    ranks = rankdata(np.concatenate((within, between)))
    least = len(within) * (len(within) + 1) / 2
    return float((ranks[: len(within)].sum() - least) / (len(within) * len(between)))


def _by_readers(
    names: NDArray[np.str_],
    first: NDArray[np.intp],
    second: NDArray[np.intp],
    same: BoolArray,
    values: FloatArray,
) -> list[tuple[str, str, float, float, int]]:
    rows = []
    for a, b in combinations(sorted(set(names.tolist()) - {""}), 2):
        both = ((names[first] == a) & (names[second] == b)) | (
            (names[first] == b) & (names[second] == a)
        )
        within, between = values[both & same], values[both & ~same]
        if len(within) and len(between):
            means = float(within.mean()), float(between.mean())
            rows.append((str(a), str(b), *means, len(within)))
    return rows


def rank_correlation(a: Similarity, b: Similarity) -> float | None:
    """Return Spearman's correlation of two measures over the pairs that are valid in both.

    At most a million pairs, drawn by a fixed seed. None where one of them is constant.
    """
    n = len(a.matrix)
    first, second = _some_pairs(n)
    fine = a.valid[first, second] & b.valid[first, second]
    x, y = a.matrix[first, second][fine], b.matrix[first, second][fine]
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    return float(np.corrcoef(rankdata(x), rankdata(y))[0, 1])


def _some_pairs(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    if n * (n - 1) // 2 <= _SAMPLE:
        return np.triu_indices(n, 1)
    rng = np.random.default_rng(0)
    first = rng.integers(0, n, _SAMPLE)
    second = (first + rng.integers(1, n, _SAMPLE)) % n
    return np.minimum(first, second), np.maximum(first, second)


def rankdata(values: FloatArray) -> FloatArray:
    """Return the ranks of values, ties sharing their mean."""
    from scipy import stats  # half a second to import; most runs need no ranks

    ranks: FloatArray = stats.rankdata(values)
    return ranks
