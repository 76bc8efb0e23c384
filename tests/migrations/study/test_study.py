"""The study folder: made, opened, refused, described by its settings."""

import shutil
from pathlib import Path

import pytest

from migrations.study import folder as study_module
from migrations.study.command import main
from migrations.study.errors import NotAStudy, SettingsError, UnsafeFolder
from migrations.study.folder import Study, require_local
from migrations.study.schema import Reader
from migrations.study.settings import StudySettings, read_settings, write_settings
from tests.migrations import HEAD


@pytest.fixture
def study(tmp_path: Path):
    study = Study.create(tmp_path / "study", StudySettings(name="Trial", classes=("a", 'b"\\')))
    yield study
    study.close()


def test_a_new_study_has_its_folders_and_says_its_settings_again(study: Study) -> None:
    names = {p.name for p in study.folder.iterdir()}
    assert {"study.toml", "foveate.sqlite", "images", "cache", "runs", "exports"} <= names
    assert study.settings.classes == ("a", 'b"\\')
    assert study.folder.stat().st_mode & 0o077 == 0


def test_a_folder_without_a_study_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(NotAStudy, match=r"no study\.toml.*python main\.py import"):
        Study.open(tmp_path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("colour = 1", "unknown setting 'colour'"),
        ("max_loss = 'much'", "max_loss must be float"),
        ("order = 'sorted'", "order must be one of"),
        ("name = ", "not valid TOML"),
        ("calibration_points = true", "calibration_points must be int"),
    ],
)
def test_bad_settings_name_file_and_field(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "study.toml").write_text(line)
    with pytest.raises(SettingsError, match=said) as caught:
        read_settings(tmp_path / "study.toml")
    assert "study.toml" in str(caught.value)


def test_settings_survive_the_file(tmp_path: Path) -> None:
    settings = StudySettings(question='Is "it"\nthere?', max_loss=0.2, classes=("x",))
    write_settings(tmp_path / "study.toml", settings)
    again = read_settings(tmp_path / "study.toml")
    assert again.question == settings.question
    assert again.max_loss == 0.2


@pytest.mark.parametrize("name", ["OneDrive - Clinic", "Dropbox", "iCloud"])
def test_a_folder_synchronised_to_a_cloud_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnsafeFolder, match="synchronised to a cloud"):
        require_local(tmp_path / name / "study")


def test_a_network_drive_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study_module, "_file_system", lambda _path: "nfs4")
    with pytest.raises(UnsafeFolder, match="network drive"):
        require_local(tmp_path)


def test_a_study_can_be_copied_elsewhere_and_opened(study: Study, tmp_path: Path) -> None:
    with study.database.write() as session:
        session.add(Reader(pseudonym="R1"))
    study.close()
    shutil.copytree(study.folder, tmp_path / "copy")
    copy = Study.open(tmp_path / "copy")
    assert copy.database.check() == []
    copy.close()


def test_db_commands_upgrade_check_and_back_up(study: Study, capsys) -> None:
    folder = str(study.folder)
    assert main(["upgrade", "--study", folder]) == 0
    assert main(["check", "--study", folder]) == 0
    assert main(["backup", "--study", folder]) == 0
    assert f"is sound (schema {HEAD})" in capsys.readouterr().out
    assert len(list((study.folder / "backups").glob("*.sqlite"))) == 1


def test_db_check_names_a_damaged_file(study: Study, capsys) -> None:
    study.close()
    path = study.folder / "foveate.sqlite"
    for leftover in study.folder.glob("foveate.sqlite-*"):
        leftover.unlink()
    data = bytearray(path.read_bytes())
    data[4096 : 4096 * 6] = b"\xff" * (4096 * 5)
    path.write_bytes(data)
    assert main(["check", "--study", str(study.folder)]) == 1
    said = capsys.readouterr().err
    assert "foveate.sqlite" in said
    assert "damaged" in said


def test_db_without_a_study_fails_in_words(tmp_path: Path, capsys) -> None:
    assert main(["check", "--study", str(tmp_path)]) == 2
    assert "does not exist" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["mend"], ["check"]])
def test_db_with_wrong_arguments_exits_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
