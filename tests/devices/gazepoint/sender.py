"""Gaze for the stand-in to send, at the pace of life."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count

import numpy as np

from devices.gaze.samples import SampleArray
from devices.gazepoint import GazepointTracker, find_gazepoint, open_gazepoint
from devices.tracker import DeviceEvent
from tests import PATIENCE_S
from tests.devices.gazepoint.stand_in import Control, Sent

RATE_HZ = 150.0


def gaze(number: int, first_s: float = 100.0, seed: int = 1, valid: float = 0.9) -> list[Sent]:
    """Return so many samples of two eyes that are often not valid, some off the screen."""
    rng = np.random.default_rng(seed)
    places = np.round(rng.uniform(-0.2, 1.2, (number, 4)), 5)
    seen = rng.random((number, 2)) < valid
    return [
        Sent(
            first_s + k / RATE_HZ,
            (float(p[0]), float(p[1])),
            (float(p[2]), float(p[3])),
            bool(s[0]),
            bool(s[1]),
        )
        for k, (p, s) in enumerate(zip(places, seen, strict=True))
    ]


def send(control: Control, samples: Sequence[Sent]) -> None:
    """Send each at its time, as a tracker does."""
    start_s, first_s = time.perf_counter(), samples[0].time_s
    for sample in samples:
        due_s = start_s + sample.time_s - first_s
        while (left_s := due_s - time.perf_counter()) > 0:
            time.sleep(left_s)
        control.send(sample)


@contextmanager
def sending(control: Control) -> Iterator[list[Sent]]:
    """Send without end; give what has been sent so far."""
    sent: list[Sent] = []
    stopping = threading.Event()

    start_s = time.perf_counter() - 100.0

    def work() -> None:
        for seed in count():
            for sample in gaze(10, 100.0 + seed * 10 / RATE_HZ, seed):
                # At its own time, so that its clock runs as fast as that of the computer.
                if stopping.wait(max(0.0, start_s + sample.time_s - time.perf_counter())):
                    return
                if control.streaming():
                    control.send(sample)
                    sent.append(sample)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield sent
    finally:
        stopping.set()
        thread.join()


def opened() -> GazepointTracker:
    """Return the tracker that is there, not yet connected."""
    return open_gazepoint(find_gazepoint()[0].id)


def read_all(tracker: GazepointTracker, number: int, timeout_s: float = PATIENCE_S) -> SampleArray:
    """Return so many samples as soon as they are there."""
    parts: list[SampleArray] = []

    def has_come() -> bool:
        parts.append(tracker.read())
        return sum(map(len, parts)) >= number

    wait_for(has_come, timeout_s)
    return np.concatenate(parts)


def wait_for(condition: Callable[[], object], timeout_s: float = PATIENCE_S) -> None:
    """Wait until something holds."""
    give_up_s = time.perf_counter() + timeout_s
    while not condition():
        assert time.perf_counter() < give_up_s, "waited in vain"
        time.sleep(0.005)


def heard(tracker: GazepointTracker, kind: str, timeout_s: float = PATIENCE_S) -> list[DeviceEvent]:
    """Return what was said until an event of a kind came, with it."""
    said: list[DeviceEvent] = []

    def is_said() -> bool:
        said.extend(tracker.events())
        return any(event.kind == kind for event in said)

    wait_for(is_said, timeout_s)
    return said


def expected(samples: Sequence[Sent]) -> dict[str, np.ndarray]:
    """Return what must be recorded of samples: NaN where an eye is not valid."""
    found = {}
    for eye in ("left", "right"):
        points = np.array([getattr(s, eye) for s in samples], np.float32)
        points[~np.array([getattr(s, f"{eye}_valid") for s in samples])] = np.nan
        found[f"{eye}_x_norm"], found[f"{eye}_y_norm"] = points[:, 0], points[:, 1]
    return found


def assert_is(recorded: SampleArray, sent: Sequence[Sent]) -> None:
    """Compare one by one: places, validity and the tracker's own time."""
    assert len(recorded) == len(sent)
    for name, values in expected(sent).items():
        np.testing.assert_array_equal(recorded[name], values, err_msg=name)
    times_us = [round(s.time_s * 1e6) for s in sent]
    np.testing.assert_allclose(recorded["device_us"], times_us, atol=10)
