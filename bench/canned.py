"""A tracker that costs next to nothing: realistic gaze, computed beforehand and played in a ring.

So that what `bench/recording.py` measures is the recorder, and not the reader that is simulated.
"""

import numpy as np

from devices.clock import HostClock
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.samples import SampleArray
from devices.gaze.view import Affine
from devices.simulated import SimulatedParameters, SimulatedTracker, Stimulus, Target
from devices.tracker import Calibrator, DeviceEvent, TrackerInfo

GEOMETRY = ScreenGeometry(1920, 1080, 527.0, 296.0, distance_mm=650.0, distance_source="taped")


def reading_gaze(rate_hz: float, seconds: float, seed: int = 1) -> SampleArray:
    """Return what a simulated reader of an image looks like to a tracker, (N,)."""
    now_ns = [0]
    clock = HostClock(counter_ns=lambda: now_ns[0])
    tracker = SimulatedTracker(GEOMETRY, SimulatedParameters(rate_hz=rate_hz), seed)
    targets = tuple(Target(100.0 + 180 * i, 150.0 + 120 * i, 60.0) for i in range(5))
    tracker.connect(clock)
    tracker.attend(Stimulus(targets, (0, 0, 1000, 800), Affine(1 / 1000, 0, 0, 1 / 800, 0, 0)))
    now_ns[0] = round(seconds * 1e9)
    return tracker.read()


class CannedTracker:
    """Plays samples in a ring at their rate, each stamped with the instant it is due at.

    Attributes
    ----------
    given
        How many samples it has handed out; `device_us` is the ordinal of each.
    """

    def __init__(self, samples: SampleArray, rate_hz: float) -> None:
        self.info = TrackerInfo("canned", "simulated", "Canned reader", rate_hz=rate_hz)
        self._samples, self._period_us = samples, 1e6 / rate_hz
        self.given = 0

    def connect(self, clock: HostClock) -> None:
        """Start now."""
        self._clock, self._start_us = clock, clock.now_us()

    def disconnect(self) -> None:
        """Nothing to stop."""

    def read(self) -> SampleArray:
        """Return what is due."""
        due = int((self._clock.now_us() - self._start_us) / self._period_us)
        start = self.given % len(self._samples)
        samples = self._samples[start : start + max(due - self.given, 0)].copy()
        index = np.arange(self.given, self.given + len(samples))
        self.given += len(samples)
        samples["device_us"] = index
        samples["host_us"] = np.rint(self._start_us + index * self._period_us).astype(np.int64)
        return samples

    def events(self) -> list[DeviceEvent]:
        """Return none."""
        return []

    def calibrator(self) -> Calibrator | None:
        """Return none."""
        return None
