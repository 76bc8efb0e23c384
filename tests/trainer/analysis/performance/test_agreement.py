"""Agreement equals published examples and scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from trainer.analysis.performance.agreement import Weights, cohen_kappa, fleiss_kappa, icc
from trainer.analysis.performance.operating import operating, share


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
def test_kappa_of_two_readers_is_that_of_scikit_learn(weights: Weights) -> None:
    rng = np.random.default_rng(3)
    one = rng.integers(1, 6, 60)
    other = np.clip(one + rng.integers(-1, 2, 60), 1, 5)

    expected = cohen_kappa_score(one, other, weights=None if weights == "none" else weights)

    assert cohen_kappa(one, other, weights) == pytest.approx(expected)


def test_readers_who_always_say_the_same_have_no_kappa() -> None:
    assert np.isnan(cohen_kappa(np.ones(5), np.ones(5)))
    assert np.isnan(cohen_kappa(np.array([]), np.array([])))


def test_fleiss_kappa_of_the_textbook_table() -> None:
    # Fourteen raters, ten subjects, five categories: kappa .210 (Fleiss, 1971).
    table = np.array(
        [
            [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
            [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
        ]
    )  # fmt: skip
    given = np.array([np.repeat(np.arange(5), row) for row in table]).T

    assert fleiss_kappa(given) == pytest.approx(0.210, abs=5e-4)


def test_icc_of_shrout_and_fleiss_table() -> None:
    # Six targets, four judges: ICC(2,1) is .29 (Shrout and Fleiss, 1979).
    rating = np.array(
        [[9, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2], [5, 3, 6, 2, 6, 4], [8, 2, 8, 6, 9, 7]]
    )

    assert icc(rating.astype(np.float64)) == pytest.approx(0.29, abs=5e-3)


def test_sensitivity_counts_positives_and_specificity_the_others() -> None:
    truth = np.array([True, True, True, False, False])
    called = np.array([True, True, False, False, True])

    found = operating(called, truth)

    assert (found.sensitivity.hits, found.sensitivity.count) == (2, 3)
    assert (found.specificity.hits, found.specificity.count) == (1, 2)
    assert found.accuracy.value == pytest.approx(3 / 5)


def test_a_share_has_the_exact_interval_of_clopper_and_pearson() -> None:
    # 0 of 10 reaches to 1 - .025 ** (1 / 10); 10 of 10 mirrors it.
    none, all_ = share(np.zeros(10, dtype=bool)), share(np.ones(10, dtype=bool))

    assert (none.low, none.high) == pytest.approx((0.0, 1 - 0.025**0.1))
    assert (all_.low, all_.high) == pytest.approx((0.025**0.1, 1.0))


@pytest.mark.parametrize("value", [0.1, 0.3, 0.7, 33.3])
def test_ratings_that_never_vary_have_no_icc(value: float) -> None:
    assert np.isnan(icc(np.full((5, 11), value)))
