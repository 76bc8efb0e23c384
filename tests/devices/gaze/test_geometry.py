import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.gaze.geometry import ScreenGeometry

GEOMETRY = ScreenGeometry(1920, 1080, 531.3, 298.9, distance_mm=600.0)
_NORM = st.tuples(st.floats(-0.5, 1.5), st.floats(-0.5, 1.5))
_SCREENS = st.builds(
    ScreenGeometry,
    width_screen=st.floats(640, 8000),
    height_screen=st.floats(480, 5000),
    width_mm=st.floats(150, 2000),
    height_mm=st.floats(100, 1200),
    distance_mm=st.floats(300, 1500),
    x_desktop=st.floats(-8000, 8000),
    y_desktop=st.floats(-4000, 4000),
    device_pixel_ratio=st.sampled_from([1.0, 1.25, 1.5, 2.0, 3.0]),
)


@given(_SCREENS, _NORM)
def test_screen_and_degrees_map_back_to_norm_on_any_screen(geometry, point):
    there = [point]
    np.testing.assert_allclose(
        geometry.screen_to_norm(geometry.norm_to_screen(there)), there, atol=1e-12
    )
    np.testing.assert_allclose(geometry.deg_to_norm(geometry.norm_to_deg(there)), there, atol=1e-9)


@given(_SCREENS)
def test_place_on_the_desktop_and_pixel_ratio_do_not_move_gaze(geometry):
    plain = ScreenGeometry(
        geometry.width_screen, geometry.height_screen, geometry.width_mm, geometry.height_mm
    )
    points = [(0, 0), (0.25, 0.75), (1, 1)]
    np.testing.assert_array_equal(geometry.norm_to_screen(points), plain.norm_to_screen(points))


def test_corners_and_centre_lie_where_the_frames_say():
    points = [(0, 0), (1, 1), (0.5, 0.5)]
    assert GEOMETRY.norm_to_screen(points).tolist() == [[0, 0], [1920, 1080], [960, 540]]
    degrees = GEOMETRY.norm_to_deg(points)
    assert degrees[2].tolist() == [0, 0]
    assert (degrees[0] < 0).all()
    assert (degrees[1] > 0).all()
    assert degrees[1, 0] == pytest.approx(math.degrees(math.atan(531.3 / 2 / 600)))


def test_the_angle_from_the_centre_is_that_of_the_right_triangle():
    x_norm = 0.5 + 600 * math.tan(math.radians(5)) / 531.3
    assert GEOMETRY.angle_deg([(0.5, 0.5)], [(x_norm, 0.5)])[0] == pytest.approx(5)


def test_a_millimetre_at_the_edge_is_a_smaller_angle_than_at_the_centre():
    step = 1 / 531.3
    centre = GEOMETRY.angle_deg([(0.5, 0.5)], [(0.5 + step, 0.5)])[0]
    edge = GEOMETRY.angle_deg([(1.0, 0.5)], [(1.0 + step, 0.5)])[0]
    slant = math.cos(math.atan(531.3 / 2 / 600))
    assert edge == pytest.approx(centre * slant**2, rel=0.01)


@given(_SCREENS, _NORM, _NORM)
def test_the_angle_is_that_of_the_law_of_cosines(geometry, a, b):
    size = np.array([geometry.width_mm, geometry.height_mm])
    rays = [np.append((np.array(p) - 0.5) * size, geometry.distance_mm) for p in (a, b)]
    lengths = [np.linalg.norm(r) for r in rays]
    between = np.linalg.norm(rays[0] - rays[1])
    cosine = (lengths[0] ** 2 + lengths[1] ** 2 - between**2) / (2 * lengths[0] * lengths[1])
    expected = math.degrees(math.acos(min(1.0, max(-1.0, cosine))))
    assert geometry.angle_deg([a], [b])[0] == pytest.approx(expected, abs=1e-5)


def test_tiny_angles_are_not_lost_to_rounding_and_equal_points_have_none():
    tiny = GEOMETRY.angle_deg([(0.5, 0.5)], [(0.5 + 1e-9, 0.5)])[0]
    assert tiny == pytest.approx(math.degrees(531.3e-9 / 600), rel=1e-5)
    assert GEOMETRY.angle_deg([(0.3, 0.7)], [(0.3, 0.7)])[0] == 0


def test_lost_gaze_stays_lost_in_every_frame():
    lost = [(math.nan, math.nan)]
    assert np.isnan(GEOMETRY.norm_to_screen(lost)).all()
    assert np.isnan(GEOMETRY.norm_to_deg(lost)).all()
    assert np.isnan(GEOMETRY.angle_deg(lost, [(0.5, 0.5)])).all()


def test_a_geometry_comes_back_from_json():
    fields = json.loads(json.dumps(GEOMETRY.as_dict()))
    assert ScreenGeometry.from_dict(fields) == GEOMETRY
