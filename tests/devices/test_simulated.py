"""The simulated reader: exact timing, known truth, honest calibration, repeatable seeds."""

import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from devices.clock import HostClock
from devices.errors import CalibrationError, TrackerError
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.samples import gaze_norm
from devices.gaze.stream import stream_quality
from devices.gaze.view import Affine
from devices.simulated import SimulatedParameters, SimulatedTracker, Stimulus, Target
from devices.simulated.scanpath import TrueFixation
from devices.tracker import (
    DisplayArea,
    KeepsCalibration,
    PositionGuide,
    TellsClock,
    TellsDisplayArea,
    Tracker,
)

GEOMETRY = ScreenGeometry(1920, 1080, 530.0, 300.0, 650.0)
CLEAN = SimulatedParameters(
    bias_deg=(0.0, 0.0),
    noise_deg=0.0,
    drift_deg_per_min=0.0,
    latency_us=0,
    loss=0.0,
    one_eye_loss=0.0,
    blinks_per_min=0.0,
    micro_drift_deg=0.0,
    dot_error_deg=0.0,
    gain_error=0.0,
    offset_error_deg=0.0,
    miss_rate=0.0,
)
IMAGE_TO_NORM = Affine(0.5 / 1000, 0, 0, 0.9 / 1000, 0.25, 0.05)  # 1000 x 1000 pixels
AREA = (0.0, 0.0, 1000.0, 1000.0)
GRID = [(x, y) for y in (0.1, 0.5, 0.9) for x in (0.1, 0.5, 0.9)]


class ManualClock(HostClock):
    """A host clock that shows what the test says."""

    def __init__(self) -> None:
        self.time_ns = 0
        super().__init__(counter_ns=lambda: self.time_ns)

    def go_to(self, time_us: int) -> None:
        self.time_ns = time_us * 1000


def connected(parameters=CLEAN, seed=1):
    clock = ManualClock()
    tracker = SimulatedTracker(GEOMETRY, parameters, seed)
    tracker.connect(clock)
    return tracker, clock


def read_for(tracker, clock, until_us, step_us=100_000):
    chunks = []
    while clock.now_us() < until_us:
        clock.go_to(min(clock.now_us() + step_us, until_us))
        chunks.append(tracker.read())
    return np.concatenate(chunks)


def test_it_is_a_tracker() -> None:
    tracker: Tracker = SimulatedTracker(GEOMETRY)
    assert tracker.info.id == "simulated"
    assert tracker.calibrator() is not None
    assert len(tracker.read()) == 0


@pytest.mark.parametrize("rate_hz", [60.0, 250.0, 333.3, 1200.0])
def test_samples_lie_at_exact_regular_instants(rate_hz) -> None:
    tracker, clock = connected(replace(CLEAN, rate_hz=rate_hz))
    samples = read_for(tracker, clock, 2_000_000, 37_111)
    expected = np.rint(np.arange(len(samples)) * 1e6 / rate_hz)
    assert np.array_equal(samples["host_us"], expected)
    assert abs(len(samples) - 2 * rate_hz) <= 1
    assert (np.diff(samples["device_us"]) > 0).all()
    assert samples["device_us"][0] != samples["host_us"][0]


def test_a_sample_arrives_after_the_latency_and_not_before() -> None:
    tracker, clock = connected(replace(CLEAN, latency_us=20_000, rate_hz=100.0))
    clock.go_to(19_999)
    assert len(tracker.read()) == 0
    clock.go_to(20_000)
    assert tracker.read()["host_us"].tolist() == [0]
    clock.go_to(45_000)
    assert tracker.read()["host_us"].tolist() == [10_000, 20_000]


def drive(steps_us, seed=5):
    """Play one script of commands, reading at the given times as well."""
    parameters = SimulatedParameters(rate_hz=500.0)
    tracker, clock = connected(parameters, seed)
    stimulus = Stimulus((Target(300, 300, 80), Target(700, 600, 60, 2)), AREA, IMAGE_TO_NORM)
    commands = {
        200_000: lambda: tracker.fixate(0.2, 0.3),
        1_500_001: lambda: tracker.attend(stimulus),
        3_333_333: lambda: tracker.move(IMAGE_TO_NORM.then(Affine(1.5, 0, 0, 1.5, -0.2, -0.2))),
        4_000_000: tracker.unplug,
        4_500_000: tracker.plug,
        9_000_000: lambda: tracker.attend(None),
    }
    chunks = []
    for time_us in sorted(set(commands) | set(steps_us) | {12_000_000}):
        clock.go_to(time_us)
        if time_us in commands:
            commands[time_us]()
        if time_us in steps_us or time_us == 12_000_000:
            chunks.append(tracker.read())
    return np.concatenate(chunks), tracker.truth()


def test_samples_do_not_depend_on_the_rhythm_of_reading() -> None:
    often, truth_often = drive(set(range(0, 12_000_000, 7_919)))
    once, truth_once = drive(set())
    assert often.tobytes() == once.tobytes()
    assert truth_often == truth_once


def test_another_seed_is_another_reader() -> None:
    assert drive(set(), seed=5)[0].tobytes() != drive(set(), seed=6)[0].tobytes()


def test_the_eye_reaches_a_dot_after_a_reaction_time_and_stays() -> None:
    tracker, clock = connected(replace(CLEAN, dot_error_deg=0.05, micro_drift_deg=0.05))
    read_for(tracker, clock, 1_000_000)
    tracker.fixate(0.9, 0.1)
    samples = read_for(tracker, clock, 4_000_000)
    far = GEOMETRY.angle_deg(gaze_norm(samples), (0.9, 0.1))
    arrived_us = samples["host_us"][np.argmax(far < 0.5)]
    assert 1_170_000 <= arrived_us <= 1_450_000
    assert far[samples["host_us"] > arrived_us + 50_000].max() < 0.6
    last = tracker.truth()[-1]
    assert last.end_us - last.start_us > 2_000_000, "corrections belong to one fixation"


def test_saccades_follow_the_main_sequence_and_its_speed() -> None:
    tracker, clock = connected(replace(CLEAN, rate_hz=1200.0))
    tracker.attend(Stimulus((), AREA, IMAGE_TO_NORM))
    samples = read_for(tracker, clock, 20_000_000)
    fixations = tracker.truth()
    points = np.array([(f.x_norm, f.y_norm) for f in fixations])
    amplitude = GEOMETRY.angle_deg(points[:-1], points[1:])
    duration = np.array([b.start_us - a.end_us for a, b in pairwise(fixations)])
    assert np.allclose(duration, 21_000 + 2_200 * amplitude, atol=60)
    big = int(np.argmax(amplitude))
    inside = (samples["host_us"] >= fixations[big].end_us) & (
        samples["host_us"] <= fixations[big + 1].start_us
    )
    path = gaze_norm(samples[inside])
    speed = GEOMETRY.angle_deg(path[:-1], path[1:]) * 1200
    assert speed.max() == pytest.approx(1.875 * amplitude[big] / duration[big] * 1e6, rel=0.1)


NORMAL = Stimulus((), AREA, IMAGE_TO_NORM)


@pytest.fixture(scope="module")
def searches() -> list[list[TrueFixation]]:
    """What twelve readers looked at in 30 s of a picture without findings."""
    runs = []
    for seed in range(12):
        tracker, clock = connected(seed=seed)
        tracker.attend(NORMAL)
        clock.go_to(31_500_000)
        runs.append([f for f in tracker.truth() if f.start_us > 1_500_000])
    return runs


def places_deg(fixations: list[TrueFixation]):
    return GEOMETRY.norm_to_deg([(f.x_norm, f.y_norm) for f in fixations])


def test_fixations_last_as_long_as_those_of_people(searches) -> None:
    lengths = np.array([f.end_us - f.start_us for run in searches for f in run[:-1]]) / 1e6
    assert np.median(lengths) == pytest.approx(0.22, abs=0.02)
    assert np.log(lengths).std() == pytest.approx(0.60, abs=0.06)
    assert np.quantile(lengths, 0.05) == pytest.approx(0.095, abs=0.02)
    assert np.quantile(lengths, 0.95) == pytest.approx(0.51, abs=0.07)


def test_saccades_are_as_large_as_those_of_people(searches) -> None:
    size = np.concatenate([np.hypot(*np.diff(places_deg(run), axis=0).T) for run in searches])
    assert (size < 1.5).mean() == pytest.approx(0.17, abs=0.03)
    assert np.median(size) == pytest.approx(4.7, abs=0.7)


def test_the_eye_comes_back_to_earlier_places_as_often_as_that_of_people(searches) -> None:
    came_back = []
    for run in searches:
        places = places_deg(run)[:30]
        for n in range(2, 30):
            came_back.append(np.hypot(*(places[: n - 1] - places[n]).T).min() < 1.0)
    assert np.mean(came_back) == pytest.approx(0.22, abs=0.05)


def test_how_much_of_a_picture_is_seen_differs_by_reader(searches) -> None:
    x, y = np.meshgrid(np.linspace(0, 1000, 31), np.linspace(0, 1000, 31))
    grid = GEOMETRY.norm_to_deg(IMAGE_TO_NORM.map(np.column_stack((x.ravel(), y.ravel()))))
    seen = []
    for run in searches:
        off = grid[:, None] - places_deg(run)[None]
        seen.append((np.hypot(off[..., 0], off[..., 1]).min(axis=1) < 2.5).mean())
    assert 0.5 < min(seen) < 0.7
    assert 0.8 < max(seen) < 0.95


def test_large_saccades_often_fall_short_and_are_corrected(searches) -> None:
    large = corrected = 0
    for run in searches:
        places = places_deg(run)
        for k in range(len(run) - 2):
            way, rest = places[k + 1] - places[k], places[k + 2] - places[k + 1]
            if np.hypot(*way) < 8.0:
                continue
            large += 1
            along = float(way @ rest) / float(way @ way)
            across = abs(float(way[0] * rest[1] - way[1] * rest[0])) / float(way @ way)
            pause_us = run[k + 1].end_us - run[k + 1].start_us
            corrected += 0.03 < along < 0.25 and across < 0.02 and pause_us < 220_000
    assert 0.1 < corrected / large < 0.35


def test_lesions_are_missed_at_the_set_rate() -> None:
    target = Stimulus((Target(300, 640, 40),), AREA, IMAGE_TO_NORM, "concentrated")
    looks = []
    for seed in range(5):
        tracker, clock = connected(replace(CLEAN, miss_rate=0.8), seed)
        for reading in range(1, 21):
            tracker.attend(target)
            clock.go_to(reading * 12_000_000)
        runs = [
            [f for f in tracker.truth() if k < f.start_us // 12_000_000 + 1 <= k + 1]
            for k in range(20)
        ]
        looks += [sum(f.target == 0 for f in run) for run in runs]
    never = sum(n == 0 for n in looks) / len(looks)
    briefly = sum(0 < n <= 4 for n in looks) / len(looks)
    assert never == pytest.approx(0.8 * 0.30, abs=0.1)
    assert briefly == pytest.approx(0.8 * 0.25, abs=0.1)


def test_before_the_connection_the_eye_rests_where_it_begins() -> None:
    clock = ManualClock()
    clock.go_to(5_000_000)
    tracker = SimulatedTracker(GEOMETRY, CLEAN, 1)
    tracker.connect(clock)
    early, first = tracker.true_gaze_norm([0, 1_000_000]), tracker.true_gaze_norm([5_000_000])
    assert np.array_equal(early, np.repeat(first, 2, axis=0))


def test_gaze_without_errors_is_the_truth() -> None:
    tracker, clock = connected()
    tracker.attend(Stimulus((Target(500, 500, 100),), AREA, IMAGE_TO_NORM))
    samples = read_for(tracker, clock, 5_000_000)
    true = tracker.true_gaze_norm(samples["host_us"])
    assert np.allclose(gaze_norm(samples), true, atol=1e-6)
    for f in tracker.truth()[:-1]:
        resting = (samples["host_us"] > f.start_us) & (samples["host_us"] < f.end_us)
        assert np.allclose(gaze_norm(samples[resting]), (f.x_norm, f.y_norm), atol=1e-6)


def test_noise_has_the_asked_size_in_degrees() -> None:
    parameters = replace(CLEAN, noise_deg=0.2, rate_hz=1000.0)
    tracker, clock = connected(parameters)
    tracker.fixate(0.85, 0.2)
    samples = read_for(tracker, clock, 6_000_000)
    samples = samples[samples["host_us"] > 1_000_000]
    for eye in ("left", "right"):
        step = GEOMETRY.angle_deg(gaze_norm(samples[:-1], eye), gaze_norm(samples[1:], eye))
        # RMS of sample-to-sample steps of white noise: two axes, two samples each.
        assert np.sqrt((step**2).mean()) == pytest.approx(0.2 * 2, rel=0.05)


def test_loss_and_blinks_take_their_shares() -> None:
    parameters = replace(CLEAN, loss=0.05, one_eye_loss=0.04)
    tracker, clock = connected(parameters)
    clock.go_to(300_000_000)
    samples = tracker.read()
    left, right = (np.isnan(samples[f"{eye}_x_norm"]) for eye in ("left", "right"))
    assert (left & right).mean() == pytest.approx(0.05, abs=0.01)
    assert (left ^ right).mean() == pytest.approx(0.04, abs=0.012)
    assert np.isnan(samples["left_pupil_mm"][left]).all()
    tracker, clock = connected(replace(CLEAN, blinks_per_min=15.0))
    clock.go_to(600_000_000)
    samples = tracker.read()
    closed = np.isnan(samples["left_x_norm"])
    blinks = np.flatnonzero(np.diff(closed.astype(int)) == 1)
    assert 120 <= len(blinks) <= 180, "about 15 a minute for ten minutes"
    assert samples["left_openness_mm"][closed].min() < 0.5
    assert stream_quality(samples).loss == pytest.approx(15 * 0.15 / 60, abs=0.01)


def test_eyes_are_where_the_geometry_says() -> None:
    tracker, clock = connected()
    samples = read_for(tracker, clock, 1_000_000)
    assert np.allclose(samples["left_origin_z_mm"], 650, atol=10)
    between = samples["right_origin_x_mm"] - samples["left_origin_x_mm"]
    assert np.allclose(between, 63, atol=0.1)
    assert np.nanmedian(samples["left_pupil_mm"]) == pytest.approx(3.6, abs=0.8)


def calibrate(tracker, clock, look=True):
    """Run a nine-point calibration on a clock that runs by itself."""
    calibrator = tracker.calibrator()
    calibrator.enter()
    for x, y in GRID:
        if look:
            tracker.fixate(x, y)
            wait(clock, 600_000)
        calibrator.collect(x, y)
    outcome = calibrator.compute()
    calibrator.leave()
    return outcome


def wait(clock, length_us):
    end_us = clock.now_us() + length_us
    while clock.now_us() < end_us:
        pass


def errors_deg(tracker, clock, points):
    """Return the mean angular error per target of a validation, in degrees."""
    found = []
    for x, y in points:
        tracker.fixate(x, y)
        wait(clock, 700_000)
        start_us = clock.now_us()
        wait(clock, 700_000)
        samples = tracker.read()
        samples = samples[samples["host_us"] >= start_us]
        mean = np.nanmean(gaze_norm(samples), axis=0)
        found.append(float(GEOMETRY.angle_deg(mean, (x, y))))
    return np.array(found)


HELD_OUT = [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)]


def test_calibration_removes_the_distortion_and_leaves_the_bias() -> None:
    clock = HostClock(speed=60.0)
    parameters = SimulatedParameters(bias_deg=(0.6, 0.8), drift_deg_per_min=0.0, loss=0.0)
    tracker = SimulatedTracker(GEOMETRY, parameters, seed=2)
    tracker.connect(clock)
    before = errors_deg(tracker, clock, HELD_OUT)
    outcome = calibrate(tracker, clock)
    after = errors_deg(tracker, clock, HELD_OUT)
    assert outcome.status == "success"
    assert len(outcome.points) == 9
    assert outcome.device_data
    assert abs(before.mean() - 1.0) > 0.2, "uncalibrated gaze is off by its distortion"
    assert after.mean() == pytest.approx(1.0, abs=0.05)


def test_calibration_without_looking_at_the_targets_fails_and_changes_nothing() -> None:
    clock = HostClock(speed=60.0)
    tracker = SimulatedTracker(GEOMETRY, SimulatedParameters(blinks_per_min=0.0), seed=2)
    tracker.connect(clock)
    tracker.fixate(0.5, 0.5)
    wait(clock, 600_000)
    outcome = calibrate(tracker, clock, look=False)
    assert outcome.status == "failure"


def test_a_discarded_point_does_not_count() -> None:
    clock = HostClock(speed=60.0)
    tracker = SimulatedTracker(GEOMETRY, replace(CLEAN, offset_error_deg=1.0), seed=2)
    tracker.connect(clock)
    calibrator = tracker.calibrator()
    calibrator.enter()
    tracker.fixate(0.9, 0.9)
    wait(clock, 600_000)
    calibrator.collect(0.1, 0.1)  # the reader looked elsewhere
    calibrator.discard(0.1, 0.1)
    for x, y in GRID:
        tracker.fixate(x, y)
        wait(clock, 600_000)
        assert calibrator.collect(x, y).left_ok
    assert calibrator.compute().status == "success"
    assert errors_deg(tracker, clock, HELD_OUT).max() < 0.05


def test_calibration_out_of_mode_or_without_a_cable_is_refused() -> None:
    clock = HostClock(speed=60.0)
    tracker = SimulatedTracker(GEOMETRY, CLEAN)
    calibrator = tracker.calibrator()
    with pytest.raises(CalibrationError, match="Enter it first"):
        calibrator.collect(0.5, 0.5)
    calibrator.enter()
    with pytest.raises(TrackerError, match="not connected"):
        calibrator.collect(0.5, 0.5)
    tracker.connect(clock)
    tracker.unplug()
    with pytest.raises(CalibrationError, match="Reconnect it"):
        calibrator.collect(0.5, 0.5)


def test_drift_grows_with_time() -> None:
    tracker, clock = connected(replace(CLEAN, drift_deg_per_min=0.5))
    tracker.fixate(0.5, 0.5)
    clock.go_to(120_000_000)
    last = tracker.read()[-1:]
    assert GEOMETRY.angle_deg(gaze_norm(last), (0.5, 0.5))[0] == pytest.approx(1.0, abs=0.02)


def test_a_pulled_cable_gives_events_and_no_samples() -> None:
    tracker, clock = connected()
    clock.go_to(1_000_000)
    tracker.unplug()
    clock.go_to(2_500_000)
    assert tracker.read()["host_us"].max() < 1_000_000
    tracker.plug()
    clock.go_to(3_000_000)
    samples, events = tracker.read(), tracker.events()
    assert [e.kind for e in events] == ["lost", "restored"]
    assert events[1].data == {"gap_us": 1_500_000}
    assert samples["host_us"].min() >= 2_500_000
    assert samples["host_us"].max() > 2_990_000
    assert tracker.events() == []


def read_picture(stimulus, seed, length_us=30_000_000):
    tracker, clock = connected(seed=seed)
    tracker.attend(stimulus)
    clock.go_to(length_us)
    return tracker.truth()


def dwell_us(fixations: list[TrueFixation], target):
    return sum(f.end_us - f.start_us for f in fixations if f.target == target)


def spread(fixations):
    points = [(f.x_norm, f.y_norm) for f in fixations if f.start_us > 3_000_000]
    return float(np.std(points, axis=0).mean())


def test_gaze_dwells_on_targets_by_their_weight_and_lands_within_them() -> None:
    targets = (Target(250, 250, 80, 1.0), Target(750, 700, 80, 3.0))
    stimulus = Stimulus(targets, AREA, IMAGE_TO_NORM, "concentrated")
    runs = [read_picture(stimulus, seed) for seed in range(8)]
    light, heavy = (sum(dwell_us(r, k) for r in runs) for k in (0, 1))
    assert heavy > 1.8 * light
    back = IMAGE_TO_NORM.inverse()
    on_heavy = [(f.x_norm, f.y_norm) for r in runs for f in r if f.target == 1]
    distance = np.hypot(*(back.map(on_heavy) - (750, 700)).T)
    assert (distance < 120).mean() > 0.9
    assert sum(dwell_us(r, None) for r in runs) > 0, "some exploration remains"


def test_the_first_look_is_a_search_and_targets_come_after_it() -> None:
    stimulus = Stimulus((Target(800, 800, 50),), AREA, IMAGE_TO_NORM, "concentrated")
    fixations = read_picture(stimulus, 4)
    first = next(f for f in fixations if f.target == 0)
    assert 700_000 < first.start_us < 6_000_000


def test_styles_differ_and_readers_agree_within_a_style() -> None:
    target = (Target(500, 500, 90),)
    widths = {
        style: [spread(read_picture(Stimulus(t, AREA, IMAGE_TO_NORM, style), s)) for s in range(5)]
        for style, t in {"search": (), "concentrated": target, "radial": target}.items()
    }
    assert min(widths["search"]) > max(widths["concentrated"])
    on_target = {
        style: np.array(
            [
                (f.x_norm, f.y_norm)
                for s in range(5)
                for f in read_picture(Stimulus(target, AREA, IMAGE_TO_NORM, style), s)
                if f.target == 0
            ]
        )
        for style in ("concentrated", "radial")
    }
    assert (
        on_target["radial"].std(axis=0).mean() > 1.4 * on_target["concentrated"].std(axis=0).mean()
    )


def test_the_eye_stays_when_the_picture_moves_and_follows_with_the_next_saccade() -> None:
    tracker, clock = connected()
    tracker.attend(Stimulus((Target(100, 500, 30),), AREA, IMAGE_TO_NORM, "concentrated"))
    clock.go_to(15_000_000)
    before = tracker.truth()[-1]
    shifted = IMAGE_TO_NORM.then(Affine(tx=0.2))
    tracker.move(shifted)
    clock.go_to(15_000_010)
    now = tracker.truth()[-1]
    assert (now.x_norm, now.y_norm) == (before.x_norm, before.y_norm)
    clock.go_to(45_000_000)
    later = [f for f in tracker.truth() if f.start_us > 16_000_000 and f.target == 0]
    aim = shifted.map((100.0, 500.0))
    assert np.allclose(np.median([(f.x_norm, f.y_norm) for f in later], axis=0), aim, atol=0.03)


def test_targets_zoomed_off_the_screen_are_not_looked_at() -> None:
    zoomed = IMAGE_TO_NORM.then(Affine(4, 0, 0, 4, -1.0, -1.0))
    stimulus = Stimulus((Target(950, 950, 30),), AREA, zoomed, "concentrated")
    fixations = read_picture(stimulus, 2)
    assert {f.target for f in fixations} == {None}
    points = np.array([(f.x_norm, f.y_norm) for f in fixations])
    assert points.min() >= 0
    assert points.max() <= 1


@pytest.mark.parametrize("rate_hz", [0.0, 59.0, 1201.0])
def test_a_rate_out_of_range_is_refused(rate_hz) -> None:
    with pytest.raises(TrackerError, match="60 to 1200 Hz"):
        SimulatedParameters(rate_hz=rate_hz)


def test_disconnected_it_reads_nothing_and_connects_again() -> None:
    tracker, clock = connected()
    clock.go_to(1_000_000)
    tracker.disconnect()
    tracker.disconnect()
    assert len(tracker.read()) == 0
    assert tracker.truth() == []
    tracker.connect(clock)
    clock.go_to(1_100_000)
    assert tracker.read()["host_us"][0] == 1_000_000


def test_generation_is_cheap() -> None:
    tracker, clock = connected(SimulatedParameters(rate_hz=1200.0))
    tracker.attend(Stimulus((Target(500, 500, 90),), AREA, IMAGE_TO_NORM))
    read_for(tracker, clock, 5_000_000, 200_000)
    start = time.process_time()
    read_for(tracker, clock, 65_000_000, 200_000)  # as polled every 10 ms at twenty times life
    assert time.process_time() - start < 1.5, "one minute of gaze; about 0.2 s when measured"


def test_the_head_is_told_where_the_samples_say_it_is() -> None:
    tracker, clock = connected()
    assert isinstance(tracker, PositionGuide)
    samples = read_for(tracker, clock, 2_000_000)
    position = tracker.user_position()
    assert position is not None
    assert position.distance_mm == pytest.approx(samples["left_origin_z_mm"][-1], abs=1)
    for place in (position.left, position.right):
        assert place is not None
        assert all(0 < axis < 1 for axis in place)
    assert position.left[0] < position.right[0], "x runs from the reader's left to right"
    tracker.unplug()
    assert tracker.user_position() is None


def test_a_stored_calibration_applied_again_gives_the_same_gaze() -> None:
    clock = HostClock(speed=60.0)
    distorted = replace(CLEAN, gain_error=0.05, offset_error_deg=2.0)
    tracker = SimulatedTracker(GEOMETRY, distorted, seed=2)
    tracker.connect(clock)
    assert isinstance(tracker, KeepsCalibration)
    before = errors_deg(tracker, clock, GRID)
    outcome = calibrate(tracker, clock)
    assert tracker.calibration_data() == outcome.device_data
    tracker.connect(clock)
    assert errors_deg(tracker, clock, GRID).max() > 1, "a new connection starts uncalibrated"
    tracker.apply_calibration(outcome.device_data)
    assert errors_deg(tracker, clock, GRID).max() < 0.1 < before.max()
    with pytest.raises(CalibrationError, match="Calibrate again"):
        tracker.apply_calibration(b"of another tracker")


def test_its_clock_and_screen_are_told() -> None:
    tracker, clock = connected()
    assert isinstance(tracker, TellsClock)
    samples = read_for(tracker, clock, 500_000)
    offset = tracker.clock_offset()
    assert offset is not None
    told_us = samples["device_us"][-1] + offset.offset_us
    assert told_us == pytest.approx(samples["host_us"][-1], abs=50)
    assert isinstance(tracker, TellsDisplayArea)
    assert tracker.display_area() == DisplayArea(530.0, 300.0)
