"""The database: opening, upgrading, refusing, backing up, and staying whole."""

import sqlite3
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import inspect, select, text

from migrations.study.database import Database
from migrations.study.errors import DatabaseBusy, DatabaseDamaged, DatabaseTooNew, DiskFull
from migrations.study.schema import Audit, Base, Reader, new_id
from tests.migrations import HEAD


@pytest.fixture
def database(tmp_path: Path):
    database = Database.at(tmp_path / "foveate.sqlite", durable=True)
    database.upgrade()
    yield database
    database.close()


def test_ids_are_ordered_by_time_and_valid_uuid7() -> None:
    ids = [new_id() for _ in range(200)]
    assert len(set(ids)) == 200
    # Two ids of one microsecond may swap; the whole order must hold.
    assert ids[0] < ids[100] < ids[199]
    assert all(i[14] == "7" and i[19] in "89ab" for i in ids)


def test_history_makes_the_schema_that_the_code_names(database: Database) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, Base.metadata) == []


def test_each_revision_goes_down_and_up_on_a_filled_database(database: Database) -> None:
    with database.write() as session:
        session.add(Reader(pseudonym="R1"))
    database.downgrade("base")
    tables = set(inspect(database.engine).get_table_names())
    assert tables == {"alembic_version"}
    database.upgrade()
    assert database.revision() == HEAD
    assert database.check() == []


def test_opening_again_changes_nothing_and_makes_no_backup(database: Database) -> None:
    database.upgrade()
    assert not (database.path.parent / "backups").exists()


def test_a_newer_database_is_refused_by_both_versions(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num='9999'"))
    with pytest.raises(DatabaseTooNew, match=rf"schema 9999.*up to {HEAD}"):
        database.upgrade()


def test_a_damaged_file_is_named_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "foveate.sqlite"
    path.write_bytes(b"this is no database" * 100)
    database = Database.at(path)
    with pytest.raises(DatabaseDamaged, match=r"foveate\.sqlite is damaged"):
        database.upgrade()
    database.close()
    assert path.read_bytes().startswith(b"this is no database")


def test_a_lock_held_by_another_process_is_waited_for(database: Database) -> None:
    other = sqlite3.connect(database.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.5, lambda: other.execute("COMMIT"))
    release.start()
    started = time.perf_counter()
    with database.write() as session:
        session.add(Reader(pseudonym="R1"))
    assert time.perf_counter() - started > 0.4
    release.join()
    other.close()


def test_a_lock_held_for_too_long_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("migrations.study.database.BUSY_TIMEOUT_S", 0)
    database = Database.at(tmp_path / "foveate.sqlite")
    database.upgrade()
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseBusy, match="locked by another program"), database.write():
        pass
    other.close()
    database.close()


def test_a_full_disk_is_said_and_committed_rows_stay(database: Database) -> None:
    with database.write() as session:
        session.add(Reader(pseudonym="kept"))
    with database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    database.engine.pool.dispose()
    limited = database.engine

    from sqlalchemy import event

    @event.listens_for(limited, "connect")
    def _limit(connection, _record) -> None:  # type: ignore[no-untyped-def]
        connection.execute(f"PRAGMA max_page_count={pages}")

    with pytest.raises(DiskFull, match="saved so far is safe"), database.write() as session:
        session.add_all([Reader(pseudonym=f"R{i}", details={"x": "y" * 5000}) for i in range(99)])
    with database.read() as session:
        assert session.scalars(select(Reader.pseudonym)).all() == ["kept"]
    assert database.check() == []


def test_audit_rows_can_be_added_only(database: Database) -> None:
    with database.write() as session:
        session.add(Audit(station="S", action="import", subject="x"))
    for statement in ("UPDATE audit SET action='y'", "DELETE FROM audit"):
        with pytest.raises(Exception, match="append-only"), database.engine.begin() as connection:
            connection.execute(text(statement))


def test_a_backup_is_whole_while_the_database_is_written(database: Database) -> None:
    with database.write() as session:
        session.add(Reader(pseudonym="R1"))
        copy = database.backup(database.path.parent / "backups")
    backup = Database.at(copy)
    assert backup.check() == []
    backup.close()


def test_files_are_private(database: Database) -> None:
    assert database.path.stat().st_mode & 0o077 == 0
