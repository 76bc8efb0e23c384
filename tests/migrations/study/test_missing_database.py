"""A study whose database is gone is refused by name: nothing makes an empty one without a word."""

from pathlib import Path

import pytest

from migrations.study.command import main as db
from migrations.study.errors import DatabaseError
from migrations.study.folder import Study
from migrations.study.settings import StudySettings
from tests.trainer.gaze_study import StudyMaker
from trainer.api import open_study


@pytest.fixture
def database(tmp_path: Path) -> Path:
    maker = StudyMaker.create(tmp_path / "study")
    maker.image()
    maker.study.backup()
    maker.study.close()
    return tmp_path / "study" / "foveate.sqlite"


@pytest.mark.parametrize("left", [None, b""], ids=["missing", "empty"])
@pytest.mark.parametrize("action", ["backup", "upgrade"])
def test_a_command_does_not_take_an_empty_database_for_a_study_that_was_used(
    database: Path, left: bytes | None, action: str, capsys
) -> None:
    database.unlink()
    if left is not None:
        database.write_bytes(left)
    backups = sorted(database.parent.rglob("backups/*.sqlite"))
    assert db([action, "--study", str(database.parent)]) == 1
    assert "db restore" in capsys.readouterr().err
    assert (database.read_bytes() if database.exists() else None) == left
    assert sorted(database.parent.rglob("backups/*.sqlite")) == backups


def test_the_door_makes_no_database_where_there_is_none(database: Path) -> None:
    database.unlink()
    with pytest.raises(DatabaseError, match="is missing"):
        open_study(database.parent)
    assert not database.exists()


def test_a_study_that_was_only_begun_gets_its_database(tmp_path: Path) -> None:
    Study.create(tmp_path / "study", StudySettings()).close()
    (tmp_path / "study" / "foveate.sqlite").unlink()
    study = Study.open(tmp_path / "study")
    assert study.database.check() == []
    study.close()
