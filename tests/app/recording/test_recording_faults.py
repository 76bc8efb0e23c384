"""Recording while its surroundings fail for real: disk, clock, processor, window."""

import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select

from app.recording.session import ReadingSession
from app.recording.worklist import worklist
from devices.clock import HostClock
from migrations.study import schema
from migrations.study.folder import Study
from migrations.study.schema import GazeChunk, Reading, Recording
from tests import PATIENCE_S
from tests.app.recording.reading_doubles import (
    GEOMETRY,
    ScriptedTracker,
    make_study,
    record_for,
    recorded,
    until,
    view_of,
)

BURN = "import numpy as np\na = np.random.rand(500, 500)\nwhile True:\n    a @ a"


def opened(study: Study, tracker: ScriptedTracker) -> ReadingSession:
    return ReadingSession.open(study, "R1", tracker, HostClock(), GEOMETRY, consented=True)


def nothing_lost(study: Study, session: ReadingSession, tracker: ScriptedTracker) -> None:
    samples = np.concatenate(recorded(study.database, session.recorder.recording_id))
    assert len(samples) == tracker.given
    assert (np.diff(samples["device_us"]) == 1).all()
    assert study.database.check() == []
    with study.database.read() as rows:
        assert rows.get_one(Recording, session.recorder.recording_id).lost_count == 0


@pytest.fixture
def small_disk(tmp_path: Path):
    """A file system of 3 MiB."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("A small disk can only be mounted by root on Linux.")
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("This system does not let a small disk be mounted.")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(path: Path) -> None:
    """Write until the disk takes no more."""
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_a_disk_that_fills_up_delays_rows_and_loses_none(small_disk: Path) -> None:
    study = make_study(small_disk / "study", cases=1)
    tracker = ScriptedTracker()
    session = opened(study, tracker)
    reading_id = session.begin(session.next_case() or "")
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="space"):
        fill(filler)
    until(lambda: "full" in session.writer.problem)
    assert "free some space" in session.writer.brief
    safe = session.recorder.status().committed_count
    until(lambda: session.writer.depth >= 2)
    filler.unlink()
    until(lambda: session.writer.problem == "")
    until(lambda: session.recorder.status().committed_count > safe)
    session.finish()
    assert session.settled(PATIENCE_S)
    session.close()
    nothing_lost(study, session, tracker)
    with study.database.read() as rows:
        assert rows.get_one(Reading, reading_id).state == "finished"
    study.close()


def test_a_system_clock_set_back_keeps_gaze_order_and_the_latest_reading(
    tmp_path: Path, monkeypatch
) -> None:
    study = make_study(tmp_path / "study", cases=1, reread_bad=False)
    tracker = ScriptedTracker()
    session = opened(study, tracker)
    case = session.next_case()
    assert case is not None
    first = session.begin(case)
    session.show(view_of(session.clock.now_us(), case.tiles[0].image_id))
    record_for(session.recorder, 0.4)
    a_year_ns = 365 * 86_400 * 10**9
    real_ns = time.time_ns
    monkeypatch.setattr(schema.time, "time_ns", lambda: real_ns() - a_year_ns)
    record_for(session.recorder, 0.4)
    session.interrupt("the clock was set back")
    again = session.begin(session.next_case() or "")
    assert again > first
    record_for(session.recorder, 0.3)
    session.interrupt("once more")
    session.close()
    nothing_lost(study, session, tracker)

    # The station is started anew: it knows nothing of the time before but what the rows say.
    monkeypatch.setattr(schema, "_latest_ns", 0)
    tracker = ScriptedTracker()
    session = opened(study, tracker)
    session.begin(session.next_case() or "")
    record_for(session.recorder, 0.1)
    session.finish()
    session.close()
    (row,) = worklist(study, "R1")
    assert row.state == "finished"
    study.close()


def test_a_gap_is_never_negative(tmp_path: Path, monkeypatch) -> None:
    from app.recording import recovery

    class EarlierClock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(UTC) - timedelta(days=1)

    study = make_study(tmp_path / "study", cases=1)
    session = opened(study, ScriptedTracker())
    reading_id = session.begin(session.next_case() or "")
    record_for(session.recorder, 0.3)
    session.finish()
    session.close()
    with study.database.write() as rows:  # as a death leaves it
        rows.get_one(Reading, reading_id).state = "open"
    monkeypatch.setattr(recovery, "datetime", EarlierClock)
    (found,) = recovery.close_interrupted(study.database)
    assert found.gap_s == 0
    study.close()


@pytest.mark.parametrize(
    "stall_s", [0.8, pytest.param(5.0, marks=pytest.mark.slow)], ids=["short", "five seconds"]
)
def test_a_window_that_stands_still_stops_no_recording(
    tmp_path: Path, qapp, stall_s: float
) -> None:
    study = make_study(tmp_path / "study", cases=1)
    tracker = ScriptedTracker()
    session = opened(study, tracker)
    session.begin(session.next_case() or "")
    record_for(session.recorder, 0.3)
    committed = session.recorder.status().committed_us or 0
    until_s = time.perf_counter() + stall_s

    def stall() -> (
        None
    ):  # as a slot that computes in the GUI thread, holding the interpreter's lock
        while time.perf_counter() < until_s:
            sum(range(2000))

    assert threading.current_thread() is threading.main_thread()
    stall()
    status = session.recorder.status()
    assert (status.committed_us or 0) - committed >= 1e6 * (stall_s - 0.5)
    session.finish()
    assert session.settled(PATIENCE_S)
    session.close()
    nothing_lost(study, session, tracker)
    study.close()


@pytest.mark.slow
def test_nothing_is_lost_while_a_trainer_burns_every_core(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", cases=1)
    burning = [
        subprocess.Popen([sys.executable, "-c", BURN], env={**os.environ, "OMP_NUM_THREADS": "1"})
        for _ in range(os.cpu_count() or 2)
    ]
    try:
        tracker = ScriptedTracker(rate_hz=1200.0)
        session = opened(study, tracker)
        session.begin(session.next_case() or "")
        record_for(session.recorder, 15)
        session.finish()
        assert session.settled(PATIENCE_S)
        session.close()
    finally:
        for process in burning:
            process.kill()
            process.wait()
    nothing_lost(study, session, tracker)
    with study.database.read() as rows:
        assert rows.scalar(select(func.sum(GazeChunk.count))) > 15 * 1200
    study.close()
