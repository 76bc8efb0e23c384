"""The transform keeps its promises, and the picture lies where the transform says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.images.viewport import Viewport

TILE = (13.0, 7.0, 300.0, 200.0)
rotations = st.sampled_from([0, 90, 180, 270])
views = st.tuples(
    st.integers(20, 900), st.integers(20, 900), st.floats(0.3, 4.0), st.booleans(), st.booleans(),
    rotations, st.floats(-80, 80), st.floats(-80, 80), st.sampled_from([1.0, 1.25]),
)  # fmt: skip


def make(width, height, factor, flip_h, flip_v, rotation, dx, dy, aspect) -> Viewport:
    view = Viewport(width, height, TILE, aspect)
    view.flip(horizontally=flip_h, vertically=flip_v)
    view.rotate_by(rotation)
    view.zoom_at(160.0, 100.0, factor)
    view.pan_by(dx, dy)
    return view


@given(views, st.floats(0, 1), st.floats(0, 1))
def test_to_the_view_and_back_is_the_same_image_point(state, u: float, v: float) -> None:
    view = make(*state)
    point = np.array([u * view.image_width, v * view.image_height])
    there = view.transform().map(point)
    np.testing.assert_allclose(view.transform().inverse().map(there), point, atol=1e-6)


@given(views, st.floats(0.05, 0.95), st.floats(0.05, 0.95), st.floats(0.2, 5.0))
def test_zoom_keeps_the_image_point_under_the_cursor(state, u, v, factor: float) -> None:
    view = make(*state)
    cursor = np.array([TILE[0] + u * TILE[2], TILE[1] + v * TILE[3]])
    before = view.transform().inverse().map(cursor)
    on_image = (before >= 0).all() and (before <= (view.image_width, view.image_height)).all()
    view.zoom_at(*cursor, factor)
    if on_image:
        np.testing.assert_allclose(view.transform().map(before), cursor, atol=1e-6)


@given(views)
def test_fit_shows_the_whole_image_and_touches_two_edges(state) -> None:
    view = make(*state)
    view.fit()
    corners = view.transform().map([(0, 0), (view.image_width, view.image_height)])
    low, high = corners.min(axis=0), corners.max(axis=0)
    tile_low, tile_size = np.array(TILE[:2]), np.array(TILE[2:])
    assert (low >= tile_low - 1e-6).all()
    assert (high <= tile_low + tile_size + 1e-6).all()
    assert np.isclose(high - low, tile_size, atol=1e-6).any()


@given(views, st.floats(-5000, 5000), st.floats(-5000, 5000))
def test_no_pan_loses_the_image_from_its_tile(state, dx: float, dy: float) -> None:
    view = make(*state)
    view.pan_by(dx, dy)
    corners = view.transform().map([(0, 0), (view.image_width, view.image_height)])
    low, high = corners.min(axis=0), corners.max(axis=0)
    assert (high >= np.array(TILE[:2]) - 1e-6).all()
    assert (low <= np.array(TILE[:2]) + np.array(TILE[2:]) + 1e-6).all()


@settings(max_examples=60, deadline=None)
@given(
    views, st.floats(0.15, 0.85), st.floats(0.15, 0.85), st.sampled_from([1.0, 1.25, 2.0]),
    st.booleans(),
)  # fmt: skip
def test_the_picture_lies_where_the_transform_says(state, u, v, ratio: float, smooth) -> None:
    view = make(*state)
    x, y = u * view.image_width, v * view.image_height
    side = max(6.0, 6.0 / view.zoom)  # wide enough to be seen at this zoom
    across = np.exp(-4 * ((np.arange(view.image_width) + 0.5 - x) / side) ** 2)
    down = np.exp(-4 * ((np.arange(view.image_height) + 0.5 - y) / side) ** 2)
    stored = (np.outer(down, across) * 60_000).astype(np.uint16)
    pixels, mask = view.resample(stored, ratio, smooth)
    expected = (view.transform().map((x, y)) - TILE[:2]) * ratio
    margin = 2 * side * view.zoom * ratio * max(view.pixel_aspect, 1)
    inside_image = min(x, y, view.image_width - x, view.image_height - y) > 1.5 * side
    inside_tile = (expected > margin).all() and (
        expected < np.array(pixels.shape[::-1]) - margin
    ).all()
    assert pixels.shape == mask.shape == (round(200 * ratio), round(300 * ratio))
    assert pixels.dtype == np.uint16
    if not (inside_image and inside_tile):
        return
    weights = np.where(mask, pixels, 0)
    along = [weights.sum(axis=axis, dtype=float) for axis in (0, 1)]
    found = np.array([(each * (np.arange(len(each)) + 0.5)).sum() / each.sum() for each in along])
    np.testing.assert_allclose(found, expected, atol=0.25)


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.uint16, np.int16])
@pytest.mark.parametrize("smooth", [False, True])
def test_a_flat_image_stays_flat_in_its_own_type(kind: type, smooth: bool) -> None:
    view = Viewport(640, 480, TILE)
    pixels, mask = view.resample(np.full((480, 640), np.iinfo(kind).min + 3, kind), 1.0, smooth)
    assert pixels.dtype == kind
    assert (pixels == np.iinfo(kind).min + 3).all()
    # 640 × 480 fits into 300 × 200 as 266.7 × 200, in the middle.
    assert mask.all(axis=0).sum() == pytest.approx(200 * 4 / 3, abs=1)
    assert not mask[:, 0].any()


def test_one_to_one_shows_the_very_pixels() -> None:
    stored = np.random.default_rng(1).integers(0, 65536, (400, 500)).astype(np.uint16)
    view = Viewport(500, 400, (0.0, 0.0, 160.0, 120.0))
    view.zoom_at(31.0, 17.0, 1.7)
    view.one_to_one(1.25)
    pixels, mask = view.resample(stored, 1.25, smooth=True)
    first = view.transform().inverse().map((0.4, 0.4))
    x, y = (int(v) for v in np.floor(first))
    assert mask.all()
    assert (pixels == stored[y : y + 150, x : x + 200]).all()


def test_turned_a_quarter_the_top_left_corner_is_top_right() -> None:
    view = Viewport(200, 200, (0.0, 0.0, 200.0, 200.0))
    view.rotate_by(90)
    np.testing.assert_allclose(view.transform().map((0, 0)), (200, 0), atol=1e-9)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_flip_mirrors_what_is_seen_whatever_the_rotation(turn: int) -> None:
    view = Viewport(100, 60, (0.0, 0.0, 200.0, 200.0))
    view.rotate_by(turn)
    before = view.transform().map((20, 10))
    view.flip(horizontally=True)
    np.testing.assert_allclose(
        view.transform().map((20, 10)), (200 - before[0], before[1]), atol=1e-9
    )


def test_flips_and_turns_keep_what_is_looked_at_in_the_middle() -> None:
    view = Viewport(1000, 800, TILE)
    view.zoom_at(100, 50, 4)
    middle = view.transform().inverse().map((163, 107))
    view.flip(vertically=True)
    view.rotate_by(270)
    np.testing.assert_allclose(view.transform().inverse().map((163, 107)), middle, atol=1e-9)


def test_reset_restores_all_and_a_fitted_image_follows_its_tile() -> None:
    view, fresh = Viewport(1000, 800, TILE), Viewport(1000, 800, TILE)
    view.flip(horizontally=True)
    view.rotate_by(90)
    view.zoom_at(100, 50, 4)
    view.reset()
    assert view.transform() == fresh.transform()
    view.set_tile((0.0, 0.0, 500.0, 400.0))
    assert view.zoom == 0.5


def test_no_other_angle_than_a_quarter_turn() -> None:
    with pytest.raises(ValueError, match="45°"):
        Viewport(10, 10, TILE).rotate_by(45)


@pytest.mark.parametrize("size", [(4000, 1), (1, 4000), (30_000, 3), (2, 9000)])
@pytest.mark.parametrize("turn", [0, 90])
@pytest.mark.parametrize("smooth", [False, True])
def test_however_long_and_thin_an_image_is_it_is_seen_at_fit(
    size: tuple[int, int], turn: int, smooth: bool
) -> None:
    width, height = size
    view = Viewport(width, height, TILE)
    view.rotate_by(turn)
    stored = np.full((height, width), 900, np.uint16)
    seen = view.resample(stored, 1.0, smooth)
    assert (seen.pixels[seen.mask] == 900).all()
    across = sorted((seen.mask.any(axis=0).sum(), seen.mask.any(axis=1).sum()))
    assert across[0] == 3
    assert across[1] >= 199


def test_a_thin_image_off_its_tile_is_not_drawn() -> None:
    view = Viewport(4000, 1, TILE)
    view.center_y_image += 3 * TILE[3] / view.zoom
    assert not view.resample(np.ones((1, 4000), np.uint16), 1.0, True).mask.any()
