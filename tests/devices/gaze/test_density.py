import numpy as np
import pytest

from devices.gaze.density import colour, heat_map


def _naive(points, weights, width, height, sigma):
    """Sum of Gaussians at the pixel centres."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    heat = np.zeros((height, width))
    for (px, py), weight in zip(points, weights, strict=True):
        heat += weight * np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * sigma**2))
    return heat / heat.max()


def test_at_full_size_it_is_the_weighted_sum_of_gaussians():
    points = [(20.3, 30.8), (22.0, 33.5), (60.0, 10.0), (70.5, 45.5)]
    weights = [1.0, 2.0, 4.0, 0.5]
    heat = heat_map(points, weights, 80, 50, sigma_image=5)
    assert heat.dtype == np.float32
    assert heat.shape == (50, 80)
    np.testing.assert_allclose(heat, _naive(points, weights, 80, 50, 5), atol=0.02)


def test_a_large_image_gives_a_small_map_of_the_same_shape():
    points = [(1000, 500), (3000, 1500)]
    heat = heat_map(points, [1, 2], 4000, 2000, sigma_image=200, max_side=100)
    assert heat.shape == (50, 100)
    whole = _naive(np.array(points) / 40, [1, 2], 100, 50, 5)
    np.testing.assert_allclose(heat, whole, atol=0.02)


def test_the_peak_is_one_and_lies_where_gaze_dwelt_longest():
    heat = heat_map([(10, 10), (50, 30)], [100, 900], 64, 40, sigma_image=3)
    assert heat.max() == 1
    assert np.unravel_index(heat.argmax(), heat.shape) in [(30, 50), (29, 49), (29, 50), (30, 49)]
    assert heat[10, 10] == pytest.approx(1 / 9, abs=0.01)


def test_without_weights_each_point_counts_once():
    points = [(10, 10), (10, 10), (30, 10)]
    ones = heat_map(points, [1, 1, 1], 40, 20, 2)
    np.testing.assert_array_equal(heat_map(points, None, 40, 20, 2), ones)


@pytest.mark.parametrize(
    ("points", "weights"),
    [
        pytest.param(np.empty((0, 2)), [], id="none"),
        pytest.param([(np.nan, np.nan)], [1], id="lost"),
        pytest.param([(-1, 5), (20, 5), (5, 10)], [1, 1, 1], id="off the image"),
        pytest.param([(5, 5), (6, 6)], [0, np.nan], id="no weight"),
    ],
)
def test_with_nothing_to_show_the_map_is_zero(points, weights):
    heat = heat_map(points, weights, 20, 10, 2)
    assert heat.shape == (10, 20)
    assert not heat.any()


def test_gaze_at_the_border_is_not_mirrored_back_onto_the_image():
    heat = heat_map([(0.5, 10)], None, 40, 20, 4)
    inside = heat_map([(20.5, 10)], None, 40, 20, 4)
    np.testing.assert_allclose(heat[:, 4], inside[:, 24], atol=1e-6)


def test_a_very_thin_image_keeps_a_pixel():
    assert heat_map([(500, 0.5)], None, 1000, 1, 30, max_side=100).shape == (1, 100)


@pytest.mark.parametrize(
    ("size", "sigma"), [((0, 10), 2), ((10, 10), 0), ((10, 10), -1), ((10, 10), float("nan"))]
)
def test_sizes_and_sigmas_that_make_no_sense_are_refused(size, sigma):
    with pytest.raises(ValueError, match="size of at least 1 and a sigma above 0"):
        heat_map([(1, 1)], None, *size, sigma)


def test_weights_of_another_length_are_refused():
    with pytest.raises(ValueError, match="2 points need the same number of weights"):
        heat_map([(1, 1), (2, 2)], [1], 10, 10, 2)


def test_colours_rise_in_lightness_and_opacity_from_nothing():
    colours = colour(np.linspace(0, 1, 256, dtype=np.float32)[None])[0].astype(int)
    lightness = colours[:, :3] @ [0.2126, 0.7152, 0.0722]
    assert colours.shape == (256, 4)
    assert colours[0, 3] == 0
    assert (np.diff(colours[:, 3]) >= 0).all()
    assert (np.diff(lightness) > -0.5).all()
    assert lightness[-1] - lightness[0] > 150


def test_values_out_of_range_and_nan_still_have_a_colour():
    heat = np.array([[np.nan, -1, 2]], np.float32)
    limits = colour(np.array([[0, 0, 1]], np.float32))
    np.testing.assert_array_equal(colour(heat), limits)
    assert colour(heat).dtype == np.uint8
