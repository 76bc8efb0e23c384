"""The audit cannot be rewritten without a trace, whoever may write to the database's file."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from app.images.importing.importer import import_paths
from migrations.study.command import main
from migrations.study.folder import Study
from migrations.study.settings import StudySettings
from tests.app.images.image_files import png


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a study's folder whose audit says that two images were imported."""
    folder = tmp_path_factory.mktemp("audit")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOVEATE_CONFIG_DIR", str(folder / "config"))
        study = Study.create(folder / "study", StudySettings())
        noise = np.random.default_rng(0).integers(0, 255, (2, 40, 30)).astype(np.uint8)
        import_paths(study, [png(folder / f"{k}.png", pixels) for k, pixels in enumerate(noise)])
        study.close()
    return folder


@pytest.fixture
def folder(imported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the study's folder."""
    monkeypatch.setenv("FOVEATE_CONFIG_DIR", str(imported / "config"))
    copied = tmp_path / "study"
    shutil.copytree(imported / "study", copied)
    return copied


def tamper(folder: Path, change: str) -> None:
    """Change the audit behind its triggers' back, and put them back."""
    with closing(sqlite3.connect(folder / "foveate.sqlite")) as rows:
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'"
        triggers = rows.execute(query).fetchall()
        for name, _ in triggers:
            rows.execute(f"DROP TRIGGER {name}")
        if rows.execute(change).rowcount != 1:
            pytest.fail("one row was to be changed")
        for _, sql in triggers:
            rows.execute(sql)
        rows.commit()


def test_an_audit_that_nobody_touched_is_sound(folder: Path, capsys) -> None:
    assert main(["check", "--study", str(folder)]) == 0
    assert "is sound" in capsys.readouterr().out


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET action = 'never happened' WHERE id = (SELECT min(id) FROM audit)",
        "UPDATE audit SET time_utc = '2020-01-01T00:00:00Z' WHERE id = (SELECT max(id) FROM audit)",
        "DELETE FROM audit WHERE id = (SELECT min(id) FROM audit)",
    ],
    ids=["action", "time", "removed"],
)
def test_a_check_finds_a_row_of_the_audit_that_was_rewritten(
    change: str, folder: Path, capsys
) -> None:
    tamper(folder, change)
    code = main(["check", "--study", str(folder)])
    said = "".join(capsys.readouterr())
    assert code == 1
    assert "is sound" not in said
    assert "audit" in said


def test_a_check_finds_that_the_audit_is_not_guarded_any_more(folder: Path, capsys) -> None:
    with closing(sqlite3.connect(folder / "foveate.sqlite")) as rows:
        rows.execute("DROP TRIGGER audit_no_update")
        rows.commit()
    code = main(["check", "--study", str(folder)])
    assert code == 1
    assert "audit" in "".join(capsys.readouterr())
