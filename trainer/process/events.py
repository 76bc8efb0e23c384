"""What a run says while it works: the process protocol of docs/architecture.md.

A run knows one function, `Emit`, that takes an event; where it ends is decided by the command.
"""

import contextlib
import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol, TextIO

from migrations.study.schema import utc_now


class Event(Protocol):
    """Anything that a run says."""

    event: ClassVar[str]


@dataclass(frozen=True, slots=True)
class StageStarted:
    """A stage begins: cohort, similarity, images, train, export or report."""

    event: ClassVar[str] = "stage"
    stage: str
    message: str


@dataclass(frozen=True, slots=True)
class StageProgress:
    """How far a stage is; `rate` in units per second, both figures None until known."""

    event: ClassVar[str] = "progress"
    stage: str
    done: int
    total: int
    unit: str
    rate: float | None
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class Metrics:
    """Signals of a training step.

    Attributes
    ----------
    loss
        Mean since the last report.
    images_per_s
        Since the last report by the wall clock, less looks at the features and checkpoints.
    data_wait
        Share of the time in which a step waits for its views.
    feature_spread
        Standard deviation of the L2-normalised projections times the root of their width: 1 where
        they spread evenly over the sphere, 0 where all images give the same one (collapse).
    positives_per_anchor
        Mean number of positives of an image in the batch, itself included.
    rank_me
        Effective rank of the features of the cohort, from 1 to their width, at the last look; None
        before the first.
    knn
        Share of images whose label other patients' nearest images tell; None without labels.
    """

    event: ClassVar[str] = "metrics"
    step: int
    steps: int
    epoch: int
    epochs: int
    loss: float
    learning_rate: float
    images_per_s: float
    data_wait: float
    feature_spread: float
    positives_per_anchor: float
    rank_me: float | None = None
    knn: float | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should know; the run goes on."""

    event: ClassVar[str] = "warning"
    message: str


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The run is done; `seconds` by stage, `positive_rate` None where pairs need no gaze."""

    event: ClassVar[str] = "result"
    run_id: str
    run_folder: str
    encoder: str
    report: str | None
    images: int
    positive_rate: float | None
    loss_first: float
    loss_last: float
    feature_spread: float
    seconds: dict[str, float]


@dataclass(frozen=True, slots=True)
class RunStopped:
    """The user stopped the run; before training there is no checkpoint and no run yet."""

    event: ClassVar[str] = "stopped"
    run_id: str | None
    run_folder: str | None
    checkpoint: str | None
    step: int


@dataclass(frozen=True, slots=True)
class RunFailed:
    """The run failed; the message says what happened and what to do."""

    event: ClassVar[str] = "error"
    message: str


Emit = Callable[[Event], None]


def to_json(event: Event) -> str:
    """Return an event as one line of JSON; numbers that are not finite become null."""
    values = {"event": event.event, "time_utc": utc_now(), **asdict(event)}  # type: ignore[call-overload]
    return json.dumps(_finite(values), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value


class Meter:
    """Turns counts into `StageProgress`, at most `per_second` times a second and at the end.

    The rate is that of the last ten seconds, so that a slow start does not spoil the time left.
    """

    def __init__(
        self,
        emit: Emit,
        stage: str,
        unit: str,
        *,
        per_second: float = 5.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._emit, self._stage, self._unit, self._now = emit, stage, unit, now
        self._interval_s = 1 / per_second
        self._points: deque[tuple[float, int]] = deque()
        self._last_s = float("-inf")

    def __call__(self, done: int, total: int) -> None:
        """Report that `done` of `total` units are done."""
        now = self._now()
        if done < total and now - self._last_s < self._interval_s:
            return
        self._last_s = now
        self._points.append((now, done))
        while len(self._points) > 2 and now - self._points[0][0] > 10:
            self._points.popleft()
        rate = self._rate()
        left = (total - done) / rate if rate else None
        self._emit(StageProgress(self._stage, done, total, self._unit, rate, left))

    def _rate(self) -> float | None:
        (start_s, start), (end_s, end) = self._points[0], self._points[-1]
        return (end - start) / (end_s - start_s) if end > start and end_s > start_s else None


class JsonReporter:
    """One JSON object per line, flushed; a reader that has gone away does not stop the run."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, event: Event) -> None:
        """Write one event."""
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._stream.write(to_json(event) + "\n")
            self._stream.flush()

    def close(self) -> None:
        """Nothing is held."""
