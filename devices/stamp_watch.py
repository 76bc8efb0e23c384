"""Compares a sender's time stamps with their arrival, to detect and correct faults of its clock.

The newest stamp of what arrives lies a little before its arrival, its lateness, which changes by a
few milliseconds only. A clock that jumps, drifts or runs at another rate changes it for good; a
stalled network or reader changes it for moments. Stamps are healed onto the host clock: no fault of
a clock is carried on.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

FaultKind = Literal["clock_reset", "clock_drift", "late", "rate_change", "equal_stamps"]
Floats = NDArray[np.float64]

EARLY_US = 25_000.0
"""Stamps this much nearer to their arrival than any before came from a clock that jumped ahead."""
LATE_US, LATE_FOR_US = 100_000.0, 500_000.0
"""Stamps this much later than before, all of them for so long, came from one that fell behind."""
BACK_US = 10_000.0
"""A step back by less is jitter of the stamps, put in order and not told."""
FIRST_EARLY_US, FIRST_LATE_US = 50_000.0, 60_000_000.0
"""How far the first stamp may lie ahead of its arrival, or behind it."""
_WINDOW_US = 5_000_000.0
_SLEW_PPM, _DEADBAND_US, _DRIFT_PPM, _DRIFT_US = 1000.0, 3_000.0, 100.0, 10_000.0
_RATE_CHANGE = 0.2
_TELL_EVERY_US = 10_000_000.0
_FIRST_STEPS, _RATE_OVER_US = 50, 1e6


@dataclass(frozen=True, slots=True)
class StampFault:
    """What a sender's clock did: `data` has its size."""

    kind: FaultKind
    text: str
    data: dict[str, Any] = field(default_factory=dict)


class StampWatch:
    """Places the stamps of one sender on the host clock. All times in real microseconds.

    Attributes
    ----------
    shift_us
        Added to stamps as mapped, to heal what the sender's clock did.
    """

    def __init__(self) -> None:
        self.shift_us = 0.0
        self._last_raw_us: float | None = None
        self._last_us: float | None = None
        self._period_us: float | None = None
        self._other_us: float | None = None
        self._steps: list[float] = []
        self._usual_late_us: float | None = None
        self._started_us = 0.0
        self._lates: deque[tuple[float, float]] = deque()
        self._window: tuple[float, float] | None = None
        self._slewed_us, self._slewed_since_us = 0.0, 0.0
        self._equal_count, self._told_us = 0, dict[str, float]()

    def place(
        self, raw_us: Floats, mapped_us: Floats, now_us: float
    ) -> tuple[Floats, list[StampFault]]:
        """Return stamps (N,), N > 0, just arrived, healed and in ascending order; and what was.

        Parameters
        ----------
        raw_us
            As the sender gave them, on any clock.
        mapped_us
            The same on the host clock, as far as its clock is believed.
        now_us
            Of their arrival.
        """
        faults: list[StampFault] = []
        placed = mapped_us + self.shift_us
        steps = np.diff(raw_us, prepend=raw_us[0] if self._last_raw_us is None else
                        self._last_raw_us)  # fmt: skip
        self._heal_back(steps, placed, now_us, faults)
        self._heal_lateness(placed, now_us, faults)
        self._spread_equal(steps, placed, now_us, faults)
        self._note_rate(steps, now_us, faults)
        if self._last_us is not None:
            placed = np.maximum(placed, self._last_us)
        placed = np.maximum.accumulate(placed)
        self._last_raw_us, self._last_us = float(raw_us[-1]), float(placed[-1])
        return placed, faults

    def corrected(self, change_us: float) -> None:
        """Take note that stamps are mapped anew, `change_us` later than before.

        Where that is what a jump was healed by, the mapping heals it from now on.
        """
        if self.shift_us and abs(change_us - self.shift_us) < 0.1 * abs(self.shift_us) + BACK_US:
            self.shift_us = 0.0
            self._lates.clear()

    def _heal_back(
        self, steps: Floats, placed: Floats, now_us: float, faults: list[StampFault]
    ) -> None:
        for at in np.flatnonzero(steps < -BACK_US):
            before = self._last_us if at == 0 else float(placed[at - 1])
            assert before is not None
            healed = before + (self._period_us or 1.0) - placed[at]
            if at == np.flatnonzero(steps < -BACK_US)[-1]:
                # Nothing is queued behind the newest: it is as late as the newest ever was.
                healed = max(healed, now_us - (self._usual_late_us or 0.0) - placed[-1])
            placed[at:] += healed
            self._shifted(healed)
            faults.append(_jump(-healed))

    def _heal_lateness(self, placed: Floats, now_us: float, faults: list[StampFault]) -> None:
        late_us = now_us - float(placed[-1])
        usual_us = self._usual_late_us
        if usual_us is None:
            self._started_us = now_us
            if not -FIRST_EARLY_US <= late_us <= FIRST_LATE_US:
                self._move(placed, 0, late_us)
                faults.append(_jump(-late_us))
                late_us = 0.0
            self._usual_late_us = late_us
            return
        if late_us < usual_us - EARLY_US:
            gaps = np.diff(placed, prepend=placed[0] if self._last_us is None else self._last_us)
            self._move(placed, int(gaps.argmax()), late_us - usual_us)
            faults.append(_jump(usual_us - late_us))
            return
        self._lates.append((now_us, late_us))
        while self._lates[0][0] < now_us - LATE_FOR_US:
            self._lates.popleft()
        least_us = min(late for _, late in self._lates)
        spans_us = now_us - self._lates[0][0]
        if least_us > usual_us + LATE_US and spans_us > 0.8 * LATE_FOR_US:
            self._move(placed, 0, least_us - usual_us)
            size_s = (least_us - usual_us) / 1e6
            text = f"Its samples came {size_s:.3f} s later than before and stayed late."
            faults.append(StampFault("late", text, {"size_s": round(size_s, 6)}))
            return
        self._follow(late_us, now_us, faults)

    def _follow(self, late_us: float, now_us: float, faults: list[StampFault]) -> None:
        """Learn the usual lateness from the first seconds, and follow a clock that drifts."""
        assert self._usual_late_us is not None
        since_us, least_us = self._window or (now_us, late_us)
        self._window = since_us, min(least_us, late_us)
        if now_us - since_us < _WINDOW_US:
            self._usual_late_us = min(
                self._usual_late_us,
                late_us if now_us - self._started_us < _WINDOW_US else self._usual_late_us,
            )
            return
        self._window = None
        off_us = least_us - self._usual_late_us
        if abs(off_us) < _DEADBAND_US:
            return
        most_us = _SLEW_PPM * (now_us - since_us) / 1e6
        slew_us = float(np.clip(off_us, -most_us, most_us))
        if self._slewed_us == 0.0:
            self._slewed_since_us = since_us - _WINDOW_US
        self._shifted(slew_us, forget=False)
        self._slewed_us += slew_us
        ppm = -1e6 * self._slewed_us / (now_us - self._slewed_since_us)
        is_drift = abs(ppm) >= _DRIFT_PPM and abs(self._slewed_us) >= _DRIFT_US
        if is_drift and self._may_tell("clock_drift", now_us, 60e6):
            text = (
                f"Its clock drifts by {ppm:+.0f} ppm relative to this computer's; times are "
                "corrected for it."
            )
            faults.append(StampFault("clock_drift", text, {"ppm": round(ppm)}))

    def _spread_equal(
        self, steps: Floats, placed: Floats, now_us: float, faults: list[StampFault]
    ) -> None:
        """Spread samples with the same stamp at the usual interval, up to that stamp."""
        is_equal = steps == 0
        is_equal[0] &= self._last_raw_us is not None
        if not is_equal.any():
            return
        self._equal_count += int(is_equal.sum())
        period_us = self._period_us or 0.0
        is_equal[0] = False  # what came before is placed already
        starts = np.flatnonzero(~is_equal)
        ends = np.append(starts[1:], len(placed))
        for start, end in zip(starts, ends, strict=True):
            count = end - start
            before = float(placed[start - 1]) if start else self._last_us
            room_us = np.inf if before is None else max(0.0, placed[start] - before)
            step_us = min(period_us, room_us / count)
            placed[start:end] -= step_us * np.arange(count - 1, -1, -1)
        if self._may_tell("equal_stamps", now_us, _TELL_EVERY_US):
            count, self._equal_count = self._equal_count, 0
            text = f"{count} samples repeated the previous time stamp and were spread out."
            faults.append(StampFault("equal_stamps", text, {"count": count}))

    def _note_rate(self, steps: Floats, now_us: float, faults: list[StampFault]) -> None:
        self._steps.extend(steps[steps > 0].tolist())
        if len(self._steps) < _FIRST_STEPS or sum(self._steps) < _RATE_OVER_US:
            if self._period_us is None and len(self._steps) >= _FIRST_STEPS:
                self._period_us = float(np.median(self._steps))
            return
        period_us, self._steps = float(np.median(self._steps)), []
        usual_us = self._period_us or period_us
        if abs(period_us / usual_us - 1) <= _RATE_CHANGE:
            self._period_us, self._other_us = period_us, None
            return
        # A burst after a stall has short steps too: only what stays is another rate.
        if self._other_us is None or abs(period_us / self._other_us - 1) > _RATE_CHANGE:
            self._other_us = period_us
            return
        self._period_us, self._other_us = period_us, None
        was_hz, is_hz = 1e6 / usual_us, 1e6 / period_us
        if self._may_tell("rate_change", now_us, 1e6):
            text = f"Its rate changed from {was_hz:.0f} to {is_hz:.0f} Hz."
            data = {"from_hz": round(was_hz, 1), "to_hz": round(is_hz, 1)}
            faults.append(StampFault("rate_change", text, data))

    def _move(self, placed: Floats, at: int, by_us: float) -> None:
        placed[at:] += by_us
        self._shifted(by_us)

    def _shifted(self, by_us: float, *, forget: bool = True) -> None:
        self.shift_us += by_us
        if forget:
            self._lates.clear()
            self._window, self._slewed_us = None, 0.0

    def _may_tell(self, kind: str, now_us: float, every_us: float) -> bool:
        if now_us - self._told_us.get(kind, -np.inf) < every_us:
            return False
        self._told_us[kind] = now_us
        return True


def _jump(size_us: float) -> StampFault:
    size_s = size_us / 1e6
    text = f"Its clock jumped by {size_s:+.3f} s; times are kept close to the samples' arrival."
    return StampFault("clock_reset", text, {"size_s": round(size_s, 6)})
