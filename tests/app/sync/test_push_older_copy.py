"""An older copy in a study's place: a server that was pushed to knows the later record."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.workspace.cohort_edits import tell_images
from main import main
from migrations.study.database import Database
from migrations.study.folder import Study
from migrations.study.schema import Audit, Image, Reading, StudyCase
from migrations.study.this_computer import config_folder
from tests.app.interchange.readings import add_readings
from tests.app.sync.stations import new_role, url_as


def _labels(database: Database) -> set[str | None]:
    with database.read() as rows:
        return set(rows.scalars(select(Image.label)))


def _label(study: Study, label: str) -> None:
    with study.database.read() as rows:
        case = rows.scalars(select(StudyCase.id).order_by(StudyCase.id)).first()
    tell_images(study, case, "label", label)


def _as_it_was(folder: Path, older: Path) -> None:
    """Put an older copy in the place of a study, on a computer that knows nothing of it."""
    for name in ("foveate.sqlite-wal", "foveate.sqlite-shm"):
        (folder / name).unlink(missing_ok=True)
    shutil.copy2(older, folder / "foveate.sqlite")
    shutil.rmtree(config_folder() / "seals")


@pytest.fixture
def words(study: Study, server: Database, server_url: str, monkeypatch, tmp_path, capsys):
    """Push with a station's role; the study was labelled, copied, labelled anew, pushed, put back.

    Returns
    -------
    list of str
        The line that pushes.
    """
    monkeypatch.setenv("FOVEATE_CONFIG_DIR", str(tmp_path / "config"))
    url = url_as(server_url, *new_role(server_url, capsys))
    line = ["db", "push", "--study", str(study.folder), "--database", url]
    add_readings(study, ("R-01",))
    _label(study, "mass")
    assert main(line) == 0
    study.close()
    shutil.copy2(study.folder / "foveate.sqlite", tmp_path / "older.sqlite")
    later = Study.open(study.folder)
    _label(later, "cyst")
    later.close()
    assert main(line) == 0
    _as_it_was(study.folder, tmp_path / "older.sqlite")
    capsys.readouterr()
    return line


def test_it_is_named_and_what_it_says_undoes_nothing_while_new_readings_go(
    study: Study, server: Database, words: list[str], capsys
) -> None:
    assert main(["db", "check", "--study", str(study.folder)]) == 0, "nobody here knows better"
    older = Study.open(study.folder)
    add_readings(older, ("R-02",))
    _label(older, "scar")
    older.close()
    assert main(words) == 1
    said = capsys.readouterr()
    assert "it is an older copy" in said.err
    assert "db push --accept REASON" in said.err
    assert "2 readings" in said.out
    assert "cyst" in _labels(server)
    with server.read() as rows:
        assert rows.scalar(select(func.count()).select_from(Reading)) == 4
    assert main(words) == 1, "and again, until somebody says why"


def test_it_counts_once_somebody_says_why(
    study: Study, server: Database, words: list[str], capsys
) -> None:
    assert main([*words, "--accept", " "]) == 1
    assert "Give a reason" in capsys.readouterr().err
    assert main([*words, "--accept", "backup of Monday"]) == 0
    assert [main(words) for _ in range(2)] == [0, 0]
    opened = Study.open(study.folder)
    with opened.database.read() as rows:
        query = select(Audit.reason).where(Audit.action == "record accepted")
        assert rows.scalars(query).all() == ["backup of Monday"]
    _label(opened, "scar")
    opened.close()
    assert main(words) == 0
    assert "scar" in _labels(server)
    assert main([*words, "--accept", "again"]) == 1
    assert "nothing to accept" in capsys.readouterr().err


def test_a_cut_tail_of_the_record_is_named_too(study: Study, words: list[str], capsys) -> None:
    opened = Study.open(study.folder)
    for label in ("a", "b", "c"):
        _label(opened, label)
    opened.close()
    assert main([*words, "--accept", "backup"]) == 0
    opened = Database.at(study.folder / "foveate.sqlite")
    with opened.engine.begin() as rows:
        last = rows.exec_driver_sql("SELECT max(number) FROM seal").scalar_one()
        rows.exec_driver_sql("DELETE FROM seal WHERE number > ?", (last - 2,))
    opened.close()
    capsys.readouterr()
    assert main(words) == 1
    assert "its end was cut off" in capsys.readouterr().err
