"""The recorder and its writer on real SQLite files: nothing lost, whatever befalls the database."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import event, select

from app.recording.recorder import Recorder
from app.recording.writer import Writer, insert_into, update_row
from devices.clock import HostClock
from devices.errors import TrackerError, TrackerLost
from migrations.study.database import Database
from migrations.study.schema import Reader, Recording, Session, new_id, utc_now
from tests.app.recording.reading_doubles import (
    GEOMETRY,
    ScriptedTracker,
    record_for,
    recorded,
    until,
)
from tests.stalls import Stalls


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database.at(tmp_path / "foveate.sqlite", durable=True)
    database.upgrade()
    yield database
    database.close()


@pytest.fixture
def session_id(database: Database) -> str:
    with database.write() as session:
        reader = Reader(id=new_id(), pseudonym="R1")
        sitting = Session(
            id=new_id(),
            reader_id=reader.id,
            station="here",
            software_version="0",
            started_utc=utc_now(),
            zero_utc=utc_now(),
            tracker_id="t",
            tracker_kind="simulated",
            tracker_model="",
            tracker_serial="",
            screen=GEOMETRY.as_dict(),
            screen_width_mm=527.0,
            screen_height_mm=296.0,
            refresh_hz=60.0,
            distance_mm=650.0,
            distance_source="taped",
            case_order=[],
        )
        session.add(reader)
        session.flush()
        session.add(sitting)
        return sitting.id


def record(database: Database, session_id: str, tracker: ScriptedTracker, seconds: float):
    recorder = Recorder(database, tracker, HostClock(), session_id)
    recorder.start()
    record_for(recorder, seconds)
    assert recorder.stop()
    return recorder


def whole(database: Database, recorder: Recorder, tracker: ScriptedTracker) -> None:
    """Every sample the tracker gave is there once, in order."""
    samples = np.concatenate(recorded(database, recorder.recording_id))
    assert len(samples) == tracker.given
    assert (np.diff(samples["device_us"]) == 1).all()


def row_of(database: Database, recorder: Recorder) -> Recording:
    with database.read() as session:
        row = session.get(Recording, recorder.recording_id)
        assert row is not None
        session.expunge(row)
        return row


def test_every_sample_is_committed_once_in_chunks_of_at_most_a_quarter_second(
    database: Database, session_id: str, stalls: Stalls
) -> None:
    tracker = ScriptedTracker()
    recorder = record(database, session_id, tracker, 1.1)
    whole(database, recorder, tracker)
    chunks = recorded(database, recorder.recording_id)
    assert len(chunks) >= 4
    spans_us = [chunk["host_us"][-1] - chunk["host_us"][0] for chunk in chunks]
    assert max(spans_us) < 350_000 + stalls.slack_us


def test_the_recording_row_is_open_while_it_runs_and_closed_with_its_figures(
    database: Database, session_id: str
) -> None:
    tracker = ScriptedTracker(rate_hz=600.0)
    recorder = Recorder(database, tracker, HostClock(), session_id)
    recorder.start()
    recorder.writer.flush(5)
    assert row_of(database, recorder).state == "open"
    record_for(recorder, 0.4)
    assert recorder.stop()
    row = row_of(database, recorder)
    assert (row.state, row.sample_count, row.lost_count) == ("closed", tracker.given, 0)
    assert row.measured_rate_hz == pytest.approx(600.0, rel=0.01)
    assert row.ended_us is not None
    assert not tracker.connected


def test_faster_than_life_commits_at_the_pace_of_real_time(
    database: Database, session_id: str
) -> None:
    tracker = ScriptedTracker(rate_hz=300.0)
    recorder = Recorder(database, tracker, HostClock(speed=20.0), session_id)
    begun_s = time.perf_counter()
    recorder.start()
    record_for(recorder, 20 * 0.9)
    assert recorder.status().rate_hz == pytest.approx(300.0, rel=0.15)
    assert recorder.stop()
    lasted_s = time.perf_counter() - begun_s
    whole(database, recorder, tracker)
    # Chunks are cut a little before 250 ms are over, and one that a busy machine made late is cut
    # in two; at the pace of the tracker's own clock there would be twenty times as many.
    assert 3 <= len(recorded(database, recorder.recording_id)) <= 2 * lasted_s / 0.25 + 2


def test_a_write_lock_held_by_another_program_delays_rows_and_loses_none(
    database: Database, session_id: str
) -> None:
    tracker = ScriptedTracker()
    recorder = Recorder(database, tracker, HostClock(), session_id)
    recorder.start()
    until(lambda: recorder.status().committed_count > 0)
    other = sqlite3.connect(str(database.path), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    until(lambda: "nothing is lost" in recorder.status().problem)
    until(lambda: recorder.status().queue_depth >= 6)
    status = recorder.status()
    assert status.sample_count - status.committed_count > 1200
    other.execute("COMMIT")
    other.close()
    until(lambda: recorder.status().problem == "")
    assert recorder.stop()
    whole(database, recorder, tracker)


@pytest.mark.slow
def test_a_write_lock_held_for_six_seconds_loses_nothing(
    database: Database, session_id: str
) -> None:
    tracker = ScriptedTracker()
    recorder = Recorder(database, tracker, HostClock(), session_id)
    recorder.start()
    other = sqlite3.connect(str(database.path), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    record_for(recorder, 6)
    other.execute("COMMIT")
    other.close()
    assert recorder.stop()
    whole(database, recorder, tracker)


def test_a_lock_held_beyond_the_busy_timeout_is_tried_again(
    database: Database, session_id: str
) -> None:
    writer = Writer(database)
    event.listen(
        database.engine, "checkout", lambda c, *_: c.execute("PRAGMA busy_timeout=50").close()
    )
    tracker = ScriptedTracker()
    recorder = Recorder(database, tracker, HostClock(), session_id, writer=writer)
    writer.start()
    recorder.start()
    until(lambda: recorder.status().committed_count > 0)
    other = sqlite3.connect(str(database.path), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    until(lambda: "locked" in recorder.status().problem)
    other.execute("COMMIT")
    other.close()
    until(lambda: recorder.status().problem == "")
    assert recorder.stop()
    assert writer.close()
    whole(database, recorder, tracker)


def test_a_full_disk_keeps_samples_in_memory_until_space_is_freed(
    database: Database, session_id: str
) -> None:
    pages = {"limit": 1_000_000}

    def quota(connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages['limit']}").close()

    event.listen(database.engine, "checkout", quota)
    tracker = ScriptedTracker()
    recorder = Recorder(database, tracker, HostClock(), session_id)
    recorder.start()
    until(lambda: recorder.status().committed_count > 0)
    pages["limit"] = 1  # SQLite takes the size the file has now
    until(lambda: "full" in recorder.status().problem)
    acknowledged = recorder.status().committed_count
    until(lambda: recorder.status().queue_depth >= 2)
    assert sum(map(len, recorded(database, recorder.recording_id))) >= acknowledged
    assert not recorder.writer.flush(0.05)
    pages["limit"] = 1_000_000
    until(lambda: recorder.status().problem == "")
    assert recorder.stop()
    whole(database, recorder, tracker)
    assert database.check() == []


def test_a_lost_device_is_said_stored_at_once_and_recording_goes_on_when_it_is_back(
    database: Database, session_id: str
) -> None:
    tracker = ScriptedTracker()
    recorder = Recorder(database, tracker, HostClock(), session_id)
    recorder.start()
    until(lambda: recorder.status().sample_count > 100)
    tracker.lose()
    until(lambda: "Scripted is gone" in recorder.status().problem)
    assert recorder.status().device_lost
    recorder.writer.flush(5)
    assert [e["kind"] for e in row_of(database, recorder).events] == ["lost"]
    until(lambda: recorder.status().lost_for_us > 150_000)
    tracker.restore()
    until(lambda: recorder.status().problem == "")
    until(lambda: recorder.status().lost_for_us < 50_000)
    assert recorder.stop()
    row = row_of(database, recorder)
    assert [e["kind"] for e in row.events] == ["lost", "restored"]
    gap = np.diff(np.concatenate(recorded(database, recorder.recording_id))["device_us"]).max()
    assert row.lost_count == gap - 1


def test_a_tracker_that_raises_is_noted_as_a_fault_and_read_again(
    database: Database, session_id: str
) -> None:
    tracker = ScriptedTracker()
    recorder = Recorder(database, tracker, HostClock(), session_id)
    recorder.start()
    tracker.fail = TrackerLost("Scripted does not answer.")
    until(lambda: recorder.status().problem == "Scripted does not answer.")
    tracker.fail = None
    until(lambda: recorder.status().problem == "")
    assert recorder.stop()
    assert [e["kind"] for e in row_of(database, recorder).events] == ["fault"]
    whole(database, recorder, tracker)


def test_a_tracker_that_cannot_be_opened_leaves_no_recording(
    database: Database, session_id: str
) -> None:
    class Broken(ScriptedTracker):
        def connect(self, clock: HostClock) -> None:
            raise TrackerError("Broken cannot be opened.")

    recorder = Recorder(database, Broken(), HostClock(), session_id)
    with pytest.raises(TrackerError, match="cannot be opened"):
        recorder.start()
    with database.read() as session:
        assert session.scalars(select(Recording)).all() == []


def test_listeners_see_every_sample_and_a_failing_one_harms_nobody(
    database: Database, session_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[int] = []

    def broken(_samples: object) -> None:
        raise RuntimeError("mine")

    tracker = ScriptedTracker()
    recorder = Recorder(database, tracker, HostClock(), session_id)
    recorder.add_listener(broken)
    recorder.add_listener(lambda samples: seen.append(len(samples)))
    recorder.start()
    record_for(recorder, 0.3)
    assert recorder.stop()
    assert sum(seen) == tracker.given
    whole(database, recorder, tracker)
    assert caplog.text.count("A listener of the recorder failed") == 1


def test_the_writer_keeps_the_order_of_many_threads_own_writes(database: Database) -> None:
    writer = Writer(database)
    writer.start()
    ids = {name: new_id() for name in "abcd"}
    for name, row_id in ids.items():
        writer.put(insert_into(Reader, {"id": row_id, "pseudonym": name}))

    def work(name: str) -> None:
        for i in range(50):
            writer.put(update_row(Reader, ids[name], details={"step": i}))

    threads = [threading.Thread(target=work, args=(name,)) for name in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert writer.flush(10)
    with database.read() as session:
        assert [r.details["step"] for r in session.scalars(select(Reader))] == [49] * 4
    assert writer.depth == 0
    assert writer.close()


def test_a_row_the_database_refuses_does_not_hold_up_the_others(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    writer = Writer(database)
    rows = [{"pseudonym": name} for name in ("a", "b", "a", "c")]
    writer.put(*(insert_into(Reader, row) for row in rows))
    writer.start()
    assert writer.flush(10)
    assert writer.rejected == 1
    assert "refused" in writer.problem
    assert "A row was refused" in caplog.text
    with database.read() as session:
        assert sorted(session.scalars(select(Reader.pseudonym))) == ["a", "b", "c"]
    assert writer.close()


def test_a_database_that_is_not_durable_is_opened_as_one(database: Database) -> None:
    plain = Database(database.url)
    writer = Writer(plain)
    writer.start()
    with writer.database.read() as session:
        assert session.connection().exec_driver_sql("PRAGMA synchronous").scalar() == 2
    assert writer.close()
    plain.close()


def test_a_recorder_that_was_kept_waiting_still_cuts_chunks_of_a_quarter_second(
    database: Database, session_id: str
) -> None:
    tracker = ScriptedTracker()
    recorder = Recorder(database, tracker, HostClock(), session_id)
    recorder.add_listener(lambda _samples: time.sleep(0.7))  # as a computer that has no time
    recorder.start()
    record_for(recorder, 0.8)
    assert recorder.stop()
    whole(database, recorder, tracker)
    chunks = recorded(database, recorder.recording_id)
    assert len(chunks) >= 3
    spans_us = [int(chunk["host_us"][-1] - chunk["host_us"][0]) for chunk in chunks]
    assert max(spans_us) < 250_000
