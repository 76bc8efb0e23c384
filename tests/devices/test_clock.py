from datetime import UTC, datetime, timedelta

import pytest

from devices.clock import HostClock, measure_step_us, require_fine_clock
from devices.errors import ClockError


class _Counter:
    """A counter that moves `step_ns` on each `reads_per_step`-th reading."""

    def __init__(self, step_ns=1_000, reads_per_step=1, start_ns=5_000_000):
        self.now_ns, self.reads = start_ns, 0
        self._step_ns, self._every = step_ns, reads_per_step

    def __call__(self):
        self.reads += 1
        if self.reads % self._every == 0:
            self.now_ns += self._step_ns
        return self.now_ns


def _set(ns):
    box = {"ns": ns}
    return box, lambda: box["ns"]


@pytest.mark.parametrize("speed", [0.5, 1.0, 20.0])
def test_time_is_elapsed_time_times_speed_in_whole_microseconds(speed):
    box, counter = _set(123_456_789)
    clock = HostClock(speed, counter)
    assert clock.now_us() == 0
    box["ns"] += 2_500_000_000
    assert clock.now_us() == int(2_500_000 * speed)
    assert isinstance(clock.now_us(), int)


def test_a_reading_of_the_same_counter_maps_to_the_same_time_also_before_zero():
    _, counter = _set(1_000_000_000)
    clock = HostClock(4.0, counter)
    assert clock.at_counter_us(1_000_001_000) == 4
    assert clock.at_counter_us(999_999_000) == -4


def test_zero_is_the_real_instant_also_when_faster_than_life():
    clock = HostClock(10.0)
    assert abs(datetime.now(UTC) - clock.zero_utc) < timedelta(seconds=5)
    assert clock.real_seconds(10_000_000) == pytest.approx(1.0)


def test_a_running_clock_never_goes_back():
    clock = HostClock()
    times = [clock.now_us() for _ in range(1000)]
    assert times == sorted(times)


@pytest.mark.parametrize("speed", [0, -1])
def test_a_clock_that_does_not_go_forward_is_refused(speed):
    with pytest.raises(ClockError, match="must be positive"):
        HostClock(speed)


@pytest.mark.parametrize("reads_per_step", [1, 7])
def test_the_step_is_the_largest_change_seen(reads_per_step):
    assert measure_step_us(_Counter(1_000, reads_per_step)) == pytest.approx(1.0)
    assert measure_step_us(_Counter(15_600_000, reads_per_step)) == pytest.approx(15_600)


def test_a_coarse_clock_is_refused_with_its_step():
    with pytest.raises(ClockError, match=r"steps of 15600 µs; gaze needs 100 µs"):
        require_fine_clock(_Counter(15_600_000, 3))


def test_one_pause_of_the_scheduler_does_not_condemn_a_fine_clock():
    counter = _Counter(200)
    reads = iter(range(10_000))

    def paused_once():
        if next(reads) == 10:
            counter.now_ns += 50_000_000
        return counter()

    assert require_fine_clock(paused_once) == pytest.approx(0.2)


def test_this_computer_has_a_fine_clock():
    assert require_fine_clock() < 100
