"""The catalogue of trackers and the command that shows and tests them."""

import builtins
import json
import socket
import sys

import numpy as np
import pytest

from devices import catalogue, command
from devices.catalogue import find_trackers, open_tracker
from devices.clock import HostClock
from devices.errors import TrackerError, TrackerNotFound
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.samples import empty_samples
from devices.lsl import LslTracker
from devices.simulated import SimulatedTracker
from devices.tobii import interpreters, search
from devices.tracker import TrackerInfo
from main import main

GEOMETRY = ScreenGeometry(1920, 1080, 530.0, 300.0)
STREAM = TrackerInfo("lsl:abc", "lsl", "Tobii_gaze", serial="abc")


@pytest.fixture(autouse=True)
def no_sdk(monkeypatch):
    """As on a computer on which Tobii's SDK was never set up."""
    monkeypatch.setattr(search, "interpreter_with_sdk", lambda: None)


@pytest.fixture(autouse=True)
def no_control(monkeypatch):
    """As on a computer on which Gazepoint Control does not run."""
    with socket.socket() as taken:  # and nobody listens: no other program can take it meanwhile
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("FOVEATE_GAZEPOINT", f"127.0.0.1:{taken.getsockname()[1]}")
        yield


@pytest.fixture
def one_stream(monkeypatch):
    monkeypatch.setattr(catalogue, "find_streams", lambda timeout_s, network: [STREAM])


@pytest.fixture
def no_stream(monkeypatch):
    monkeypatch.setattr(catalogue, "find_streams", lambda timeout_s, network: [])


def test_the_simulated_reader_is_always_there_and_tobii_is_missing_with_a_way_out(no_stream):
    found = find_trackers(0.1)
    assert [info.id for info in found.trackers] == ["simulated", "mouse"]
    assert [line.kind for line in found.missing] == ["lsl", "tobii", "gazepoint"]
    assert "3.10" in str(found.missing[1])
    assert "TittaLSL" in found.missing[1].way_out


def test_streams_are_listed_after_the_simulated_reader(one_stream):
    found = find_trackers(0.1)
    assert [info.id for info in found.trackers] == ["simulated", "mouse", "lsl:abc"]
    assert [line.kind for line in found.missing] == ["tobii", "gazepoint"]


def test_without_pylsl_the_extra_that_brings_it_is_named(monkeypatch):
    real_import = builtins.__import__

    def no_pylsl(name, *rest, **more):
        if name == "pylsl":
            raise ImportError("No module named 'pylsl'")
        return real_import(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", no_pylsl)
    found = find_trackers(0.1)
    assert [info.id for info in found.trackers] == ["simulated", "mouse"]
    assert "station" in str(found.missing[0])


def test_a_tracker_is_opened_by_its_id(one_stream):
    simulated = open_tracker("simulated", GEOMETRY, rate_hz=120.0, seed=3)
    assert isinstance(simulated, SimulatedTracker)
    assert simulated.info.rate_hz == 120.0
    stream = open_tracker("lsl:abc", GEOMETRY)
    assert isinstance(stream, LslTracker)
    assert stream.info == STREAM


def test_the_seed_reaches_the_simulated_reader():
    readings = []
    for seed in (1, 1, 2):
        time_ns = [0]
        clock = HostClock(counter_ns=lambda at=time_ns: at[0])
        tracker = open_tracker("simulated", GEOMETRY, seed=seed)
        tracker.connect(clock)
        time_ns[0] = 2_000_000_000
        readings.append(tracker.read().tobytes())
    assert readings[0] == readings[1] != readings[2]


def test_an_unknown_id_is_told_with_what_is_there(one_stream):
    with pytest.raises(TrackerNotFound, match=r'"lsl:xyz".*simulated, mouse, lsl:abc'):
        open_tracker("lsl:xyz", GEOMETRY)
    with pytest.raises(TrackerNotFound, match=r"3\.10"):
        open_tracker("tobii:1", GEOMETRY)


def test_a_rate_it_cannot_have_is_refused():
    with pytest.raises(TrackerError, match="60 to 1200"):
        open_tracker("simulated", GEOMETRY, rate_hz=5000.0)


def test_the_command_lists_trackers_as_text_and_as_json(one_stream, capsys):
    assert main(["devices"]) == 0
    text = capsys.readouterr().out
    assert "simulated" in text
    assert "lsl:abc" in text
    assert "Tobii:" in text
    assert main(["devices", "--json"]) == 0
    parsed = json.loads(capsys.readouterr().out)
    assert [t["id"] for t in parsed["trackers"]] == ["simulated", "mouse", "lsl:abc"]
    assert parsed["missing"][0]["kind"] == "tobii"


def test_the_live_test_measures_rate_loss_jitter_and_latency(capsys):
    words = ["devices", "--test", "simulated", "--seconds", "1", "--rate", "500", "--json"]
    assert main(words) == 0
    test = json.loads(capsys.readouterr().out)
    assert test["stream"]["measured_rate_hz"] == pytest.approx(500, rel=0.01)
    assert test["stream"]["sample_count"] == pytest.approx(500, abs=30)
    assert test["stream"]["lost_count"] == 0
    assert test["stream"]["jitter_us"] < 10
    assert 0 <= test["stream"]["loss"] < 1
    assert 8 <= test["latency_ms"] < 60, "eight of the device, the rest of the polling"
    assert main([*words[:4], "0.3"]) == 0
    text = capsys.readouterr().out
    for word in ("rate", "jitter", "latency", "gaze lost"):
        assert word in text


def test_an_error_is_one_line_and_exit_code_1(no_stream, capsys):
    assert main(["devices", "--test", "lsl:nothing"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "lsl:nothing" in err


@pytest.mark.parametrize(
    "words",
    [["--seconds", "0"], ["--seconds", "nan"], ["--rate", "x"], ["--what"], ["extra"]],
)
def test_wrong_arguments_exit_2(words):
    with pytest.raises(SystemExit) as caught:
        main(["devices", *words])
    assert caught.value.code == 2


def test_a_tracker_that_sends_nothing_is_an_error():
    class Silent:
        info = STREAM

        def connect(self, clock):
            pass

        def disconnect(self):
            pass

        def read(self):
            return empty_samples(0)

        def events(self):
            return []

        def calibrator(self):
            return None

    with pytest.raises(TrackerError, match="sent no sample"):
        command.live_test(Silent(), 0.05)


def test_a_live_test_reports_what_the_tracker_lost():
    tracker = SimulatedTracker(GEOMETRY)
    connect = tracker.connect

    def connect_and_pull(clock):
        connect(clock)
        tracker.read()
        tracker.unplug()
        clock_us = clock.now_us()
        while clock.now_us() < clock_us + 200_000:
            pass
        tracker.plug()

    tracker.connect = connect_and_pull
    test = command.live_test(tracker, 0.3)
    assert [event.kind for event in test.events] == ["lost", "restored"]
    assert np.isfinite(test.latency_ms)


def test_setup_tobii_refuses_another_python_by_its_version(capsys, tmp_path):
    words = ["devices", "setup-tobii", "--python", sys.executable, "--folder", str(tmp_path / "e")]
    assert main(words) == 1
    assert "only with 3.10" in capsys.readouterr().err
    assert not (tmp_path / "e").exists()


def test_setup_tobii_makes_the_environment_and_proves_it(capsys, tmp_path, monkeypatch):
    made = []
    ready = interpreters.Interpreter(tmp_path / "e/bin/python", (3, 10), has_sdk=True)
    monkeypatch.setattr(command, "make_environment", lambda *a: made.append(a) or ready)
    assert main(["devices", "setup-tobii", "--folder", str(tmp_path / "e")]) == 0
    out = capsys.readouterr().out
    assert "FOVEATE_TOBII_PYTHON=" in out
    assert "licence" in out
    assert made == [(None, tmp_path / "e")]
