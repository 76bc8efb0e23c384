"""How long steps take and how much of that their views were waited for, by the wall clock.

A device runs behind the host: a step that is handed over is not done. So time runs from report to
report, each of which waits for the device anyway, and the wait for views is what lies between two
marks in the device's own queue of work.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True, slots=True)
class Device:
    """What the clock asks of a device that runs behind the host.

    Attributes
    ----------
    mark
        Marks the place that the queue of work has now, as a `torch.cuda.Event` does.
    finish
        Waits until all that was handed over is done.
    """

    mark: Callable[[], Any]
    finish: Callable[[], None]


class StepClock:
    """Times the steps from one reading to the next.

    Parameters
    ----------
    device
        None where the host does the work itself and its own clock tells all.
    now
        Seconds; replaced in tests.
    """

    def __init__(
        self, device: Device | None = None, now: Callable[[], float] = time.perf_counter
    ) -> None:
        self._device, self._now = device, now
        self._marks: list[tuple[Any, Any]] = []
        self._waited_s = self._away_s = 0.0
        self._since_s = now()

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Count what happens in this context as the wait for the views of a step."""
        if self._device is not None:
            before = self._device.mark()
            yield
            self._marks.append((before, self._device.mark()))
            return
        started_s = self._now()
        yield
        self._waited_s += self._now() - started_s

    @contextlib.contextmanager
    def left_out(self) -> Iterator[None]:
        """Count what happens in this context, a look or a checkpoint, as no part of any step."""
        if self._device is not None:
            self._device.finish()  # steps that were handed over are not what is left out
        started_s = self._now()
        try:
            yield
        finally:
            self._away_s += self._now() - started_s

    def read(self) -> tuple[float, float]:
        """Return seconds since the last reading and those of the wait, and begin anew.

        Read it once the device is done with the steps, as after their loss was looked at.
        """
        taken_s = self._now() - self._since_s - self._away_s
        waited_s = self._waited_s + sum(a.elapsed_time(b) for a, b in self._marks) / 1e3
        self._since_s = self._now()
        self._marks, self._waited_s, self._away_s = [], 0.0, 0.0
        return taken_s, waited_s


def clock_of(device: torch.device) -> StepClock:
    """Return the clock for steps on a device; it runs from now on."""
    if device.type != "cuda":
        return StepClock()
    return StepClock(Device(_cuda_mark, lambda: torch.cuda.synchronize(device)))


def _cuda_mark() -> torch.cuda.Event:
    event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
    event.record()
    return event
