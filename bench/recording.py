"""What recording costs and what a fault loses: python -m bench.recording [--minutes M].

A whole reading session (recorder, writer, live fixations, five view changes a second) on a real
SQLite file with synchronous=FULL; the tracker is `bench.canned`, 1,200 Hz, both eyes.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import psutil
from sqlalchemy import text

from app.recording.session import ReadingSession
from bench.canned import GEOMETRY, CannedTracker, reading_gaze
from devices.clock import HostClock
from devices.gaze.view import Affine, TileView
from migrations.study.folder import Study
from migrations.study.schema import CaseImage, Image, StudyCase, new_id
from migrations.study.settings import StudySettings

RATE_HZ = 1200.0
_BURN = "import numpy as np\na = np.random.rand(600, 600)\nwhile True:\n    a @ a"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one stretch of recording cost."""

    given: int
    committed: int
    missing: int
    cpu_share: float
    commits_ms: tuple[float, ...]

    def line(self, name: str) -> str:
        """Return it as a row of the table."""
        p50, p99, worst = np.percentile(self.commits_ms, (50, 99, 100))
        lost = self.given - self.committed + self.missing
        return (
            f"| {name} | {self.given:,} | {lost} | {100 * self.cpu_share:.1f} % | "
            f"{p50:.1f} / {p99:.1f} / {worst:.1f} |"
        )


def make_study(folder: Path, cases: int = 50) -> Study:
    """Return a study with rows of cases, for nobody looks at their pixels here."""
    study = Study.create(folder, StudySettings(name="Bench", order="fixed"), durable=True)
    with study.database.write() as session:
        for i in range(cases):
            image = Image(
                id=new_id(), sha256=f"{i:064x}", rows=800, columns=1000, bits=12,
                photometric="MONOCHROME2", source_format="dicom", source_group=f"g{i}",
                import_number=i,
            )  # fmt: skip
            case = StudyCase(id=new_id(), name=f"case-{i}", position=i)
            session.add_all((image, case))
            session.flush()
            session.add(CaseImage(case_id=case.id, image_id=image.id, tile=0))
    return study


def read(session: ReadingSession, seconds: float, each: Callable[[], None] | None = None) -> None:
    """Read cases of a minute each, with five view changes a second."""
    until, case_until = time.perf_counter() + seconds, 0.0
    image_id, zoom = "", 1.0
    while (now := time.perf_counter()) < until:
        if now >= case_until:
            if session.current_case is not None:
                session.finish()
            case = session.next_case()
            assert case is not None
            session.begin(case)
            image_id, case_until = case.tiles[0].image_id, now + 60
        zoom = 1.35 if zoom == 1.0 else 1.0
        place = (0.0, 0.0, 1920.0, 1080.0)
        moved = Affine(a=zoom, d=zoom, tx=285.0)
        session.show(TileView(session.clock.now_us(), "zoom", 0, image_id, 1000, 800, moved, place))
        time.sleep(0.2)
        if each is not None:
            each()


def measure(folder: Path, seconds: float, each: Callable[[], None] | None = None) -> Cost:
    """Record so long and return what it cost."""
    study = make_study(folder)
    tracker = CannedTracker(reading_gaze(RATE_HZ, 30), RATE_HZ)
    session = ReadingSession.open(study, "R1", tracker, HostClock(), GEOMETRY, consented=True)
    read(session, 2.0)
    cpu, wall = time.process_time(), time.perf_counter()
    read(session, seconds, each)
    share = (time.process_time() - cpu) / (time.perf_counter() - wall)
    session.finish()
    commits = tuple(1e3 * s for s in session.writer.commit_seconds())
    session.close()
    with study.database.read() as rows:
        counted = rows.execute(
            text("select sum(count), max(lost_count) from gaze_chunk, recording")
        )
        committed, missing = counted.one()
    study.close()
    return Cost(tracker.given, int(committed), int(missing), share, commits)


@contextmanager
def burnt_cores() -> Iterator[None]:
    """Keep every core busy, as a trainer does."""
    quiet = {**os.environ, "OMP_NUM_THREADS": "1"}
    line = [sys.executable, "-c", _BURN]
    burning = [subprocess.Popen(line, env=quiet) for _ in range(os.cpu_count() or 2)]
    try:
        yield
    finally:
        for process in burning:
            process.kill()
            process.wait()


def kill_losses_ms(folder: Path, kills: int) -> list[float]:
    """Kill -9 a recording station so often; return what each death lost."""
    make_study(folder).close()
    drawn = random.Random(7)
    return [_kill(folder, drawn.uniform(1.0, 2.5)) for _ in range(kills)]


def _kill(folder: Path, seconds: float) -> float:
    line = [sys.executable, "-m", "bench.recording", "--child", str(folder)]
    child = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    child.stdout.readline()  # it reads a case
    time.sleep(seconds)
    killed = datetime.now(UTC)
    child.kill()
    child.wait()
    study = Study.open(folder)
    newest = text(
        "select s.zero_utc, max(c.last_us) from session s join recording r on r.session_id = s.id "
        "join gaze_chunk c on c.recording_id = r.id group by s.id order by s.id desc limit 1"
    )
    with study.database.read() as rows:
        zero_utc, last_us = rows.execute(newest).one()
    assert study.database.check() == []
    study.close()
    last = datetime.fromisoformat(zero_utc) + timedelta(microseconds=last_us)
    return (killed - last).total_seconds() * 1e3


def _be_killed(folder: Path) -> None:
    study = Study.open(folder, durable=True)
    tracker = CannedTracker(reading_gaze(RATE_HZ, 10), RATE_HZ)
    session = ReadingSession.open(study, "R1", tracker, HostClock(), GEOMETRY, consented=True)
    read(session, 0.1)
    sys.stdout.write("reading\n")
    sys.stdout.flush()
    read(session, 600)


def soak(folder: Path, minutes: float) -> None:
    """Record for minutes and print the memory of the process meanwhile."""
    process, marks, began = psutil.Process(), [], time.perf_counter()

    def mark() -> None:
        passed = time.perf_counter() - began
        if not marks or passed - marks[-1][0] >= 10:
            marks.append((passed, process.memory_info().rss / 2**20))

    cost = measure(folder, 60 * minutes, mark)
    print(cost.line(f"soak, {minutes:g} minutes"))
    first = [rss for passed, rss in marks if 30 <= passed < 90] or [marks[0][1]]
    last = [rss for passed, rss in marks if passed >= marks[-1][0] - 60]
    print(f"\nmemory {np.mean(first):.1f} MiB in the first minute, {np.mean(last):.1f} in the last")


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each stretch")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=0.0, help="of the soak; 0 for none")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        _be_killed(arguments.child)
        return
    print("| 1,200 Hz binocular | samples | lost | CPU of one core | commit p50 / p99 / max, ms |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.minutes:
            soak(folder / "soak", arguments.minutes)
            return
        print(measure(folder / "alone", arguments.seconds).line("alone"))
        with burnt_cores():
            print(measure(folder / "burnt", arguments.seconds).line("every core burnt"))
        losses = kill_losses_ms(folder / "killed", arguments.kills)
    print(
        f"\nkill -9, {len(losses)} times: median {np.median(losses):.0f} ms lost, "
        f"{max(losses):.0f} ms at most; database sound each time"
    )


if __name__ == "__main__":
    main()
