"""A tracker for Foveate, whose eyes rest in the middle of the screen at 100 Hz.

In place of `_samples` a real one hands out what its device sent. `docs/trackers.md` tells what a
session asks of a tracker; `python main.py devices --test steady:0` measures its stream.
"""

from collections.abc import Sequence

import numpy as np

from devices.catalogue import TrackerKind
from devices.clock import HostClock
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.samples import SampleArray, empty_samples
from devices.tracker import Calibrator, DeviceEvent, TrackerInfo

PERIOD_US = 10_000
INFO = TrackerInfo("steady:0", "steady", "Steady eyes", model="Template", rate_hz=1e6 / PERIOD_US)


class SteadyTracker:
    """A `devices.tracker.Tracker`."""

    def __init__(self) -> None:
        self.info = INFO
        self._clock: HostClock | None = None
        self._next_us = 0

    def connect(self, clock: HostClock) -> None:
        """Start the stream; times are given on the clock of the session."""
        self._clock, self._next_us = clock, clock.now_us()

    def disconnect(self) -> None:
        """Stop the stream; safe to call twice."""
        self._clock = None

    def read(self) -> SampleArray:
        """Return all samples since the last call, without blocking."""
        if self._clock is None:
            return empty_samples(0)
        time_us = np.arange(self._next_us, self._clock.now_us() + 1, PERIOD_US)
        self._next_us += PERIOD_US * len(time_us)
        return _samples(time_us)

    def events(self) -> list[DeviceEvent]:
        """Return what the device said beside samples: nothing."""
        return []

    def calibrator(self) -> Calibrator | None:
        """Return None: the tracker's own software calibrates, Foveate validates."""
        return None


def _samples(time_us: np.ndarray) -> SampleArray:
    samples = empty_samples(len(time_us))
    samples["host_us"] = samples["device_us"] = time_us
    for side in ("left", "right"):
        samples[f"{side}_x_norm"] = samples[f"{side}_y_norm"] = 0.5
    return samples


def find(timeout_s: float) -> Sequence[TrackerInfo]:
    """Return what is attached."""
    return [INFO]


def open_steady(tracker_id: str, geometry: ScreenGeometry, rate_hz: float | None) -> SteadyTracker:
    """Return the tracker of an id, not yet connected."""
    return SteadyTracker()


STEADY = TrackerKind(find, open_steady)
