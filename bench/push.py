"""What a push of many readings takes, both sides together: python -m bench.push.

A study of readings of 60 s at 60 Hz is made (chunks of 250 ms; 150 fixations, 150 gaze events, 10
view events and a mark each; sessions of 40) and pushed by a station's own role into a PostgreSQL
that waits for its disk. With `--kills` the command is killed (SIGKILL) and the server crashed
(SIGQUIT) at random, again and again, and the rows are compared at the end.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import create_engine, event, func, insert, select, text
from sqlalchemy.orm import Session as OrmSession

from bench.canned import GEOMETRY, reading_gaze
from devices.gaze.chunks import CODEC_VERSION, encode_chunk
from migrations.study.database import Database
from migrations.study.folder import Study
from migrations.study.processes import MAIN
from migrations.study.schema import (
    Annotation,
    Base,
    CaseImage,
    Fixation,
    GazeChunk,
    GazeEvent,
    Image,
    Reader,
    Reading,
    Recording,
    Session,
    StudyCase,
    ViewEvent,
    new_id,
    utc_now,
)
from migrations.study.settings import StudySettings
from migrations.study.sync.access import Role, new_password, statements
from migrations.study.sync.push import push
from migrations.study.sync.state import CHILDREN
from tests.postgres import Cluster

RATE_HZ, READING_S, CHUNK_S, OF_SESSION, CASES = 60.0, 60, 0.25, 40, 200


def main() -> int:
    """Print what was sent and what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readings", type=int, default=4000)
    parser.add_argument("--kills", type=int, default=0, help="how often something dies on the way")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="foveate-push-") as folder:
        study = Study.create(Path(folder) / "study", StudySettings())
        _fill(study, options.readings)
        (Path(folder) / "server").mkdir()
        os.chmod(folder, 0o755)
        cluster = Cluster(Path(folder) / "server", safe=True)
        try:
            url = new_server(cluster)
            if options.kills:
                _killed(study, cluster, url, options.kills)
            else:
                _timed(study, cluster, url, options.readings)
        finally:
            cluster.stop()
            study.close()
    return 0


def new_server(cluster: Cluster) -> str:
    """Return the URL of a station's role of a new server."""
    engine = create_engine(f"{cluster.url}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE gaze"))
    engine.dispose()
    owner, password = Database(f"{cluster.url}/gaze"), new_password()
    owner.upgrade()
    tables = [table.name for table in Base.metadata.sorted_tables] + ["alembic_version"]
    with owner.write() as session:
        for line in statements("gaze", tables, [Role("station", password)]):
            session.connection().exec_driver_sql(line)
    owner.close()
    return f"{cluster.url}/gaze".replace("://foveate@", f"://station:{password}@")


def _timed(study: Study, cluster: Cluster, url: str, readings: int) -> None:
    server, cpu = Database(url), _server_cpu_s(cluster)
    began, own = time.monotonic(), time.process_time()
    report = push(study.database, server)
    seconds, own = time.monotonic() - began, time.process_time() - own
    assert report.readings == readings
    cpu = _server_cpu_s(cluster) - cpu
    told: list[str] = []
    event.listen(server.engine, "before_cursor_execute", lambda *said: told.append(said[2]))
    began = time.monotonic()
    push(study.database, server)
    again = time.monotonic() - began
    server.close()
    peak = psutil.Process().memory_info().rss / 1e6
    sys.stdout.write(
        f"{readings} readings, {report.chunks} chunks: {seconds:.0f} s (CPU: station {own:.0f} s, "
        f"server {cpu:.0f} s), so 20,000 in {seconds / readings * 20_000 / 60:.1f} min; "
        f"station {peak:.0f} MB.\nNothing new: {len(told)} statements, {again:.2f} s.\n"
    )


def _server_cpu_s(cluster: Cluster) -> float:
    """Return what the server's processes used, those that have ended included."""
    times = psutil.Process(cluster.process.pid).cpu_times()
    used = float(times.user + times.system + times.children_user + times.children_system)
    for child in psutil.Process(cluster.process.pid).children(recursive=True):
        times = child.cpu_times()
        used += float(times.user + times.system)
    return used


def _killed(study: Study, cluster: Cluster, url: str, kills: int) -> None:
    words = [sys.executable, str(MAIN), "db", "push", "--study", str(study.folder), "--json"]
    environment = {**os.environ, "FOVEATE_DATABASE_URL": url}
    chance, tried = random.Random(0), {"the station": 0, "the server": 0}
    said = ""
    for kill in range(kills + 1):
        command = subprocess.Popen(
            words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        last, victim = kill == kills, ("the station", "the server")[kill % 2]
        try:
            command.wait(None if last else chance.uniform(1.0, 4.0))
        except subprocess.TimeoutExpired:
            tried[victim] += 1
            if victim == "the station":
                command.kill()
            else:
                cluster.stop(signal.SIGQUIT)
                cluster.start()
        said, errors = command.communicate()
        assert "Traceback" not in errors, errors
    assert json.loads(said)["refused"] == []
    server = Database(f"{cluster.url}/gaze")
    tables = (Reader, Image, StudyCase, CaseImage, Session, Recording, GazeChunk, Reading)
    for table in (*tables, *CHILDREN):
        with study.database.read() as mine, server.read() as theirs:
            counts = [s.scalar(select(func.count(table.id.distinct()))) for s in (mine, theirs)]
        assert counts[0] == counts[1], (table.__tablename__, counts)
    server.close()
    sys.stdout.write(f"Killed while it pushed: {tried}; every row is there once.\n")


def _fill(study: Study, readings: int) -> None:
    gaze = reading_gaze(RATE_HZ, READING_S)
    step = int(RATE_HZ * CHUNK_S)
    chunks = [gaze[first : first + step] for first in range(0, len(gaze), step)]
    blobs = [(encode_chunk(c), int(c["host_us"][0]), int(c["host_us"][-1]), len(c)) for c in chunks]
    with study.database.write() as rows:
        reader = new_id()
        rows.execute(insert(Reader), [{"id": reader, "pseudonym": "R-1", "details": {}}])
        shown = list(_cases(rows))
    for first in range(0, readings, OF_SESSION):
        with study.database.write() as rows:
            _sit(rows, reader, shown, blobs, range(first, min(readings, first + OF_SESSION)))


def _cases(rows: OrmSession) -> Iterator[tuple[str, str]]:
    for k in range(CASES):
        case, image = new_id(), new_id()
        rows.add(
            Image(id=image, sha256=f"{k:064x}", rows=100, columns=100, bits=8, import_number=k,
                  photometric="MONOCHROME2", source_format="png", source_group=str(k),
                  details={}, dtype="uint8")
        )  # fmt: skip
        rows.add(StudyCase(id=case, name=f"c{k}", position=k))
        rows.flush()
        rows.add(CaseImage(case_id=case, image_id=image))
        yield case, image


def _sit(rows: OrmSession, reader: str, shown: Any, blobs: Any, numbers: range) -> None:
    sitting, recording = new_id(), new_id()
    rows.add(
        Session(
            id=sitting, reader_id=reader, station="bench", software_version="0",
            started_utc=utc_now(), ended_utc=utc_now(), zero_utc=utc_now(), tracker_id="t",
            tracker_kind="simulated", tracker_model="m", tracker_serial="s",
            tracker_rate_hz=RATE_HZ, screen=GEOMETRY.as_dict(),
            screen_width_mm=GEOMETRY.width_mm, screen_height_mm=GEOMETRY.height_mm,
            refresh_hz=60.0, distance_mm=600.0, distance_source="assumed", case_order=[],
        )
    )  # fmt: skip
    rows.flush()
    samples = sum(count for *_, count in blobs) * len(numbers)
    rows.add(
        Recording(id=recording, session_id=sitting, state="closed", started_us=0, ended_us=1,
                  sample_count=samples)
    )  # fmt: skip
    rows.flush()
    for place, number in enumerate(numbers):
        _read(rows, (reader, sitting, recording), shown[number % len(shown)], blobs, place)


def _read(rows: OrmSession, of: tuple[str, str, str], shown: Any, blobs: Any, place: int) -> None:
    (reader, sitting, recording), (case, image), reading = of, shown, new_id()
    zero = place * (READING_S + 5) * 1_000_000
    rows.add(
        Reading(id=reading, session_id=sitting, case_id=case, reader_id=reader, state="finished",
                started_us=zero, ended_us=zero + READING_S * 1_000_000, details={})
    )  # fmt: skip
    rows.flush()
    rows.execute(insert(GazeChunk), [
        {"recording_id": recording, "sequence": place * len(blobs) + k, "first_us": zero + first,
         "last_us": zero + last, "count": count, "codec_version": CODEC_VERSION,
         "crc32": zlib.crc32(blob), "blob": blob}
        for k, (blob, first, last, count) in enumerate(blobs)
    ])  # fmt: skip
    found = {"reading_id": reading, "image_id": image, "frame": 0, "algorithm": "velocity",
             "parameters_hash": "0" * 16}  # fmt: skip
    rows.execute(insert(Fixation), [
        {**found, "start_us": zero + k * 400_000, "duration_us": 250_000, "x_image": 50.123 + k,
         "y_image": 40.456 + k, "x_deg": 1.234, "y_deg": 2.345, "dispersion_deg": 0.456,
         "sample_count": 15} for k in range(150)
    ])  # fmt: skip
    rows.execute(insert(GazeEvent), [
        {**found, "kind": "saccade", "start_us": zero + k * 400_000, "duration_us": 40_000,
         "amplitude_deg": 4.321, "peak_velocity_deg_s": 212.3} for k in range(150)
    ])  # fmt: skip
    place_of = {"a": 2.0, "b": 0.0, "c": 0.0, "d": 2.0, "tx": 10.0, "ty": 20.0, "tile_x": 0.0,
                "tile_y": 0.0, "tile_width": 800.0, "tile_height": 600.0}  # fmt: skip
    rows.execute(insert(ViewEvent), [
        {"reading_id": reading, "time_us": zero + k, "kind": "zoom", "tile": 0, "image_id": image,
         "image_width": 100, "image_height": 100, "frame": 0, "inverted": False,
         "flipped_horizontally": False, "flipped_vertically": False, "rotation_deg": 0, **place_of}
        for k in range(10)
    ])  # fmt: skip
    rows.add(Annotation(reading_id=reading, time_us=zero, kind="class", label="nothing"))


if __name__ == "__main__":
    sys.exit(main())
