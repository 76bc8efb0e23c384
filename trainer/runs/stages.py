"""What the stages of a run share, and how they speak to the user."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from trainer.config.config import RunConfig
from trainer.process.events import Emit, Meter, Notice, StageStarted
from trainer.runs.source import Source

log = logging.getLogger("trainer")


@dataclass
class Run:
    """What the stages of a run share.

    Attributes
    ----------
    source, config
        What is trained on, and how.
    fresh, out
        Start anew; the run folder if the user named one.
    emit, stop
        Where events go; whether a stop was asked for.
    seconds
        By stage.
    """

    source: Source
    config: RunConfig
    emit: Emit
    stop: Callable[[], bool]
    fresh: bool = False
    out: Path | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def stage(self, name: str, message: str) -> Iterator[Meter]:
        """Announce a stage, time it, and give the meter of its progress."""
        self.say(name, message)
        started = time.perf_counter()
        try:
            units = {"cohort": self.source.unit, "images": "images"}
            yield Meter(self.emit, name, units.get(name, "steps"))
        finally:
            self.seconds[name] = round(time.perf_counter() - started, 3)

    def say(self, stage: str, message: str) -> None:
        """Tell the user something about a stage."""
        log.info("%s: %s", stage, message)
        self.emit(StageStarted(stage, message))

    def warn(self, message: str) -> None:
        """Tell the user what they should know."""
        log.warning(message)
        self.emit(Notice(message))
