"""From the simulated tracker through the tracker protocol to fixations, against its own truth."""

import numpy as np
import pytest

from devices.clock import HostClock
from devices.gaze.fixations import OnlineFixationFilter
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.samples import gaze_norm
from devices.gaze.view import Affine
from devices.simulated import SimulatedParameters, SimulatedTracker, Stimulus, Target
from tests.devices.gaze.gaze_signal import event_f1

GEOMETRY = ScreenGeometry(1920, 1080, 530.0, 300.0, 650.0)
IMAGE_TO_NORM = Affine(0.5 / 1000, 0, 0, 0.9 / 1000, 0.25, 0.05)
STIMULUS = Stimulus((Target(300, 700, 60, 3.0),), (0.0, 0.0, 1000.0, 1000.0), IMAGE_TO_NORM)


@pytest.mark.parametrize(
    ("rate_hz", "noise_deg", "least"),
    [(60.0, 0.1, 0.85), (120.0, 0.12, 0.9), (250.0, 0.12, 0.9), (1200.0, 0.3, 0.9)],
)
def test_what_the_simulated_reader_looked_at_is_found_while_it_reads(rate_hz, noise_deg, least):
    time_ns = 0
    clock = HostClock(counter_ns=lambda: time_ns)
    quality = SimulatedParameters(
        rate_hz=rate_hz,
        noise_deg=noise_deg,
        one_eye_loss=0.0,
        bias_deg=(0.3, 0.0),
        gain_error=0.0,
        offset_error_deg=0.0,
    )
    tracker = SimulatedTracker(GEOMETRY, quality, seed=4)
    tracker.connect(clock)
    tracker.attend(STIMULUS)
    online, found = OnlineFixationFilter(), []
    for time_ns in range(0, 30_000_000_000, 33_000_000):  # noqa: B007 the clock reads it
        samples = tracker.read()
        x_deg, y_deg = GEOMETRY.norm_to_deg(gaze_norm(samples)).T
        found += online.push(samples["host_us"], x_deg, y_deg)
    found += online.flush()
    end_us = samples["host_us"][-1]
    truth = [(t.start_us, min(t.end_us, end_us)) for t in tracker.truth() if t.start_us < end_us]
    assert event_f1(truth, [(f.start_us, f.end_us) for f in found]) >= least
    places = GEOMETRY.norm_to_deg([(t.x_norm, t.y_norm) for t in tracker.truth()])
    offsets = [np.hypot(*(places - (f.x_deg, f.y_deg)).T).min() for f in found]
    assert np.median(offsets) == pytest.approx(0.3, abs=0.12)
