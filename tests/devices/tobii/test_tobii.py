"""Tobii's real Python layer over a stand-in for its compiled part, in-process and in the bridge."""

import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from devices.clock import HostClock
from devices.errors import CalibrationError, TrackerError, TrackerLost, TrackerNotFound
from devices.gaze.samples import gaze_norm
from devices.tobii import interpreters, search
from devices.tobii.homes import BridgeHome, Home, OwnHome
from devices.tobii.interpreters import REQUIREMENT, make_environment
from devices.tobii.search import find_tobii, open_tobii
from devices.tobii.tracker import TobiiTracker
from devices.tracker import DisplayArea, KeepsCalibration, PositionGuide, TellsClock
from tests import PATIENCE_S, ROOT
from tests.devices.tobii import tobii_sdk

CACHE = Path(tempfile.gettempdir()) / "foveate-test-tobii-sdk"
TARGETS = [(0.5, 0.5), (0.1, 0.1), (0.9, 0.1), (0.1, 0.9), (0.9, 0.9)]


class World:
    """What happens to the stand-in tracker."""

    def __init__(self, path: Path) -> None:
        self.path, self.state = path, {}
        self.set()

    def set(self, **state) -> None:
        self.state |= state
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(self.state))
        fresh.replace(self.path)


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tobii_sdk.fetch(CACHE, tmp_path_factory.mktemp("tobii-sdk"))
    if isinstance(found, str):
        pytest.skip(found)
    return found


@pytest.fixture
def world(tmp_path, monkeypatch) -> World:
    made = World(tmp_path / "world.json")
    monkeypatch.setenv("TOBII_STAND_IN", str(made.path))
    return made


@pytest.fixture(params=["own", "bridge"])
def make_home(request, sdk, world, monkeypatch) -> Iterator[Callable[[], Home]]:
    """Both homes: this process, and the bridge under the real Python 3.10 (or this one)."""
    if request.param == "own":
        monkeypatch.syspath_prepend(str(sdk))
        yield OwnHome
        drop_sdk()
    else:
        environment = {**os.environ, "PYTHONPATH": str(sdk)}
        python = python310()
        if python is None:
            pytest.skip("there is no python3.10 on this computer")
        yield lambda: BridgeHome(python, environment)


def drop_sdk() -> None:
    for name in [n for n in sys.modules if n.split(".")[0] in ("tobii_research", "tobiiresearch")]:
        if name.endswith("tobii_research_interop"):
            sys.modules[name].cleanup()
        del sys.modules[name]


def python310() -> Path | None:
    for path in interpreters.candidates():
        found = interpreters.ask(path)
        if found is not None and found.version == (3, 10):
            return path
    return None


def connected(make_home, serial="SPEC-1", rate_hz=None):
    info = next(i for i in find_tobii(make_home) if i.serial == serial)
    tracker, clock = TobiiTracker(info, make_home, rate_hz), HostClock()
    tracker.connect(clock)
    return tracker, clock


def read_for(tracker, seconds):
    end = time.monotonic() + seconds
    chunks = []
    while time.monotonic() < end:
        chunks.append(tracker.read())
        time.sleep(0.01)
    return np.concatenate(chunks)


def read_samples(tracker, count, seconds=PATIENCE_S):
    """Read until so many samples came."""
    end, chunks = time.monotonic() + seconds, []
    while sum(map(len, chunks)) < count:
        assert time.monotonic() < end, f"{sum(map(len, chunks))} of {count} samples came"
        chunks.append(tracker.read())
        time.sleep(0.01)
    return np.concatenate(chunks)


def until(tracker, kind, seconds=PATIENCE_S, seen=None):
    end = time.monotonic() + seconds
    seen = [] if seen is None else seen
    while time.monotonic() < end:
        tracker.read()
        seen += tracker.events()
        if any(e.kind == kind for e in seen):
            return next(e for e in seen if e.kind == kind)
        time.sleep(0.01)
    raise AssertionError(f"no {kind!r} among {seen}")


def test_what_is_attached_is_told(make_home) -> None:
    nano, spectrum = find_tobii(make_home)
    assert (nano.id, nano.rates_hz, nano.has_openness) == ("tobii:NANO-2", (60.0,), False)
    assert (spectrum.id, spectrum.kind) == ("tobii:SPEC-1", "tobii")
    assert spectrum.name == "The Spectrum"
    assert spectrum.rates_hz == (600.0, 1200.0)
    assert spectrum.calibrates
    assert spectrum.has_openness


def test_samples_come_at_their_rate_and_time_with_their_values(make_home, world, stalls) -> None:
    tracker, clock = connected(make_home, rate_hz=600.0)
    try:
        read_for(tracker, 0.3)
        before_us = clock.now_us()
        samples = read_for(tracker, 1.0)
        after_us = clock.now_us()
        position, offset = tracker.user_position(), tracker.clock_offset()
        events = tracker.events()
    finally:
        tracker.disconnect()
    assert len(samples) > 400
    assert np.allclose(gaze_norm(samples, "left"), (0.24, 0.75))
    assert np.allclose(gaze_norm(samples, "right"), (0.26, 0.75))
    assert np.allclose(samples["left_pupil_mm"], 3.5)
    assert np.allclose(samples["right_origin_x_mm"], 31.0)
    assert np.allclose(samples["left_openness_mm"], 9.5), "lids are joined by their device time"
    assert (np.diff(samples["host_us"]) >= 0).all()
    assert before_us - 200_000 < samples["host_us"][0] < samples["host_us"][-1] <= after_us
    age_us = after_us - samples["host_us"][-1]
    assert age_us < 150_000 + stalls.slack_us
    assert isinstance(tracker, PositionGuide)
    assert position.left == pytest.approx((0.4, 0.5, 0.45)), "x from the reader's left"
    assert position.right[0] > position.left[0]
    assert position.distance_mm == pytest.approx(640)
    assert isinstance(tracker, TellsClock)
    assert samples["device_us"][-1] + offset.offset_us == pytest.approx(
        samples["host_us"][-1], abs=5_000
    )
    assert offset.age_s < 2 + stalls.slack_s
    assert offset.uncertainty_us == 100
    assert tracker.display_area() == DisplayArea(530.0, 300.0)
    assert events == []


def test_a_lost_eye_is_lost_alone(make_home, world) -> None:
    world.set(eyes="left")
    tracker, _ = connected(make_home, "NANO-2")
    try:
        samples = read_for(tracker, 0.5)
        position = tracker.user_position()
    finally:
        tracker.disconnect()
    assert np.isfinite(samples["left_x_norm"]).all()
    for name in ("right_x_norm", "right_y_norm", "right_pupil_mm", "right_origin_z_mm"):
        assert np.isnan(samples[name]).all()
    assert np.isnan(samples["left_openness_mm"]).all(), "the Nano does not measure lids"
    assert position.right is None


def test_the_whole_life_from_calibration_to_a_cable_pulled_and_back(
    make_home, world, stalls
) -> None:
    tracker, clock = connected(make_home)
    try:
        calibrator = tracker.calibrator()
        with pytest.raises(CalibrationError, match="refused collect"):
            calibrator.collect(0.5, 0.5)
        calibrator.enter()
        for target in TARGETS:
            world.set(gaze=target)
            time.sleep(0.02)
            assert calibrator.collect(*target).left_ok
        world.set(eyes="none")
        time.sleep(0.02)
        assert not calibrator.collect(0.9, 0.9).right_ok, "nobody looked"
        world.set(eyes="both")
        time.sleep(0.02)
        calibrator.discard(0.1, 0.9)
        calibrator.collect(0.1, 0.9)
        outcome = calibrator.compute()
        calibrator.leave()
        assert outcome.status == "success"
        assert {(p.x_norm, p.y_norm) for p in outcome.points} == set(TARGETS)
        assert [p.right_ok for p in outcome.points if (p.x_norm, p.y_norm) == (0.9, 0.9)] == [False]
        assert isinstance(tracker, KeepsCalibration)
        assert tracker.calibration_data() == outcome.device_data
        tracker.apply_calibration(outcome.device_data)
        with pytest.raises(CalibrationError, match="refused apply calibration"):
            tracker.apply_calibration(b"of another make")

        read_samples(tracker, 50)
        world.set(unplugged=True)
        pulled_us = clock.now_us()
        lost = until(tracker, "lost")
        assert lost.time_us - pulled_us < 1_500_000 + stalls.slack_us
        assert "The Spectrum" in lost.detail
        with pytest.raises(CalibrationError, match="cable"):
            calibrator.enter()
        time.sleep(0.3)
        world.set(unplugged=False)
        seen = []
        until(tracker, "restored", seen=seen)
        gap = until(tracker, "gap", seen=seen)
        assert gap.data["from_us"] <= pulled_us + 50_000 < gap.data["to_us"]
        read_samples(tracker, 50)
    finally:
        tracker.disconnect()
    assert len(tracker.read()) == 0


def test_two_points_are_no_calibration(make_home, world) -> None:
    tracker, _ = connected(make_home, "NANO-2")
    try:
        calibrator = tracker.calibrator()
        calibrator.enter()
        for target in TARGETS[:2]:
            calibrator.collect(*target)
        outcome = calibrator.compute()
        calibrator.leave()
    finally:
        tracker.disconnect()
    assert (outcome.status, outcome.points, outcome.device_data) == ("failure", (), None)


def test_what_the_tracker_says_reaches_the_user(make_home, world) -> None:
    tracker, _ = connected(make_home, "NANO-2")
    try:
        world.set(
            say=[
                ["device_faults", {"faults": "camera"}],
                ["stream_buffer_overflow", {"notification_source_stream": "gaze"}],
                ["stream_error", {"error": "stream_error_internal", "source": "s", "message": "m"}],
            ]
        )
        overflow = until(tracker, "overflow")
        assert "gaze" in overflow.detail
        world.set(say=[*world.state["say"], ["display_area_changed", {"display_area": {}}]])
        assert "Calibrate again" in until(tracker, "display_area").detail
        world.set(say=[*world.state["say"], ["device_faults", {"faults": "illuminator"}]])
        assert "illuminator" in until(tracker, "fault").detail
    finally:
        tracker.disconnect()


def test_a_rate_or_serial_it_has_not_is_refused(make_home, world, monkeypatch) -> None:
    info = find_tobii(make_home)[1]
    with pytest.raises(TrackerError, match="600, 1200 Hz, not at 90"):
        TobiiTracker(info, make_home, 90.0)
    monkeypatch.setattr(search, "home_maker", lambda: make_home)
    with pytest.raises(TrackerNotFound, match=r"tobii:GONE.*tobii:NANO-2, tobii:SPEC-1"):
        open_tobii("tobii:GONE")
    tracker = open_tobii("tobii:SPEC-1")
    world.set(unplugged=True)
    time.sleep(0.02)
    with pytest.raises(TrackerNotFound, match="SPEC-1"):
        tracker.connect(HostClock())


def test_a_bridge_that_ends_is_told_and_its_calls_fail(sdk, world) -> None:
    python = python310() or Path(sys.executable)
    environment = {**os.environ, "PYTHONPATH": str(sdk)}
    homes = []

    def make_home():
        homes.append(BridgeHome(python, environment))
        return homes[-1]

    tracker, _ = connected(make_home)
    try:
        homes[-1]._process.kill()
        assert "bridge ended" in until(tracker, "lost").detail
        with pytest.raises(CalibrationError, match="Connect the tracker again"):
            tracker.calibrator().enter()
        with pytest.raises(TrackerLost):
            homes[-1].call("find")
    finally:
        tracker.disconnect()
    tracker.connect(HostClock())
    read_samples(tracker, 50)  # a new connection starts a new bridge
    tracker.disconnect()


def test_a_python_without_the_sdk_is_told_with_the_way_out() -> None:
    with pytest.raises(TrackerNotFound, match="setup-tobii"):
        BridgeHome(Path(sys.executable), {**os.environ, "PYTHONPATH": ""})
    with pytest.raises(TrackerNotFound, match="cannot be started"):
        BridgeHome(Path("/nowhere/python"))


def test_the_bridge_keeps_to_python_310_and_the_standard_library() -> None:
    python = python310()
    if python is None:
        pytest.skip("there is no python3.10 on this computer")
    for name in ("session", "bridge"):
        path = ROOT / "devices" / "tobii" / f"{name}.py"
        code = f"import runpy; runpy.run_path({str(path)!r})"
        subprocess.run([str(python), "-I", "-S", "-c", code], check=True, timeout=PATIENCE_S)


def test_the_requirement_is_that_of_the_dependency_group() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    assert groups["tobii"] == [f"{REQUIREMENT}; python_version == '3.10'"]


def test_a_wrong_python_is_refused_by_its_version(tmp_path) -> None:
    with pytest.raises(TrackerNotFound, match=r"is Python 3\.1[123].*only with 3\.10"):
        make_environment(Path(sys.executable), tmp_path / "env")
    with pytest.raises(TrackerNotFound, match="cannot be started as Python"):
        make_environment(tmp_path / "nothing", tmp_path / "env")


def test_without_any_python_310_the_way_to_one_is_told(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(interpreters, "candidates", lambda: iter(()))
    with pytest.raises(TrackerNotFound, match=r"no Python 3\.10.*pyenv install 3\.10"):
        make_environment(None, tmp_path / "env")


def test_a_named_python_that_cannot_serve_is_told(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv(interpreters.PYTHON_VARIABLE, str(tmp_path / "python"))
    with pytest.raises(TrackerNotFound, match="FOVEATE_TOBII_PYTHON names"):
        interpreters.interpreter_with_sdk()
    monkeypatch.setenv(interpreters.PYTHON_VARIABLE, sys.executable)
    with pytest.raises(TrackerNotFound, match="no tobii-research"):
        interpreters.interpreter_with_sdk()
