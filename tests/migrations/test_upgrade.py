"""A study of an older schema: backed up, upgraded when opened, or left as it was."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic.config import Config
from sqlalchemy import inspect, text

from migrations.study import database as database_module
from migrations.study.database import Database
from migrations.study.errors import DatabaseError
from migrations.study.folder import Study
from migrations.study.schema import Reader, Session
from migrations.study.settings import StudySettings
from tests.migrations import HEAD

LATER = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "test2", "{head}", None, None


def upgrade():
    op.create_table("later", sa.Column("id", sa.Integer(), primary_key=True))
    op.execute("INSERT INTO later (id) VALUES (7)")
    with op.batch_alter_table("reader", recreate="always") as table:
        table.add_column(sa.Column("later", sa.Text(), nullable=True))
    op.execute("UPDATE reader SET later = pseudonym || '!'")
    {last}


def downgrade():
    with op.batch_alter_table("reader", recreate="always") as table:
        table.drop_column("later")
    op.drop_table("later")
"""

Later = Callable[[str], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A study of today's schema: two readers, a session that refers to one of them."""
    study = Study.create(tmp_path / "a study", StudySettings(name="old"))
    with study.database.write() as session:
        session.add_all([Reader(id="one", pseudonym="R1"), Reader(pseudonym="R2")])
        session.flush()
        session.add(_sitting("one"))
    study.close()
    return study.folder


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Later:
    """Add a revision after today's to the history, as a later Foveate would."""
    made = database_module._config
    scripts = tmp_path / "later versions"
    scripts.mkdir()

    def config() -> Config:
        found = made()
        own = Path(database_module.__file__).parents[1] / "versions"
        found.set_main_option("path_separator", "newline")
        found.set_main_option("version_locations", f"{own.as_posix()}\n{scripts.as_posix()}")
        return found

    def add(last: str = "") -> None:
        (scripts / "test2.py").write_text(LATER.format(head=HEAD, last=last or "pass"))
        monkeypatch.setattr(database_module, "_config", config)

    return add


def test_opening_an_older_study_backs_it_up_and_upgrades_it(folder: Path, later: Later) -> None:
    later("")
    study = Study.open(folder)
    (copy,) = (folder / "backups").iterdir()
    assert study.database.revision() == "test2"
    assert _values(study.database, "SELECT later FROM reader ORDER BY later") == ["R1!", "R2!"]
    assert _values(study.database, "SELECT reader_id FROM session") == ["one"]
    assert study.database.check() == []
    study.close()
    before = Database.at(copy)
    assert (before.revision(), before.check()) == (HEAD, [])
    assert _values(before, "SELECT pseudonym FROM reader ORDER BY 1") == ["R1", "R2"]
    assert "later" not in inspect(before.engine).get_table_names()
    before.close()


def test_opening_it_again_makes_no_second_backup(folder: Path, later: Later) -> None:
    later("")
    for _ in range(2):
        Study.open(folder).close()
    assert len(list((folder / "backups").iterdir())) == 1


def test_an_upgraded_study_goes_down_again_with_its_rows(folder: Path, later: Later) -> None:
    later("")
    study = Study.open(folder)
    study.database.downgrade(str(HEAD))
    assert study.database.revision() == HEAD
    assert _values(study.database, "SELECT pseudonym FROM reader ORDER BY 1") == ["R1", "R2"]
    assert study.database.check() == []
    with pytest.raises(Exception, match="FOREIGN KEY"), study.database.write() as session:
        session.add(_sitting("nobody"))
    study.close()


@pytest.mark.parametrize(
    ("last", "said"),
    [
        ("raise RuntimeError('half way')", "half way"),
        ("op.execute('INSERT INTO nowhere VALUES (1)')", "no such table: nowhere"),
        (
            """op.execute("DELETE FROM reader WHERE id = 'one'")""",
            "session would refer to a missing",
        ),
    ],
    ids=["exception", "sql", "reference"],
)
def test_a_step_that_fails_leaves_the_database_as_it_was_and_names_the_backup(
    folder: Path, later: Later, last: str, said: str
) -> None:
    before = _dump(folder / "foveate.sqlite")
    later(last)
    with pytest.raises(DatabaseError) as failed:
        Study.open(folder)
    (copy,) = (folder / "backups").iterdir()
    assert str(copy) in str(failed.value)
    assert "It is unchanged" in str(failed.value)
    assert said in str(failed.value)
    assert _dump(folder / "foveate.sqlite") == before
    assert _dump(copy) == before


def test_a_backup_that_cannot_be_written_stops_the_upgrade(folder: Path, later: Later) -> None:
    later("")
    (folder / "backups").write_text("a file where the folder should be")
    with pytest.raises(DatabaseError, match=r"cannot be backed up to .*backups"):
        Study.open(folder)
    database = Database.at(folder / "foveate.sqlite")
    assert database.revision() == HEAD
    database.close()


def _sitting(reader_id: str) -> Session:
    values = {
        column.name: _any(column.type.python_type)
        for column in Session.__table__.columns
        if not column.nullable and column.default is None and not column.foreign_keys
    }
    return Session(**values | {"reader_id": reader_id})


def _any(kind: type) -> object:
    return {str: "", int: 0, float: 1.0, dict: {}, list: []}.get(kind, "")


def _values(database: Database, query: str) -> list[object]:
    with database.engine.connect() as connection:
        return list(connection.execute(text(query)).scalars())


def _dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())
