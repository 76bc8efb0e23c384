"""Arms compared: equal to figures published for Van Dyke's study, and to its own definition."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.reader_studies import type_one_error
from trainer.analysis.performance.auc import auc
from trainer.analysis.performance.covariance import COVARIANCES, auc_matrix, delong, jackknife
from trainer.analysis.performance.obuchowski_rockette import compare_arms
from trainer.analysis.performance.ratings import FloatArray, Rating, Ratings, ratings_of
from trainer.errors import PerformanceError

VAN_DYKE = Path(__file__).parents[5] / "shared" / "real" / "vandyke.csv"

# Published by the user guide of the R package MRMCaov 0.3.0: column of cases, covariance, what is
# random, then F (X² of one degree of freedom where cases alone are random), ddf, p, low, high.
PUBLISHED = [
    ("case", "jackknife", "both", 4.456319, 15.25967, 0.0516657, -0.0879595, 0.0003589),
    ("case", "delong", "both", 4.484854, 15.06611, 0.05123303, -0.0878671960, 0.0002665519),
    ("case", "unbiased", "both", 4.489614, 15.03418, 0.0511618, -0.0878519409, 0.0002512968),
    ("case", "jackknife", "cases", 5.475953, np.inf, 0.01927984, -0.08048591, -0.00711473),
    ("case", "jackknife", "readers", 8.704, 4, 0.04195875, -0.08502022, -0.00258042),
    ("case2", "jackknife", "both", 8.704, 4, 0.04195875, -0.08502022, -0.00258042),
    ("case3", "jackknife", "both", 2.104491, 68.42325, 0.1514363, -0.10404242, 0.01644178),
]


def van_dyke(cases: str) -> Ratings:
    if not VAN_DYKE.is_file():
        pytest.skip("the handed folder shared/real is not beside this checkout")
    with VAN_DYKE.open() as file:
        return ratings_of(
            [
                Rating(r["reader"], r["treatment"], r[cases], r["truth"] == "1", float(r["rating"]))
                for r in csv.DictReader(file)
            ]
        )


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: "-".join(row[:3]))
def test_it_equals_what_is_published_of_van_dykes_study(row: tuple[Any, ...]) -> None:
    cases, covariance, random, *figure = row
    ratings = van_dyke(cases)

    found = compare_arms(auc_matrix(ratings), COVARIANCES[covariance](ratings), random)

    difference = found.differences[0, 1]
    got = (found.f, found.ddf, found.p, difference.low, difference.high)
    assert got == pytest.approx(figure, rel=1e-5, abs=1e-6)


def test_unbiased_covariances_are_those_published_of_van_dykes_study() -> None:
    ratings = van_dyke("case")

    parts = compare_arms(auc_matrix(ratings), COVARIANCES["unbiased"](ratings)).components

    assert (parts.variance, parts.cov1, parts.cov2, parts.cov3) == pytest.approx(
        (0.0007883925, 0.0003416706, 0.0003390650, 0.0002356148), rel=1e-6
    )


def test_each_arm_has_the_published_interval_of_its_own_data() -> None:
    ratings = van_dyke("case")

    arms = compare_arms(auc_matrix(ratings), jackknife(ratings), "cases").arms

    assert [(a.value, a.low, a.high) for a in arms] == [
        pytest.approx((0.8970370, 0.8494301, 0.9446440), abs=1e-6),
        pytest.approx((0.9408374, 0.9079564, 0.9737183), abs=1e-6),
    ]


def made(arms: int = 2, readers: int = 3, cases: int = 14, seed: int = 1) -> Ratings:
    rng = np.random.default_rng(seed)
    truth = np.arange(cases) % 2 == 0
    rating = rng.integers(1, 6, (arms, readers, cases)) + 2.0 * truth
    return Ratings(
        tuple(map(str, range(arms))),
        tuple(map(str, range(readers))),
        tuple(map(str, range(cases))),
        truth,
        rating,
    )


def test_jackknife_is_leaving_out_each_case_and_computing_anew() -> None:
    ratings = made()
    cells = ratings.rating.reshape(-1, 14)

    left_out = [
        [auc(np.delete(cell, k), np.delete(ratings.truth, k)) for k in range(14)] for cell in cells
    ]

    assert jackknife(ratings) == pytest.approx(np.cov(left_out, ddof=0) * 13)


def test_delong_of_one_cell_is_the_variance_of_mann_whitneys_kernel() -> None:
    ratings = made(arms=1, readers=1)
    positives, negatives = (ratings.rating[0, 0][t] for t in (ratings.truth, ~ratings.truth))
    kernel = (positives[:, None] > negatives) + (positives[:, None] == negatives) / 2

    expected = kernel.mean(axis=1).var(ddof=1) / 7 + kernel.mean(axis=0).var(ddof=1) / 7

    assert delong(ratings)[0, 0] == pytest.approx(expected)


def test_bootstrap_comes_near_the_jackknife() -> None:
    ratings = made(cases=80)

    ratio = np.diag(COVARIANCES["bootstrap"](ratings)) / np.diag(jackknife(ratings))

    assert ratio == pytest.approx(1.0, abs=0.15)


def test_three_arms_are_compared_pair_by_pair() -> None:
    ratings = made(arms=3)

    found = compare_arms(auc_matrix(ratings), jackknife(ratings))

    assert list(found.differences) == [(0, 1), (0, 2), (1, 2)]
    assert found.differences[0, 1].value + found.differences[1, 2].value == pytest.approx(
        found.differences[0, 2].value
    )


def test_one_reader_is_compared_by_cases_alone() -> None:
    ratings = made(readers=1)
    figures, covariance = auc_matrix(ratings), jackknife(ratings)

    with pytest.raises(PerformanceError, match="--random cases"):
        compare_arms(figures, covariance)
    assert np.isfinite(compare_arms(figures, covariance, "cases").p)


def test_equal_arms_differ_by_chance_as_often_as_they_should() -> None:
    assert type_one_error(studies=400, seed=5) == pytest.approx(0.05, abs=0.03)


@pytest.mark.parametrize("missing", [0.0, 0.25])
def test_the_unbiased_covariance_counts_pairs_of_pairs_that_share_no_case(missing: float) -> None:
    ratings = made(readers=2, cases=12, seed=3)
    hidden = np.random.default_rng(9).random(ratings.rating.shape) < missing
    rating = np.where(hidden, np.nan, ratings.rating)
    ratings = Ratings(ratings.arms, ratings.readers, ratings.cases, ratings.truth, rating)
    cells = rating.reshape(-1, 12)

    def pairs(cell: FloatArray) -> list[tuple[int, int, float]]:
        rated = [k for k in range(12) if not np.isnan(cell[k])]
        return [
            (p, n, float(np.sign(cell[p] - cell[n]) + 1) / 2)
            for p in rated if ratings.truth[p] for n in rated if not ratings.truth[n]
        ]  # fmt: skip

    def by_hand(one: FloatArray, other: FloatArray) -> float:
        mine, theirs = pairs(one), pairs(other)
        both = [s * t for _, _, s in mine for _, _, t in theirs]
        apart = [s * t for p, n, s in mine for q, m, t in theirs if p != q and n != m]
        return float(np.mean(both) - np.mean(apart))

    expected = [[by_hand(one, other) for other in cells] for one in cells]

    assert COVARIANCES["unbiased"](ratings) == pytest.approx(np.array(expected), abs=1e-12)


def test_the_unbiased_variance_is_right_on_average_with_few_cases() -> None:
    rng = np.random.default_rng(4)
    truth = np.arange(8) < 4
    areas, found = [], []
    for _ in range(1500):
        rating = (rng.normal(size=8) + truth)[None, None]
        ratings = Ratings(("a",), ("r",), tuple("12345678"), truth, rating)
        areas.append(auc(rating[0, 0], truth))
        found.append(COVARIANCES["unbiased"](ratings)[0, 0])

    assert np.mean(found) == pytest.approx(np.var(areas), rel=0.08)
