import numpy as np
import pytest

from devices.gaze.fixations import detect_fixations
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.samples import empty_samples, gaze_norm
from devices.gaze.steady import SteadyGaze

GEOMETRY = ScreenGeometry(1920, 1080, 530.0, 300.0, 650.0)
ONE_DEG_NORM = 650 * np.tan(np.radians(1)) / 530


def _fixating(rate_hz: int = 500, seconds: float = 1.0, noise: float = 0.0):
    """One fixation at the centre; the right eye's gaze lies one degree to the right."""
    samples = empty_samples(int(rate_hz * seconds))
    samples["host_us"] = np.arange(len(samples)) * (1_000_000 // rate_hz) + 5_000_000
    rng = np.random.default_rng(1)
    for name, x in (("left", 0.5 - ONE_DEG_NORM / 2), ("right", 0.5 + ONE_DEG_NORM / 2)):
        samples[f"{name}_x_norm"] = x + rng.normal(0, noise, len(samples))
        samples[f"{name}_y_norm"] = 0.5 + rng.normal(0, noise, len(samples))
    return samples


def _lose(samples, eye: str, from_us: int, to_us: int) -> None:
    since_us = samples["host_us"] - samples["host_us"][0]
    lost = (since_us >= from_us) & (since_us < to_us)
    samples[f"{eye}_x_norm"][lost] = samples[f"{eye}_y_norm"][lost] = np.nan


def _fixations(samples, points):
    return detect_fixations(samples["host_us"], *GEOMETRY.norm_to_deg(points).T)


@pytest.mark.parametrize("rate_hz", [60, 250, 1200])
@pytest.mark.parametrize("eye", ["left", "right"])
def test_losing_one_eye_for_a_tenth_of_a_second_makes_no_saccade(rate_hz: int, eye: str) -> None:
    samples = _fixating(rate_hz, noise=0.0005)
    _lose(samples, eye, 400_000, 500_000)
    assert np.ptp(_x_deg(gaze_norm(samples))) > 0.4
    points = SteadyGaze().push(samples)
    assert np.ptp(_x_deg(points)) < 0.4
    (fixation,) = _fixations(samples, points)
    assert fixation.sample_count == len(samples)
    assert fixation.x_deg == pytest.approx(0, abs=0.03)


def test_an_eye_lost_until_the_end_leaves_one_fixation_where_the_plain_mean_makes_two() -> None:
    samples = _fixating()
    _lose(samples, "right", 500_000, 1_000_000)
    assert len(_fixations(samples, gaze_norm(samples))) == 2
    assert len(_fixations(samples, SteadyGaze().push(samples))) == 1


def test_however_samples_are_cut_the_points_are_the_same_to_the_last_bit() -> None:
    samples = _fixating(noise=0.002)
    _lose(samples, "left", 200_000, 260_000)
    _lose(samples, "right", 600_000, 900_000)
    whole = SteadyGaze().push(samples)
    steady = SteadyGaze()
    parts = [steady.push(part) for part in np.split(samples, [0, 1, 7, 110, 111, 320, 499])]
    assert np.array_equal(np.concatenate(parts), whole)


def test_the_eye_that_was_never_joined_by_the_other_is_taken_as_it_is() -> None:
    samples = _fixating()
    _lose(samples, "right", 0, 1_000_000)
    assert np.array_equal(SteadyGaze().push(samples), gaze_norm(samples, "left"))


@pytest.mark.parametrize("eye", ["left", "right"])
def test_a_single_chosen_eye_and_binocular_samples_are_not_touched(eye) -> None:
    samples = _fixating()
    assert np.array_equal(SteadyGaze().push(samples), gaze_norm(samples))
    _lose(samples, "left", 100_000, 300_000)
    kept = samples.copy()
    points = SteadyGaze(eye).push(samples)
    assert np.array_equal(points, gaze_norm(samples, eye), equal_nan=True)
    assert samples.tobytes() == kept.tobytes()


def _x_deg(points):
    return GEOMETRY.norm_to_deg(points)[:, 0]
