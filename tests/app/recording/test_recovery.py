"""After a crash: the station is really killed, and the database is looked at by a stranger."""

import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from app.errors import StationBusy
from app.recording.lock import StationLock
from app.recording.recovery import Interrupted, close_interrupted
from app.recording.session import ReadingSession
from app.recording.worklist import worklist
from devices.clock import HostClock
from devices.gaze.fixations import detect_fixations
from devices.gaze.samples import empty_samples
from migrations.study.folder import Study
from migrations.study.schema import Fixation, GazeChunk, Reading, Recording, Session
from tests import PATIENCE_S, ROOT
from tests.app.recording.reading_doubles import (
    GEOMETRY,
    ScriptedTracker,
    make_study,
    record_for,
    recorded,
)
from tests.stored import gaze_of

AT_MOST_LOST_US = 250_000 + 50_000
STALL_US = 200_000
"""What a busy test machine may add: the station is starved, not its database."""


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    study = make_study(tmp_path / "study", cases=40)
    yield study
    study.close()


class Station:
    """A station in a process of its own."""

    def __init__(self, study: Study, case_s: float = 30.0, least: int = 1) -> None:
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.app.recording.recorded_station",
                str(study.folder),
                str(case_s),
            ],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert self._process.stdout is not None
        self.acknowledged = -1
        while self.acknowledged < least:
            self.acknowledged, self.alive_us = self._say(self._process.stdout.readline())

    def kill_after(self, seconds: float) -> None:
        """Kill -9 and take what it said last."""
        time.sleep(seconds)
        self._process.kill()
        said, _ = self._process.communicate(timeout=PATIENCE_S)
        lines = said[: said.rfind("\n")].splitlines()
        if lines:
            self.acknowledged, self.alive_us = self._say(lines[-1])

    @staticmethod
    def _say(line: str) -> tuple[int, int]:
        _, count, time_us = line.split()
        return int(count), int(time_us)


def kill_and_look(study: Study, seconds: float) -> list[Interrupted]:
    """Kill a reading station, recover, and check what must hold after any death."""
    station = Station(study, least=0)
    station.kill_after(seconds)
    with closing(sqlite3.connect(study.folder / "foveate.sqlite")) as stranger:
        assert stranger.execute("pragma integrity_check").fetchone() == ("ok",)
        assert stranger.execute("pragma foreign_key_check").fetchall() == []
        count = "select count(*) from {} where state = 'open'"
        (recordings,) = stranger.execute(count.format("recording")).fetchone()
        (readings,) = stranger.execute(count.format("reading")).fetchone()
    assert recordings == 1
    found = close_interrupted(study.database)
    assert len(found) == readings
    with study.database.read() as session:
        recording = session.query(Recording).order_by(Recording.id.desc()).first()
        chunks = recorded(study.database, recording.id)
        samples = np.concatenate([empty_samples(0), *chunks])
        sitting = session.get_one(Session, recording.session_id)
        assert recording.state == "interrupted"
        assert recording.sample_count == len(samples)
        assert recording.ended_us == max([recording.started_us, *samples["host_us"]])
        lost_us = station.alive_us - recording.ended_us
        assert sitting.ended_utc
    assert (np.diff(samples["device_us"]) == 1).all()
    assert len(samples) >= station.acknowledged
    assert lost_us <= AT_MOST_LOST_US + STALL_US, f"{lost_us / 1000:.0f} ms lost"
    return found


def test_a_killed_station_loses_at_most_a_chunk_and_its_reading_is_interrupted(
    study: Study,
) -> None:
    (found,) = kill_and_look(study, 0.9)
    assert found.reader == "R1"
    assert found.sample_count > 500
    assert 0 < found.gap_s < 60
    (row,) = [r for r in worklist(study, "R1") if r.state != "to read"]
    assert (row.state, row.reading_id) == ("interrupted", found.reading_id)
    with study.database.read() as session:
        reading = session.get_one(Reading, found.reading_id)
        assert reading.details["reason"] == "the station stopped without closing the session"
        assert reading.sample_count == found.sample_count
        assert reading.verdict
        starts = [f.start_us for f in session.query(Fixation).order_by(Fixation.start_us)]
        last_us = max(chunk.last_us for chunk in session.query(GazeChunk))
    gaze = gaze_of(study.database, found.reading_id)
    again = detect_fixations(gaze.time_us, gaze.points_deg[:, 0], gaze.points_deg[:, 1])
    assert starts == [fixation.start_us for fixation in again]
    assert len(gaze.time_us) == found.sample_count
    assert (gaze.time_us[-1], found.ended_us) == (last_us, last_us + 1)
    assert len(gaze.views.views) > 10
    assert close_interrupted(study.database) == []


def test_killed_at_a_random_instant_the_database_is_whole(study: Study) -> None:
    kill_and_look(study, random.Random(1).uniform(0.0, 0.8))


@pytest.mark.slow
def test_killed_twenty_times_the_same_study_stays_whole(study: Study) -> None:
    drawn = random.Random(20)
    for _ in range(20):
        kill_and_look(study, drawn.uniform(0.05, 1.5))
    assert study.database.check() == []


def test_the_next_session_offers_the_interrupted_case_and_resumes_it(study: Study) -> None:
    Station(study).kill_after(0.5)
    session = ReadingSession.open(study, "R1", ScriptedTracker(), HostClock(), GEOMETRY)
    (found,) = session.recovered
    case = session.next_case()
    assert case is not None
    assert (case.case_id, case.resumes_id) == (found.case_id, found.reading_id)
    reading_id = session.begin(case)
    session.finish()
    session.close()
    with study.database.read() as rows:
        resumed = rows.get_one(Reading, reading_id)
        assert resumed.resumes_id == found.reading_id
        assert resumed.details["resumed_after_s"] > 0
        orders = [row.case_order for row in rows.query(Session).order_by(Session.id)]
    assert orders[0] == orders[1]


def test_a_running_station_is_left_alone(study: Study) -> None:
    station = Station(study)
    assert close_interrupted(study.database) == []
    with pytest.raises(StationBusy, match="recorded into by process"):
        ReadingSession.open(study, "R2", ScriptedTracker(), HostClock(), GEOMETRY, consented=True)
    with study.database.read() as session:
        assert [row.state for row in session.query(Recording)] == ["open"]
    station.kill_after(0.0)
    assert len(close_interrupted(study.database)) == 1


def test_a_reading_finished_just_before_the_crash_stays_finished_and_gets_its_figures(
    study: Study,
) -> None:
    session = ReadingSession.open(
        study, "R1", ScriptedTracker(), HostClock(), GEOMETRY, consented=True
    )
    reading_id = session.begin(session.next_case() or "")
    record_for(session.recorder, 0.4)
    session.finish()
    session.close()
    with study.database.write() as rows:  # as a death between the two writes leaves it
        reading = rows.get_one(Reading, reading_id)
        counted, reading.sample_count, reading.verdict = reading.sample_count, None, None
        rows.query(Session).one().ended_utc = None
    assert close_interrupted(study.database) == []
    with study.database.read() as rows:
        reading = rows.get_one(Reading, reading_id)
        assert (reading.state, reading.sample_count) == ("finished", counted)
        assert reading.verdict
        assert rows.query(Session).one().ended_utc


def test_what_a_crash_cut_off_is_backed_up_when_it_is_closed(study: Study) -> None:
    Station(study, least=0).kill_after(0.1)
    assert not (study.folder / "backups").exists()
    close_interrupted(study.database)
    (copy,) = (study.folder / "backups").glob("*.sqlite")
    with closing(sqlite3.connect(copy)) as rows:
        assert rows.execute("SELECT state FROM recording").fetchall() == [("interrupted",)]
    copy.unlink()
    close_interrupted(study.database)  # nothing was open any more
    assert not copy.exists()


def test_a_damaged_chunk_does_not_keep_the_station_from_opening(study: Study) -> None:
    Station(study).kill_after(0.6)
    with study.database.write() as rows:
        chunk = rows.query(GazeChunk).order_by(GazeChunk.sequence).first()
        chunk.blob = b"\x00" + chunk.blob[1:]
        count = chunk.count
    (found,) = close_interrupted(study.database)
    with study.database.read() as rows:
        recording = rows.query(Recording).one()
        total = sum(c.count for c in rows.query(GazeChunk))
        assert recording.sample_count == total - count
        assert recording.events[-1]["kind"] == "fault"
        assert "chunk 0" in recording.events[-1]["detail"]
        assert rows.get_one(Reading, found.reading_id).state == "interrupted"


def test_a_lock_is_one_holders_and_free_after_release(tmp_path: Path) -> None:
    first, second = StationLock(tmp_path), StationLock(tmp_path)
    first.acquire()
    first.acquire()
    with pytest.raises(StationBusy):
        second.acquire()
    first.release()
    first.release()
    with second:
        assert second.held
    assert not second.held
