"""Arms compared by AFROC: equal to the ROC's comparison where both are one, and to brute force."""

import numpy as np
import pytest

from tests.trainer.analysis.performance.test_performance_figures import made
from trainer.analysis.performance.afroc_arms import compare_afroc
from trainer.analysis.performance.localisation import UNMARKED, ScoredCase
from trainer.analysis.performance.marks import marks_remark, with_confidence
from trainer.analysis.performance.result import performance_of
from trainer.analysis.performance.study_ratings import Decision
from trainer.analysis.reported import Reported


@pytest.mark.parametrize("random", ["both", "readers", "cases"])
def test_with_one_mark_in_each_case_it_is_the_comparison_of_the_auc(random: str) -> None:
    ratings = made(2)
    scored = {
        (arm, reader): {
            case: ScoredCase((r,), ()) if ratings.truth[k] else ScoredCase((), (r,))
            for k, (case, r) in enumerate(zip(ratings.cases, ratings.rating[i, j], strict=True))
        }
        for i, arm in enumerate(ratings.arms)
        for j, reader in enumerate(ratings.readers)
    }

    roc = performance_of(ratings, random)
    found, weighted = (compare_afroc(scored, random, area) for area in ("afroc", "wafroc"))

    assert found["afroc"] == pytest.approx(roc["auc"])
    assert weighted["wafroc"] == pytest.approx(roc["auc"])
    assert weighted["F"] == pytest.approx(roc["F"])
    for key in ("F", "p", "difference", "low", "high"):
        assert found[key] == pytest.approx(roc[key])


def test_the_covariance_is_that_of_leaving_out_each_case_by_hand() -> None:
    rng = np.random.default_rng(5)
    scored = {}
    for arm in "ab":
        for reader in "12":
            scored[arm, reader] = {
                str(k): ScoredCase(
                    tuple(np.where(rng.random(k % 3) < 0.3, UNMARKED, rng.integers(1, 6, k % 3))),
                    tuple(rng.integers(1, 6, rng.integers(0, 3)).astype(float)),
                )
                for k in range(15)
            }

    found = compare_afroc(scored, "cases")

    def area(cell: dict[str, ScoredCase]) -> float:
        hits = [r for c in cell.values() for r in c.lesions]
        false = [max(c.elsewhere, default=UNMARKED) for c in cell.values() if not c.lesions]
        wins = [(h > f) + (h == f) / 2 for h in hits for f in false]
        return float(np.mean(wins))

    def difference(without: str | None) -> float:
        areas = {who: area({k: c for k, c in cell.items() if k != without})
                 for who, cell in scored.items()}  # fmt: skip
        return (areas["a", "1"] + areas["a", "2"] - areas["b", "1"] - areas["b", "2"]) / 2

    left_out = np.array([difference(str(k)) for k in range(15)])
    error = np.sqrt(14 / 15 * ((left_out - left_out.mean()) ** 2).sum())
    assert found["difference"] == pytest.approx(difference(None))
    # Readers fixed: the standard error is that of the mean difference over cases, as long as
    # Cov2 - Cov3 is not below 0, which the method cuts off.
    assert found["components"]["cov2"] >= found["components"]["cov3"]
    reach = (found["high"] - found["low"]) / 2
    assert reach == pytest.approx(1.959964 * error, rel=1e-5)


def test_what_cannot_be_compared_says_why() -> None:
    one = {"1": ScoredCase((1.0,), ()), "2": ScoredCase((), (1.0,))}

    assert "two normal cases" in compare_afroc({("a", "r"): one, ("b", "r"): one}, "cases")[
        "not_compared"
    ]  # fmt: skip
    lacking = compare_afroc({("a", "r"): one, ("b", "s"): one}, "both")["not_compared"]
    assert lacking == "Reader s has no case in arm a."


def test_a_mark_without_a_confidence_among_others_is_told_and_not_taken_for_1() -> None:
    sure, unsure = Reported("i", 0, 1, 1, rating=4.0), Reported("i", 0, 1, 1, rating=np.nan)
    decisions = [Decision("r", "a", c, True, 1.0, True, reading=c) for c in ("x", "y", "z")]

    kept, notes = with_confidence(decisions, {"x": [sure], "y": [sure, unsure]})

    assert [d.reading for d in kept] == ["x", "z"]
    assert notes == ["of the localisation, 1 reading with a mark that has no confidence"]
    assert marks_remark({"x": [sure]}) == []
    assert marks_remark({"x": [Reported("i", 0, 1, 1)]}) == [
        "no mark has a confidence, so all marks count equally"
    ]
