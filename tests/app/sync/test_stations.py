"""Each station has a role of its own: it adds its own rows, reads all, and alters nobody else's."""

import shutil

import pytest
from sqlalchemy import func, select, text

from app.images.clearing import clear
from app.workspace.cohort_edits import decide
from main import main
from migrations.study.cohort_rules import choice_of
from migrations.study.database import Database
from migrations.study.errors import DatabaseTooNew, RightMissing, ServerUnreachable
from migrations.study.folder import Study
from migrations.study.schema import Audit, Edit, Image, Reader, Reading, Session
from migrations.study.sync.push import push
from tests.app.interchange.readings import add_readings
from tests.app.sync.stations import new_role, opened_as, url_as

AHEAD = "2999-01-01T00:00:00.000000Z"


@pytest.fixture
def copied(study: Study, tmp_path):
    """The same study at a second station, before anybody read."""
    shutil.copytree(study.folder, tmp_path / "copied")
    other = Study.open(tmp_path / "copied")
    yield other
    other.close()


def _run(database: Database, sql: str, **values: str) -> None:
    with database.write() as session:
        session.execute(text(sql), values)


def _id_of(database: Database, table: type) -> str:
    with database.read() as session:
        return session.scalars(select(table.id).order_by(table.id)).first()


def test_a_station_changes_nothing_of_what_another_one_sent(
    study: Study, copied: Study, server: Database, server_url: str, capsys
) -> None:
    add_readings(study, ("R-01",))
    add_readings(copied, ("R-02",), station="second desk")
    first, second = (opened_as(server_url, capsys) for _ in range(2))
    assert push(study.database, first).readings == 2
    assert push(copied.database, second).readings == 2
    reading, sitting = _id_of(study.database, Reading), _id_of(study.database, Session)
    denied = [
        ("UPDATE reading SET loss = 0", {}),
        ("UPDATE image SET cleared_by = 'evil'", {}),
        ("DELETE FROM fixation", {}),
        ("ALTER TABLE audit DISABLE TRIGGER audit_append_only", {}),
        ("INSERT INTO audit (id, time_utc, station, action, subject, details) "
         "VALUES ('x', '', session_user, 'erased', 'reader', '{}')", {}),
        ("INSERT INTO annotation (id, reading_id, time_us, kind, details) "
         "VALUES ('x', :reading, 0, 'note', '{}')", {"reading": reading}),
        ("INSERT INTO recording (id, session_id, state, started_us, sample_count, lost_count, "
         "events) VALUES ('x', :sitting, 'closed', 0, 0, 0, '[]')", {"sitting": sitting}),
        ("INSERT INTO edit (id, subject, row_id, what, value) "
         "VALUES ('x', 'reading', :reading, 'cohort', '{\"keep\": false}')", {"reading": reading}),
        ("INSERT INTO study_case (id, name, position, hanging, practice, created_utc, pushed_by) "
         "VALUES ('x', 'x', 1, 'one-up', false, '', 'foveate')", {}),
    ]  # fmt: skip
    for sql, values in denied:
        with pytest.raises(RightMissing):
            _run(second, sql, **values)
    with second.read() as session:
        assert session.scalar(select(func.count()).select_from(Reading)) == 4, "it reads all"
    first.close()
    second.close()


def test_a_stations_changes_of_what_another_sent_are_left_and_its_own_go(
    study: Study, copied: Study, server: Database, server_url: str, capsys
) -> None:
    first, second = (opened_as(server_url, capsys) for _ in range(2))
    push(study.database, first)
    image = _id_of(study.database, Image)
    clear(copied, [image], "evil")
    report = push(copied.database, second)
    assert (report.changed, report.left) == (0, 1)
    clear(study, [image], "AQ")
    assert push(study.database, first).changed == 1
    with server.read() as session:
        assert session.get_one(Image, image).cleared_by == "AQ"
    first.close()
    second.close()


def _choice(database: Database, reading_id: str) -> dict | None:
    with database.read() as session:
        return choice_of(session.get_one(Reading, reading_id))


def test_the_latest_choice_to_arrive_holds_and_none_dated_ahead(
    study: Study, server: Database, server_url: str, capsys, monkeypatch
) -> None:
    add_readings(study, ("R-01",))
    station = opened_as(server_url, capsys)
    push(study.database, station)
    reading = _id_of(study.database, Reading)
    with monkeypatch.context() as clock:
        clock.setattr("app.workspace.cohort_edits.utc_now", lambda: AHEAD)
        decide(study, [reading], False, "a clock that is wrong")
    assert push(study.database, station).changed == 1
    assert _choice(server, reading)["time_utc"] == AHEAD
    researcher = url_as(server_url, *new_role(server_url, capsys, kind="researcher"))
    workspace = Study.open(study.folder, database_url=researcher)
    decide(workspace, [reading], True, "looked at it")
    workspace.close()
    assert push(study.database, station).changed == 0
    assert push(study.database, station, compare=True).changed == 0
    assert _choice(server, reading)["keep"]
    with server.read() as session:
        edits = session.execute(select(Edit.number, Edit.station).order_by(Edit.number)).all()
    assert len({station for _, station in edits}) == 2
    decide(study, [reading], False, "after all")
    assert push(study.database, station).changed == 1
    assert not _choice(server, reading)["keep"]
    station.close()


def test_rights_are_looked_at_before_the_first_row(
    study: Study, server: Database, server_url: str, capsys
) -> None:
    add_readings(study, ("R-01",))
    role, password = new_role(server_url, capsys)
    stations = server_url.rsplit("/", 1)[1] + "_stations"
    _run(server, f'REVOKE INSERT ON fixation FROM "{stations}"')
    words = ["db", "push", "--study", str(study.folder), "--database"]
    assert main([*words, url_as(server_url, role, password)]) == 1
    said = capsys.readouterr().err
    assert "insert on fixation" in said
    assert "db server --station" in said
    with server.read() as session:
        assert session.scalars(select(Reader.id)).all() == []


def test_a_wrong_password_is_told_as_one(study, server, server_url, capsys) -> None:
    role, _ = new_role(server_url, capsys)
    wrong = Database(url_as(server_url, role, "wrong-word"))
    with pytest.raises(ServerUnreachable, match="refuses the password") as told:
        push(study.database, wrong)
    assert "wrong-word" not in str(told.value)
    wrong.close()


def test_a_station_meets_an_older_and_a_newer_server(
    study: Study, server: Database, server_url: str, capsys
) -> None:
    add_readings(study, ("R-01",))
    role, password = new_role(server_url, capsys)
    url = url_as(server_url, role, password)
    newest = server.revision()
    server.downgrade("0004")
    station = Database(url)
    with pytest.raises(RightMissing, match=f"has schema 0004.*needs {newest}.*db server"):
        station.upgrade()
    assert main(["db", "server", "--database", server_url]) == 0
    station.upgrade()
    assert push(study.database, station).readings == 2
    _run(server, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseTooNew, match="newer Foveate"):
        station.upgrade()
    station.close()


def test_a_filled_server_of_before_keeps_its_rows_and_belongs_to_its_owner(
    study: Study, server: Database, server_url: str, capsys
) -> None:
    add_readings(study, ("R-01",))
    push(study.database, server)
    server.downgrade("0005")
    station = opened_as(server_url, capsys)  # `db server` upgrades
    reading = _id_of(study.database, Reading)
    decide(study, [reading], False, "second screen")
    assert push(study.database, station).left == 1
    with server.read() as session:
        assert len(session.scalars(select(Reading.id)).all()) == 2
    station.close()


def test_an_erasure_at_a_station_is_asked_of_the_owner_and_stops_no_push(
    study: Study, server: Database, server_url: str, capsys
) -> None:
    add_readings(study, ("R-01", "R-02"))
    station = opened_as(server_url, capsys)
    push(study.database, station)
    assert main(["db", "erase", "--study", str(study.folder), "--reader", "R-01"]) == 0
    add_readings(study, ("R-03",))
    report = push(study.database, station)
    assert (report.erasures_waiting, report.readings, report.erased) == (1, 2, {})
    capsys.readouterr()
    assert main(["db", "server", "--database", server_url]) == 0
    assert "asked on" in capsys.readouterr().out
    assert main(["db", "server", "--database", server_url, "--erase"]) == 0
    assert '"reading": 2' in capsys.readouterr().out
    with server.read() as session:
        assert sorted(session.scalars(select(Reader.pseudonym))) == ["R-02", "R-03"]
        assert session.scalars(select(Audit.id).where(Audit.action == "erased")).all()
    assert push(study.database, station).erasures_waiting == 0
    station.close()


def test_what_a_computer_sent_before_it_had_a_role_becomes_its_own(
    study: Study, server: Database, server_url: str, capsys
) -> None:
    add_readings(study, ("R-01",), station="desk")
    push(study.database, server)  # as the owner, as every station did
    station = opened_as(server_url, capsys, "--was", "desk")
    reading = _id_of(study.database, Reading)
    decide(study, [reading], False, "second screen")
    assert push(study.database, station).changed == 1
    station.close()


def test_the_sql_can_be_printed_for_somebody_who_may_make_roles(server_url, server, capsys) -> None:
    words = ["db", "server", "--database", server_url, "--station", "reading-room", "--print"]
    assert main(words) == 0
    said = capsys.readouterr()
    password = said.err.split("password ")[1].split()[0]
    assert 'CREATE ROLE "reading-room" LOGIN PASSWORD' in said.out
    assert "SCRAM-SHA-256$4096:" in said.out
    assert password not in said.out
