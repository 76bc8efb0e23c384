"""Talks to Tobii's SDK with only the standard library and Python 3.10 syntax.

The SDK calls back on threads of its own, swallows what is raised there and overflows when it has to
wait: the callbacks only append to queues, which `drain` empties.
"""

import base64
import collections
import struct
import threading
import time
from typing import Any

ROW = struct.Struct("<qq14f")
"""system_time_stamp, device_time_stamp (us), then the values in the order of `SAMPLE_DTYPE`."""
OPENNESS_WAIT_US = 50_000
CLOCK_EVERY_S = 1.0
CLOCK_TRIES = 7
_NAN = float("nan")
_LOST = (_NAN, _NAN, _NAN)
# Name of the subscription's constant in the SDK, and what the message is called here.
_NOTICES = {
    "EYETRACKER_NOTIFICATION_CONNECTION_LOST": "lost",
    "EYETRACKER_NOTIFICATION_CONNECTION_RESTORED": "restored",
    "EYETRACKER_NOTIFICATION_DEVICE_FAULTS": "fault",
    "EYETRACKER_NOTIFICATION_DEVICE_WARNINGS": "warning",
    "EYETRACKER_NOTIFICATION_STREAM_BUFFER_OVERFLOW": "overflow",
    "EYETRACKER_NOTIFICATION_DISPLAY_AREA_CHANGED": "display_area",
    "EYETRACKER_NOTIFICATION_GAZE_OUTPUT_FREQUENCY_CHANGED": "rate",
    "EYETRACKER_STREAM_ERRORS": "stream_error",
}
_GAZE = "capability_has_gaze_data"
_OPENNESS = "capability_has_eye_openness_data"
_CALIBRATION = "capability_can_do_screen_based_calibration"


class SdkSession:
    """One tracker at a time, opened by its serial number.

    Parameters
    ----------
    sdk
        The module `tobii_research`.
    """

    def __init__(self, sdk: Any) -> None:
        self._sdk = sdk
        self._tracker: Any = None
        self._calibration: Any = None
        self._gaze: collections.deque[dict[str, Any]] = collections.deque()
        self._openness: collections.deque[dict[str, Any]] = collections.deque()
        self._notices: collections.deque[dict[str, Any]] = collections.deque()
        self._subscribed: list[tuple[str, Any]] = []
        self._open_eyes: dict[int, tuple[float, float]] = {}
        self._has_openness = False
        self._openness_us = 0
        self._clock_at_s = 0.0
        self._lock = threading.Lock()

    def call(self, name: str, arguments: list[Any]) -> Any:
        """Run one of the commands below by its name; the answer can be written as JSON."""
        if name not in COMMANDS:
            raise ValueError(f"The Tobii session knows no command {name!r}.")
        return getattr(self, name)(*arguments)

    # -- commands

    def find(self) -> list[dict[str, Any]]:
        """Return what is attached; takes some seconds."""
        return [_described(t) for t in self._sdk.find_all_eyetrackers()]

    def open(self, serial: str, rate_hz: float | None = None) -> dict[str, Any]:
        """Open the tracker of a serial number, set its rate and subscribe to its streams."""
        self.close()
        trackers = self._sdk.find_all_eyetrackers()
        chosen = next((t for t in trackers if t.serial_number == serial), None)
        if chosen is None:
            raise LookupError(", ".join(t.serial_number for t in trackers) or "none")
        if rate_hz is not None:
            chosen.set_gaze_output_frequency(rate_hz)
        self._tracker = chosen
        self._has_openness = _OPENNESS in chosen.device_capabilities
        self._clock_at_s = 0.0
        self._subscribe()
        return _described(chosen)

    def close(self) -> None:
        """Unsubscribe from everything; safe to call twice."""
        for kind, callback in self._subscribed:
            self._tracker.unsubscribe_from(kind, callback)
        self._subscribed = []
        self._tracker = self._calibration = None
        for queue in (self._gaze, self._openness, self._notices):
            queue.clear()
        self._open_eyes.clear()

    def enter(self) -> None:
        """Enter calibration mode."""
        self._calibration = self._sdk.ScreenBasedCalibration(self._opened())
        self._calibration.enter_calibration_mode()

    def collect(self, x_norm: float, y_norm: float) -> list[bool]:
        """Collect at a target; return whether the left and the right eye succeeded."""
        status = self._calibrating().collect_data(x_norm, y_norm)
        return list(_eyes_of(self._sdk, status))

    def discard(self, x_norm: float, y_norm: float) -> None:
        """Throw away what was collected at a target."""
        self._calibrating().discard_data(x_norm, y_norm)

    def compute(self) -> dict[str, Any]:
        """Compute and apply; return status, points (x, y, left, right) and the data, base64."""
        result = self._calibrating().compute_and_apply()
        left, right = _eyes_of(self._sdk, result.status)
        data = self.calibration_data() if left or right else None
        return {
            "left": left,
            "right": right,
            "points": [_point(self._sdk, p) for p in result.calibration_points],
            "data": data,
        }

    def leave(self) -> None:
        """Leave calibration mode."""
        calibration, self._calibration = self._calibration, None
        if calibration is not None:
            calibration.leave_calibration_mode()

    def calibration_data(self) -> str:
        """Return the calibration in force, base64; "" for none."""
        data = self._opened().retrieve_calibration_data() or b""
        return base64.b64encode(data).decode("ascii")

    def apply_calibration(self, data: str) -> None:
        """Apply a calibration that `calibration_data` gave."""
        self._opened().apply_calibration_data(base64.b64decode(data))

    # -- the streams

    def drain(self) -> tuple[bytes, list[dict[str, Any]]]:
        """Return the packed rows and the messages since the last call, in order."""
        with self._lock:
            messages = []
            if self._tracker is not None and time.monotonic() - self._clock_at_s > CLOCK_EVERY_S:
                self._clock_at_s = time.monotonic()
                messages.append(self._clock_message())
            while self._notices:
                messages.append(self._notices.popleft())
            return self._rows(), messages

    def _rows(self) -> bytes:
        while self._openness:
            self._take_openness(self._openness.popleft())
        rows = []
        while self._gaze and self._is_ready(self._gaze[0]):
            rows.append(
                _packed(self._gaze[0], self._open_eyes.pop(_device_us(self._gaze[0]), None))
            )
            self._gaze.popleft()
        if len(self._open_eyes) > 5_000:  # of gaze that never came
            self._open_eyes.clear()
        return b"".join(rows)

    def _take_openness(self, data: dict[str, Any]) -> None:
        values = tuple(
            float(data[eye + "_eye_openness_value"]) if data[eye + "_eye_validity"] else _NAN
            for eye in ("left", "right")
        )
        self._openness_us = _device_us(data)
        self._open_eyes[self._openness_us] = (values[0], values[1])

    def _is_ready(self, gaze: dict[str, Any]) -> bool:
        """Whether the lids of that instant are known, or will hardly come any more."""
        if not self._has_openness or _device_us(gaze) <= self._openness_us:
            return True
        return _device_us(self._gaze[-1]) - _device_us(gaze) > OPENNESS_WAIT_US

    def _clock_message(self) -> dict[str, Any]:
        """Pair the SDK's clock with this computer's; the pair read in the shortest time counts."""
        pairs = []
        for _ in range(CLOCK_TRIES):
            before = time.perf_counter_ns()
            system_us = self._sdk.get_system_time_stamp()
            after = time.perf_counter_ns()
            pairs.append((after - before, (after + before) // 2, system_us))
        took, counter_ns, system_us = min(pairs)
        return {
            "event": "clock",
            "counter_ns": counter_ns,
            "system_us": system_us,
            "uncertainty_us": took / 2000,
        }

    def _subscribe(self) -> None:
        sdk = self._sdk
        wanted = [
            (sdk.EYETRACKER_GAZE_DATA, self._gaze.append),
            (sdk.EYETRACKER_USER_POSITION_GUIDE, self._noting("position")),
            (sdk.EYETRACKER_TIME_SYNCHRONIZATION_DATA, self._noting("time_sync")),
        ]
        if self._has_openness:
            wanted.append((sdk.EYETRACKER_EYE_OPENNESS_DATA, self._openness.append))
        wanted += [(getattr(sdk, c), self._noting(n)) for c, n in _NOTICES.items()]
        for kind, callback in wanted:
            self._try_to_subscribe(kind, callback)

    def _try_to_subscribe(self, kind: str, callback: Any) -> None:
        """Subscribe; a stream that this model lacks is told, gaze itself must be there."""
        try:
            self._tracker.subscribe_to(kind, callback, as_dictionary=True)
        except Exception as error:
            if kind == self._sdk.EYETRACKER_GAZE_DATA:
                raise
            self._notices.append({"event": "lacks", "stream": kind, "detail": str(error)})
        else:
            self._subscribed.append((kind, callback))

    def _noting(self, event: str) -> Any:
        def note(data: dict[str, Any]) -> None:
            values = {k: v for k, v in data.items() if k not in ("display_area", "event")}
            values["event"] = event
            self._notices.append(values)

        return note

    def _opened(self) -> Any:
        if self._tracker is None:
            raise LookupError("no tracker is open")
        return self._tracker

    def _calibrating(self) -> Any:
        if self._calibration is None:
            raise LookupError("the tracker is not in calibration mode")
        return self._calibration


COMMANDS = (
    "find",
    "open",
    "close",
    "enter",
    "collect",
    "discard",
    "compute",
    "leave",
    "calibration_data",
    "apply_calibration",
)


def _device_us(data: dict[str, Any]) -> int:
    return int(data["device_time_stamp"])


def _packed(data: dict[str, Any], openness: tuple[float, float] | None) -> bytes:
    values: list[float] = []
    for eye in ("left", "right"):
        seen = data[eye + "_gaze_point_validity"]
        values += (data[eye + "_gaze_point_on_display_area"] if seen else _LOST)[:2]
    for eye in ("left", "right"):
        values.append(data[eye + "_pupil_diameter"] if data[eye + "_pupil_validity"] else _NAN)
    for eye in ("left", "right"):
        seen = data[eye + "_gaze_origin_validity"]
        values += data[eye + "_gaze_origin_in_user_coordinate_system"] if seen else _LOST
    values += openness or (_NAN, _NAN)
    return ROW.pack(data["system_time_stamp"], _device_us(data), *values)


def _described(tracker: Any) -> dict[str, Any]:
    """Return what is known of a tracker; a question it does not answer is left open."""
    capabilities = list(tracker.device_capabilities)
    area = _or_none(tracker.get_display_area)
    return {
        "serial": tracker.serial_number,
        "name": tracker.device_name,
        "model": tracker.model,
        "firmware": tracker.firmware_version,
        "rate_hz": _or_none(tracker.get_gaze_output_frequency),
        "rates_hz": list(_or_none(tracker.get_all_gaze_output_frequencies) or ()),
        "area_mm": None if area is None else [area.width, area.height],
        "has_gaze": _GAZE in capabilities,
        "has_openness": _OPENNESS in capabilities,
        "calibrates": _CALIBRATION in capabilities,
    }


def _or_none(question: Any) -> Any:
    try:
        return question()
    except Exception:  # its errors have no common parent; a model may not know an answer
        return None


def _eyes_of(sdk: Any, status: str) -> tuple[bool, bool]:
    return {
        sdk.CALIBRATION_STATUS_SUCCESS: (True, True),
        sdk.CALIBRATION_STATUS_SUCCESS_LEFT_EYE: (True, False),
        sdk.CALIBRATION_STATUS_SUCCESS_RIGHT_EYE: (False, True),
    }.get(status, (False, False))


def _point(sdk: Any, point: Any) -> list[Any]:
    used = [
        any(getattr(s, eye).validity == sdk.VALIDITY_VALID_AND_USED for s in samples)
        for samples in [point.calibration_samples]
        for eye in ("left_eye", "right_eye")
    ]
    return [*point.position_on_display_area, *used]
