"""Look and press: the keypoint lies where the reading's own gaze lies."""

import numpy as np
import pytest

from app.recording.keypoint import looked_at
from devices.gaze.samples import SampleArray, empty_samples
from devices.gaze.view import Affine
from tests.app.recording.reading_doubles import GEOMETRY, view_of

NOW_US = 1_000_000
AT_IMAGE = ((0.5 * 1920 - 285) / 1.35, 0.5 * 1080 / 1.35)


def gaze_at_the_middle(apart_norm: float = 0.0) -> SampleArray:
    """Return a second of gaze at the middle of the screen, the eyes apart."""
    samples = empty_samples(250)
    samples["host_us"] = NOW_US - 4_000 * np.arange(250, 0, -1)
    for eye, sign in (("left", -0.5), ("right", 0.5)):
        samples[f"{eye}_x_norm"], samples[f"{eye}_y_norm"] = 0.5 + sign * apart_norm, 0.5
    return samples


def test_a_keypoint_is_corrected_as_the_gaze_of_its_reading_is() -> None:
    samples, off = gaze_at_the_middle(), Affine(tx=-0.05, ty=0.02)
    found = looked_at(samples, "both", GEOMETRY, [view_of(0, "i")], NOW_US, off)
    assert found is not None
    expected = np.array(AT_IMAGE) + np.array((-0.05 * 1920, 0.02 * 1080)) / 1.35
    assert (found.x_image, found.y_image) == pytest.approx(expected, abs=0.01)


def test_losing_one_eye_moves_no_keypoint() -> None:
    samples = gaze_at_the_middle(apart_norm=0.02)
    samples["left_x_norm"][150:] = samples["left_y_norm"][150:] = np.nan
    found = looked_at(samples, "both", GEOMETRY, [view_of(0, "i")], NOW_US)
    assert found is not None
    assert (found.x_image, found.y_image) == pytest.approx(AT_IMAGE, abs=0.01)
