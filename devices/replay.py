"""A recorded session replayed as a live device: the same samples at the same intervals."""

import threading

import numpy as np

from devices.clock import HostClock
from devices.errors import TrackerError
from devices.gaze.samples import SampleArray, empty_samples
from devices.gaze.stream import stream_quality
from devices.tracker import Calibrator, DeviceEvent, TrackerInfo


class ReplayTracker:
    """A `Tracker` that repeats recorded samples, identical except for `host_us`.

    Parameters
    ----------
    samples
        Shape (N,), N > 0, in order of host time; the first comes at the instant of connection.
    name
        Shown to the user and, after "replay:", the id.

    Raises
    ------
    TrackerError
        If there is no sample.
    """

    def __init__(self, samples: SampleArray, name: str) -> None:
        if len(samples) == 0:
            raise TrackerError(f"{name} contains no gaze. Choose another recording to replay.")
        rate_hz = stream_quality(samples).measured_rate_hz
        self.info = TrackerInfo(
            id=f"replay:{name}",
            kind="replay",
            name=f"Replay of {name}",
            model="Foveate",
            rate_hz=rate_hz,
            note="A recorded session, replayed as a live device. It was calibrated when it was "
            "recorded.",
        )
        self._samples = samples
        self._since_us = samples["host_us"] - samples["host_us"][0]
        self._lock = threading.Lock()
        self._clock: HostClock | None = None
        self._start_us = self._next = 0
        self._has_told_end = False

    @property
    def duration_us(self) -> int:
        """How long it lasts."""
        return int(self._since_us[-1])

    def connect(self, clock: HostClock) -> None:
        """Start from the beginning."""
        with self._lock:
            self._clock, self._start_us, self._next = clock, clock.now_us(), 0
            self._has_told_end = False

    def disconnect(self) -> None:
        """Stop."""
        with self._lock:
            self._clock = None

    def read(self) -> SampleArray:
        """Return the samples due by now."""
        with self._lock:
            if self._clock is None:
                return empty_samples(0)
            now_us = self._clock.now_us() - self._start_us
            due = int(np.searchsorted(self._since_us, now_us, side="right"))
            samples = self._samples[self._next : due].copy()
            samples["host_us"] = self._start_us + self._since_us[self._next : due]
            self._next = max(due, self._next)
            return samples

    def events(self) -> list[DeviceEvent]:
        """Report once that the recording has ended."""
        with self._lock:
            is_over = self._clock is not None and self._next == len(self._samples)
            if not is_over or self._has_told_end or self._clock is None:
                return []
            self._has_told_end = True
            detail = f"{self.info.name} has ended."
            return [DeviceEvent(self._clock.now_us(), "lost", detail)]

    def calibrator(self) -> Calibrator | None:
        """Return None: it was calibrated when it was recorded."""
        return None
