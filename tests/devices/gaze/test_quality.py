import json
import math

import numpy as np
import pytest

from devices.gaze.geometry import ScreenGeometry
from devices.gaze.quality import validate
from devices.gaze.rating import ReadingLimits, imported_verdict, lost_share, reading_verdict
from devices.gaze.samples import SampleArray, empty_samples
from devices.gaze.stream import stream_quality

GEOMETRY = ScreenGeometry(1920, 1080, 530.0, 300.0, distance_mm=650.0)
TARGETS = [(0.5, 0.5), (0.1, 0.1), (0.9, 0.1), (0.1, 0.9), (0.9, 0.9)]


def _samples(left_norm, right_norm=None, rate_hz=120.0) -> SampleArray:
    left = np.asarray(left_norm, float)
    right = left if right_norm is None else np.asarray(right_norm, float)
    samples = empty_samples(len(left))
    samples["host_us"] = np.round(np.arange(len(left)) * 1e6 / rate_hz)
    samples["left_x_norm"], samples["left_y_norm"] = left.T
    samples["right_x_norm"], samples["right_y_norm"] = right.T
    return samples


def _towards(target, offset_deg, direction):
    """The point that lies `offset_deg`, seen from the eye, from a target; found by bisection."""
    low, high = 0.0, 0.5
    step = np.array([math.cos(direction), math.sin(direction)])
    for _ in range(60):
        middle = (low + high) / 2
        angle = GEOMETRY.angle_deg([target], [np.asarray(target) + middle * step])[0]
        low, high = (middle, high) if angle < offset_deg else (low, middle)
    return np.asarray(target) + low * step


@pytest.mark.parametrize("direction", [0.0, 1.0, math.pi / 2, 4.0])
def test_a_bias_of_one_degree_is_reported_as_one_degree_everywhere(direction):
    rng = np.random.default_rng(1)
    noise = GEOMETRY.deg_to_norm([[0.2, 0.2]])[0] - 0.5
    recorded = [
        _samples(_towards(t, 1.0, direction) + rng.normal(0, 1, (60, 2)) * noise) for t in TARGETS
    ]
    validation = validate(TARGETS, recorded, GEOMETRY)
    assert validation.accuracy_deg == pytest.approx(1.0, abs=0.05)
    for eye in (validation.both, validation.left, validation.right):
        assert eye.accuracy_deg == pytest.approx(1.0, abs=0.05)
    without_noise = [_samples([_towards(t, 1.0, direction)] * 30) for t in TARGETS]
    exact = validate(TARGETS, without_noise, GEOMETRY)
    assert all(t.both.accuracy_deg == pytest.approx(1.0, abs=1e-4) for t in exact.targets)
    assert exact.worst_deg == pytest.approx(1.0, abs=1e-4)


def test_opposite_biases_of_the_two_eyes_cancel_for_both_together_only():
    left = [_towards((0.5, 0.5), 0.8, 0.0)] * 40
    right = [_towards((0.5, 0.5), 0.8, math.pi)] * 40
    validation = validate([(0.5, 0.5)], [_samples(left, right)], GEOMETRY)
    assert validation.left.accuracy_deg == pytest.approx(0.8, abs=1e-3)
    assert validation.right.accuracy_deg == pytest.approx(0.8, abs=1e-3)
    assert validation.both.accuracy_deg == pytest.approx(0.0, abs=1e-3)


def test_white_noise_gives_the_precision_that_theory_says():
    rng = np.random.default_rng(2)
    gaze = GEOMETRY.deg_to_norm(rng.normal(0, 0.2, (6000, 2)))
    eye = validate([(0.5, 0.5)], [_samples(gaze)], GEOMETRY).left
    assert eye.precision_sd_deg == pytest.approx(0.2 * math.sqrt(2), rel=0.03)
    assert eye.precision_rms_deg == pytest.approx(0.4, rel=0.03)


def test_slow_drift_shows_in_the_deviation_but_not_from_sample_to_sample():
    gaze = GEOMETRY.deg_to_norm(np.column_stack([np.linspace(-0.5, 0.5, 101), np.zeros(101)]))
    eye = validate([(0.5, 0.5)], [_samples(gaze)], GEOMETRY).both
    assert eye.precision_rms_deg == pytest.approx(0.01, rel=0.02)
    assert eye.precision_sd_deg == pytest.approx(1 / math.sqrt(12), rel=0.03)


def test_a_few_wild_samples_do_not_move_the_accuracy():
    gaze = np.full((50, 2), 0.5)
    gaze[::10] = 0.9
    assert validate([(0.5, 0.5)], [_samples(gaze)], GEOMETRY).accuracy_deg == pytest.approx(0)


def test_loss_is_told_per_eye_and_steps_across_a_loss_do_not_count_as_noise():
    left = np.full((40, 2), 0.5)
    left[20:] += 0.1
    right = left.copy()
    left[18:22] = np.nan
    right[:10] = right[18:22] = np.nan
    validation = validate([(0.5, 0.5)], [_samples(left, right)], GEOMETRY)
    assert validation.loss == validation.both.loss == pytest.approx(0.1)
    assert validation.left.loss == pytest.approx(0.1)
    assert validation.right.loss == pytest.approx(14 / 40)
    assert validation.right.sample_count == 26
    assert validation.left.precision_rms_deg == pytest.approx(0, abs=1e-4)


def test_a_target_without_gaze_counts_as_loss_and_not_as_accurate():
    nothing = empty_samples(30)
    seen = _samples([(0.5, 0.5)] * 30)
    validation = validate(TARGETS[:2], [seen, nothing], GEOMETRY)
    assert validation.accuracy_deg == pytest.approx(0)
    assert validation.loss == pytest.approx(0.5)
    assert validation.targets[1].both.accuracy_deg is None
    assert validation.targets[1].gaze_x_norm is None
    blind = validate([(0.5, 0.5)], [empty_samples(0)], GEOMETRY)
    assert (blind.accuracy_deg, blind.loss, blind.worst_deg) == (None, 1.0, None)


def test_a_validation_can_be_written_as_json():
    validation = validate(TARGETS[:2], [_samples([(0.5, 0.5)] * 9), empty_samples(5)], GEOMETRY)
    fields = json.loads(json.dumps(validation.as_dict(), allow_nan=False))
    assert fields["both"]["accuracy_deg"] == validation.accuracy_deg
    assert fields["targets"][1]["left"]["loss"] == 1.0


def test_targets_and_samples_must_match():
    with pytest.raises(ValueError, match="2 targets need the same number of sample arrays, not 1"):
        validate(TARGETS[:2], [empty_samples(3)], GEOMETRY)
    with pytest.raises(ValueError, match="0 targets"):
        validate([], [], GEOMETRY)


@pytest.mark.parametrize("rate_hz", [30, 60, 90, 250, 1200])
def test_the_rate_is_measured_whatever_the_device_claims(rate_hz):
    quality = stream_quality(_samples(np.full((200, 2), 0.5), rate_hz=rate_hz), 600)
    assert quality.measured_rate_hz == pytest.approx(rate_hz, rel=0.005)
    assert (quality.lost_count, quality.gap_count, quality.longest_gap_us) == (0, 0, 0)
    assert (quality.sample_count, quality.loss) == (200, 0.0)


def test_samples_that_never_came_are_counted_gap_by_gap():
    samples = np.delete(_samples(np.full((100, 2), 0.5), rate_hz=100), [20, 50, 51, 52])
    quality = stream_quality(samples)
    assert (quality.lost_count, quality.gap_count) == (4, 2)
    assert quality.longest_gap_us == 40_000
    assert quality.sample_count == 96


def test_jitter_is_the_spread_of_intervals_and_gaps_do_not_widen_it():
    rng = np.random.default_rng(3)
    samples = _samples(np.full((5000, 2), 0.5), rate_hz=60)
    steps = 1e6 / 60 + rng.normal(0, 500, 5000)
    steps[::100] += 200_000
    samples["host_us"] = np.cumsum(steps)
    quality = stream_quality(samples)
    assert quality.jitter_us == pytest.approx(500, rel=0.06)
    assert quality.gap_count == 49


def test_loss_is_the_share_of_samples_that_came_without_gaze():
    gaze = np.full((10, 2), 0.5)
    gaze[:3] = np.nan
    assert stream_quality(_samples(gaze)).loss == pytest.approx(0.3)


def test_too_few_samples_have_no_rate_and_take_the_nominal_one_for_gaps():
    assert stream_quality(empty_samples(0)).measured_rate_hz is None
    assert stream_quality(empty_samples(1)).jitter_us is None
    assert stream_quality(empty_samples(5)).measured_rate_hz is None
    two = _samples(np.full((2, 2), 0.5), rate_hz=10)
    assert stream_quality(two).gap_count == 0
    assert stream_quality(two, nominal_rate_hz=100).lost_count == 9


def test_a_reading_within_all_limits_is_good_and_needs_no_reason():
    assert reading_verdict(0.05, 0.1, 30_000_000, 0.6) == ("good", ())


@pytest.mark.parametrize(
    ("changed", "verdict", "reason"),
    [
        ({"loss": 0.2}, "doubtful", "gaze lost 20% of the time"),
        ({"loss": 0.5}, "bad", "gaze lost 50% of the time"),
        ({"off_image": 0.4}, "doubtful", "gaze off the image 40% of the time"),
        ({"duration_us": 1_200_000}, "doubtful", "too short: 1.2 s"),
        ({"duration_us": 100_000}, "bad", "too short: 0.1 s"),
        ({"accuracy_deg": 1.5}, "doubtful", "calibration off by 1.5°"),
        ({"accuracy_deg": 3.0}, "bad", "calibration off by 3.0°"),
        ({"accuracy_deg": None}, "doubtful", "accuracy was not validated"),
        ({"accuracy_deg": math.nan}, "doubtful", "accuracy was not validated"),
        ({"off_image": None}, "doubtful", "off-image share unknown"),
    ],
)
def test_each_limit_is_named_when_it_is_crossed(changed, verdict, reason):
    good = {"loss": 0.05, "off_image": 0.1, "duration_us": 30_000_000, "accuracy_deg": 0.6}
    assert reading_verdict(**good | changed) == (verdict, (reason,))


def test_the_gravest_reason_comes_first_and_limits_can_be_set():
    verdict, reasons = reading_verdict(0.2, 0.1, 30_000_000, 3.0)
    assert verdict == "bad"
    assert reasons == ("calibration off by 3.0°", "gaze lost 20% of the time")
    lenient = ReadingLimits(doubtful_loss=0.3, doubtful_accuracy_deg=4, bad_accuracy_deg=5)
    assert reading_verdict(0.2, 0.1, 30_000_000, 3.0, lenient) == ("good", ())


def test_lost_gaze_is_one_share_of_the_samples_and_all_where_none_came():
    assert lost_share(3, 4) == 0.25
    assert lost_share(0, 5) == 1
    assert lost_share(0, 0) == 1
    nothing = empty_samples(0)
    assert stream_quality(nothing).loss == 1
    assert validate([(0.5, 0.5)], [nothing], GEOMETRY).loss == 1


@pytest.mark.parametrize(
    ("loss", "off_image", "clamped", "lacks", "reasons"),
    [
        (0.0, 0.0, 0, (), ("imported; accuracy was not validated",)),
        (0.0, 0.0, 0, ("time", "eyes"), ("imported; not given by the source: time, eyes",)),
        (
            1.0, 0.002, 7, (),
            (
                "imported; accuracy was not validated",
                "gaze lost 100% of the time",
                "gaze off the image 0% of the time",
                "7 samples were moved to the edge of the image",
            ),
        ),
    ],
)  # fmt: skip
def test_imported_gaze_is_doubtful_with_all_that_it_lacks(
    loss, off_image, clamped, lacks, reasons
) -> None:
    assert imported_verdict(loss, off_image, clamped, lacks) == ("doubtful", reasons)
