"""A study is its owner's alone: what is made, and what was copied."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from migrations.study.folder import Study
from migrations.study.private_files import make_private
from migrations.study.processes import MAIN
from migrations.study.settings import StudySettings

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")


def _open_ones(folder: Path) -> list[Path]:
    return [
        p for p in (folder, *folder.rglob("*")) if p.lstat().st_mode & 0o077 and not p.is_symlink()
    ]


def test_a_study_that_a_copy_left_open_is_shut_when_it_is_opened(tmp_path, caplog) -> None:
    Study.create(tmp_path / "study", StudySettings("s")).close()
    outside = tmp_path / "outside"
    outside.touch()
    outside.chmod(0o644)
    (tmp_path / "study" / "images" / "a").mkdir()
    (tmp_path / "study" / "images" / "a" / "stored.npy").touch()
    (tmp_path / "study" / "link").symlink_to(outside)
    for path in (tmp_path / "study", *(tmp_path / "study").rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
    Study.open(tmp_path / "study").close()
    assert _open_ones(tmp_path / "study") == []
    assert "could be read by other users" in caplog.text
    assert outside.stat().st_mode & 0o777 == 0o644, "a link leads out of the study"
    assert not make_private(tmp_path / "study")


def test_what_a_command_writes_is_its_owners_alone(tmp_path) -> None:
    study = tmp_path / "study"
    Study.create(study, StudySettings("s")).close()
    before = _open_ones(study)  # made by this test, behind a folder that is shut
    words = ["export", "archive", "--study", str(study), "--out", str(tmp_path / "out")]
    subprocess.run([sys.executable, str(MAIN), *words], check=True, umask=0o000, timeout=120)
    subprocess.run([sys.executable, str(MAIN), "db", "backup", "--study", str(study)], check=True,
                   umask=0o000, timeout=120)  # fmt: skip
    assert len(list((tmp_path / "out").iterdir())) == 1
    assert [*_open_ones(tmp_path / "out"), *_open_ones(study)] == before
