"""Trackers that other programs publish through the lab streaming layer (LSL)."""

import logging
from collections import deque

import numpy as np

from devices.clock import HostClock
from devices.errors import StreamLayoutError
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.samples import SampleArray, empty_samples
from devices.lsl.feed import Feed
from devices.lsl.streams import load_pylsl
from devices.tracker import Calibrator, ClockOffset, DeviceEvent, TrackerInfo

JUDGE_WITHIN_S = 2.0

_log = logging.getLogger(__name__)


class LslTracker:
    """A gaze stream as a `Tracker`; calibrated by its own software.

    Parameters
    ----------
    info
        As `find_streams` gave it.
    geometry
        Of the tracked screen; needed only for streams in pixels.
    network
        See `load_pylsl`.
    """

    def __init__(
        self,
        info: TrackerInfo,
        *,
        geometry: ScreenGeometry | None = None,
        network: bool = False,
    ) -> None:
        self.info = info
        self._geometry, self._network = geometry, network
        self._samples: deque[SampleArray] = deque()
        self._events: deque[DeviceEvent] = deque()
        self._feed: Feed | None = None

    @property
    def measured_rate_hz(self) -> float | None:
        """Rate over the last seconds of stamps; the nominal one is often wrong."""
        return None if self._feed is None else self._feed.rate_hz()

    @property
    def clock_correction(self) -> tuple[float, float] | None:
        """Offset of the sender's clock in seconds, and the age of that figure in seconds."""
        return None if self._feed is None else self._feed.correction_and_age()

    def connect(self, clock: HostClock, timeout_s: float = 5.0) -> None:
        """Find the stream again, read its layout and start listening.

        Raises
        ------
        TrackerNotFound
            If the stream is gone.
        StreamLayoutError
            If its channels or units cannot be trusted.
        """
        self.disconnect()
        self._samples.clear()
        self._events.clear()
        pylsl = load_pylsl(self._network)
        feed = Feed(pylsl, self.info, self._geometry, clock, self._samples, self._events)
        feed.open(timeout_s)
        feed.start()
        contradiction = feed.judged(JUDGE_WITHIN_S)
        if contradiction is not None:
            feed.stop()
            raise StreamLayoutError(contradiction)
        self._feed = feed

    def disconnect(self) -> None:
        """Stop listening."""
        if self._feed is not None:
            self._feed.stop()
            self._feed = None

    def read(self) -> SampleArray:
        """Return the samples arrived since the last call."""
        chunks = [self._samples.popleft() for _ in range(len(self._samples))]
        return np.concatenate(chunks) if chunks else empty_samples(0)

    def events(self) -> list[DeviceEvent]:
        """Return events since the last call."""
        return [self._events.popleft() for _ in range(len(self._events))]

    def clock_offset(self) -> ClockOffset | None:
        """Return the offset of the sender's clock and the age of that figure."""
        if self._feed is None:
            return None
        correction_s, age_s = self._feed.correction_and_age()
        return ClockOffset(correction_s * 1e6, age_s)

    def calibrator(self) -> Calibrator | None:
        """Return None: the sender's software calibrates; Foveate validates."""
        return None
