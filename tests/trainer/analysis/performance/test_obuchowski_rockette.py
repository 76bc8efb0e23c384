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
from trainer.analysis.performance.ratings import Rating, Ratings, ratings_of
from trainer.errors import PerformanceError

VAN_DYKE = Path(__file__).parents[5] / "shared" / "real" / "vandyke.csv"

# Published by the user guide of the R package MRMCaov 0.3.0: column of cases, covariance, what is
# random, then F (X² of one degree of freedom where cases alone are random), ddf, p, low, high.
PUBLISHED = [
    ("case", "jackknife", "both", 4.456319, 15.25967, 0.0516657, -0.0879595, 0.0003589),
    ("case", "delong", "both", 4.484854, 15.06611, 0.05123303, -0.0878671960, 0.0002665519),
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
