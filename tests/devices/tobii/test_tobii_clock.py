"""A Tobii stream whose stamps jump, through the adapter and without the SDK."""

import time
from typing import Any

import numpy as np
import pytest

from devices.clock import HostClock
from devices.tobii.tracker import ROW_DTYPE, TobiiTracker
from devices.tracker import TrackerInfo

DESCRIBED = {
    "serial": "S1", "name": "T", "model": "T", "firmware": "1", "rate_hz": 250.0,
    "rates_hz": [250.0], "calibrates": True, "has_openness": False, "area_mm": [500.0, 300.0],
}  # fmt: skip


class JumpingHome:
    """Gives two samples a call, just taken; from `jump_us` being set on, their stamps lie by it."""

    def __init__(self) -> None:
        self.jump_us = 0
        self.told = False

    def call(self, name: str, *arguments: Any) -> Any:
        return DESCRIBED

    def close(self) -> None:
        pass

    def drain(self) -> tuple[bytes, list[dict[str, Any]]]:
        if not self.told:
            self.told = True
            now_ns = time.perf_counter_ns()
            return b"", [{"event": "clock", "counter_ns": now_ns, "system_us": now_ns // 1000}]
        time.sleep(0.002)
        rows = np.zeros(2, ROW_DTYPE)
        rows["device_us"] = time.perf_counter_ns() // 1000 + np.array([-1000, 0])
        rows["system_us"] = rows["device_us"] + self.jump_us
        return rows.tobytes(), []


@pytest.mark.parametrize("jump_us", [-1_500_000, 2_000_000, -70_000_000])
def test_stamps_of_a_tobii_that_jump_are_told_and_healed(jump_us: int, stalls) -> None:
    home = JumpingHome()
    tracker = TobiiTracker(TrackerInfo("tobii:S1", "tobii", "T", serial="S1"), lambda: home)
    tracker.connect(HostClock())
    before = [tracker.read() for _ in range(20)]
    home.jump_us = jump_us
    samples = np.concatenate([*before, *(tracker.read() for _ in range(20))])
    told = [event for event in tracker.events() if event.kind == "clock_reset"]
    tracker.disconnect()
    size_s = pytest.approx(jump_us / 1e6, abs=0.1 + stalls.slack_s)
    assert [event.data["size_s"] for event in told] == [size_s]
    assert np.ptp(samples["host_us"] - samples["device_us"]) < 100_000 + stalls.slack_us
