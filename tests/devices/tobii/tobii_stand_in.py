"""Stands in for the compiled module of Tobii's SDK and behaves as two trackers.

Copied beside the SDK's own Python layer as `tobii_research_interop`. What the world does to it is
written by the test into the file that TOBII_STAND_IN names, as JSON: {"unplugged": bool, "eyes":
"both" | "left" | "none", "gaze": [x, y], "say": [notifications]}.
"""

import json
import os
import random
import threading
import time

GAZE, TIME_SYNC, ERRORS, NOTES, POSITION, OPENNESS = 1, 3, 4, 5, 7, 8
OK, NOT_SUPPORTED, CONNECTION_FAILED, OPERATION_FAILED, NOT_STARTED = 0, 202, 204, 214, 211
CAPABILITIES = (
    "capability_has_gaze_data",
    "capability_can_do_screen_based_calibration",
    "capability_has_eye_openness_data",
)
NAN = float("nan")


class World:
    """The file of the test, read at most every 5 ms."""

    def __init__(self):
        self.read_at, self.state = 0.0, {}

    def get(self, name, default):
        if time.monotonic() - self.read_at > 0.005:
            try:
                with open(os.environ["TOBII_STAND_IN"]) as file:
                    self.state = json.load(file)
            except (KeyError, OSError, ValueError):
                pass
            self.read_at = time.monotonic()
        return self.state.get(name, default)


class Device:
    """One tracker."""

    def __init__(self, serial, model, rates, capabilities):
        self.serial, self.model, self.rates = serial, model, rates
        self.capabilities = capabilities
        self.rate = rates[0]
        self.subscriptions = {}
        self.calibrating, self.collected, self.calibration = False, {}, b"factory"
        self.thread, self.is_lost, self.said = None, False, 0
        self.lock = threading.RLock()

    def describe(self):
        return {
            "address": "tobii-prp://" + self.serial,
            "device_name": "The " + self.model,
            "serial_number": self.serial,
            "model": self.model,
            "firmware_version": "1.2.3",
            "runtime_version": "",
            "device_capabilities": self.capabilities,
            "core_eyetracker": self.serial,
        }

    def subscribe(self, kind, callback):
        with self.lock:
            self.subscriptions[kind] = callback
            if self.thread is None:
                self.thread = threading.Thread(target=self.run, daemon=True)
                self.thread.start()

    def emit(self, kind, data):
        callback = self.subscriptions.get(kind)
        if callback is not None:
            callback(data)

    def note(self, kind, **values):
        data = {"notification_type": "eyetracker_notification_" + kind}
        self.emit(NOTES, {**data, "system_time_stamp": system_us(), **values})

    def run(self):
        due, beat = time.perf_counter(), 0
        while self.subscriptions:
            due += 1 / self.rate
            time.sleep(max(due - time.perf_counter(), 0))
            self.follow_cable()
            self.say_notes()
            if not self.is_lost:
                self.beat(beat)
            beat += 1
        self.thread = None

    def follow_cable(self):
        unplugged = WORLD.get("unplugged", False)
        if unplugged != self.is_lost:
            self.is_lost = unplugged
            self.note("connection_lost" if unplugged else "connection_restored")

    def say_notes(self):
        notes = WORLD.get("say", [])
        while self.said < len(notes):
            kind, values = notes[self.said]
            self.said += 1
            if kind == "stream_error":
                self.emit(ERRORS, {"system_time_stamp": system_us(), **values})
            else:
                self.note(kind, **values)

    def beat(self, number):
        stamp = {"system_time_stamp": system_us()}
        stamp["device_time_stamp"] = stamp["system_time_stamp"] + DEVICE_AHEAD_US
        self.emit(GAZE, {**gaze(), **stamp})
        self.emit(OPENNESS, {**openness(), **stamp})
        if number % max(int(self.rate / 10), 1) == 0:
            self.emit(POSITION, position())
            now = system_us()
            sync = {"system_request_time_stamp": now - 200, "system_response_time_stamp": now}
            self.emit(TIME_SYNC, {**sync, "device_time_stamp": now - 100 + DEVICE_AHEAD_US})


DEVICE_AHEAD_US = 777_000_000
SYSTEM_ZERO = random.randrange(10**9)


def system_us():
    return time.perf_counter_ns() // 1000 + SYSTEM_ZERO


def sees(eye):
    eyes = WORLD.get("eyes", "both")
    return eyes in ("both", eye)


def gaze():
    x, y = WORLD.get("gaze", [0.25, 0.75])
    data = {}
    for eye, side in (("left", -1.0), ("right", 1.0)):
        seen = sees(eye)
        data[eye + "_gaze_point_on_display_area"] = (x + 0.01 * side, y) if seen else (NAN, NAN)
        data[eye + "_gaze_point_in_user_coordinate_system"] = (0.0, 100.0, 0.0)
        data[eye + "_gaze_point_validity"] = int(seen)
        data[eye + "_pupil_diameter"] = 3.5 if seen else NAN
        data[eye + "_pupil_validity"] = int(seen)
        data[eye + "_gaze_origin_in_user_coordinate_system"] = (31.0 * side, 20.0, 640.0)
        data[eye + "_gaze_origin_validity"] = int(seen)
    return data


def openness():
    data = {}
    for eye in ("left", "right"):
        data[eye + "_eye_openness_value"] = 9.5
        data[eye + "_eye_validity"] = int(sees(eye))
    return data


def position():
    data = {}
    for eye, x in (("left", 0.6), ("right", 0.4)):  # x runs from the reader's right to the left
        data[eye + "_user_position"] = (x, 0.5, 0.45)
        data[eye + "_user_position_validity"] = int(sees(eye))
    return data


WORLD = World()
DEVICES = {
    "SPEC-1": Device("SPEC-1", "Spectrum", (600.0, 1200.0), CAPABILITIES),
    "NANO-2": Device("NANO-2", "Nano", (60.0,), CAPABILITIES[:2]),
}


def startup():
    pass


def cleanup():
    for device in DEVICES.values():
        device.subscriptions.clear()


def call_function(name, arguments, callback):
    """Answer as the compiled module does: 0, and the answer, led by its status, to the callback."""
    handler = HANDLERS[name]
    if arguments and arguments[0] in DEVICES:
        device, rest = DEVICES[arguments[0]], arguments[1:]
        if WORLD.get("unplugged", False) and name != "unsubscribe_from":
            callback((CONNECTION_FAILED,))
            return 0
        callback(handler(device, *rest))
    else:
        callback(handler(*arguments))
    return 0


def find():
    found = [] if WORLD.get("unplugged", False) else DEVICES.values()
    return (OK, [d.describe() for d in found])


def set_rate(device, rate):
    if rate not in device.rates:
        return (10,)
    device.rate = rate
    return (OK,)


def subscribe(kind, core, callback):
    device = DEVICES[core]
    if kind == OPENNESS and CAPABILITIES[2] not in device.capabilities:
        return (NOT_SUPPORTED,)
    device.subscribe(kind, callback)
    return (OK,)


def unsubscribe(kind, core):
    DEVICES[core].subscriptions.pop(kind, None)
    return (OK,)


def enter(device):
    if device.calibrating:
        return (210,)
    device.calibrating, device.collected = True, {}
    return (OK,)


def leave(device):
    device.calibrating = False
    return (OK,)


def collect(device, x, y):
    if not device.calibrating:
        return (NOT_STARTED,)
    time.sleep(0.05)
    if not (sees("left") and sees("right")):
        return (OPERATION_FAILED,)
    device.collected.setdefault((x, y), []).append(tuple(WORLD.get("gaze", [0.25, 0.75])))
    return (OK,)


def discard(device, x, y):
    device.collected.pop((x, y), None)
    return (OK,)


def compute(device):
    if len(device.collected) < 3:
        return (OPERATION_FAILED,)
    device.calibration = json.dumps(sorted(device.collected)).encode()
    return (OK,)


def points(device):
    return (
        OK,
        [
            {
                "position": place,
                "left_sample_position": sample,
                "left_validity": 1,
                "right_sample_position": sample,
                "right_validity": 1 if place != (0.9, 0.9) else 0,
            }
            for place, samples in device.collected.items()
            for sample in samples
        ],
    )


def apply(device, data):
    if not data.startswith((b"[", b"factory")):
        return (OPERATION_FAILED,)
    device.calibration = data
    return (OK,)


AREA = {
    "top_left": (-265.0, 310.0, 0.0),
    "top_right": (265.0, 310.0, 0.0),
    "bottom_left": (-265.0, 10.0, 0.0),
}
HANDLERS = {
    "find_all_eyetrackers": find,
    "get_all_gaze_output_frequencies": lambda d: (OK, d.rates),
    "get_gaze_output_frequency": lambda d: (OK, d.rate),
    "set_gaze_output_frequency": set_rate,
    "get_display_area": lambda d: (OK, AREA),
    "subscribe_to": subscribe,
    "unsubscribe_from": unsubscribe,
    "calibration_enter_calibration_mode": enter,
    "calibration_leave_calibration_mode": leave,
    "screen_based_calibration_collect_data": collect,
    "screen_based_calibration_discard_data": discard,
    "calibration_compute_and_apply": compute,
    "screen_based_calibration_get_calibration_points": points,
    "calibration_retrieve": lambda d: (OK, d.calibration),
    "calibration_apply": apply,
    "get_system_time_stamp": lambda: (OK, system_us()),
    "get_sdk_version": lambda: (OK, "2.1.0"),
    "report_stream_error": lambda *_: (OK,),
    "terminate": lambda: (OK,),
}
