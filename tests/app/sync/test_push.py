"""Stations push to a real PostgreSQL: nothing lost, nothing doubled, however the line is cut."""

import json
import random
import shutil
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from main import main
from migrations.study.database import Database
from migrations.study.errors import DatabaseError
from migrations.study.folder import Study
from migrations.study.names import short_name
from migrations.study.schema import (
    Annotation,
    Answer,
    Audit,
    Base,
    Calibration,
    Fixation,
    GazeChunk,
    Image,
    Question,
    Reader,
    Reading,
    Recording,
    Session,
    StudyCase,
    ViewEvent,
)
from migrations.study.sync.push import pending, push
from tests.app.interchange.readings import add_readings
from tests.cutting_proxy import CuttingProxy
from trainer.data.cohort import load_cohort

SENT = (Reader, Image, Session, Calibration, Recording, GazeChunk, Reading, ViewEvent, Fixation,
        Annotation, Answer, Question, StudyCase)  # fmt: skip


def _rows(database: Database, table) -> list[tuple]:
    names = [c for c in table.__table__.c if c.name not in ("image_id",)]
    with database.read() as session:
        return [tuple(r) for r in session.execute(select(*names).order_by(table.id))]


def test_the_server_has_every_row_value_by_value_and_once(study, server) -> None:
    add_readings(study)
    report = push(study.database, server)
    assert (report.sessions, report.readings, report.chunks) == (2, 4, 4)
    for table in SENT:
        assert _rows(server, table) == _rows(study.database, table), table.__tablename__
    again = push(study.database, server)
    assert (again.sessions, again.readings, again.chunks, again.known) == (0, 0, 0, 2)
    for table in SENT:
        assert _rows(server, table) == _rows(study.database, table), table.__tablename__


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in range(1, 6))]
)
def test_cut_at_random_nothing_is_lost_or_doubled(study, server, server_url, seed) -> None:
    add_readings(study, ("R-01", "R-02", "R-03"))
    port = int(server_url.rsplit(":", 1)[1].split("/")[0])
    drawn = random.Random(seed)
    proxy = CuttingProxy(port, iter(lambda: drawn.randint(200, 40_000), 0))
    url = server_url.replace(f":{port}/", f":{proxy.port}/") + "?sslmode=disable"
    failures = 0
    try:
        for attempt in range(200):
            proxy.cutting = attempt < 25
            line = Database(url)
            try:
                push(study.database, line)
                _only_whole_readings(study.database, server)
                break
            except DatabaseError:
                failures += 1
                _only_whole_readings(study.database, server)
            finally:
                line.close()
    finally:
        proxy.close()
    assert proxy.cuts > 2
    assert failures > 0
    for table in SENT:
        assert _rows(server, table) == _rows(study.database, table), table.__tablename__
    assert pending(study.database, server) == 0


def _only_whole_readings(local: Database, server: Database) -> None:
    """A reading that is there is there with all its rows and all gaze of its session."""
    for table in (ViewEvent, Fixation, Annotation):
        counts = select(table.reading_id, func.count()).group_by(table.reading_id)
        with local.read() as mine, server.read() as theirs:
            here, there = ({k: n for k, n in s.execute(counts)} for s in (mine, theirs))
            readings = theirs.scalars(select(Reading.id)).all()
        for reading_id in readings:
            assert here.get(reading_id) == there.get(reading_id)
    gaze = select(Recording.session_id, func.count()).join(
        GazeChunk, GazeChunk.recording_id == Recording.id
    )
    with local.read() as mine, server.read() as theirs:
        here, there = (
            {k: n for k, n in s.execute(gaze.group_by(Recording.session_id))}
            for s in (mine, theirs)
        )
        for session_id in theirs.scalars(select(Reading.session_id).distinct()):
            assert here[session_id] == there[session_id]


def test_two_stations_meet_in_readers_images_and_cases(study, server, tmp_path) -> None:
    with study.database.read() as session:
        hashes = set(session.scalars(select(Image.sha256)))
    other = _second_station(study, tmp_path / "second")
    add_readings(study, ("R-01",))
    add_readings(other, ("R-01", "R-09"), station="second desk")
    push(study.database, server)
    push(other.database, server)
    push(study.database, server)
    with server.read() as session:
        assert sorted(session.scalars(select(Reader.pseudonym))) == ["R-01", "R-09"]
        assert set(session.scalars(select(Image.sha256))) == hashes
        assert len(session.scalars(select(Image.id)).all()) == 2
        assert len(session.scalars(select(StudyCase.id)).all()) == 2
        assert len(session.scalars(select(Reading.id)).all()) == 6
        shown = set(session.scalars(select(ViewEvent.image_id)))
        assert shown == set(session.scalars(select(Image.id)))
    cohort = _cohort(study, server.url)
    assert [len(m.readings) for m in cohort.members] == [3, 3]
    second = _cohort(other, server.url)  # whose images lie under other ids
    assert [len(m.readings) for m in second.members] == [3, 3]
    assert second.fingerprint == cohort.fingerprint
    assert all(m.presentation.is_file() for m in second.members)
    other.close()


def _cohort(study: Study, url: str):
    on_server = Study.open(study.folder, database_url=url)
    try:
        return load_cohort(on_server)
    finally:
        on_server.close()


def _second_station(study: Study, folder: Path) -> Study:
    """The same pixels imported at another station: other ids."""
    shutil.copytree(study.folder, folder)
    other = Study.open(folder)
    with other.database.engine.connect() as connection:
        connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")
        for table, column in (("image", "id"), ("case_image", "image_id")):
            sql = f"UPDATE {table} SET {column} = 'f' || substr({column}, 2)"
            connection.connection.driver_connection.execute(sql)
        for table, column in (("study_case", "id"), ("case_image", "case_id")):
            sql = f"UPDATE {table} SET {column} = 'f' || substr({column}, 2)"
            connection.connection.driver_connection.execute(sql)
        connection.connection.driver_connection.execute(
            "UPDATE case_image SET id = 'f' || substr(id, 2)"
        )
    other.database.engine.dispose()
    for entry in (folder / "images").iterdir():
        entry.rename(entry.with_name("f" + entry.name[1:]))
    return other


def test_images_that_are_not_here_are_named(study, server, tmp_path) -> None:
    add_readings(study, ("R-01",))
    push(study.database, server)
    with study.database.read() as session:
        image = session.scalars(select(Image).order_by(Image.import_number)).first()
    shutil.rmtree(study.image_folder(image.id))
    cohort = _cohort(study, server.url)
    assert len(cohort.members) == 1
    assert any(
        short_name(image.id) in d.reason and image.sha256[:16] in d.reason for d in cohort.dropped
    )


def test_an_open_session_waits_until_it_has_ended(study, server) -> None:
    add_readings(study, ("R-01",))
    with study.database.write() as session:
        session.scalars(select(Recording)).one().state = "open"
    report = push(study.database, server)
    assert (report.sessions, report.waiting) == (0, 1)
    assert _rows(server, Reading) == []


def test_the_command_says_what_it_did_and_refuses_other_urls(study, server_url, capsys) -> None:
    add_readings(study)
    words = ["db", "push", "--study", str(study.folder), "--database"]
    assert main([*words, server_url, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["readings"] == 4
    assert main([*words, server_url]) == 0
    assert "0 readings and 0 chunks" in capsys.readouterr().out
    assert main([*words, "mysql://x"]) == 1
    assert "postgresql+psycopg://" in capsys.readouterr().err
    assert main([*words, "postgresql+psycopg://u:secret@127.0.0.1:1/x"]) == 1
    said = capsys.readouterr().err
    assert "127.0.0.1" in said
    assert "secret" not in said


def test_migrations_go_up_and_down_on_both_engines(server, tmp_path) -> None:
    local = Database.at(tmp_path / "x.sqlite")
    local.upgrade()
    assert server.revision() == local.revision()
    for database in (server, local):
        database.downgrade("base")
        database.upgrade()
        with database.engine.connect() as connection:
            for table in Base.metadata.sorted_tables:
                if table.name in ("seal", "seal_key"):
                    continue  # a file's schema is sealed as soon as it is there
                assert connection.execute(select(func.count()).select_from(table)).scalar() == 0
        with database.write() as session:
            session.add(Audit(station="", action="x", subject="y"))
        with pytest.raises(Exception, match="append-only"), database.write() as session:
            session.execute(text("DELETE FROM audit"))
    local.close()
