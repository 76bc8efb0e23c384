"""Measures of two readings against their definitions, computed another way."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tests.trainer.analysis.made_looks import made_look
from trainer.analysis.measures.maps import (
    FixationMap,
    against_others,
    auc_judd,
    kl_nat,
    nss,
    pair_of_maps,
)
from trainer.analysis.measures.strings import Strings, letters, similarities, timed_bins

ONE_FRAME = np.zeros(1, np.int64)


def test_levenshtein_is_the_textbook_recursion() -> None:
    one, other = made_look(1, fixations=9), made_look(2, fixations=7)
    a, b = letters(one).tolist(), letters(other).tolist()

    @lru_cache
    def distance(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        return min(  # type: ignore[no-any-return]
            distance(i - 1, j) + 1,
            distance(i, j - 1) + 1,
            distance(i - 1, j - 1) + (a[i - 1] != b[j - 1]),
        )

    found = similarities(Strings.of(one), Strings.of(other))["levenshtein_similarity"]

    assert found == pytest.approx(1 - distance(9, 7) / 9)


def test_scanmatch_is_the_best_alignment() -> None:
    one, other = made_look(1, fixations=3), made_look(2, fixations=2)
    a, b = timed_bins(one).tolist(), timed_bins(other).tolist()

    def score(p: int, q: int) -> float:
        (r, c), (s, d) = divmod(p, 12), divmod(q, 12)
        return 3.5 - float(np.hypot(r - s, c - d))

    @lru_cache
    def best(i: int, j: int) -> float:
        if not i or not j:
            return 0.0
        return max(best(i - 1, j - 1) + score(a[i - 1], b[j - 1]), best(i - 1, j), best(i, j - 1))

    found = similarities(Strings.of(one), Strings.of(other))["scanmatch"]

    assert found == pytest.approx(best(len(a), len(b)) / (3.5 * max(len(a), len(b))))


@pytest.mark.parametrize("lengths", [(1, 5), (2, 9), (3, 4), (9, 8), (40, 31)])
def test_scanmatch_of_any_length_and_over_frames_is_needleman_and_wunsch(
    lengths: tuple[int, int],
) -> None:
    rng = np.random.default_rng(sum(lengths))
    one, other = (
        replace(look, frame=rng.integers(0, 2, len(look.frame)))
        for look in (made_look(k, fixations=n) for k, n in enumerate(lengths))
    )
    a, b = timed_bins(one), timed_bins(other)
    (r, c), (s, d) = np.divmod(a % 96, 12), np.divmod(b % 96, 12)
    scores = 3.5 - np.hypot(r[:, None] - s, c[:, None] - d)
    scores[a[:, None] // 96 != b // 96] = 3.5 - np.hypot(7, 11)
    best = np.zeros((len(a) + 1, len(b) + 1))
    for i in range(len(a)):
        for j in range(len(b)):
            best[i + 1, j + 1] = max(best[i, j] + scores[i, j], best[i, j + 1], best[i + 1, j])

    found = similarities(Strings.of(one), Strings.of(other))["scanmatch"]

    assert found == best[-1, -1] / (3.5 * max(len(a), len(b)))


def test_a_reading_is_wholly_like_itself() -> None:
    look = made_look(3)
    own = FixationMap(look, ONE_FRAME)

    assert similarities(Strings.of(look), Strings.of(look)) == {
        "levenshtein_similarity": 1.0,
        "scanmatch": 1.0,
    }
    assert pair_of_maps(own, own)["density_correlation"] == pytest.approx(1)
    assert pair_of_maps(own, own)["kl_nat"] == pytest.approx(0, abs=1e-6)


def test_auc_of_a_map_is_that_of_scikit_learn() -> None:
    density = np.random.default_rng(1).integers(0, 9, (12, 20)).astype(np.float64)
    cells = np.array([3, 17, 17, 100, 221])
    fixated = np.zeros(240, bool)
    fixated[cells] = True

    assert auc_judd(density, cells) == pytest.approx(roc_auc_score(fixated, density.ravel()))


def test_nss_and_kl_are_what_their_formulas_say() -> None:
    density = np.array([[1.0, 3.0], [0.0, 4.0]])

    assert nss(density, np.array([3, 3, 1])) == pytest.approx((2 + 2 + 1) / 3 / np.sqrt(2.5))
    truth = np.array([[2.0, 2.0], [0.0, 4.0]])
    expected = 0.25 * np.log(0.25 / 0.125) + 0.25 * np.log(0.25 / 0.375) + 0
    assert kl_nat(truth, density) == pytest.approx(expected)


def test_readers_who_look_alike_foretell_each_other_better_than_the_centre() -> None:
    rng = np.random.default_rng(5)
    base = made_look(4)
    corner = np.array([90.0, 80.0])
    looks = []
    for k in range(3):
        looks.append(
            replace(base, reader=f"R{k}", points_image=corner + rng.normal(0, 20, (40, 2)))
        )

    rows = against_others([FixationMap(x, ONE_FRAME) for x in looks], [x.reader for x in looks])

    assert all(row["nss_others"] > 2 > row["nss_centre"] for row in rows)
    assert all(row["auc_judd_others"] > row["auc_judd_centre"] for row in rows)


def test_a_reader_alone_has_no_others() -> None:
    row = against_others([FixationMap(made_look(1), ONE_FRAME)], ["R1"])[0]

    assert np.isnan(row["nss_others"])
    assert np.isfinite(row["nss_centre"])
