"""A sender's clock that misbehaves is seen, told with its size and healed."""

import numpy as np
import pytest

from bench.stamp_faults import bursts, drift, equal_stamps, jump, later, play

SHORT_S = 40.0
RATES_HZ = [60, 1200]


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("size_s", [-60, -1.5, -0.05, 0.05, 5, 60])
def test_a_jump_of_any_size_is_told_with_it_and_never_carried_on(
    size_s: float, rate_hz: float
) -> None:
    played = play(rate_hz, jump(size_s), seconds=SHORT_S)
    (fault,) = played.faults
    assert fault.kind == "clock_reset"
    assert fault.data["size_s"] == pytest.approx(size_s, abs=0.025)
    assert np.abs(played.error_us).max() < 25_000


@pytest.mark.parametrize("ppm", [-500, 500])
def test_a_clock_that_drifts_is_followed_and_its_drift_told(ppm: int) -> None:
    played = play(60, drift(ppm), seconds=120)
    assert np.abs(played.error_us).max() < 10_000  # 60,000 if it were believed
    assert {fault.kind for fault in played.faults} == {"clock_drift"}
    assert played.faults[-1].data["ppm"] == pytest.approx(ppm, rel=0.4)


def test_bursts_of_a_sender_are_no_fault_of_its_clock() -> None:
    played = play(250, lambda t: t, bursts(0.5), seconds=SHORT_S)
    assert played.faults == []
    assert np.abs(played.error_us).max() < 1e-3


def test_a_stall_of_three_seconds_is_no_fault_of_its_clock() -> None:
    played = play(
        250, lambda t: t, lambda t: np.where((t > 2e7) & (t < 2.3e7), 2.3e7, t), seconds=SHORT_S
    )
    assert played.faults == []
    assert np.abs(played.error_us).max() < 1e-3


def test_samples_of_one_stamp_are_spread_up_to_it() -> None:
    played = play(250, equal_stamps(4), equal_stamps(4), seconds=5)
    assert {fault.kind for fault in played.faults} == {"equal_stamps"}
    assert played.faults[0].data["count"] >= 3
    assert np.abs(played.error_us[250:]).max() < 100


def test_samples_that_come_later_for_good_are_told_with_how_much() -> None:
    played = play(250, lambda t: t, later(0.3), seconds=SHORT_S)
    (fault,) = played.faults
    assert (fault.kind, fault.data["size_s"]) == ("late", pytest.approx(0.3, abs=0.02))


def test_another_rate_is_told_with_both() -> None:
    slower = np.concatenate(
        [np.arange(0, 10_000_000, 4_000), np.arange(10_000_000, 15_000_000, 8_000)]
    )
    played = play(250, lambda t: slower[: len(t)], lambda t: slower[: len(t)], seconds=12.0)
    (fault,) = [fault for fault in played.faults if fault.kind == "rate_change"]
    assert fault.data == {"from_hz": 250.0, "to_hz": 125.0}
