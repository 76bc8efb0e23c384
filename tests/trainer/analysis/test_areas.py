"""Which points lie in an area: each shape against counting by its own definition."""

import numpy as np
import pytest

from trainer.analysis.areas import Area, first_area, grid, halves, thirds

RNG = np.random.default_rng(0)
POINTS = RNG.uniform(-20, 120, (400, 2))
FRAMES = np.zeros(400, np.int64)


def area(kind: str, corners: list[list[float]], **other: object) -> Area:
    return Area("i", "a", kind, np.array(corners, np.float64), **other)  # type: ignore[arg-type]


def test_a_box_holds_what_is_between_its_sides_and_its_border() -> None:
    found = area("box", [[10, 20], [60, 50]]).contains(POINTS, FRAMES)

    assert found.tolist() == [10 <= x <= 60 and 20 <= y <= 50 for x, y in POINTS]
    assert area("box", [[10, 20], [60, 50]]).contains(np.array([[10.0, 50.0]]), FRAMES[:1]).all()


def test_a_margin_reaches_round_the_corners() -> None:
    found = area("box", [[10, 20], [60, 50]]).contains(POINTS, FRAMES, margin_px=8)

    def near(x: float, y: float) -> bool:
        return bool(np.hypot(x - np.clip(x, 10, 60), y - np.clip(y, 20, 50)) <= 8)

    assert found.tolist() == [near(x, y) for x, y in POINTS]


def test_an_ellipse_holds_what_its_equation_says() -> None:
    found = area("ellipse", [[10, 20], [90, 60]]).contains(POINTS, FRAMES)

    assert found.tolist() == [((x - 50) / 40) ** 2 + ((y - 40) / 20) ** 2 <= 1 for x, y in POINTS]


def test_a_circle_with_a_margin_is_a_larger_circle() -> None:
    found = area("ellipse", [[30, 30], [70, 70]]).contains(POINTS, FRAMES, margin_px=10)

    assert found.tolist() == [bool(np.hypot(x - 50, y - 50) <= 30) for x, y in POINTS]


def test_a_polygon_holds_what_a_ray_crosses_an_odd_number_of_times() -> None:
    corners = [[0.0, 0.0], [100.0, 10.0], [60.0, 50.0], [90.0, 95.0], [10.0, 80.0]]

    def inside(x: float, y: float) -> bool:
        crossed = 0
        for (x1, y1), (x2, y2) in zip(corners, [*corners[1:], corners[0]], strict=True):
            crossed += (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1
        return bool(crossed % 2)

    found = area("polygon", corners).contains(POINTS, FRAMES)

    assert found.tolist() == [inside(x, y) for x, y in POINTS]


def test_a_keypoint_is_met_within_the_margin_alone() -> None:
    found = area("keypoint", [[40, 40]]).contains(POINTS, FRAMES, margin_px=15)

    assert found.tolist() == [bool(np.hypot(x - 40, y - 40) <= 15) for x, y in POINTS]


def test_a_mask_holds_the_points_of_its_pixels() -> None:
    mask = RNG.random((100, 100)) < 0.3
    points = RNG.uniform(0, 100, (300, 2))

    found = area("mask", [], mask=mask).contains(points, FRAMES[:300])

    assert found.tolist() == [bool(mask[int(y), int(x)]) for x, y in points]


def test_beside_the_picture_a_mask_is_as_far_as_its_nearest_pixel() -> None:
    mask = np.zeros((4, 5), bool)
    mask[0, 0] = True
    area = Area("i", "m", "mask", np.zeros((0, 2)), mask)

    distance = area.distance_px(np.array([[-3.5, 3.5], [8.5, 6.5], [-2.5, 0.5]]))

    assert distance == pytest.approx([5, 10, 3])


def test_an_area_of_a_frame_holds_nothing_of_another() -> None:
    one = area("box", [[0, 0], [100, 100]], frame=3)

    assert one.contains(np.full((2, 2), 50.0), np.array([3, 4])).tolist() == [True, False]


def test_a_point_without_a_place_lies_nowhere() -> None:
    assert not area("box", [[0, 0], [9, 9]]).contains(np.full((1, 2), np.nan), FRAMES[:1]).any()


def test_overlapping_areas_give_a_point_to_the_one_it_lies_deepest_in() -> None:
    wide, small = area("box", [[0, 0], [100, 100]]), area("box", [[40, 40], [60, 60]])
    points = np.array([[50.0, 50.0], [41.0, 41.0], [5.0, 50.0], [200.0, 0.0]])

    found = first_area([small, wide], points, np.zeros(4, np.int64), 0.0)

    assert found.tolist() == [1, 1, 1, -1]


@pytest.mark.parametrize(
    "made", [grid("i", 640, 400, 4, 3), halves("i", 640, 400), thirds("i", 640, 400)]
)
def test_grids_halves_and_thirds_cover_every_inner_point_once(made: list[Area]) -> None:
    points = RNG.uniform([0.01, 0.01], [639.9, 399.9], (500, 2))

    counts = sum(a.contains(points, np.zeros(500, np.int64)).astype(int) for a in made)

    assert np.all(counts == 1)
