"""What the user can get wrong is said in a line, with exit code 1 or 2 and no traceback."""

from pathlib import Path

import pytest

from migrations.study.command import main
from migrations.study.database import Database
from migrations.study.errors import DatabaseError, StudyError
from migrations.study.folder import Study
from migrations.study.settings import StudySettings


def test_a_file_where_the_study_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(StudyError, match=r"taken cannot be used as a study's folder"):
        Study.create(tmp_path / "taken", StudySettings(name="x"))


def test_a_url_that_is_none_is_refused_without_repeating_it() -> None:
    with pytest.raises(DatabaseError, match="URL cannot be used") as refused:
        Database("nonsense:secret")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("action", ["upgrade", "check", "backup"])
def test_a_folder_without_a_study_is_named(
    action: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([action, "--study", str(tmp_path)]) == 2
    assert str(tmp_path) in capsys.readouterr().err
