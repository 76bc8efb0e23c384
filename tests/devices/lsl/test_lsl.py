"""LSL streams from real senders in other processes, on loopback only."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np
import pytest

from devices.clock import HostClock
from devices.errors import AmbiguousStream, StreamLayoutError, TrackerNotFound
from devices.gaze.samples import gaze_norm
from devices.lsl import LslTracker, find_streams
from devices.lsl.stamps import StampClock
from devices.tracker import TrackerInfo
from tests import PATIENCE_S, ROOT

XY = [{"label": "left_x"}, {"label": "left_y"}, {"label": "right_x"}, {"label": "right_y"}]


class Senders:
    """Starts senders and ends them, each by its own process."""

    def __init__(self) -> None:
        self.running: list[subprocess.Popen[str]] = []

    def start(self, **plan) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.devices.lsl.lsl_sender", json.dumps(plan)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.running.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    def kill_all(self) -> None:
        for process in self.running:
            process.kill()
            process.communicate()


@pytest.fixture
def senders() -> Iterator[Senders]:
    made = Senders()
    yield made
    made.kill_all()


def find(name: str) -> TrackerInfo:
    for _ in range(5):
        found = [info for info in find_streams(0.6) if info.name == name]
        if found:
            return found[0]
    raise AssertionError(f"{name} was not found")


def read_for(tracker, seconds):
    end = time.monotonic() + seconds
    chunks = []
    while time.monotonic() < end:
        chunks.append(tracker.read())
        time.sleep(0.02)
    return np.concatenate(chunks)


def read_samples(tracker, count, seconds=PATIENCE_S):
    """Read until so many samples came."""
    end, chunks = time.monotonic() + seconds, []
    while sum(map(len, chunks)) < count:
        assert time.monotonic() < end, f"{sum(map(len, chunks))} of {count} samples came"
        chunks.append(tracker.read())
        time.sleep(0.01)
    return np.concatenate(chunks)


def wait_for_event(tracker, kinds, seconds=PATIENCE_S):
    seen = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        seen += tracker.events()
        if set(kinds) <= {event.kind for event in seen}:
            return seen
        tracker.read()
        time.sleep(0.05)
    raise AssertionError(f"no {kinds} among {seen}")


def test_samples_arrive_with_their_values_at_their_time(senders) -> None:
    senders.start(
        name="F-values", channels=XY, values=[0.1, 0.2, 0.3, 0.4], type="gaze", nominal_hz=600.0
    )
    info = find("F-values")
    assert info.id == "lsl:F-values"
    assert info.kind == "lsl"
    assert not info.calibrates
    clock = HostClock()
    tracker = LslTracker(info)
    tracker.connect(clock)
    try:
        read_for(tracker, 0.5)
        before_us = clock.now_us()
        samples = read_for(tracker, 1.0)
        after_us = clock.now_us()
        rate_hz = tracker.measured_rate_hz
    finally:
        tracker.disconnect()
    assert np.allclose(gaze_norm(samples, "left"), (0.1, 0.2))
    assert np.allclose(gaze_norm(samples, "right"), (0.3, 0.4))
    assert (np.diff(samples["host_us"]) > 0).all()
    assert samples["host_us"][0] > before_us - 200_000
    assert samples["host_us"][-1] < after_us + 2_000
    assert rate_hz == pytest.approx(100, rel=0.1), "measured, whatever the stream claims"
    assert tracker.calibrator() is None
    assert tracker.events() == []


@pytest.mark.parametrize(("allowed", "config"), [(False, 1), (True, 0)])
def test_lsl_stays_on_this_computer_unless_the_study_allows_the_network(
    monkeypatch, allowed, config
) -> None:
    import pylsl

    from devices.lsl import streams

    told = []
    monkeypatch.setattr(pylsl, "set_config_content", told.append)
    monkeypatch.setattr(streams, "_configured_network", None)
    monkeypatch.delenv(streams.NETWORK_VARIABLE, raising=False)
    streams.load_pylsl(network=allowed)
    assert len(told) == config
    assert all("127.0.0.1" in text for text in told)


def test_a_faster_clock_scales_the_stamps(senders, stalls) -> None:
    senders.start(name="F-speed", channels=XY, values=[0.5] * 4)
    clock = HostClock(speed=10.0)
    tracker = LslTracker(find("F-speed"))
    tracker.connect(clock)
    try:
        read_for(tracker, 0.3)
        samples = read_for(tracker, 1.0)
        now_us = clock.now_us()
    finally:
        tracker.disconnect()
    step_us = np.median(np.diff(samples["host_us"]))
    assert step_us == pytest.approx(100_000, abs=10_000 + 10 * stalls.slack_us)
    assert now_us - samples["host_us"][-1] < 2_000_000 + 10 * stalls.slack_us


def test_pupil_capture_is_turned_top_down(senders) -> None:
    channels = [
        {"label": "confidence", "eye": "both", "type": "Confidence", "unit": "normalized"},
        {"label": "norm_pos_x", "eye": "both", "type": "ScreenX", "unit": "normalized"},
        {"label": "norm_pos_y", "eye": "both", "type": "ScreenY", "unit": "normalized"},
    ]
    senders.start(name="pupil_capture", channels=channels, values=[1.0, 0.3, 0.9])
    tracker = LslTracker(find("pupil_capture"))
    tracker.connect(HostClock())
    try:
        samples = read_samples(tracker, 30)
    finally:
        tracker.disconnect()
    assert np.allclose(gaze_norm(samples), (0.3, 0.1))


def test_a_stream_that_is_not_gaze_on_a_screen_is_refused_by_its_channels(senders) -> None:
    channels = [{"label": "pulse"}, {"label": "breath"}]
    senders.start(name="F-vest", channels=channels, values=[1.0, 2.0])
    tracker = LslTracker(find("F-vest"))
    with pytest.raises(StreamLayoutError, match=r"F-vest.*pulse, breath"):
        tracker.connect(HostClock())
    assert len(tracker.read()) == 0


def test_values_that_contradict_their_unit_are_refused(senders) -> None:
    channels = [
        {"label": "x", "type": "ScreenX", "unit": "normalized"},
        {"label": "y", "type": "ScreenY", "unit": "normalized"},
    ]
    senders.start(name="F-unit", channels=channels, values=[960.0, 540.0], rate_hz=200.0)
    tracker = LslTracker(find("F-unit"))
    with pytest.raises(StreamLayoutError, match="values about 960"):
        tracker.connect(HostClock())


def test_a_stream_that_is_gone_is_named(senders) -> None:
    tracker = LslTracker(TrackerInfo("lsl:F-gone", "lsl", "F-gone", serial="F-gone"))
    with pytest.raises(TrackerNotFound, match="F-gone"):
        tracker.connect(HostClock(), timeout_s=0.3)


def test_streams_of_another_type_are_not_offered(senders) -> None:
    senders.start(name="F-eeg", channels=XY, values=[0.0] * 4, type="EEG")
    senders.start(name="F-there", channels=XY, values=[0.0] * 4)
    find("F-there")
    assert "F-eeg" not in [info.name for info in find_streams(0.6)]


@pytest.mark.slow
@pytest.mark.parametrize("source_id", ["F-restart", ""])
def test_a_killed_sender_gives_lost_and_a_restarted_one_restored_with_its_gap(
    senders, source_id, stalls
) -> None:
    name = "F-restart" if source_id else "F-anonymous"
    plan = {"name": name, "channels": XY, "values": [0.5] * 4, "source_id": source_id}
    first = senders.start(**plan)
    clock = HostClock()
    tracker = LslTracker(find(name))
    tracker.connect(clock)
    try:
        read_samples(tracker, 20)
        first.kill()
        killed_us = clock.now_us()
        lost = wait_for_event(tracker, ["lost"])[-1]
        assert lost.time_us - killed_us < 2_000_000 + stalls.slack_us
        time.sleep(0.5)
        senders.start(**plan)
        events = wait_for_event(tracker, ["restored", "gap"])
        gap = next(e for e in events if e.kind == "gap")
        assert gap.data["from_us"] <= killed_us + 50_000
        assert gap.data["to_us"] > lost.time_us
        samples = read_samples(tracker, 20)
    finally:
        tracker.disconnect()
    assert abs(clock.now_us() - int(samples["host_us"][-1])) < 300_000 + stalls.slack_us


@pytest.mark.slow
def test_a_sender_whose_clock_is_reset_is_told_and_its_gaze_stays_at_its_arrival(
    senders, stalls
) -> None:
    senders.start(
        name="F-reset", channels=XY, values=[0.5] * 4, reset_after_s=3.0, reset_by_s=-5_000.0
    )
    clock = HostClock()
    tracker = LslTracker(find("F-reset"))
    tracker.connect(clock)
    try:
        told = wait_for_event(tracker, ["clock_reset"])
        samples = read_samples(tracker, 21)
        offset = tracker.clock_offset()
    finally:
        tracker.disconnect()
    assert "F-reset" in told[-1].detail
    assert len(samples) > 20
    assert (np.diff(samples["host_us"]) >= 0).all()
    assert abs(clock.now_us() - int(samples["host_us"][-1])) < 500_000 + stalls.slack_us
    assert offset is not None
    assert 0 <= offset.age_s < 10 + stalls.slack_s


@pytest.mark.slow
@pytest.mark.parametrize("size_s", [-2.0, -0.2, 0.3, 5.0])
def test_every_sample_of_a_sender_whose_clock_jumps_stays_at_its_instant(
    senders, size_s, stalls
) -> None:
    name = f"F-jump{size_s}"
    channels = [*XY, {"label": "device_time", "unit": "seconds"}]
    senders.start(
        name=name, channels=channels, values=[0.5] * 4 + [0.0], reset_after_s=2.5,
        reset_by_s=size_s, tells_time=True, rate_hz=250.0,
    )  # fmt: skip
    clock, tracker = HostClock(), LslTracker(find(name))
    tracker.connect(clock)
    try:
        before = read_samples(tracker, 50)
        told = wait_for_event(tracker, ["clock_reset"])
        samples = np.concatenate([before, read_samples(tracker, 250)])
    finally:
        tracker.disconnect()
    assert told[-1].data["size_s"] == pytest.approx(size_s, abs=0.06)
    offset_us = samples["host_us"] - samples["device_us"]
    assert np.ptp(offset_us) < 60_000 + stalls.slack_us


@pytest.mark.slow
def test_two_outlets_of_one_name_and_source_are_two_entries(senders) -> None:
    for x in (0.25, 0.75):
        senders.start(name="F-twin", channels=XY, values=[x, 0.5, x, 0.5], source_id="F-twin")
    found: list[TrackerInfo] = []
    for _ in range(10):
        found = [info for info in find_streams(0.6) if info.name == "F-twin"]
        if len(found) == 2:
            break
    assert len({info.id for info in found}) == 2
    seen = set()
    for info in found:
        tracker = LslTracker(info)
        tracker.connect(HostClock())
        seen.add(float(read_samples(tracker, 5)["left_x_norm"][0]))
        tracker.disconnect()
    assert seen == {0.25, 0.75}
    with pytest.raises(AmbiguousStream, match="2 LSL streams are called"):
        LslTracker(TrackerInfo("lsl:F-twin", "lsl", "F-twin", serial="F-twin")).connect(HostClock())


CHANGED = {
    "other order": (XY[::-1], [0.4, 0.3, 0.2, 0.1], None),
    "more channels": ([*XY, {"label": "left_pupil"}], [0.1, 0.2, 0.3, 0.4, 3.0], None),
    "no gaze": ([{"label": "eeg"}] * 4, [0.1] * 4, "eeg"),
    "pixels": (XY, [700.0, 300.0, 700.0, 300.0], "700"),
}


@pytest.mark.slow
@pytest.mark.parametrize("changed", CHANGED)
def test_a_sender_that_comes_back_with_another_layout_is_mapped_anew_or_refused(
    senders, changed: str
) -> None:
    channels, values, refused_for = CHANGED[changed]
    name = f"F-{changed}"
    first = senders.start(name=name, channels=XY, values=[0.1, 0.2, 0.3, 0.4])
    tracker = LslTracker(find(name))
    tracker.connect(HostClock())
    try:
        read_samples(tracker, 20)
        first.kill()
        wait_for_event(tracker, ["lost"])
        tracker.read()
        senders.start(name=name, channels=channels, values=values)
        if refused_for is None:
            wait_for_event(tracker, ["layout_change", "restored"])
            (sample,) = read_samples(tracker, 1)[:1]
            eyes = [sample[f] for f in ("left_x_norm", "left_y_norm", "right_x_norm")]
            assert eyes == pytest.approx([0.1, 0.2, 0.3])
        else:
            told = wait_for_event(tracker, ["fault" if changed == "pixels" else "layout_change"])
            assert refused_for in told[-1].detail
            tracker.read()
            assert len(read_for(tracker, 0.3)) == 0
    finally:
        tracker.disconnect()


@pytest.mark.slow
def test_a_stalled_consumer_loses_nothing(senders) -> None:
    senders.start(name="F-stall", channels=XY, values=[0.5] * 4, rate_hz=500.0)
    tracker = LslTracker(find("F-stall"))
    tracker.connect(HostClock())
    try:
        read_for(tracker, 0.3)
        time.sleep(6.0)  # nobody reads
        samples = read_for(tracker, 0.3)
    finally:
        tracker.disconnect()
    assert len(samples) > 0.9 * 500 * 6
    assert np.diff(samples["host_us"]).max() < 250_000
    assert tracker.events() == []


def test_a_stream_without_labels_is_understood_by_the_users_file(
    senders, tmp_path, monkeypatch
) -> None:
    path = tmp_path / "map.toml"
    path.write_text("[[stream]]\nname = 'F-map'\nunit = 'percent'\nchannels = {x = 1, y = 0}")
    monkeypatch.setenv("FOVEATE_LSL_MAPPING", str(path))
    senders.start(name="F-map", channels=[{"label": "a"}, {"label": "b"}], values=[25.0, 75.0])
    tracker = LslTracker(find("F-map"))
    tracker.connect(HostClock())
    try:
        samples = read_samples(tracker, 30)
    finally:
        tracker.disconnect()
    assert np.allclose(gaze_norm(samples), (0.75, 0.25))


def test_a_clock_reset_at_the_sender_is_told_and_its_stamps_kept_near_their_arrival(
    stalls,
) -> None:
    clock = HostClock()
    local = [1000.0]

    def local_clock():
        local[0] = 1000.0 + clock.now_us() / 1e6
        return local[0]

    stamps = StampClock(clock, local_clock)
    now_s = local_clock()
    good, was_reset = stamps.host_us(np.array([now_s - 0.02, now_s - 0.01]))
    assert not was_reset
    assert good[1] - good[0] == pytest.approx(10_000, abs=2)
    assert clock.now_us() - good[1] < 100_000 + stalls.slack_us
    late, was_reset = stamps.host_us(np.array([3.00, 3.01]))
    assert was_reset
    assert abs(clock.now_us() - late[1]) < 100_000 + stalls.slack_us
    later, was_reset = stamps.host_us(np.array([3.02]))
    assert not was_reset, "told once"
    assert later[0] >= late[1]
