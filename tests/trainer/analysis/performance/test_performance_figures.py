"""ROC, AFROC and forest plot: areas and intervals equal to those reckoned another way."""

import numpy as np
import pytest

from trainer.analysis.performance.auc import auc
from trainer.analysis.performance.figures.curves import (
    MEAN,
    localised_figure,
    mean_curve,
    roc_figure,
)
from trainer.analysis.performance.figures.forest import forest_figure, forest_rows
from trainer.analysis.performance.ratings import Rating, Ratings, ratings_of
from trainer.analysis.performance.result import performance_of


def made(arms: int, readers: int = 3) -> Ratings:
    rng = np.random.default_rng(7)
    truth = np.arange(30) < 12
    return ratings_of([
        Rating(f"R{j}", f"A{i}", str(k), bool(truth[k]),
               float(np.round(rng.normal(1.2 * truth[k] + 0.3 * i, 1))))
        for i in range(arms) for j in range(readers) for k in range(30)
    ])  # fmt: skip


def area(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.trapezoid(y, x))


def test_the_area_under_the_mean_curve_is_the_mean_of_the_areas() -> None:
    ratings = made(2)

    figure = roc_figure(ratings)

    for i, arm in enumerate(ratings.arms):
        points = np.array([row[2:] for row in figure.rows if row[:2] == (arm, MEAN)], float)
        areas = [auc(ratings.rating[i, j], ratings.truth) for j in range(3)]
        assert area(*points.T) == pytest.approx(np.mean(areas))
        assert (np.diff(points, axis=0) >= 0).all()


def test_where_a_curve_rises_straight_up_foot_and_top_are_kept() -> None:
    one = (np.array([0.0, 0.0, 0.5, 0.5, 1.0]), np.array([0.0, 0.4, 0.6, 0.9, 1.0]))
    other = (np.array([0.0, 1.0]), np.array([0.0, 1.0]))

    x, y = mean_curve([one, other])

    assert x.tolist() == [0, 0, 0.5, 0.5, 1, 1]
    assert y == pytest.approx([0.0, 0.2, 0.55, 0.7, 1.0, 1.0])


def test_the_interval_of_a_reader_is_that_of_leaving_out_each_case() -> None:
    ratings = made(2)
    found = performance_of(ratings)

    rows = forest_rows(ratings, found)

    for j in range(3):
        one, other = ratings.rating[:, j]
        left_out = []
        for k in range(30):
            kept = np.arange(30) != k
            left_out.append(auc(one[kept], ratings.truth[kept])
                            - auc(other[kept], ratings.truth[kept]))  # fmt: skip
        error = np.sqrt(29 * np.var(left_out))
        value = auc(one, ratings.truth) - auc(other, ratings.truth)
        assert rows[j][2:] == pytest.approx((value, value - 1.959964 * error,
                                             value + 1.959964 * error), abs=1e-6)  # fmt: skip
    assert rows[3][1:] == (MEAN, *(pytest.approx(found[k]) for k in ("difference", "low", "high")))


def test_one_arm_shows_areas_and_three_arms_every_pair() -> None:
    single, triple = made(1), made(3)

    alone = forest_figure(single, performance_of(single))
    pairs = forest_figure(triple, performance_of(triple))

    assert [row[1] for row in alone.rows] == ["R0", "R1", "R2", MEAN]
    assert alone.title == "AUC of each reader"
    assert list(dict.fromkeys(row[0] for row in pairs.rows)) == [
        "A0 minus A1", "A0 minus A2", "A1 minus A2",
    ]  # fmt: skip


def test_afroc_is_drawn_from_the_points_of_the_localisation() -> None:
    points = [{"arm": "a", "reader": r, "curve": c, "x": x, "y": y, "threshold": t}
              for r in ("1", "2") for c in ("froc", "afroc")
              for x, y, t in ((0.0, 0.0, None), (0.0, 0.5, 3.0), (1.0, 1.0, None))]  # fmt: skip

    figure = localised_figure(points, "afroc")

    assert figure is not None
    mean = np.array([row[2:] for row in figure.rows if row[1] == MEAN], float)
    assert area(*mean.T) == pytest.approx(0.75)
    assert localised_figure([], "afroc") is None
    assert [(t.where["reader"], dict(t.least)) for t in figure.targets] == [
        ("1", {"rating": 3.0}), ("1", {}), ("2", {"rating": 3.0}), ("2", {}),
    ]  # fmt: skip
    assert {t.table for t in figure.targets} == {"marks"}


@pytest.mark.parametrize("arms", [1, 2])
def test_readers_who_are_never_wrong_have_no_interval_of_width_0(arms: int) -> None:
    ratings = ratings_of([
        Rating(f"R{j}", f"A{i}", str(k), k < 3, float(k < 3))
        for i in range(arms) for j in range(2) for k in range(6)
    ])  # fmt: skip
    found = performance_of(ratings)

    rows = forest_rows(ratings, found)

    assert found["auc_interval"] == [[None, None]] * arms
    assert [found[name] for name in ("F", "p", "low", "high", "p_of_difference")] == [None] * 5
    assert np.isnan([row[3:] for row in rows]).all()
    assert "nan" not in forest_figure(ratings, found).content


def test_the_interval_of_an_area_ends_at_0_and_1() -> None:
    ratings = made(1)

    rows = forest_rows(ratings, performance_of(ratings))

    assert min(row[3] for row in rows) >= 0
    assert max(row[4] for row in rows) == 1


def test_a_point_of_the_roc_and_a_row_of_the_forest_lead_to_their_answers() -> None:
    ratings = made(2)
    found = performance_of(ratings)

    assert not roc_figure(ratings).targets
    assert not forest_figure(ratings, found).targets
    points = roc_figure(ratings, has_answers=True).targets
    rows = forest_figure(ratings, {**found, "answers": [{}]}).targets
    assert {(t.where["arm"], t.where["reader"]) for t in points} == {
        (arm, reader) for arm in ratings.arms for reader in ratings.readers
    }
    assert [dict(t.where) for t in rows] == [*({"reader": r} for r in ratings.readers), {}]
    assert {t.table for t in (*points, *rows)} == {"answers"}
    of_one = [t.least["rating"] for t in points if dict(t.where) == {"reader": "R0", "arm": "A0"}]
    assert of_one == sorted(set(ratings.rating[0, 0].tolist()), reverse=True)
