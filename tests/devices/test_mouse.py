"""The mouse as gaze: steady samples of the latest place told."""

import numpy as np
import pytest

from devices.catalogue import open_tracker
from devices.clock import HostClock
from devices.errors import TrackerError
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.samples import gaze_norm
from devices.mouse import MouseTracker


def test_samples_hold_the_place_told_at_their_instant() -> None:
    time_ns = 0
    clock = HostClock(counter_ns=lambda: time_ns)
    tracker = MouseTracker(100.0)
    tracker.connect(clock)
    time_ns = 25_000_000
    tracker.move(0.2, 0.4)
    time_ns = 55_000_000
    tracker.move(0.6, 0.8)
    time_ns = 70_000_000
    samples = tracker.read()
    assert samples["host_us"].tolist() == [
        0,
        10_000,
        20_000,
        30_000,
        40_000,
        50_000,
        60_000,
        70_000,
    ]
    points = gaze_norm(samples)
    assert np.isnan(points[:3]).all(), "nothing was told yet"
    assert np.allclose(points[3:6], (0.2, 0.4))
    assert np.allclose(points[6:], (0.6, 0.8))
    time_ns = 95_000_000
    later = tracker.read()
    assert later["host_us"].tolist() == [80_000, 90_000]
    assert np.allclose(gaze_norm(later), (0.6, 0.8)), "it rests where it was"
    tracker.move(float("nan"), float("nan"))
    time_ns = 105_000_000
    assert np.isnan(gaze_norm(tracker.read())).all(), "off the tracked screen"
    tracker.disconnect()
    tracker.move(0.1, 0.1)
    assert len(tracker.read()) == 0
    assert tracker.calibrator() is None
    assert tracker.events() == []


def test_it_is_opened_by_its_id_at_a_rate_it_can_have() -> None:
    geometry = ScreenGeometry(1920, 1080, 530.0, 300.0)
    assert open_tracker("mouse", geometry, rate_hz=120.0).info.rate_hz == 120.0
    assert isinstance(open_tracker("mouse", geometry), MouseTracker)
    with pytest.raises(TrackerError, match="10 to 1000 Hz"):
        open_tracker("mouse", geometry, rate_hz=5000.0)
