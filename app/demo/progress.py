"""The demo's progress lines: time in seconds, stage and progress, as plain text."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Progress:
    """Reports progress, and remembers how long each stage took.

    Attributes
    ----------
    seconds
        Real seconds by stage, in order.
    """

    def __init__(self, every_s: float = 2.0) -> None:
        self.seconds: dict[str, float] = {}
        self._every_s = every_s
        self._start = time.monotonic()
        self._last = -every_s
        self._stage = ""

    @contextmanager
    def stage(self, name: str, text: str) -> Iterator[None]:
        """Time a stage and announce it."""
        self._stage = name
        began = time.monotonic()
        self.say(text)
        try:
            yield
        finally:
            self.seconds[name] = round(time.monotonic() - began, 1)

    def say(self, text: str) -> None:
        """Print a line at once."""
        self._last = time.monotonic()
        sys.stdout.write(f"[{self._last - self._start:4.0f} s] {self._stage:9s} {text}\n")
        sys.stdout.flush()

    def update(self, text: str) -> None:
        """Print a line unless the last one was printed too recently."""
        if time.monotonic() - self._last >= self._every_s:
            self.say(text)
