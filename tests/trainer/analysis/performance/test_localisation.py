"""Marks held against lesions by hand-made cases and by counting."""

from dataclasses import replace

import numpy as np
import pytest

from trainer.analysis.areas import Area
from trainer.analysis.performance.localisation import (
    UNMARKED,
    ScoredCase,
    afroc_area,
    afroc_curve,
    froc_curve,
    lroc_area,
    lroc_curve,
    score_case,
    wafroc_area,
    wafroc_curve,
)
from trainer.analysis.reported import Reported, said_once


def lesion(x: float, y: float, half_width: float = 0, half_height: float = 0) -> Area:
    corners = [[x - half_width, y - half_height], [x + half_width, y + half_height]]
    kind, corners = ("box", corners) if half_width else ("keypoint", [[x, y]])
    return Area("i", f"{x} {y}", kind, np.array(corners, float), frame=0)  # type: ignore[arg-type]


def mark(x: float, y: float, rating: float, frame: int = 0) -> Reported:
    return Reported("i", frame, x, y, rating=rating)


def test_a_mark_within_the_radius_finds_the_nearest_lesion() -> None:
    lesions = [lesion(100, 100), lesion(130, 100)]

    found = score_case([mark(112, 100, 3), mark(118, 100, 5)], lesions, radius_px=20)

    assert found == ScoredCase((3, 5), ())


def test_a_second_mark_on_a_lesion_counts_once_with_the_higher_rating() -> None:
    found = score_case([mark(1, 0, 2), mark(0, 1, 4)], [lesion(0, 0)], radius_px=5)

    assert found == ScoredCase((4,), ())


def test_a_mark_on_another_frame_or_too_far_is_a_false_one() -> None:
    marks = [mark(0, 0, 2, frame=3), mark(50, 0, 1)]

    assert score_case(marks, [lesion(0, 0)], radius_px=5) == ScoredCase((UNMARKED,), (2, 1))


def test_a_lesion_with_an_extent_is_met_inside_it() -> None:
    box = lesion(100, 100, half_width=30, half_height=10)

    assert score_case([mark(128, 108, 1)], [box], radius_px=0).lesions == (1,)
    assert score_case([mark(128, 112, 1)], [box], radius_px=0).elsewhere == (1,)


def test_a_mark_on_another_image_of_the_case_finds_nothing() -> None:
    other = Reported("j", 0, 0, 0, rating=2)

    assert score_case([other], [lesion(0, 0)], radius_px=5) == ScoredCase((UNMARKED,), (2,))


CASES = [
    ScoredCase((4.0, UNMARKED), (2.0,)),
    ScoredCase((1.0,), (3.0,)),
    ScoredCase((), (2.0, 1.0)),
    ScoredCase((), ()),
]


def test_froc_counts_false_marks_a_case_and_lesions_found() -> None:
    false, found, _ = froc_curve(CASES)

    # Thresholds: none, 4, 3, 2, 1.
    assert false == pytest.approx([0, 0, 1 / 4, 3 / 4, 1])
    assert found == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3, 2 / 3])


def test_afroc_area_is_the_chance_that_a_lesion_outrates_a_normal_case() -> None:
    lesions, normals = [4.0, UNMARKED, 1.0], [2.0, UNMARKED]

    by_pairs = np.mean([(a > b) + (a == b) / 2 for a in lesions for b in normals])

    assert afroc_area(CASES) == pytest.approx(by_pairs)


def test_afroc_area_is_that_under_its_curve() -> None:
    rng = np.random.default_rng(2)
    cases = [
        ScoredCase(
            tuple(rng.integers(0, 5, k % 3).astype(float)), tuple(rng.integers(0, 4, 2) * 1.0)
        )
        for k in range(40)
    ]
    x, y, _ = afroc_curve(cases)

    assert np.trapezoid(y, x) == pytest.approx(afroc_area(cases))


def test_lroc_counts_a_case_only_where_its_highest_mark_is_on_a_lesion() -> None:
    # The first case's top mark is its lesion (4 above 2 and none); the second's is elsewhere.
    assert lroc_area(CASES) == pytest.approx((1.0 + 0.0) / 2)


def test_lroc_area_is_that_under_its_curve() -> None:
    rng = np.random.default_rng(5)
    cases = [
        ScoredCase(
            tuple(rng.integers(0, 5, k % 3).astype(float)),
            tuple(rng.integers(0, 5, k % 2).astype(float)),
        )
        for k in range(40)
    ]
    x, y, threshold = lroc_curve(cases)

    assert np.trapezoid(y, x) == pytest.approx(lroc_area(cases))
    assert (x[0], y[0], x[-1]) == (0, 0, 1)
    assert (threshold[0], threshold[-1]) == (np.inf, UNMARKED)


def test_without_normal_cases_there_is_no_area() -> None:
    assert np.isnan(afroc_area(CASES[:2]))
    assert np.isnan(lroc_area(CASES[:2]))


def test_a_false_mark_set_again_after_a_break_counts_once_with_its_later_rating() -> None:
    before = [mark(50, 0, 1), mark(80, 0, 2)]
    after = replace(mark(53, 0, 4), part=1)

    assert score_case([*before, after], [], radius_px=5) == ScoredCase((), (2, 4))


def test_marks_of_one_part_side_by_side_and_marks_elsewhere_after_a_break_all_count() -> None:
    marks = [mark(50, 0, 1), mark(52, 0, 2), replace(mark(90, 0, 3), part=1)]

    assert score_case(marks, [], radius_px=5).elsewhere == (1, 2, 3)


def test_a_box_drawn_again_over_the_first_one_counts_once_without_a_radius() -> None:
    first = Reported("i", 0, 10, 10, 20, 20, rating=1)
    again = Reported("i", 0, 12, 8, 24, 20, rating=3, part=1)
    on_another_frame = replace(again, frame=2)

    assert said_once([first, again], 0) == [again]
    assert said_once([first, on_another_frame], 0) == [first, on_another_frame]


def test_the_weighted_afroc_gives_every_case_with_lesions_the_same_weight() -> None:
    cases = [
        ScoredCase((5.0,), ()),
        ScoredCase((1.0, UNMARKED, 3.0), (4.0,)),
        ScoredCase((), (2.0, 1.0)),
        ScoredCase((), ()),
        ScoredCase((), (3.0,)),
    ]

    # Against normal cases of 2, nothing and 3: the lesion of 5 beats all three; of the others 1
    # beats one, no mark ties with one, 3 beats two and ties with one.
    second = (1 / 3 + 0.5 / 3 + 2.5 / 3) / 3

    assert wafroc_area(cases) == pytest.approx((1 + second) / 2)
    x, y, _ = wafroc_curve(cases)
    assert np.trapezoid(y, x) == pytest.approx((1 + second) / 2)
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert np.isnan(wafroc_area(cases[:2]))
    assert np.isnan(wafroc_area(cases[2:]))


def test_with_one_lesion_a_case_the_weighted_afroc_is_the_afroc() -> None:
    rng = np.random.default_rng(8)
    cases = [ScoredCase((r,), ()) for r in rng.integers(1, 6, 9).astype(float)]
    cases += [ScoredCase((), (r,)) for r in rng.integers(0, 5, 7).astype(float)]

    assert wafroc_area(cases) == pytest.approx(afroc_area(cases))
