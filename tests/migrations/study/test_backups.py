"""Backups: verified, small, thinned, swept after a kill, and put back."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.recording.restore_command import main as restore
from migrations.study.backups import back_up
from migrations.study.command import main as db
from migrations.study.errors import DatabaseDamaged, DiskFull, UnsafeFolder
from migrations.study.folder import Study, backup_folder
from migrations.study.schema import Base, GazeChunk
from migrations.study.settings import StudySettings
from migrations.study.thinning import LEAST, kept, thin
from tests.trainer.gaze_study import CHUNK, StudyMaker

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.fixture
def made(tmp_path: Path) -> StudyMaker:
    maker = StudyMaker.create(tmp_path / "study")
    maker.read_once(maker.image(), [(100 + k, 80) for k in range(4 * CHUNK)])
    return maker


def rows_of(study: Study) -> dict[str, list]:
    with study.database.read() as session:
        tables = Base.metadata.sorted_tables
        return {t.name: session.execute(select(t).order_by(t.c.id)).all() for t in tables}


def blobs(backup: Path) -> int:
    with closing(sqlite3.connect(backup)) as rows:
        return rows.execute("SELECT sum(length(blob)) FROM gaze_chunk").fetchone()[0]


def test_a_database_that_was_analysed_for_sqlites_planner_is_backed_up(made: StudyMaker) -> None:
    with closing(sqlite3.connect(made.study.folder / "foveate.sqlite")) as rows:
        rows.execute("ANALYZE")
        rows.commit()
    assert made.study.backup().is_file()
    assert made.study.database.check() == []


def test_gaze_is_copied_once_for_all_backups_and_comes_back_whole(made: StudyMaker) -> None:
    made.study.backup()
    made.samples(50_000_000, [(10, 10)] * CHUNK)
    second = made.study.backup()
    before = rows_of(made.study)
    folder = made.study.folder
    assert blobs(second) == 0
    assert list(second.parent.glob("*.sqlite")) == [second]  # the latest of the hour
    with closing(sqlite3.connect(second.parent / "gaze" / "chunks.sqlite")) as store:
        assert store.execute("SELECT count(*) FROM gaze_chunk").fetchone() == (5,)
    made.study.close()
    with closing(sqlite3.connect(folder / "foveate.sqlite")) as rows:
        rows.execute("DELETE FROM gaze_chunk")
        rows.commit()
    assert restore(["restore", "--study", str(folder)]) == 0
    again = Study.open(folder)
    after = rows_of(again)
    again.close()
    assert [row.action for row in after["audit"] if row not in before["audit"]] == ["restored"]
    assert [row for row in before["seal"] if row not in after["seal"]] == []
    sealed = ("audit", "seal", "seal_head")  # the restore is written to the record
    assert [n for n in before if n not in sealed and after[n] != before[n]] == []
    assert db(["check", "--study", str(folder)]) == 0
    assert len(list((folder / "set-aside").glob("*/foveate.sqlite"))) == 1


def test_the_copy_has_the_triggers_indexes_and_schema_of_the_study(made: StudyMaker) -> None:
    query = "SELECT type, name, tbl_name FROM sqlite_master ORDER BY 1, 2"
    with (
        closing(sqlite3.connect(made.study.backup())) as copy,
        closing(sqlite3.connect(made.study.folder / "foveate.sqlite")) as study,
    ):
        assert copy.execute(query).fetchall() == study.execute(query).fetchall()
        version = "SELECT version_num FROM alembic_version"
        assert copy.execute(version).fetchall() == study.execute(version).fetchall()


def test_a_chunk_that_is_damaged_in_the_study_never_replaces_its_backup(made: StudyMaker) -> None:
    made.study.backup()
    with closing(sqlite3.connect(made.study.folder / "foveate.sqlite")) as rows:
        rows.execute("UPDATE gaze_chunk SET blob = x'0102' WHERE sequence = 1")
        rows.commit()
    made.study.backup()  # it is in the backups already
    made.study.close()
    assert restore(["restore", "--study", str(made.study.folder)]) == 0
    assert db(["check", "--study", str(made.study.folder)]) == 0


def test_damage_that_no_backup_makes_good_is_said_when_it_is_copied(made: StudyMaker) -> None:
    with made.study.database.write() as rows:
        rows.execute(update(GazeChunk).where(GazeChunk.sequence == 1).values(blob=b"damaged"))
    with pytest.raises(DatabaseDamaged, match="made without 1 chunks of gaze"):
        made.study.backup()
    assert len(list((made.study.folder / "backups").glob("*.sqlite"))) == 1


def test_a_copy_that_is_not_sound_is_not_kept(made: StudyMaker) -> None:
    with closing(sqlite3.connect(made.study.folder / "foveate.sqlite")) as rows:
        rows.execute("UPDATE gaze_chunk SET recording_id = 'nobody'")
        rows.commit()
    for make in (made.study.backup, lambda: made.study.database.backup(made.study.folder / "b")):
        with pytest.raises(DatabaseDamaged, match=r"The backup of .* was discarded"):
            make()
    assert not list(made.study.folder.glob("b*/*.sqlite"))
    assert not list(made.study.folder.glob("b*/*.partial"))


def test_what_a_killed_backup_left_is_swept_by_the_next(made: StudyMaker) -> None:
    folder = made.study.folder / "backups"
    folder.mkdir()
    left = [folder / f"foveate-2000000000-1-{'0' * 32}.partial{end}" for end in ("", "-journal")]
    for path in left:
        path.write_text("half")
    made.study.backup()
    assert not any(path.exists() for path in left)


def test_of_half_a_year_of_daily_sessions_some_forty_backups_stay() -> None:
    sessions = [NOW - timedelta(hours=24 * day + hour) for day in range(182) for hour in (1, 3, 5)]
    stay = kept(sessions, NOW)
    ages = [NOW - each for each in stay]
    assert max(sessions) in stay
    assert sum(age < timedelta(days=1) for age in ages) == 3
    assert sum(timedelta(days=1) <= age < timedelta(days=14) for age in ages) == 13
    assert 24 <= sum(age >= timedelta(days=14) for age in ages) <= 26
    assert kept(stay, NOW) == stay


def test_a_full_disk_keeps_the_latest_few_and_every_copy_from_before_an_upgrade(tmp_path) -> None:
    for day in range(8):
        stamp = (datetime.now(UTC) - timedelta(days=day)).strftime("%Y%m%dT%H%M%S%fZ")
        (tmp_path / f"foveate-{stamp}.sqlite").touch()
    (tmp_path / "foveate-20200101T000000000000Z-schema-0001.sqlite").touch()
    thin(tmp_path, "foveate", lambda _folder: 0.01)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert len(left) == LEAST + 1
    assert left[0].endswith("-schema-0001.sqlite")


def test_a_backup_that_does_not_fit_names_its_own_disk_and_not_the_studys(
    made: StudyMaker, tmp_path: Path
) -> None:
    with (
        pytest.raises(
            DiskFull, match=rf"The disk \S* is full: .* backed up to {tmp_path / 'to'}\."
        ),
        made.study.database.copied_to(tmp_path / "to"),
    ):
        raise sqlite3.OperationalError("database or disk is full")


def test_a_relative_backup_folder_is_meant_from_the_study(tmp_path: Path) -> None:
    settings = StudySettings(backup_folder="copies")
    assert backup_folder(tmp_path, settings) == tmp_path / "copies"
    assert backup_folder(tmp_path, StudySettings()) == tmp_path / "backups"


def test_a_backup_folder_in_a_cloud_is_refused(tmp_path: Path) -> None:
    settings = StudySettings(backup_folder=str(tmp_path / "Dropbox"))
    study = Study.create(tmp_path / "study", settings)
    with pytest.raises(UnsafeFolder, match="cloud"):
        study.backup()
    study.close()
    assert not (tmp_path / "Dropbox").exists()


def test_a_backup_is_consistent_while_a_writer_holds_the_database(made: StudyMaker) -> None:
    with made.study.database.write():
        copy = back_up(made.study.folder / "foveate.sqlite", made.study.folder / "b")
    assert copy.is_file()


def test_restore_without_a_backup_changes_nothing(made: StudyMaker, capsys) -> None:
    made.study.close()
    assert restore(["--study", str(made.study.folder)]) == 1
    assert "There is no backup" in capsys.readouterr().err
    assert (made.study.folder / "foveate.sqlite").is_file()
