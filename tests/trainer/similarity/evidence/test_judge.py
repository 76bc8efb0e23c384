from dataclasses import replace

import numpy as np
import pytest

from migrations.study.evidence import CohortEvidence, Figure, MeasureEvidence
from tests.trainer.similarity.evidence.made_cohort import made_gaze
from trainer.errors import SimilarityError
from trainer.similarity.comparison import ComparisonControl, prepare
from trainer.similarity.evidence.judge import Judging, PairRule, judge
from trainer.similarity.evidence.recommend import recommend
from trainer.similarity.evidence.settings import check_settings
from trainer.similarity.registry import MEASURES

QUIET = ComparisonControl(jobs=1)
RULE = PairRule(0.05)


def evidence_of(carries: str, labelled: int = 36, measures=("moment", "density", "dhash")):
    gaze, labels = made_gaze(carries=carries)
    known = [label if k < labelled else None for k, label in enumerate(labels)]
    return judge(gaze, known, Judging(RULE, {}, measures), QUIET)


def row(measure: str, purity=None, separation=None) -> MeasureEvidence:
    return MeasureEvidence(measure, purity, separation, None, 0.0, 0.05)


def test_a_cohort_whose_gaze_carries_the_label_says_so() -> None:
    found = evidence_of("label")
    assert found.carries
    assert found.judged_by == "purity"
    best = {r.measure: r.purity for r in found.rows}[found.recommended]
    assert best is not None
    assert best.low > 1
    assert "recommended" in found.reason
    assert found.recommended in ("density", "dhash")  # blind to position, moments see little


def test_a_few_labels_suffice_and_fewer_than_twenty_are_not_used() -> None:
    assert evidence_of("label", labelled=24).judged_by == "purity"
    found = evidence_of("label", labelled=19)
    assert found.judged_by == "separation"
    assert all(r.purity is None for r in found.rows)
    assert "Only 19 images have a label" in found.reason


def test_labels_that_gaze_does_not_carry_are_said_to_be_so_and_density_is_taken() -> None:
    found = evidence_of("image")
    assert not found.carries
    assert found.recommended == "density"
    assert "With no measure are pairs purer than chance" in found.reason
    assert "Gaze pairs are unlikely to help" in found.reason
    assert any(r.separation is not None and r.separation.low > 0.5 for r in found.rows)


def test_without_labels_the_measure_is_taken_that_finds_the_image_again() -> None:
    found = evidence_of("image", labelled=0)
    assert found.judged_by == "separation"
    assert found.carries
    best = max(found.rows, key=lambda r: r.separation.value if r.separation else 0)
    assert found.recommended == best.measure


def test_without_labels_and_second_readers_nothing_can_be_said() -> None:
    gaze, _ = made_gaze(readers=1)
    found = judge(gaze, [None] * 36, Judging(RULE, {}, ("moment", "density")), QUIET)
    assert (found.recommended, found.carries, found.judged_by) == ("density", False, "")
    assert "More labels would help" in found.reason


def test_all_measures_are_judged_at_the_rate_in_force() -> None:
    gaze, labels = made_gaze(images=24)
    found = judge(gaze, labels, Judging(PairRule(0.1)), QUIET)
    left_out = {"taught"}  # of 24 labelled images no half has twenty to learn of
    assert [r.measure for r in found.rows] == [m for m in MEASURES if m not in left_out]
    assert "taught learns from labelled images" in found.note
    assert all(r.positive_rate <= 0.1 for r in found.rows)
    density = next(r for r in found.rows if r.measure == "density")
    matrix = prepare("density", gaze, {}, QUIET).matrix()
    threshold = PairRule(0.1).of(matrix)
    upper = matrix.matrix[np.triu_indices(24, 1)]
    assert density.positive_rate == pytest.approx((upper > threshold).mean())


def test_files_of_one_case_stay_items_and_are_no_pairs_of_purity() -> None:
    gaze, labels = made_gaze(images=36)
    files = replace(
        gaze,
        ids=tuple(f"f{k}" for k in range(72)),
        owners=np.arange(72),
        cases=tuple(f"c{k // 2}" for k in range(72)),
    )
    found = judge(files, [label for label in labels for _ in (0, 1)], Judging(RULE), QUIET)
    assert (found.items, found.images, found.labelled_images) == (72, 36, 36)
    nameless = judge(
        replace(files, readers=()), [None] * 72, Judging(RULE, {}, ("density",)), QUIET
    )
    named = judge(files, [None] * 72, Judging(RULE, {}, ("density",)), QUIET)
    assert nameless.rows[0].separation is not None
    assert named.rows[0].separation is not None
    assert named.rows[0].rereads is None


def test_evidence_is_kept_as_plain_values_and_found_again() -> None:
    found = evidence_of("label")
    assert CohortEvidence.from_dict(found.as_dict()) == found
    assert len(found.table()) == len(found.rows)


def test_the_highest_purity_above_chance_is_taken_not_the_highest_of_all() -> None:
    rows = [
        row("a", Figure(1.9, 0.7, 3.1), Figure(0.9, 0.8, 1.0)),
        row("b", Figure(1.3, 1.1, 1.5), Figure(0.6, 0.5, 0.7)),
        row("c", Figure(1.2, 1.15, 1.25), Figure(0.95, 0.9, 1.0)),
    ]
    assert recommend(rows, 50).measure == "b"
    assert recommend([rows[0]], 50).measure == "density"
    assert "1.90 [0.70, 3.10]" in recommend([rows[0]], 50).reason


@pytest.mark.parametrize("settings", [{"eps": 0.1}, {"points": "fixations"}, {"canvas": "wide"}])
def test_auto_takes_only_what_all_measures_have(settings) -> None:
    with pytest.raises(SimilarityError):
        check_settings("auto", settings)
    check_settings("auto", {"canvas": 400, "combine": "max"})
