"""What a run says while it works: the process protocol of docs/architecture.md, and a terminal.

A run knows one function, `Emit`, that takes an event; where it ends is decided by the command.
"""

import contextlib
import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from migrations.schema import utc_now


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
    data_wait
        Share of the time spent making the views ready.
    feature_spread
        Standard deviation of the L2-normalised projections times the root of their width: 1 where
        they spread evenly over the sphere, 0 where all images give the same one (collapse).
    positives_per_anchor
        Mean number of positives of an image in the batch, itself included.
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


class TerminalReporter:
    """Progress bars with rate and time left, one per stage, and a summary at the end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            TextColumn("{task.description:10s}"),
            BarColumn(bar_width=30),
            TextColumn("{task.completed:.0f}/{task.total:.0f} {task.fields[unit]}"),
            TextColumn("{task.fields[speed]}"),
            TextColumn("{task.fields[extra]}"),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, event: Event) -> None:
        """Show one event."""
        match event:
            case StageStarted():
                self._console.print(f"[bold]{event.stage:10s}[/] {event.message}", highlight=False)
            case StageProgress():
                self._progress(event)
            case Metrics():
                self._metrics(event)
            case Notice():
                self._console.print(f"[yellow]Warning:[/] {event.message}", highlight=False)
            case RunFinished():
                self._end(_summary(event))
            case RunStopped():
                self._end(_stopped(event))
            case RunFailed():
                self._end(f"[red]Failed:[/] {event.message}")

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._bars.stop()

    def _end(self, text: str) -> None:
        self._bars.stop()
        self._console.print(text, highlight=False)

    def _task(self, stage: str, total: int, unit: str) -> TaskID:
        if stage not in self._tasks:
            self._bars.start()
            self._tasks[stage] = self._bars.add_task(
                stage, total=total, unit=unit, speed="", extra=""
            )
        return self._tasks[stage]

    def _progress(self, event: StageProgress) -> None:
        task = self._task(event.stage, event.total, event.unit)
        speed = f"{event.rate:.1f}/s" if event.rate else ""
        if event.seconds_left:
            speed += f", {duration_text(event.seconds_left)} left"
        self._bars.update(task, completed=event.done, total=event.total, speed=speed)

    def _metrics(self, event: Metrics) -> None:
        task = self._task("train", event.steps, "steps")
        self._bars.update(
            task,
            extra=f"epoch {event.epoch}/{event.epochs}  loss {event.loss:.4f}  "
            f"spread {event.feature_spread:.2f}  {event.images_per_s:.0f} images/s",
        )


def duration_text(seconds: float) -> str:
    """Return a duration as people say it.

    Examples
    --------
    >>> duration_text(4.2), duration_text(75), duration_text(3725)
    ('4 s', '1 min 15 s', '1 h 2 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _summary(event: RunFinished) -> str:
    rate = "-" if event.positive_rate is None else f"{event.positive_rate:.1%} of pairs"
    stages = ", ".join(f"{k} {duration_text(v)}" for k, v in event.seconds.items())
    return (
        f"[bold green]Done[/] {event.run_folder}\n"
        f"  images          {event.images}\n"
        f"  positive rate   {rate}\n"
        f"  loss            {event.loss_first:.4f} first, {event.loss_last:.4f} last\n"
        f"  feature spread  {event.feature_spread:.2f} (1 spread, 0 collapsed)\n"
        f"  time            {stages}\n"
        f"  encoder         {event.encoder}\n"
        f"  report          {event.report or 'not made, see the warning above'}"
    )


def _stopped(event: RunStopped) -> str:
    if event.checkpoint is None:
        return "Stopped before training began; start again to begin anew."
    return (
        f"Stopped at step {event.step}; the checkpoint is {event.checkpoint}.\n"
        "The same command continues it."
    )
