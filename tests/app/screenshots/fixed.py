"""Names and dates that are the same at each run, so that pictures made again are the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from types import SimpleNamespace
from unittest.mock import patch

from migrations.study import schema

BEGIN = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
_STEP_NS = 1_000_000


@contextmanager
def fixed_names_and_dates(seed: int = 11) -> Iterator[None]:
    """Let ids, and the instants of rows, depend on nothing but the order they are asked for in."""
    random, calls = Random(seed), count()
    first_ns = round(BEGIN.timestamp() * 1e9)
    times = count(first_ns, _STEP_NS)
    clock = SimpleNamespace(now=lambda _zone: BEGIN + timedelta(milliseconds=next(calls)))
    with (
        patch.object(schema, "_next_ns", lambda: next(times)),
        patch.object(schema, "os", SimpleNamespace(urandom=random.randbytes)),
        patch.object(schema, "datetime", clock),
    ):
        yield
