"""What the user asks of the similarity command."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from trainer.process.events import JsonReporter
from trainer.process.terminal import TerminalReporter
from trainer.similarity.pair_search import Part

DEFAULT_THRESHOLD = 0.95


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for; see `--help` of the command."""

    gaze: Path
    measure: str
    settings: dict[str, Any] = field(default_factory=dict)
    out: Path | None = None
    graph: Path | None = None
    order: Path | None = None
    jobs: int = 0
    threshold: float | None = None
    positive_rate: float | None = None
    top_k: int | None = None
    by_dimension: bool = False
    agreement: tuple[str, ...] = ()
    image_size: tuple[float, float] | None = None
    database: str | None = None
    labels: Path | None = None
    part: Part | None = None
    cohort: Path | None = None
    approximate: bool = False

    @property
    def rule_count(self) -> int:
        """How many rules for positives are given."""
        return sum(v is not None for v in (self.threshold, self.positive_rate, self.top_k))


@dataclass(frozen=True, slots=True)
class Job:
    """A request, and where progress and stops come and go."""

    request: Request
    console: Console
    report: TerminalReporter | JsonReporter
    stop: Callable[[], bool]
