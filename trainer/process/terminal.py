"""A run in a terminal: a bar for each stage with rate and time left, a summary at the end."""

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from trainer.process.events import (
    Event,
    Metrics,
    Notice,
    RunFailed,
    RunFinished,
    RunStopped,
    StageProgress,
    StageStarted,
)


class TerminalReporter:
    """Progress bars with rate and time left, one per stage, and a summary at the end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            TextColumn("{task.description:10s}"),
            BarColumn(bar_width=12),
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
                self._console.print(
                    f"[bold]{event.stage:10s}[/] {escape(event.message)}", highlight=False
                )
            case StageProgress():
                self._progress(event)
            case Metrics():
                self._metrics(event)
            case Notice():
                self._console.print(
                    f"[yellow]Warning:[/] {escape(event.message)}", highlight=False, soft_wrap=True
                )
            case RunFinished():
                self._end(_summary(event))
            case RunStopped():
                self._end(_stopped(event))
            case RunFailed():
                self._end(f"[red]Failed:[/] {escape(event.message)}")

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._stop()

    def _stop(self) -> None:
        if self._tasks:  # bars never begun would end with an empty line
            self._bars.stop()

    def _end(self, text: str) -> None:
        self._stop()
        self._console.print(text, highlight=False, soft_wrap=True)

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
            extra=f"loss {event.loss:.3f}  spread {event.feature_spread:.2f}{_look(event)}",
        )


def _look(event: Metrics) -> str:
    rank = "" if event.rank_me is None else f"  rank {event.rank_me:.0f}"
    return rank + ("" if event.knn is None else f"  kNN {event.knn:.0%}")


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
        f"[bold green]Done[/] {escape(event.run_folder)}\n"
        f"  images          {event.images}\n"
        f"  positive rate   {rate}\n"
        f"  loss            {event.loss_first:.4f} first, {event.loss_last:.4f} last\n"
        f"  feature spread  {event.feature_spread:.2f} (1 spread, 0 collapsed)\n"
        f"  time            {stages}\n"
        f"  encoder         {escape(event.encoder)}" + _report_line(event)
    )


def _report_line(event: RunFinished) -> str:
    if event.report is None and "report" not in event.seconds:
        return ""  # a folder of images has none
    return f"\n  report          {escape(event.report or 'not made, see the warning above')}"


def _stopped(event: RunStopped) -> str:
    if event.checkpoint is None:
        return "Stopped before training began. Run the command again to restart."
    return (
        f"Stopped at step {event.step}; the checkpoint is {escape(event.checkpoint)}.\nRun the "
        "same command to continue."
    )
