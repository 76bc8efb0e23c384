"""What a command reports to a station that started it: one JSON object per line (`--events json`).

The objects are those of the process protocol in docs/architecture.md. Other lines of text may
appear between them.
"""

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Iterator
from contextvars import ContextVar

_EVERY_S = 0.2
_told: ContextVar[bool] = ContextVar("told", default=False)


def add_events(parser: argparse.ArgumentParser) -> None:
    """Add the option by which a station listens."""
    parser.add_argument(
        "--events", choices=("text", "json"), default="text",
        help="json: progress as one object per line; the line `stop` on standard input stops it",
    )  # fmt: skip


def is_told() -> bool:
    """Return whether a station listens."""
    return _told.get()


@contextlib.contextmanager
def told(events: str) -> Iterator[None]:
    """Report progress as JSON while the block runs, if `events` is "json"."""
    before = _told.set(events == "json")
    try:
        yield
    finally:
        _told.reset(before)


def tell(event: str, **fields: object) -> None:
    """Send an event, if a station listens; the work continues if the station has gone away."""
    if is_told():
        with contextlib.suppress(BrokenPipeError, ValueError):
            sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
            sys.stdout.flush()


class ToldProgress:
    """Reports count, rate (units a second) and seconds left of a stage, five times a second."""

    def __init__(self, stage: str, unit: str) -> None:
        self._stage, self._unit = stage, unit
        self._began, self._told_at = time.monotonic(), float("-inf")
        tell("stage", stage=stage, message="")

    def __call__(self, done: int, total: int) -> None:
        """Report progress, if it is time to."""
        now = time.monotonic()
        if done < total and now - self._told_at < _EVERY_S:
            return
        self._told_at = now
        seconds = now - self._began
        rate = done / seconds if done and seconds > 0 else None
        left = (total - done) / rate if rate else None
        tell("progress", stage=self._stage, done=done, total=total, unit=self._unit,
             rate=rate, seconds_left=left)  # fmt: skip
