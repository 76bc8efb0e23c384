"""The archive: the whole study out and in again, byte by byte; damage is found and named."""

import json
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import select

from app.errors import ExportError
from app.interchange.exports.archive import import_archive
from app.interchange.exports.archive_command import main as restore
from app.interchange.exports.command import main as export
from migrations.study.folder import Study
from migrations.study.schema import Base
from tests.app.interchange.readings import add_readings


def _quiet(done: int, total: int) -> None:
    pass


@pytest.fixture
def archive(study, tmp_path) -> Path:
    add_readings(study)
    (study.runs / "one").mkdir()
    (study.runs / "one" / "config.json").write_text("{}")
    (study.cache / "big.npy").write_bytes(b"can be made again")
    assert export(["archive", "--study", str(study.folder), "--out", str(tmp_path / "out")]) == 0
    (path,) = (tmp_path / "out").iterdir()
    return path


def _rows(study: Study) -> dict[str, list]:
    with study.database.read() as session:
        return {
            t.name: [tuple(r) for r in session.execute(select(t).order_by(t.c.id))]
            for t in Base.metadata.sorted_tables
        }


def test_a_study_comes_back_value_by_value(study, archive, tmp_path) -> None:
    assert restore([str(archive), "--study", str(tmp_path / "back")]) == 0
    back = Study.open(tmp_path / "back")
    assert _rows(back) == _rows(study)
    assert len(_rows(back)["gaze_chunk"]) == 4
    for file in (study.folder / "images").rglob("*.*"):
        copy = back.folder / file.relative_to(study.folder)
        assert copy.read_bytes() == file.read_bytes()
    assert (back.runs / "one" / "config.json").read_text() == "{}"
    assert not (back.cache / "big.npy").exists()
    assert back.settings == study.settings
    back.close()


def test_a_damaged_file_is_named_and_nothing_stays(archive, tmp_path) -> None:
    data = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as opened:
        info = next(i for i in opened.infolist() if i.filename.endswith("presentation.png"))
    data[info.header_offset + len(info.filename) + 120] ^= 0xFF
    (tmp_path / "bad.zip").write_bytes(data)
    with pytest.raises(ExportError, match=r"damaged"):
        import_archive(tmp_path / "bad.zip", tmp_path / "back", _quiet)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.zip", "out", "study"]


def test_a_changed_file_fails_its_checksum(archive, tmp_path) -> None:
    changed = tmp_path / "changed.zip"
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(changed, "w") as new:
        for info in old.infolist():
            data = old.read(info)
            new.writestr(
                info.filename, b"name = 'other'" if info.filename[:6] == "study." else data
            )
    with pytest.raises(ExportError, match=r"study\.toml does not have the checksum"):
        import_archive(changed, tmp_path / "back", _quiet)


@pytest.mark.parametrize("name", ["../evil", "/evil", "images/../../evil", "C:\\evil"])
def test_a_name_that_points_out_of_the_study_is_refused(tmp_path, name: str) -> None:
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, b"x")
        sums = {name: "0", "study.toml": "0", "foveate.sqlite": "0"}
        archive.writestr("foveate-archive.json", json.dumps({"version": 1, "sha256": sums}))
    with pytest.raises(ExportError, match="points out of the study"):
        import_archive(path, tmp_path / "back", _quiet)
    assert not (tmp_path / "evil").exists()


def test_what_is_no_archive_and_a_folder_in_use_are_refused(archive, tmp_path, capsys) -> None:
    (tmp_path / "x.zip").write_bytes(b"no zip")
    assert restore([str(tmp_path / "x.zip"), "--study", str(tmp_path / "back")]) == 1
    assert "no study archive" in capsys.readouterr().err
    assert restore([str(archive), "--study", str(tmp_path / "study")]) == 1
    assert "is not empty" in capsys.readouterr().err
