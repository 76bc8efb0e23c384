"""The single host clock: integer microseconds, injected wherever time is read."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from devices.errors import ClockError

MAX_STEP_US = 100.0


class HostClock:
    """Microseconds since the clock was created, optionally faster than real time.

    Gaze, view changes and keys all use this clock, so a faster-than-real-time run keeps them
    in step: ``now = speed x elapsed``.

    Parameters
    ----------
    speed
        Seconds of recorded time per second of real time; 1.0 is real time.
    counter_ns
        Monotonic nanosecond counter. ``time.perf_counter_ns`` and not ``time.monotonic``,
        which steps by 15.6 ms on Windows before Python 3.13.

    Attributes
    ----------
    zero_utc
        The UTC instant of time 0; stored with each session.
    """

    def __init__(
        self, speed: float = 1.0, counter_ns: Callable[[], int] = time.perf_counter_ns
    ) -> None:
        if speed <= 0:
            raise ClockError(f"The clock speed must be positive, not {speed}.")
        self.speed = speed
        self._counter_ns = counter_ns
        self._zero_ns = counter_ns()
        self.zero_utc = datetime.now(UTC)

    def now_us(self) -> int:
        """Return the time since zero, in (scaled) microseconds."""
        return self.at_counter_us(self._counter_ns())

    def at_counter_us(self, counter_ns: int) -> int:
        """Return the time, in (scaled) microseconds, of a reading of the same counter."""
        return round((counter_ns - self._zero_ns) * self.speed / 1000)

    def real_seconds(self, duration_us: float) -> float:
        """Return how many real seconds a duration of this clock lasts."""
        return duration_us / self.speed / 1e6


def measure_step_us(counter_ns: Callable[[], int] = time.perf_counter_ns, steps: int = 20) -> float:
    """Return the largest step of the counter, in microseconds, over several visible changes."""
    largest = 0
    last = counter_ns()
    for _ in range(steps):
        now = counter_ns()
        while now == last:
            now = counter_ns()
        largest, last = max(largest, now - last) if largest else now - last, now
    return largest / 1000


def require_fine_clock(
    counter_ns: Callable[[], int] = time.perf_counter_ns, attempts: int = 5
) -> float:
    """Measure the step of the clock and refuse a coarse one.

    The best of several attempts counts: a scheduler pause looks like a step, but not every time.

    Returns
    -------
    float
        The step in microseconds.

    Raises
    ------
    ClockError
        If the step exceeds 0.1 ms in every attempt.
    """
    step_us = min(measure_step_us(counter_ns) for _ in range(attempts))
    if step_us > MAX_STEP_US:
        raise ClockError(
            f"This computer's clock advances in steps of {step_us:.0f} µs; gaze needs "
            f"{MAX_STEP_US:.0f} µs or finer. Use another computer or operating system."
        )
    return step_us
