import json

import numpy as np
import pytest
from rich.console import Console
from scipy.stats import mannwhitneyu, spearmanr

from devices.gaze.pair_rates import positive_rate, rates_at
from trainer.similarity.base import Similarity
from trainer.similarity.findings import (
    case_split,
    describe,
    odd_ones,
    rank_correlation,
    separation,
)
from trainer.similarity.tables import print_findings


def made(count: int = 12, seed: int = 0) -> Similarity:
    rng = np.random.default_rng(seed)
    values = rng.uniform(0, 1, (count, count))
    matrix = np.triu(values, 1) + np.triu(values, 1).T + np.eye(count)
    return Similarity(matrix, np.ones((count, count), bool), "tima")


def ids(count: int) -> list[str]:
    return [f"r{k}" for k in range(count)]


def test_a_distribution_counts_valid_pairs_only() -> None:
    similarity = made()
    similarity.valid[0, :] = similarity.valid[:, 0] = False
    found = describe(similarity, ids(12), 0.5).distribution
    upper = np.triu_indices(12, 1)
    values = similarity.matrix[upper][similarity.valid[upper]]
    assert (found.pairs, found.valid_pairs) == (66, 55)
    assert sum(found.counts) == 55
    assert found.percentiles["50"] == pytest.approx(np.median(values))
    assert found.positive_rates["0.9"] == pytest.approx((values > 0.9).mean())


def test_the_curve_falls_from_all_to_none() -> None:
    similarity = made()
    thresholds = np.linspace(0, 1, 201).tolist()
    curve = list(rates_at(similarity.matrix, similarity.valid, thresholds).values())
    assert len(curve) == 201
    assert curve[0] == 1
    assert curve[-1] == 0
    for threshold, rate in list(zip(thresholds, curve, strict=True))[::40]:
        assert rate == pytest.approx(positive_rate(similarity.matrix, similarity.valid, threshold))


def test_readings_that_match_everything_nothing_or_have_no_value_are_named() -> None:
    matrix = np.full((6, 6), 0.2)
    matrix[0, :5] = matrix[:5, 0] = 0.9  # r0 matches all but r4, which matches nothing
    matrix[0, 4] = matrix[4, 0] = 0.1
    np.fill_diagonal(matrix, 1)
    valid = np.ones((6, 6), bool)
    valid[5, :] = valid[:, 5] = False
    found = odd_ones(matrix, valid, ids(6), 0.5)
    assert found.everything == [("r0", pytest.approx(3 / 4))]
    assert found.nothing == ["r4"]
    assert found.without_value == ["r5"]
    assert found.positive_rate == pytest.approx(3 / 10)


def test_separation_is_the_chance_of_a_higher_value() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(3, 9, 40).astype(float), rng.integers(0, 7, 70).astype(float)
    expected = mannwhitneyu(a, b).statistic / (40 * 70)
    assert separation(a, b) == pytest.approx(expected)
    assert separation(np.ones(3), np.ones(4)) == 0.5


def test_a_case_read_by_several_is_compared_between_readers_only() -> None:
    # Two cases read by three readers each; same case 0.8, other case 0.3; one reader's own 0.99.
    cases, readers = [0, 0, 0, 1, 1, 1], ["A", "B", "C"] * 2
    matrix = np.full((6, 6), 0.3)
    for i in range(6):
        for j in range(6):
            matrix[i, j] = 0.8 if cases[i] == cases[j] else matrix[i, j]
            matrix[i, j] = 0.99 if readers[i] == readers[j] else matrix[i, j]
    similarity = Similarity(matrix, np.ones((6, 6), bool), "tima")
    found = case_split(similarity, cases, readers)
    assert found is not None
    assert (found.within_pairs, found.between_pairs) == (6, 6)
    assert (found.within_mean, found.between_mean) == (pytest.approx(0.8), pytest.approx(0.3))
    assert found.separation == 1
    assert found.who == "different readers"
    assert [row[:2] for row in found.by_readers] == [("A", "B"), ("A", "C"), ("B", "C")]
    assert found.by_readers[0][4] == 2
    unnamed = case_split(similarity, cases, ())
    assert unnamed is not None
    assert unnamed.between_pairs == 9
    assert case_split(similarity, range(6), readers) is None


def test_agreement_is_spearmans_correlation() -> None:
    a, b = made(seed=1), made(seed=2)
    b.matrix[:] = np.round(0.5 * a.matrix + 0.5 * b.matrix, 1)
    a.valid[3, :] = a.valid[:, 3] = False
    upper = np.triu_indices(12, 1)
    fine = a.valid[upper]
    expected = spearmanr(a.matrix[upper][fine], b.matrix[upper][fine]).statistic
    assert rank_correlation(a, b) == pytest.approx(expected)
    b.matrix[:] = 0.5
    assert rank_correlation(a, b) is None


@pytest.mark.parametrize("count", [0, 1, 2, 12])
def test_findings_are_json_and_a_table(count: int) -> None:
    similarity = made(count)
    split = case_split(similarity, [k // 2 for k in range(count)], ["A", "B"] * (count // 2))
    found = describe(similarity, ids(count), 0.9, split, {"moment": 0.25})
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False))["items"] == count
    with (
        Console(width=100, record=True, quiet=False, file=None) as console,
        console.capture() as shown,
    ):
        print_findings(console, found)
    assert f"{count} items" in shown.get()
    assert "+0.250" in shown.get()
