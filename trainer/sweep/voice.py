"""What a sweep says while it works and at its end: to a terminal, or to a station that listens."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from trainer.process.events import (
    Emit,
    Event,
    RunFailed,
    RunFinished,
    RunStopped,
    StageProgress,
    StageStarted,
)
from trainer.process.stopping import StopRequest
from trainer.process.terminal import TerminalReporter
from trainer.sweep.paired import against_plain
from trainer.sweep.plan import PLAIN
from trainer.sweep.rows import Row


@dataclass(frozen=True, slots=True)
class SweepFinished:
    """Every setting against plain, paired by seed.

    Attributes
    ----------
    metric
        What the scores are.
    plain
        Mean score of the plain runs.
    seeds
        How many plain runs there are.
    settings
        `trainer.sweep.paired.Paired` of each, and its `verdict`: "gain" or "loss" where the 95 %
        interval of the difference keeps off 0, else "no gain".
    rows
        The file of all scores.
    """

    event: ClassVar[str] = "result"
    metric: str
    plain: float
    seeds: int
    settings: list[dict[str, Any]]
    rows: str


def finished(rows: Sequence[Row], path: str) -> SweepFinished:
    """Return what came out of the rows of a sweep."""
    plain = [row.score for row in rows if row.setting == PLAIN]
    settings = [{**asdict(one), "verdict": verdict(one.low, one.high)}
                for one in against_plain(rows)]  # fmt: skip
    metric = rows[0].metric if rows else ""
    return SweepFinished(metric, sum(plain) / max(len(plain), 1), len(plain), settings, path)


def verdict(low: float, high: float) -> str:
    """Return what an interval of a difference says: "gain", "loss" or "no gain".

    Examples
    --------
    >>> verdict(0.01, 0.2), verdict(-0.2, -0.01), verdict(-0.1, 0.2), verdict(float("nan"), 1)
    ('gain', 'loss', 'no gain', 'no gain')
    """
    return "gain" if low > 0 else "loss" if high < 0 else "no gain"


class TerminalVoice:
    """Prints; each training shows bars of its own.

    Attributes
    ----------
    report, stop
        None: a training makes its own.
    """

    report: Emit | None = None
    stop: StopRequest | None = None

    def __init__(self, console: Console) -> None:
        self._console = console

    def begin(self, place: int, total: int, name: str) -> None:
        """Say which run begins."""
        self._console.print(f"{place} of {total}: {name}", highlight=False)

    def probing(self) -> None:
        """Nothing: the probe shows bars of its own."""

    def fail(self, message: str) -> None:
        """Say why the sweep failed."""
        TerminalReporter(self._console)(RunFailed(message))

    def stopped(self) -> None:
        """Say that the sweep was stopped."""
        self._console.print("Stopped. Run the same command to continue.")

    def end(self, found: SweepFinished) -> None:
        """Print every setting against plain."""
        title = f"{found.metric}; plain {found.plain:.3f} over {found.seeds} seeds"
        table = Table(title=title, title_justify="left")
        for name in ("setting", "score", "against plain", "95 %", "p", "p (Holm)", "seeds"):
            table.add_column(name, no_wrap=name != "setting")
        for one in found.settings:
            table.add_row(
                escape(one["setting"]),
                f"{one['score']:.3f}",
                f"{one['difference']:+.3f}",
                f"{one['low']:+.3f} to {one['high']:+.3f}",
                f"{one['p']:.3f}",
                f"{one['p_holm']:.3f}",
                str(one["seeds"]),
            )
        self._console.print(table)
        self._console.print(f"Rows: {found.rows}", highlight=False, soft_wrap=True)


class StationVoice:
    """Tells a station, by the process protocol: stage `sweep` counts runs, with the time left.

    Attributes
    ----------
    report
        Takes the events of each training; how a single run ended is not told.
    stop
        Asked for by the station; a training ends with a checkpoint, the sweep after it.
    """

    def __init__(
        self, emit: Emit, stop: StopRequest, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._emit, self.stop, self._now = emit, stop, now
        self._began, self._first, self._text = now(), 0, ""

    def begin(self, place: int, total: int, name: str) -> None:
        """Say which run begins, and how long all will still take by those done since the start."""
        self._first = self._first or place
        done_now, seconds = place - self._first, self._now() - self._began
        each = seconds / done_now if done_now else None
        left = None if each is None else each * (total - place + 1)
        rate = None if each is None else 1 / max(each, 1e-9)
        self._text = f"Run {place} of {total}, {name}"
        self._emit(StageStarted("sweep", self._text))
        self._emit(StageProgress("sweep", place - 1, total, "runs", rate, left))

    def report(self, event: Event) -> None:
        """Pass on what a training says."""
        if not isinstance(event, RunFinished | RunStopped):
            self._emit(event)

    def probing(self) -> None:
        """Say that the encoder of the run is tried."""
        self._emit(StageStarted("probe", f"{self._text}: evaluating the encoder on the test split"))

    def fail(self, message: str) -> None:
        """Say why the sweep failed."""
        self._emit(RunFailed(message))

    def stopped(self) -> None:
        """Say that the sweep was stopped."""
        self._emit(RunStopped(None, None, None, 0))

    def end(self, found: SweepFinished) -> None:
        """Tell every setting against plain."""
        self._emit(found)


Voice = TerminalVoice | StationVoice
