"""A Tobii screen-based tracker as a `Tracker`, wherever its SDK lives."""

import base64
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from devices.clock import HostClock
from devices.errors import CalibrationError, TrackerError, TrackerLost, TrackerNotFound
from devices.gaze.samples import SAMPLE_DTYPE, VALUE_FIELDS, SampleArray, empty_samples
from devices.stamp_watch import StampWatch
from devices.tobii.homes import Home, SdkError
from devices.tobii.messages import CLOCK_KINDS, event_of
from devices.tracker import (
    CalibrationOutcome,
    ClockOffset,
    DeviceEvent,
    DisplayArea,
    EventKind,
    PointResult,
    TrackerInfo,
    UserPosition,
)

SILENCE_S = 1.0
FIRST_CLOCK_S = 5.0
ROW_DTYPE = np.dtype(
    [("system_us", "<i8"), ("device_us", "<i8"), *((name, "<f4") for name in VALUE_FIELDS)]
)

_log = logging.getLogger(__name__)


class TobiiTracker:
    """One tracker, chosen by its serial number.

    Parameters
    ----------
    info
        As the search gave it; `serial` chooses the device.
    make_home
        Opens the SDK; called at each connection.
    rate_hz
        One of `info.rates_hz`; None leaves the device as it is.
    """

    def __init__(
        self, info: TrackerInfo, make_home: Callable[[], Home], rate_hz: float | None = None
    ) -> None:
        if rate_hz is not None and info.rates_hz and rate_hz not in info.rates_hz:
            rates = ", ".join(f"{r:g}" for r in info.rates_hz)
            raise TrackerError(f"{info.name} runs at {rates} Hz, not at {rate_hz:g} Hz.")
        self.info = info
        self._make_home, self._rate_hz = make_home, rate_hz
        self._home: Home | None = None
        self._lock = threading.Lock()
        self._events: deque[DeviceEvent] = deque()
        self._chunks: deque[SampleArray] = deque()
        self._area_mm: list[float] | None = None

    # -- Tracker

    def connect(self, clock: HostClock) -> None:
        """Open the device, set its rate and wait for its clock."""
        self.disconnect()
        self._clock, self._shift_us = clock, 0.0
        self._watch = StampWatch()
        self._last_us: int | None = None
        self._lost_since_us: int | None = None
        self._is_lost, self._lost_at_us = False, -1
        self._position: UserPosition | None = None
        self._distance_mm: float | None = None
        self._sync: tuple[float, float, float] | None = None
        self._events.clear()
        self._chunks.clear()
        home = self._make_home()
        try:
            described = home.call("open", self.info.serial, self._rate_hz)
        except SdkError as error:
            home.close()
            raise self._refused(error) from error
        self._home, self._area_mm = home, described["area_mm"]
        self.info = tracker_info(described)
        self._heard_s = time.monotonic()
        self._await_clock()

    def disconnect(self) -> None:
        """Unsubscribe and close."""
        home, self._home = self._home, None
        if home is not None:
            home.close()

    def read(self) -> SampleArray:
        """Return the samples arrived since the last call."""
        self._pump()
        chunks = [self._chunks.popleft() for _ in range(len(self._chunks))]
        return np.concatenate(chunks) if chunks else empty_samples(0)

    def events(self) -> list[DeviceEvent]:
        """Return events since the last call."""
        self._pump()
        return [self._events.popleft() for _ in range(len(self._events))]

    def calibrator(self) -> "TobiiCalibrator | None":
        """Return the screen-based calibration; None where the model has none."""
        return TobiiCalibrator(self) if self.info.calibrates else None

    # -- what it offers beside

    def user_position(self) -> UserPosition | None:
        """Return where the eyes were last."""
        self._pump()
        return self._position

    def calibration_data(self) -> bytes:
        """Return the calibration in force."""
        data = base64.b64decode(self.command("calibration_data"))
        if not data:
            raise CalibrationError(f"{self.info.name} has no calibration. Calibrate it first.")
        return data

    def apply_calibration(self, data: bytes) -> None:
        """Apply a stored calibration."""
        self.command("apply_calibration", base64.b64encode(data).decode("ascii"))

    def clock_offset(self) -> ClockOffset | None:
        """Return the offset of the device's clock, from its own time synchronisation."""
        self._pump()
        if self._sync is None:
            return None
        offset_us, uncertainty_us, at_s = self._sync
        return ClockOffset(offset_us, time.monotonic() - at_s, uncertainty_us)

    def display_area(self) -> DisplayArea | None:
        """Return the size of the display area set up in Tobii's software."""
        return None if self._area_mm is None else DisplayArea(*self._area_mm)

    def command(self, name: str, *arguments: Any) -> Any:
        """Run a command of the calibration.

        Raises
        ------
        CalibrationError
            If the tracker refuses; the message says why.
        """
        if self._home is None:
            raise CalibrationError(f"{self.info.name} is not connected. Connect it first.")
        try:
            return self._home.call(name, *arguments)
        except SdkError as error:
            raise CalibrationError(
                f"{self.info.name} refused {name.replace('_', ' ')} ({error.detail}). Check the "
                "cable, then collect the target again or restart the calibration."
            ) from error
        except TrackerLost as error:
            raise CalibrationError(str(error)) from error

    # -- inside

    def _await_clock(self) -> None:
        """Wait for the first pairing of the clocks: no sample can be placed before it."""
        give_up_s = time.monotonic() + FIRST_CLOCK_S
        while not self._shift_us and time.monotonic() < give_up_s:
            self._pump()
            time.sleep(0.005)
        if not self._shift_us:
            self.disconnect()
            raise TrackerError(
                f"{self.info.name} does not report its time. Restart it and try again."
            )

    def _pump(self) -> None:
        """Take over what the home has collected; never blocks."""
        with self._lock:
            if self._home is None:
                return
            rows, messages = self._home.drain()
            for message in messages:
                if message["event"] in CLOCK_KINDS:
                    self._set_clock(message)
            if rows and self._shift_us:
                self._take(np.frombuffer(rows, ROW_DTYPE))
            elif not rows:
                self._check_silence()
            for message in messages:
                self._hear(message)

    def _hear(self, message: dict[str, Any]) -> None:
        kind = message["event"]
        if kind == "position":
            self._position = self._placed(message)
        elif kind == "lost" or kind == "ended":
            self._lose("The connection was lost." if kind == "lost" else "The Tobii bridge ended.")
        elif kind == "restored":
            self._restore()
        else:
            event = event_of(message, self._clock.now_us(), self.info.name)
            if event is not None:
                self._events.append(event)

    def _set_clock(self, message: dict[str, Any]) -> None:
        if message["event"] == "clock":
            age_ns = time.perf_counter_ns() - int(message["counter_ns"])
            host_us = self._clock.now_us() - age_ns * self._clock.speed / 1000
            self._shift_us = host_us - message["system_us"] * self._clock.speed
        elif self._shift_us:
            asked, told = (
                message["system_request_time_stamp"],
                message["system_response_time_stamp"],
            )
            host_us = (asked + told) / 2 * self._clock.speed + self._shift_us
            uncertainty_us = (told - asked) / 2
            self._sync = (host_us - message["device_time_stamp"], uncertainty_us, time.monotonic())

    def _take(self, rows: Any) -> None:
        samples = np.zeros(len(rows), SAMPLE_DTYPE)
        speed = self._clock.speed
        system_us = rows["system_us"].astype(np.float64)
        now_us = self._clock.now_us() / speed
        placed_us, faults = self._watch.place(system_us, system_us + self._shift_us / speed, now_us)
        samples["host_us"] = np.rint(placed_us * speed).astype(np.int64)
        for fault in faults:
            self._say(fault.kind, f"{self.info.name}: {fault.text}", fault.data)
        samples["device_us"] = rows["device_us"]
        for name in VALUE_FIELDS:
            samples[name] = rows[name]
        depths_mm = samples[-1]["left_origin_z_mm"], samples[-1]["right_origin_z_mm"]
        if not np.isnan(depths_mm).all():
            self._distance_mm = float(np.nanmean(depths_mm))
        self._heard_s = time.monotonic()
        if samples["host_us"][-1] > self._lost_at_us:  # else seen before the loss
            self._restore()
            self._note_gap(int(samples["host_us"][0]))
        self._last_us = int(samples["host_us"][-1])
        self._chunks.append(samples)

    def _placed(self, message: dict[str, Any]) -> UserPosition:
        """Turn the SDK's track box, whose x runs from the reader's right, to the reader's left."""
        places = []
        for eye in ("left", "right"):
            x, y, z = message[f"{eye}_user_position"]
            seen = message[f"{eye}_user_position_validity"]
            places.append((1.0 - x, y, z) if seen else None)
        distance_mm = self._distance_mm if any(places) else None
        return UserPosition(self._clock.now_us(), places[0], places[1], distance_mm)

    def _check_silence(self) -> None:
        if not self._is_lost and time.monotonic() - self._heard_s > SILENCE_S:
            self._lose(f"No samples for {SILENCE_S:g} s.")

    def _lose(self, why: str) -> None:
        if self._is_lost:
            return
        self._is_lost, self._lost_since_us = True, self._last_us
        self._lost_at_us = self._clock.now_us()
        self._position = None
        self._say("lost", f"{self.info.name}: {why} Check its cable and power supply.")

    def _restore(self) -> None:
        if self._is_lost:
            self._is_lost = False
            self._heard_s = time.monotonic()
            self._say("restored", f"{self.info.name} is back.")

    def _note_gap(self, first_us: int) -> None:
        since_us, self._lost_since_us = self._lost_since_us, None
        if since_us is not None:
            length_s = self._clock.real_seconds(first_us - since_us)
            data = {"from_us": since_us, "to_us": first_us}
            self._say("gap", f"{length_s:.2f} s of gaze are missing.", data)

    def _say(
        self,
        kind: EventKind,
        detail: str,
        data: dict[str, Any] | None = None,
    ) -> None:
        _log.info("%s: %s", kind, detail)
        self._events.append(DeviceEvent(self._clock.now_us(), kind, detail, data or {}))

    def _refused(self, error: SdkError) -> TrackerError:
        name, serial = self.info.name, self.info.serial
        if error.kind == "LookupError":
            return TrackerNotFound(
                f"There is no Tobii tracker with serial number {serial} (found: {error.detail}). "
                "Check its cable, its power supply and Tobii Pro Eye Tracker Manager."
            )
        if error.kind == "EyeTrackerLicenseError":
            return TrackerError(f"{name} needs a licence for this stream ({error.detail}).")
        return TrackerError(
            f"{name} ({serial}) cannot be opened ({error.detail}). Close other programs that use "
            "it, or restart it."
        )


def tracker_info(described: dict[str, Any]) -> TrackerInfo:
    """Return what the catalogue shows of a tracker that the session described."""
    rate_hz = described["rate_hz"]
    return TrackerInfo(
        id=f"tobii:{described['serial']}",
        kind="tobii",
        name=described["name"] or described["model"],
        model=described["model"],
        serial=described["serial"],
        rate_hz=None if rate_hz is None else float(rate_hz),
        rates_hz=tuple(float(r) for r in described["rates_hz"]),
        calibrates=bool(described["calibrates"]),
        has_openness=bool(described["has_openness"]),
        note=f"{described['model']}, firmware {described['firmware']}",
    )


class TobiiCalibrator:
    """The SDK's screen-based calibration; each call blocks."""

    def __init__(self, tracker: TobiiTracker) -> None:
        self._tracker = tracker

    def enter(self) -> None:
        """Enter calibration mode."""
        self._tracker.command("enter")

    def collect(self, x_norm: float, y_norm: float) -> PointResult:
        """Collect at a target."""
        left_ok, right_ok = self._tracker.command("collect", x_norm, y_norm)
        return PointResult(x_norm, y_norm, left_ok, right_ok)

    def discard(self, x_norm: float, y_norm: float) -> None:
        """Throw away what was collected at a target."""
        self._tracker.command("discard", x_norm, y_norm)

    def compute(self) -> CalibrationOutcome:
        """Compute the calibration and apply it."""
        found = self._tracker.command("compute")
        points = tuple(PointResult(*point) for point in found["points"])
        data = base64.b64decode(found["data"]) if found["data"] else None
        return CalibrationOutcome(_STATUS[found["left"], found["right"]], points, data)

    def leave(self) -> None:
        """Leave calibration mode."""
        self._tracker.command("leave")


_STATUS: dict[tuple[bool, bool], Literal["success", "left_only", "right_only", "failure"]] = {
    (True, True): "success",
    (True, False): "left_only",
    (False, True): "right_only",
    (False, False): "failure",
}
