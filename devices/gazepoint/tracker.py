"""A Gazepoint tracker as a `Tracker`, through the Open Gaze API."""

import logging
import threading
import time
from collections import deque
from typing import Any

import numpy as np

from devices.clock import HostClock
from devices.errors import CalibrationError, TrackerError, TrackerNotFound
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.samples import SampleArray, empty_samples
from devices.gazepoint.calibrator import GazepointCalibrator
from devices.gazepoint.complaints import Complaints
from devices.gazepoint.greeting import Greeting, greet, screen_of
from devices.gazepoint.link import Address, Link
from devices.gazepoint.position import PositionOfEyes
from devices.gazepoint.records import Record, read_record, samples_of
from devices.gazepoint.stamps import RecordClock
from devices.tracker import ClockOffset, DeviceEvent, EventKind, TrackerInfo, UserPosition

CONNECT_S = 2.0
RETRY_S = 0.25
SILENCE_S = 1.0
STEP_S = 4.0
"""Longer than a calibration step, during which records may pause."""
FIRST_S = 0.1
"""Records are held so long at first, so that the least delayed of some places them all."""

_log = logging.getLogger(__name__)


class GazepointTracker:
    """One tracker, reached where Gazepoint Control listens.

    Parameters
    ----------
    info
        As the search gave it; its serial number must still be the one that answers.
    address
        Host and port of Control.
    geometry
        Of the tracked screen, held against the one that Control tracks.
    """

    def __init__(
        self, info: TrackerInfo, address: Address, geometry: ScreenGeometry | None = None
    ) -> None:
        self.info = info
        self._address, self._geometry = address, geometry
        self._lock = threading.Lock()
        self._chunks: deque[SampleArray] = deque()
        self._events: deque[DeviceEvent] = deque()
        self._link: Link | None = None
        self._stopping = threading.Event()
        self._keeper: threading.Thread | None = None

    # -- Tracker

    def connect(self, clock: HostClock) -> None:
        """Connect to Control, switch its records on and listen."""
        self.disconnect()
        self._clock = clock
        self._chunks.clear()
        self._events.clear()
        self._position = PositionOfEyes()
        self._complaints = Complaints(self.info, self._geometry)
        self._last: tuple[int, int] | None = None
        self._is_lost = False
        self._lost_since_us: int | None = None
        link, greeting = self._greeted()
        self.info = greeting.info
        self._take_over(link, greeting)
        stopping = self._stopping = threading.Event()
        self._keeper = threading.Thread(
            target=self._keep, args=(stopping,), name="gazepoint-keeper", daemon=True
        )
        self._keeper.start()

    def disconnect(self) -> None:
        """Close the connection."""
        self._stopping.set()
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.join(timeout=5.0)
        with self._lock:
            link, self._link = self._link, None
        if link is not None:
            link.close()

    def read(self) -> SampleArray:
        """Return the samples arrived since the last call."""
        self._pump()
        chunks = [self._chunks.popleft() for _ in range(len(self._chunks))]
        return np.concatenate(chunks) if chunks else empty_samples(0)

    def events(self) -> list[DeviceEvent]:
        """Return events since the last call."""
        self._pump()
        return [self._events.popleft() for _ in range(len(self._events))]

    def calibrator(self) -> GazepointCalibrator:
        """Return the calibrator; it measures all targets in one pass."""
        return GazepointCalibrator(self.info.name, self._current_link)

    # -- optional protocols

    def user_position(self) -> UserPosition | None:
        """Return where the eyes were last."""
        self._pump()
        return None if self._is_lost else self._position.last

    def clock_offset(self) -> ClockOffset | None:
        """Return the offset in use, held against the arrival of each record."""
        last = self._last
        if last is None:
            return None
        host_us, device_us = last
        return ClockOffset(host_us - device_us, self._clock.real_seconds(self._age_us(host_us)))

    # -- inside

    def _age_us(self, host_us: int) -> int:
        return max(0, self._clock.now_us() - host_us)

    def _real_now_us(self) -> float:
        return self._clock.now_us() / self._clock.speed

    def _current_link(self) -> Link:
        link = self._link
        if link is None or link.ended.is_set():
            raise CalibrationError(f"{self.info.name} is not connected. Start Gazepoint Control.")
        return link

    def _greeted(self) -> tuple[Link, Greeting]:
        """Return a new connection whose records are switched on."""
        link = Link(self._address, self._real_now_us, CONNECT_S)
        try:
            greeting = greet(link)
        except TrackerError:
            link.close()
            raise
        if greeting.info.id != self.info.id:
            link.close()
            raise TrackerError(
                f"Gazepoint Control now has the tracker {greeting.info.id} instead of "
                f"{self.info.id}."
            )
        return link, greeting

    def _take_over(self, link: Link, greeting: Greeting) -> None:
        self._link, self._ticks_per_s = link, greeting.ticks_per_s
        self._times = RecordClock(self._clock.speed, self._last[0] if self._last else None)
        self._unplaced: list[tuple[float, Record]] = []
        self._is_placed = False
        self._heard_s = time.monotonic()
        for kind, text in self._complaints.of_greeting(greeting):
            self._say(kind, text)

    def _keep(self, stopping: threading.Event) -> None:
        """Reconnect whenever the connection is lost."""
        refused = ""
        while not stopping.wait(RETRY_S):
            link = self._link
            if link is None or not link.ended.is_set():
                continue
            try:
                again, greeting = self._greeted()
            except TrackerNotFound:
                continue
            except TrackerError as error:
                if str(error) != refused:
                    refused = str(error)
                    self._say("fault", refused)
                continue
            with self._lock:
                if stopping.is_set():
                    again.close()
                    return
                self._drain(link, is_last=True)
                self._take_over(again, greeting)
            link.close()
            refused = ""

    def _pump(self) -> None:
        """Process what has arrived; never blocks for long."""
        with self._lock:
            if self._link is not None:
                self._drain(self._link)

    def _drain(self, link: Link, *, is_last: bool = False) -> None:
        has_ended = (
            link.ended.is_set()
        )  # checked first, so that nothing from before the end is missed
        for _ in range(len(link.records)):
            arrived_us, text = link.records.popleft()
            record = read_record(text, self._ticks_per_s)
            if record is None:
                link.malformed.append(text)
            else:
                self._unplaced.append((arrived_us, record))
        self._place(link, at_once=has_ended or is_last)
        self._hear(link)
        if has_ended or is_last:
            self._lose("The connection was lost.")
        elif time.monotonic() > max(self._heard_s + SILENCE_S, link.stepped_s + STEP_S):
            self._lose(f"No samples for {SILENCE_S:g} s.")

    def _place(self, link: Link, *, at_once: bool) -> None:
        waiting = self._unplaced
        if not waiting:
            return
        waits_us = link.now_us() - waiting[0][0]
        if not (self._is_placed or at_once or waits_us >= 1e6 * FIRST_S):
            return
        self._unplaced, self._is_placed = [], True
        records = [record for _, record in waiting]
        samples = samples_of(records)
        times_us = np.array([record.time_us for record in records])
        samples["host_us"], faults = self._times.place(times_us, np.array([a for a, _ in waiting]))
        for fault in faults:
            self._say(fault.kind, f"{self.info.name}: {fault.text}", fault.data)
        self._restore(int(samples["host_us"][0]))
        last = samples[-1]
        self._last = int(last["host_us"]), int(last["device_us"])
        self._heard_s = time.monotonic()
        self._position.take(records[-1], self._last[0])
        for kind, text in self._complaints.of_rate(times_us):
            self._say(kind, text)
        self._chunks.append(samples)

    def _hear(self, link: Link) -> None:
        for _ in range(len(link.updates)):
            screen = screen_of(link.updates.popleft().values)
            for kind, text in self._complaints.of_screen(screen):
                self._say(kind, text)
        malformed = [link.malformed.popleft() for _ in range(len(link.malformed))]
        for kind, text in self._complaints.of_lines(malformed):
            self._say(kind, text)

    def _lose(self, why: str) -> None:
        if self._is_lost:
            return
        self._is_lost = True
        self._lost_since_us = self._last[0] if self._last else None
        self._say("lost", f"{self.info.name}: {why} Check Gazepoint Control and the cable.")

    def _restore(self, first_us: int) -> None:
        if not self._is_lost:
            return
        self._is_lost = False
        self._say("restored", f"{self.info.name} is back.")
        if self._lost_since_us is not None:
            length_s = self._clock.real_seconds(first_us - self._lost_since_us)
            data = {"from_us": self._lost_since_us, "to_us": first_us}
            self._say("gap", f"{length_s:.2f} s of gaze are missing.", data)

    def _say(self, kind: EventKind, detail: str, data: dict[str, Any] | None = None) -> None:
        _log.info("%s: %s", kind, detail)
        self._events.append(DeviceEvent(self._clock.now_us(), kind, detail, data or {}))
