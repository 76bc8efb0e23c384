"""The sealed record: changes behind Foveate's back are found, those that it makes are no alarm."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from bench.seals import alarms, faults, filled_study, tried
from migrations.study.command import main
from migrations.study.database import Database
from migrations.study.erasure import compact, erase_reader
from migrations.study.schema import Answer, Audit, Image, Seal, SealKey
from migrations.study.seal.server import push_head
from migrations.study.this_computer import config_folder
from tests.migrations.older_study import FIRST_SCHEMA, older_study
from tests.trainer.gaze_study import StudyMaker


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the database of a study with rows in every table."""
    monkeypatch.setenv("FOVEATE_CONFIG_DIR", str(tmp_path / "config"))
    return filled_study(tmp_path / "study")


def _run(database: Path, *statements: str) -> None:
    with closing(sqlite3.connect(database)) as rows:
        for statement in statements:
            rows.execute(statement)
        rows.commit()


def test_of_66_single_changes_none_is_missed(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("FOVEATE_CONFIG_DIR", str(tmp_path / "config"))
    counts, missed = tried(tmp_path, 66, seed=21)
    assert missed == []
    assert sum(n for (_, outcome), n in counts.items() if outcome == "found") > 40


@pytest.mark.parametrize("column", ["type", "tbl_name"])
def test_a_changed_word_of_an_index_that_sqlite_makes_itself_is_found(
    database: Path, column: str
) -> None:
    # SQLite reads neither, so its own check of the file finds nothing.
    _run(database, "PRAGMA writable_schema = ON",
         f"UPDATE sqlite_master SET {column} = 'hndex' WHERE name = 'sqlite_autoindex_reader_1'",
         "PRAGMA writable_schema = OFF")  # fmt: skip
    assert faults(database) == ["sqlite_autoindex_reader_1 in the schema was added or changed"]


def test_what_sqlite_counts_for_its_planner_is_no_alarm(database: Path) -> None:
    _run(database, "ANALYZE")
    assert faults(database) == []


def test_studies_that_foveate_alone_changed_raise_no_alarm(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("FOVEATE_CONFIG_DIR", str(tmp_path / "config"))
    assert alarms(tmp_path, 2) == []


def test_the_first_broken_seal_is_named(database: Path) -> None:
    _run(database, "UPDATE seal SET body = replace(body, 'audit', 'audio') WHERE number = 3",
         "UPDATE seal SET hash = x'00' WHERE number = 4")  # fmt: skip
    broken = [said for said in faults(database) if "is broken" in said]
    assert len(broken) == 1
    assert broken[0].startswith("seal 3 ")


def test_a_chain_computed_anew_without_the_key_is_found(database: Path) -> None:
    _run(database, "UPDATE seal SET signature = x''")
    assert any("is broken" in said for said in faults(database))


def test_an_erasure_leaves_the_record_whole_and_nothing_of_the_reader(database: Path) -> None:
    with closing(Database.at(database)) as opened:
        with opened.write() as rows:
            rows.add(Audit(station="s", action="a", subject="reader-2", person="pseudonym 2"))
        assert erase_reader(opened, "pseudonym 2")
        compact(opened)
        with opened.read() as rows:
            assert rows.scalars(select(Audit.person).where(Audit.action == "a")).all() == ["erased"]
    assert faults(database) == []
    data = database.read_bytes()
    assert b"pseudonym 2" not in data
    assert b"session-2" not in data


def test_what_foveate_changes_and_removes_is_sealed_again(database: Path) -> None:
    with closing(Database.at(database)) as opened, opened.write() as rows:
        rows.execute(update(Image).values(label="other"))
        rows.execute(delete(Answer).where(Answer.id == "answer-3"))
    assert faults(database) == []


def test_a_write_that_fails_leaves_no_seal(database: Path) -> None:
    with closing(Database.at(database)) as opened:
        with pytest.raises(IntegrityError), opened.write() as rows:
            rows.execute(update(Image).values(label="other", cleared_by="x", source_group=None))
        with opened.write() as rows:
            rows.execute(update(Image).where(Image.id == "image-1").values(label="one"))
        with opened.read() as rows:
            links = rows.scalars(select(Seal.number).order_by(Seal.number)).all()
    assert list(links) == list(range(1, len(links) + 1))
    assert faults(database) == []


def test_two_programs_that_write_in_turn_make_one_chain(database: Path) -> None:
    with closing(Database.at(database)) as one, closing(Database.at(database)) as other:
        for number, opened in enumerate((one, other, other, one, one)):
            with opened.write(signed=number % 2 == 0) as rows:
                rows.execute(update(Image).values(label=f"{number}"))
        assert faults(database) == []
        with one.write() as rows:
            rows.execute(update(Image).values(label="last"))
    assert faults(database) == []


def test_an_older_copy_in_its_place_is_found_and_stays_found(database: Path) -> None:
    older = database.with_name("older")
    shutil.copy2(database, older)
    for label in ("a", "b"):
        with closing(Database.at(database)) as opened, opened.write() as rows:
            rows.execute(update(Image).values(label=label))
        shutil.copy2(older, database)
        assert any("replaced with an older copy" in said for said in faults(database))


def test_another_record_is_accepted_with_a_reason_and_only_where_nothing_else_is_wrong(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.setenv("FOVEATE_CONFIG_DIR", str(tmp_path / "config"))
    maker = StudyMaker.create(tmp_path / "study")
    maker.image()
    maker.study.close()
    folder = maker.study.folder
    other = StudyMaker.create(tmp_path / "other")
    other.image()
    other.study.close()
    for name in ("foveate.sqlite", "study.toml", "images"):
        part = folder / name
        shutil.rmtree(part) if part.is_dir() else part.unlink()
        (tmp_path / "other" / name).rename(part)
    check = ["check", "--study", str(folder)]
    assert main(check) == 1
    assert "another study" in capsys.readouterr().err
    accept = [*check, "--accept", "moved here"]
    _run(folder / "foveate.sqlite", "UPDATE image SET label = 'b'")
    assert main(accept) == 1
    assert "other faults" in capsys.readouterr().err
    _run(folder / "foveate.sqlite", "UPDATE image SET label = NULL")
    assert (main(accept), main(check)) == (0, 0)
    with closing(sqlite3.connect(folder / "foveate.sqlite")) as rows:
        last = rows.execute("SELECT action, reason FROM audit ORDER BY id DESC").fetchone()
    assert last == ("record accepted", "moved here")
    assert main(accept) == 1
    assert "nothing to accept" in capsys.readouterr().err


def test_the_key_is_its_owners_alone_and_its_public_half_is_in_the_study(database: Path) -> None:
    key = config_folder() / "station.key"
    assert key.stat().st_mode & 0o077 == 0
    with closing(Database.at(database)) as opened, opened.read() as rows:
        public = rows.scalars(select(SealKey.public)).all()
    assert 32 in [len(p) for p in public]
    assert key.read_bytes() not in database.read_bytes()


def test_a_study_of_0_1_0_is_sealed_as_it_is_found(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("FOVEATE_CONFIG_DIR", str(tmp_path / "config"))
    folder = older_study(tmp_path / "study")
    database = folder / "foveate.sqlite"
    with closing(Database.at(database)) as opened:
        opened.upgrade()
        with opened.read() as rows:
            own = select(Audit.person).where(Audit.action != "schema upgraded")
            assert rows.scalars(own).all() == [None]
            last = rows.scalars(select(Audit).where(Audit.action == "schema upgraded")).one()
            assert last.details["from"] == FIRST_SCHEMA
            assert last.person.startswith("user-")
    assert faults(database) == []
    _run(database, "UPDATE reader SET created_utc = 'changed'")
    assert any(
        "of reader differs from what was sealed with seal 1 " in said for said in faults(database)
    )
    with closing(Database.at(database)) as opened:
        opened.downgrade(FIRST_SCHEMA)
        opened.upgrade()
        assert opened.check() == []


def test_a_server_that_knows_a_later_seal_says_so(database: Path, tmp_path: Path) -> None:
    older = tmp_path / "older.sqlite"
    shutil.copy2(database, older)
    with closing(Database.at(tmp_path / "server.sqlite")) as server:
        server.upgrade()
        with closing(Database.at(database)) as opened:
            with opened.write() as rows:
                rows.execute(update(Image).values(label="later"))
            assert push_head(opened, server) == push_head(opened, server) == ""
        with closing(Database.at(older)) as opened:
            assert "it is an older copy" in push_head(opened, server)
