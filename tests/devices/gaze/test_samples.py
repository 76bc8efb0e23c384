import numpy as np
import pytest

from devices.gaze.samples import (
    NO_DEVICE_TIME,
    SAMPLE_DTYPE,
    VALUE_FIELDS,
    empty_samples,
    gaze_norm,
    valid_count,
)

NAN = float("nan")


def _pair(left, right):
    samples = empty_samples(1)
    samples["left_x_norm"], samples["left_y_norm"] = left
    samples["right_x_norm"], samples["right_y_norm"] = right
    return samples


def test_empty_samples_have_no_value_and_no_device_time():
    samples = empty_samples(3)
    assert samples.dtype == SAMPLE_DTYPE
    assert all(np.isnan(samples[name]).all() for name in VALUE_FIELDS)
    assert (samples["device_us"] == NO_DEVICE_TIME).all()
    assert len(empty_samples(0)) == 0


def test_times_are_64_bit_and_values_32_bit_little_endian():
    for name in SAMPLE_DTYPE.names:
        assert SAMPLE_DTYPE[name].str == ("<i8" if name.endswith("_us") else "<f4")


@pytest.mark.parametrize(
    ("left", "right", "eye", "expected"),
    [
        pytest.param((0.25, 0.5), (0.75, 1.0), "both", (0.5, 0.75), id="mean of both"),
        pytest.param((NAN, NAN), (0.75, 1.0), "both", (0.75, 1.0), id="right alone"),
        pytest.param((0.25, 0.5), (NAN, NAN), "both", (0.25, 0.5), id="left alone"),
        pytest.param((0.25, NAN), (0.75, 1.0), "both", (0.75, 1.0), id="half a left eye"),
        pytest.param((NAN, NAN), (NAN, NAN), "both", (NAN, NAN), id="none"),
        pytest.param((0.25, 0.5), (0.75, 1.0), "left", (0.25, 0.5), id="left chosen"),
        pytest.param((0.25, 0.5), (NAN, NAN), "right", (NAN, NAN), id="right chosen but lost"),
        pytest.param((-0.5, 1.5), (-0.5, 1.5), "both", (-0.5, 1.5), id="beyond the screen"),
    ],
)
def test_the_point_of_gaze_comes_from_the_eyes_that_are_there(left, right, eye, expected):
    gaze = gaze_norm(_pair(left, right), eye)
    assert gaze.dtype == np.float64
    np.testing.assert_allclose(gaze, [expected])


@pytest.mark.parametrize("eye", ["both", "left", "right"])
def test_a_sample_with_one_coordinate_only_is_lost_in_both(eye):
    gaze = gaze_norm(_pair((0.25, NAN), (0.5, NAN)), eye)
    assert np.isnan(gaze).all()


def test_valid_samples_are_those_of_the_chosen_eye():
    samples = np.concatenate([_pair((0.5, 0.5), (NAN, NAN))] * 3 + [_pair((NAN, NAN), (NAN, NAN))])
    assert valid_count(samples) == 3
    assert valid_count(samples, "right") == 0
    assert valid_count(empty_samples(0)) == 0
