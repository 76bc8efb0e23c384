"""What sealing costs a commit: `python -m bench.seal_times [--commits 400] [--folder FOLDER]`.

The folder lies on the disk that is meant; one in memory shows the cost beside no disk at all.
"""

import argparse
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import insert

from bench.seals import filled_study
from migrations.study import database as room
from migrations.study.database import Database
from migrations.study.schema import GazeChunk, new_id


def commit_times(folder: Path, count: int) -> tuple[float, float, float]:
    """Return how long a chunk's commit takes with the seal and without, and how long sealing takes.

    Milliseconds, medians. Commits with and without it take turns, in two databases side by side:
    what else the computer does befalls both alike.
    """
    filled_study(folder / "timed")
    shutil.copytree(folder / "timed", folder / "plain")
    seals: list[float] = []
    times: dict[str, list[float]] = {"timed": [], "plain": []}
    with ExitStack() as stack:
        opened = {
            name: stack.enter_context(
                closing(Database.at(folder / name / "foveate.sqlite", durable=True))
            )
            for name in times
        }
        for number in range(2 * count):
            name = ("timed", "plain")[number % 2]
            with _sealing(seals if name == "timed" else None):
                times[name].append(_chunk_committed(opened[name], number))
    both = [a + b for a, b in zip(seals[::2], seals[1::2], strict=True)]
    return tuple(1000 * median(found) for found in (times["timed"], times["plain"], both))


def _chunk_committed(database: Database, number: int) -> float:
    row = {"id": new_id(), "recording_id": "recording-1", "sequence": 100 + number,
           "first_us": number, "last_us": number, "count": 300, "codec_version": 1,
           "crc32": 1, "blob": random.randbytes(11_600)}  # fmt: skip
    started = time.perf_counter()
    with database.write(signed=False) as session:
        session.execute(insert(GazeChunk.__table__), row)
    return time.perf_counter() - started


@contextmanager
def _sealing(times: list[float] | None) -> Iterator[None]:
    """Let sealing tell its times, or, without a list, be left out."""
    original = (room.watch, room.seal_changes)

    def timed(step: Callable[..., Any]) -> Callable[..., Any]:
        def run(*values: Any, **named: Any) -> Any:
            if times is None:
                return False
            started = time.perf_counter()
            try:
                return step(*values, **named)
            finally:
                times.append(time.perf_counter() - started)

        return run

    room.watch, room.seal_changes = (timed(step) for step in original)
    try:
        yield
    finally:
        room.watch, room.seal_changes = original


def main() -> int:
    """Print one line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--commits", type=int, default=400)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        whole, plain, seal = commit_times(Path(name), given.commits)
    print(f"A chunk's commit takes {whole:.2f} ms, one without a seal {plain:.2f} ms "
          f"({whole / plain - 1:+.1%}); sealing in it {seal:.3f} ms "
          f"({seal / plain:.1%})")  # fmt: skip
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
