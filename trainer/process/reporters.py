"""Where a run says what it does: a terminal, or a station that listens."""

import contextlib
import logging
import os
import stat
import sys
from collections.abc import Iterator
from typing import TextIO

from rich.console import Console

from trainer.process.events import JsonReporter
from trainer.process.terminal import TerminalReporter

Reporter = JsonReporter | TerminalReporter


def is_listened_to(events: str) -> bool:
    """Return whether standard input may say `stop`: a station listens, or it is a pipe."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError, AttributeError):  # no standard input at all
        return False
    return stat.S_ISFIFO(mode) or (events == "json" and not sys.stdin.isatty())


@contextlib.contextmanager
def reporter_of(events: str) -> Iterator[Reporter]:
    """Give the reporter; with JSON, keep all else off standard output, C libraries included.

    Of several processes the first one speaks; the others keep to their errors.
    """
    logging.captureWarnings(True)
    try:
        if events == "json":
            with _only_json() as stream:
                yield JsonReporter(stream)
        else:
            reporter = TerminalReporter(Console())
            with contextlib.closing(reporter):
                yield reporter
    finally:
        logging.captureWarnings(False)


@contextlib.contextmanager
def _only_json() -> Iterator[TextIO]:
    stream = sys.stdout
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError, ValueError):
            stream = stack.enter_context(_moved_stdout())
        stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        yield stream


@contextlib.contextmanager
def _moved_stdout() -> Iterator[TextIO]:
    """Give standard output under another descriptor; what writes to 1 lands on standard error."""
    number = sys.stdout.fileno()
    sys.stdout.flush()
    kept = os.dup(number)
    os.dup2(sys.stderr.fileno(), number)
    stream = os.fdopen(os.dup(kept), "w", encoding="utf-8", newline="\n")
    try:
        yield stream
    finally:
        with contextlib.suppress(BrokenPipeError):  # the station has gone; the run is done
            stream.close()
        os.dup2(kept, number)
        os.close(kept)
