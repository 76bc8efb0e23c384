import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from devices.gaze.geometry import ScreenGeometry
from devices.gaze.view import CLOSED, Affine, TileView, ViewHistory

_NUMBER = st.floats(-3, 3)
_AFFINES = st.builds(
    Affine, _NUMBER, _NUMBER, _NUMBER, _NUMBER, st.floats(-5e3, 5e3), st.floats(-5e3, 5e3)
).filter(lambda t: abs(t.a * t.d - t.b * t.c) > 0.01)
WIDTH, HEIGHT = 3000, 4000
FULL = (0.0, 0.0, 1920.0, 1080.0)


def _placed(zoom, rotation_deg, flip_x, flip_y, centre_image, centre_screen):
    """A viewer's transform written out: flip, rotate and zoom about a point, then put it there."""
    angle = math.radians(rotation_deg)
    about = Affine(tx=-centre_image[0], ty=-centre_image[1])
    flip = Affine(a=-1.0 if flip_x else 1.0, d=-1.0 if flip_y else 1.0)
    turn = Affine(math.cos(angle), math.sin(angle), -math.sin(angle), math.cos(angle))
    scale = Affine(a=zoom, d=zoom)
    put = Affine(tx=centre_screen[0], ty=centre_screen[1])
    return about.then(flip).then(turn).then(scale).then(put)


def _view(transform=None, *, time_us=0, tile=0, kind="open", rect=FULL, image_id="a"):
    return TileView(
        time_us, kind, tile, image_id, WIDTH, HEIGHT, transform or Affine(), rect_screen=rect
    )


@given(_AFFINES, st.tuples(_NUMBER, _NUMBER))
def test_the_inverse_undoes_a_transform(transform, point):
    back = transform.inverse().map(transform.map([point]))
    np.testing.assert_allclose(back, [point], atol=1e-6)


@given(_AFFINES, _AFFINES, st.tuples(_NUMBER, _NUMBER))
def test_then_applies_this_one_first(first, second, point):
    np.testing.assert_allclose(
        first.then(second).map([point]), second.map(first.map([point])), rtol=1e-9, atol=1e-6
    )


def test_a_view_without_area_has_no_inverse():
    with pytest.raises(ZeroDivisionError):
        Affine(a=0, d=0).inverse()


@given(
    zoom=st.floats(0.05, 20),
    rotation_deg=st.sampled_from([0, 90, 180, 270]),
    flips=st.tuples(st.booleans(), st.booleans()),
    centre_image=st.tuples(st.floats(0, WIDTH), st.floats(0, HEIGHT)),
    point=st.tuples(st.floats(0.01, WIDTH - 0.01), st.floats(0.01, HEIGHT - 0.01)),
    origin=st.tuples(st.sampled_from([-2560.0, 0.0, 1920.0]), st.sampled_from([-1440.0, 0.0])),
    ratio=st.sampled_from([1.0, 1.25, 2.0]),
)
def test_image_pixels_are_recovered_from_norm_through_any_view_and_screen(
    zoom, rotation_deg, flips, centre_image, point, origin, ratio
):
    geometry = ScreenGeometry(
        2560, 1440, 600, 340, x_desktop=origin[0], y_desktop=origin[1], device_pixel_ratio=ratio
    )
    view = _view(
        _placed(zoom, rotation_deg, *flips, centre_image, (1280.0, 720.0)),
        rect=(0.0, 0.0, 2560.0, 1440.0),
    )
    on_screen = view.transform.map([point])
    assume(((on_screen > 0.01) & (on_screen < (2559.99, 1439.99))).all())
    # A tracker reports the share of the display, which is all that the recording keeps.
    desktop_physical = (on_screen + origin) * ratio
    norm = (desktop_physical / ratio - origin) / (2560, 1440)
    gaze = ViewHistory([view]).image_points([0], geometry.norm_to_screen(norm))
    assert gaze.view_index.tolist() == [0]
    assert np.abs(gaze.points_image - point).max() < 1e-5


@pytest.mark.parametrize(
    ("transform", "screen", "image"),
    [
        pytest.param(Affine(), (10, 20), (10, 20), id="one to one"),
        pytest.param(Affine(a=0.5, d=0.5), (10, 20), (20, 40), id="half size"),
        pytest.param(Affine(tx=100, ty=-50), (110, 0), (10, 50), id="panned"),
        pytest.param(Affine(a=-1, tx=WIDTH), (2990 - 1500, 5), (1510, 5), id="flipped sideways"),
        pytest.param(Affine(d=-1, ty=HEIGHT - 3500), (5, 100), (5, 400), id="upside down"),
        pytest.param(Affine(0, 1, -1, 0, HEIGHT - 3000, 0), (900, 30), (30, 100), id="turned"),
    ],
)
def test_written_out_views_map_to_written_out_pixels(transform, screen, image):
    np.testing.assert_allclose(_view(transform).to_image([screen]), [image])


def test_the_image_ends_at_its_last_pixel_and_the_tile_at_its_border():
    view = _view(Affine(a=0.1, d=0.1, tx=100, ty=100), rect=(100.0, 100.0, 200.0, 500.0))
    inside = [(100, 100), (299.9, 100.1), (100.1, 499.9)]
    outside = [(99.9, 100), (300, 100), (100, 500.1), (100, 99.9), (math.nan, math.nan)]
    assert not np.isnan(view.to_image(inside)).any()
    assert np.isnan(view.to_image(outside)).all()


def test_each_sample_is_mapped_by_the_view_in_force_at_its_instant():
    zoomed = _view(Affine(a=2, d=2), time_us=1_000, kind="zoom")
    history = ViewHistory([_view(), zoomed])
    gaze = history.image_points([-1, 0, 999, 1_000, 5_000], [(100, 60)] * 5)
    assert gaze.view_index.tolist() == [-1, 0, 0, 1, 1]
    np.testing.assert_array_equal(gaze.points_image[1:, 0], [100, 100, 50, 50])
    assert np.isnan(gaze.points_image[0]).all()


def test_views_at_one_instant_the_last_one_counts():
    history = ViewHistory([_view(), _view(Affine(a=2, d=2), kind="zoom")])
    assert history.image_points([0], [(100, 60)]).points_image.tolist() == [[50, 30]]


def test_two_tiles_side_by_side_each_take_the_gaze_on_them():
    left = _view(Affine(a=0.3, d=0.3), rect=(0.0, 0.0, 960.0, 1080.0), image_id="left")
    right = _view(
        Affine(a=0.3, d=0.3, tx=960), tile=1, rect=(960.0, 0.0, 960.0, 1080.0), image_id="right"
    )
    history = ViewHistory([left, right])
    gaze = history.image_points([5, 5, 5], [(30, 60), (990, 60), (959.999, 60)])
    assert [history.views[i].image_id for i in gaze.view_index[:2]] == ["left", "right"]
    np.testing.assert_allclose(gaze.points_image[:2], [(100, 200), (100, 200)])
    # 0.3 x 3000 ends at 900: beyond it is the left tile, but no image.
    assert gaze.view_index[2] == -1


def test_a_change_of_one_tile_leaves_the_other_as_it_was():
    left = _view(rect=(0.0, 0.0, 960.0, 1080.0))
    right = _view(Affine(tx=960), tile=1, rect=(960.0, 0.0, 960.0, 1080.0))
    panned = replace(left, time_us=50, kind="pan", transform=Affine(tx=10))
    history = ViewHistory([left, right, panned])
    gaze = history.image_points([60, 60], [(100, 10), (1060, 10)])
    assert gaze.view_index.tolist() == [2, 1]
    assert gaze.points_image[:, 0].tolist() == [90, 100]


def test_a_closed_tile_takes_no_gaze_until_it_shows_an_image_again():
    closed = _view(time_us=100, kind=CLOSED)
    history = ViewHistory([_view(), closed, _view(time_us=200, image_id="b")])
    gaze = history.image_points([50, 100, 150, 200], [(10, 10)] * 4)
    assert gaze.view_index.tolist() == [0, -1, -1, 2]


def test_lost_gaze_falls_on_no_image_and_no_gaze_or_view_is_no_error():
    gaze = ViewHistory([_view()]).image_points([0, 1], [(math.nan, math.nan), (1, 1)])
    assert gaze.view_index.tolist() == [-1, 0]
    assert ViewHistory().image_points([0], [(1, 1)]).view_index.tolist() == [-1]
    assert ViewHistory([_view()]).image_points([], []).points_image.shape == (0, 2)


@given(_AFFINES, st.booleans(), st.sampled_from([0, 90, 180, 270]), st.floats(1, 4096))
def test_a_view_comes_back_from_its_row(transform, flipped, rotation_deg, window_width):
    view = replace(
        _view(transform, time_us=2**40, tile=3, rect=(1.0, 2.0, 3.0, 4.0)),
        flipped_horizontally=flipped,
        rotation_deg=rotation_deg,
        window_center=40.5,
        window_width=window_width,
    )
    assert TileView.from_row(view.as_row()) == view
