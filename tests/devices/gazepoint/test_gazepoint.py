"""Gazepoint's adapter over a stand-in for Control: what is recorded is what was sent."""

import json
import time
from collections.abc import Iterable, Iterator

import numpy as np
import pytest

from devices.catalogue import find_trackers, open_tracker
from devices.clock import HostClock
from devices.errors import TrackerError, TrackerNotFound
from devices.gaze.geometry import ScreenGeometry
from devices.gazepoint import find_gazepoint, open_gazepoint
from devices.gazepoint import tracker as tracker_module
from devices.gazepoint.complaints import Complaints
from devices.gazepoint.greeting import Screen
from devices.gazepoint.lines import LONGEST, LineCutter, command, read_line
from devices.gazepoint.records import read_record
from devices.gazepoint.stamps import RecordClock
from devices.gazepoint.tracker import GazepointTracker
from devices.tracker import DeviceEvent, TrackerInfo
from main import main
from tests.devices.gazepoint.sender import (
    RATE_HZ,
    assert_is,
    gaze,
    heard,
    opened,
    read_all,
    send,
    sending,
    wait_for,
)
from tests.devices.gazepoint.stand_in import Control, Sent, gazepoint_control
from tests.stalls import Stalls

GEOMETRY = ScreenGeometry(1920, 1080, 530.0, 300.0)
ID = "gazepoint:18050123"


@pytest.fixture
def control(monkeypatch: pytest.MonkeyPatch) -> Iterator[Control]:
    with gazepoint_control() as (control, port):
        monkeypatch.setenv("FOVEATE_GAZEPOINT", f"127.0.0.1:{port}")
        yield control


@pytest.fixture
def nothing_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with gazepoint_control() as (_, port):
        pass
    monkeypatch.setenv("FOVEATE_GAZEPOINT", f"127.0.0.1:{port}")


@pytest.fixture
def tracker(control: Control) -> Iterator[GazepointTracker]:
    tracker = opened()
    tracker.connect(HostClock())
    yield tracker
    tracker.disconnect()


def connection_kinds(events: Iterable[DeviceEvent]) -> list[str]:
    """Return what was said of the connection, for a busy computer says more of its clock."""
    return [event.kind for event in events if event.kind in ("lost", "restored", "gap")]


def test_it_is_found_with_its_serial_number_model_and_rate(control: Control) -> None:
    (info,) = find_gazepoint()
    assert (info.id, info.kind, info.name) == (ID, "gazepoint", "Gazepoint GP3HD")
    assert (info.rate_hz, info.calibrates) == (150.0, True)
    assert ("SET", "ENABLE_SEND_DATA", {"STATE": "1"}) not in control.commands


def test_every_record_is_a_sample_with_its_values(
    control: Control, tracker: GazepointTracker
) -> None:
    sent = gaze(90)
    send(control, sent)
    samples = read_all(tracker, 90)
    assert_is(samples, sent)
    np.testing.assert_allclose(samples["left_pupil_mm"], 3.4, rtol=1e-6)
    np.testing.assert_allclose(samples["right_pupil_mm"], 3.3, rtol=1e-6)
    np.testing.assert_allclose(samples["right_origin_z_mm"], 610.0, rtol=1e-6)
    assert "fault" not in {event.kind for event in tracker.events()}


def test_samples_lie_on_the_host_clock_at_the_distances_of_the_trackers_own(
    control: Control,
) -> None:
    clock = HostClock(speed=4.0)
    tracker = opened()
    tracker.connect(clock)
    before_us = clock.now_us()
    send(control, gaze(60))
    samples = read_all(tracker, 60)
    offset = tracker.clock_offset()
    tracker.disconnect()
    assert np.median(np.diff(samples["host_us"])) == pytest.approx(4e6 / RATE_HZ, abs=30)
    assert before_us - 4 * 50_000 <= samples["host_us"][0]
    assert samples["host_us"][-1] <= clock.now_us()
    assert offset is not None
    assert offset.offset_us == samples["host_us"][-1] - samples["device_us"][-1]


def test_records_keep_their_distances_however_late_they_come() -> None:
    times_us = np.asarray(5e9 + 1e6 * np.arange(300) / RATE_HZ, np.float64)
    arrived_us = times_us - 4e9 + np.random.default_rng(3).uniform(2_000, 15_000, 300)
    clock = RecordClock(2.0, None)
    parts = [clock.place(times_us[i : i + 30], arrived_us[i : i + 30]) for i in range(0, 300, 30)]
    host_us = np.concatenate([placed for placed, _ in parts])
    assert all(faults == [] for _, faults in parts)
    np.testing.assert_allclose(np.diff(host_us), 2e6 / RATE_HZ, atol=1.5)
    late_us = arrived_us - host_us / 2
    assert -13_000 <= late_us.min() <= late_us.max() <= 13_000


def test_filtered_gaze_is_neither_asked_for_nor_read(
    control: Control, tracker: GazepointTracker
) -> None:
    control.state["ENABLE_SEND_POG_FIX"] = "1"  # as another program would
    assert ("SET", "ENABLE_SEND_POG_FIX") not in {c[:2] for c in control.commands}
    sent = gaze(20)
    send(control, sent)
    assert_is(read_all(tracker, 20), sent)


def test_the_best_estimate_stands_in_where_neither_eye_has_gaze_of_its_own(
    control: Control, tracker: GazepointTracker
) -> None:
    best = {"BPOGX": 0.25, "BPOGY": 0.75, "BPOGV": 1}
    control.send(Sent(1.0, (0.1, 0.1), (0.2, 0.2), False, False, best))
    control.send(Sent(1.1, (0.1, 0.2), (0.3, 0.4), True, False, best))
    control.send(Sent(1.2, (0.1, 0.1), (0.2, 0.2), False, False, {**best, "BPOGV": 0}))
    samples = read_all(tracker, 3)
    np.testing.assert_allclose(samples["left_x_norm"], [0.25, 0.1, np.nan], rtol=1e-6)
    np.testing.assert_allclose(samples["right_y_norm"], [0.75, np.nan, np.nan], rtol=1e-6)


def test_what_an_older_control_does_not_know_is_done_without_and_said(control: Control) -> None:
    control.refused = {"ENABLE_SEND_POG_LEFT", "ENABLE_SEND_POG_RIGHT", "ENABLE_SEND_PUPILMM"}
    tracker = opened()
    tracker.connect(HostClock())
    sent = [Sent(1.0 + k / RATE_HZ, (0.2, 0.4), (0.4, 0.6)) for k in range(10)]
    send(control, sent)
    samples = read_all(tracker, 10)
    (event,) = (e for e in tracker.events() if e.kind == "fault")
    tracker.disconnect()
    np.testing.assert_allclose(samples["left_x_norm"], 0.3, rtol=1e-6)
    np.testing.assert_allclose(samples["right_y_norm"], 0.5, rtol=1e-6)
    np.testing.assert_allclose(samples["left_pupil_mm"], 3.4, rtol=1e-6)
    assert event.kind == "fault"
    assert "one gaze point for both eyes" in event.detail


@pytest.mark.parametrize(
    ("refused", "silent", "told"),
    [
        pytest.param({"PRODUCT_ID", "SERIAL_ID"}, set(), "not Gazepoint Control", id="nobody"),
        pytest.param(set(), {"ENABLE_SEND_DATA"}, "ENABLE_SEND_DATA", id="silent"),
        pytest.param({f"ENABLE_SEND_POG_{e}" for e in ("LEFT", "RIGHT", "BEST")}, set(),
                     "does not send gaze", id="no gaze"),
        pytest.param({"ENABLE_SEND_TIME", "ENABLE_SEND_TIME_TICK"}, set(), "not send times",
                     id="no time"),
    ],
)  # fmt: skip
def test_one_that_cannot_be_recorded_is_refused_by_name(
    control: Control, refused: set[str], silent: set[str], told: str
) -> None:
    tracker = opened()
    control.refused, control.silent = refused, silent
    with pytest.raises(TrackerError, match=told):
        tracker.connect(HostClock())


def test_a_tracker_that_is_not_there_is_told_with_the_way_out(nothing_there: None) -> None:
    with pytest.raises(TrackerNotFound, match="Start Gazepoint Control"):
        open_tracker(ID, GEOMETRY)
    assert [line.kind for line in find_trackers(0.05).missing][-1] == "gazepoint"


def test_another_serial_number_is_told_with_the_one_that_is_there(control: Control) -> None:
    with pytest.raises(TrackerNotFound, match=f"gazepoint:1.*{ID}"):
        open_gazepoint("gazepoint:1")


@pytest.mark.parametrize("text", ["here", "here:", ":4242", "here:0", "here:70000", "here:x"])
def test_an_address_that_is_none_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("FOVEATE_GAZEPOINT", text)
    with pytest.raises(TrackerError, match="HOST:PORT"):
        find_gazepoint()


def test_records_cut_anywhere_are_read_whole(control: Control, tracker: GazepointTracker) -> None:
    control.split = 7
    sent = gaze(20)
    send(control, sent)
    assert_is(read_all(tracker, 20), sent)


def test_malformed_lines_are_counted_and_said_and_the_others_recorded(
    control: Control, tracker: GazepointTracker
) -> None:
    sent = gaze(20)
    send(control, sent[:10])
    for line in (
        '<REC TIME_TICK="12',
        '<REC TIME_TICK="nan" LPOGX="0.5" LPOGY="0.5" LPOGV="1" />',
        '<REC TIME_TICK="x" />',
        '<REC LPOGX="0.5" />',
        "what?",
        "x" * (3 * LONGEST),
    ):
        control.send_line(line)
    send(control, sent[10:])
    assert_is(read_all(tracker, 20), sent)
    told = heard(tracker, "fault")
    assert all("cannot be read" in event.detail for event in told)


def test_values_beyond_all_bounds_are_no_gaze() -> None:
    line = '<REC TIME="1" LPOGX="1e308" LPOGY="0.5" LPOGV="1" RPOGX="nan" RPOGY="0" RPOGV="1" '
    record = read_record(line + 'LPMM="1e9" LPMMV="1" LEYEX="inf" LPUPILV="1" />', None)
    assert record is not None
    assert record.values == {}
    assert read_record('<REC TIME="1e300" />', None) is None


def test_a_line_is_read_as_the_manual_writes_it() -> None:
    cutter = LineCutter()
    assert cutter.feed(b'<ACK ID="A" X="1"') == []
    (text,) = cutter.feed(b" />\r\n")
    assert read_line(text) is not None
    update = read_line('<UPDATE ACTIVE_ID="1" MAX_ID="2" X="0" Y="0" WIDTH="10" HEIGHT="20" >')
    assert update is not None
    assert update.values["WIDTH"] == "10"
    assert read_line('<REC A="1" A="2" />') is None
    assert command("SET", "X", STATE=1) == b'<SET ID="X" STATE="1" />\r\n'


def test_a_cut_connection_is_lost_and_made_again_with_its_gap_said(
    control: Control, tracker: GazepointTracker
) -> None:
    sent = gaze(40)
    send(control, sent[:20])
    first = read_all(tracker, 20)
    control.commands.clear()
    control.cut()
    assert connection_kinds(heard(tracker, "lost")) == ["lost"]
    control.wait_for("SET", "ENABLE_SEND_DATA")
    wait_for(lambda: len(control._clients) == 1)
    send(control, sent[20:])
    assert_is(np.concatenate([first, read_all(tracker, 20)]), sent)
    said = {event.kind: event for event in heard(tracker, "gap")}
    assert connection_kinds(said.values()) == ["restored", "gap"]
    assert said["gap"].data["from_us"] == first["host_us"][-1]


def test_silence_is_lost_and_its_end_restored(
    control: Control, tracker: GazepointTracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker_module, "SILENCE_S", 0.2)
    since_s = time.perf_counter()
    control.send(*gaze(1))
    read_all(tracker, 1)
    assert "No samples" in heard(tracker, "lost")[0].detail
    assert tracker.user_position() is None
    control.send(*gaze(1, 100.0 + time.perf_counter() - since_s))
    assert connection_kinds(heard(tracker, "gap")) == ["restored", "gap"]


@pytest.mark.parametrize("is_time", [True, False], ids=["TIME", "TIME_TICK"])
def test_a_clock_that_starts_anew_is_said_and_healed(
    control: Control, is_time: bool, stalls: Stalls
) -> None:
    if is_time:
        control.refused = {"TIME_TICK_FREQUENCY"}
    clock = HostClock()
    tracker = opened()
    tracker.connect(clock)
    send(control, gaze(30))
    before = read_all(tracker, 30)
    again = gaze(30, 0.0)
    send(control, again)
    after = read_all(tracker, 30)
    kinds = {event.kind for event in tracker.events()}
    tracker.disconnect()
    assert "clock_reset" in kinds
    assert ("fault" in kinds) == is_time, "that there is no TIME_TICK"
    host_us = np.concatenate([before, after])["host_us"]
    assert (np.diff(host_us) >= 0).all()
    assert host_us[-1] == pytest.approx(clock.now_us(), abs=100_000 + stalls.slack_us)
    assert_is(after, again)


def heard_twice(tracker: GazepointTracker) -> list[DeviceEvent]:
    """Return what was said, two things, each in its time."""
    said = heard(tracker, "display_area")
    return said if len(said) == 2 else said + heard(tracker, "display_area")


def test_another_screen_is_named_when_connecting_and_when_it_changes(control: Control) -> None:
    control.screen = (1920, 0, 1920, 1080)
    tracker = open_tracker(ID, GEOMETRY)
    assert isinstance(tracker, GazepointTracker)
    tracker.connect(HostClock())
    (event,) = tracker.events()
    assert event.kind == "display_area"
    assert "1920 × 1080 pixels at (1920, 0)" in event.detail
    line = '<UPDATE ACTIVE_ID="{}" MAX_ID="2" X="0" Y="0" WIDTH="{}" HEIGHT="1080" >'
    control.send_line(line.format(0, 1920))
    control.send_line(line.format(1, 2560))
    again, other = (event.detail for event in heard_twice(tracker))
    assert "again" in again
    assert "2560 × 1080" in other
    tracker.disconnect()


def test_a_scaled_desktop_is_the_same_screen() -> None:
    scaled = ScreenGeometry(1280, 720, 530.0, 300.0, device_pixel_ratio=1.5)
    for size in ((1280, 720), (1920, 1080)):
        screen = Screen(0, 0, *size)
        assert list(Complaints(TrackerInfo("i", "k", "n"), scaled).of_screen(screen)) == []


def test_a_rate_other_than_the_one_that_is_told_is_said() -> None:
    info = TrackerInfo("i", "k", "Gazepoint GP3HD", rate_hz=150.0)
    (said,) = Complaints(info, None).of_rate(np.arange(0, 3e6, 1e6 / 60))
    assert said == (
        "rate_change",
        "Gazepoint GP3HD reports 150 Hz, but its samples arrive at 60 Hz.",
    )
    assert list(Complaints(info, None).of_rate(np.arange(0, 3e6, 1e6 / 150))) == []


def test_where_the_eyes_are_is_told_from_the_readers_left_to_the_right(
    control: Control, tracker: GazepointTracker
) -> None:
    control.send(*gaze(1))
    read_all(tracker, 1)
    position = tracker.user_position()
    assert position is not None
    assert position.left == pytest.approx((0.4, 0.5, 1 / 3))
    assert position.distance_mm == pytest.approx(605.0)
    mirrored = {"LPCX": 0.7, "RPCX": 0.5}
    control.send(Sent(200.0, (0.5, 0.5), (0.5, 0.5), other=mirrored))
    read_all(tracker, 1)
    position = tracker.user_position()
    assert position is not None
    assert position.left is not None
    assert position.left[0] == pytest.approx(0.3)


def test_the_command_lists_and_tests_it(
    control: Control, capsys: pytest.CaptureFixture[str]
) -> None:
    control.screen = (0, 0, 2560, 1440)
    assert main(["devices", "--timeout", "0.05"]) == 0
    assert ID in capsys.readouterr().out
    with sending(control):
        assert main(["devices", "--test", ID, "--seconds", "1", "--json"]) == 0
    test = json.loads(capsys.readouterr().out)
    assert test["tracker"]["rate_hz"] == 150.0
    assert test["stream"]["sample_count"] > 20
    assert "display_area" not in {event["kind"] for event in test["events"]}
