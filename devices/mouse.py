"""The mouse as gaze, for trying out Foveate; no eyes are recorded."""

import threading

import numpy as np

from devices.clock import HostClock
from devices.errors import TrackerError
from devices.gaze.samples import SampleArray, empty_samples
from devices.tracker import Calibrator, DeviceEvent, TrackerInfo

RATE_HZ = 60.0
LOWEST_HZ, HIGHEST_HZ = 10.0, 1000.0


def mouse_info(rate_hz: float = RATE_HZ) -> TrackerInfo:
    """Return what the catalogue shows of the mouse."""
    return TrackerInfo(
        id="mouse",
        kind="mouse",
        name="Mouse as gaze",
        model="Foveate",
        rate_hz=rate_hz,
        note="For trying things out: the pointer replaces the eyes.",
    )


class MouseTracker:
    """A `Tracker` whose two eyes are where the pointer was told to be.

    Samples come at a steady rate; each holds the latest place told at or before its instant, and
    gaze is lost until the first place is told and while the pointer is off the tracked screen.

    Parameters
    ----------
    rate_hz
        10 to 1000.
    """

    def __init__(self, rate_hz: float = RATE_HZ) -> None:
        if not LOWEST_HZ <= rate_hz <= HIGHEST_HZ:
            raise TrackerError(
                f"The mouse as gaze runs at {LOWEST_HZ:g} to {HIGHEST_HZ:g} Hz, not {rate_hz:g} Hz."
            )
        self.info = mouse_info(rate_hz)
        self._period_us = 1e6 / rate_hz
        self._lock = threading.Lock()
        self._clock: HostClock | None = None
        self._told: list[tuple[int, float, float]] = []
        self._start_us = self._next = 0

    def connect(self, clock: HostClock) -> None:
        """Start the stream."""
        with self._lock:
            self._clock, self._start_us, self._next = clock, clock.now_us(), 0
            self._told.clear()

    def disconnect(self) -> None:
        """Stop the stream."""
        with self._lock:
            self._clock = None

    def move(self, x_norm: float, y_norm: float) -> None:
        """Set the pointer's position, normalised display area; NaN: not on this screen."""
        with self._lock:
            if self._clock is not None:
                self._told.append((self._clock.now_us(), x_norm, y_norm))

    def read(self) -> SampleArray:
        """Return the samples due by now."""
        with self._lock:
            if self._clock is None:
                return empty_samples(0)
            due = int((self._clock.now_us() - self._start_us) / self._period_us) + 1
            numbers = np.arange(self._next, due)
            self._next = max(due, self._next)
            return self._samples(self._start_us + np.rint(numbers * self._period_us))

    def events(self) -> list[DeviceEvent]:
        """Return nothing: a mouse has none."""
        return []

    def calibrator(self) -> Calibrator | None:
        """Return None: there is nothing to calibrate."""
        return None

    def _samples(self, time_us: np.ndarray[tuple[int], np.dtype[np.float64]]) -> SampleArray:
        samples = empty_samples(len(time_us))
        samples["host_us"] = time_us
        samples["device_us"] = time_us
        if self._told and len(time_us):
            told = np.array(self._told)
            latest = np.searchsorted(told[:, 0], time_us, side="right") - 1
            for axis, name in ((1, "x_norm"), (2, "y_norm")):
                place = np.where(latest >= 0, told[np.maximum(latest, 0), axis], np.nan)
                samples[f"left_{name}"] = samples[f"right_{name}"] = place
            del self._told[: max(int(latest[-1]), 0)]  # the last one stays in force
        return samples
