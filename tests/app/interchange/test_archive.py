"""The archive: the whole study out and in again, byte by byte; damage is found and named."""

import hashlib
import json
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import select

from app.errors import ExportError
from app.interchange.exports import archive_bounds
from app.interchange.exports.archive import export_archive, import_archive
from app.interchange.exports.archive_command import main as restore
from app.interchange.exports.command import main as export
from migrations.study.folder import Study
from migrations.study.jobs import add_job, jobs
from migrations.study.schema import Base, StudyCase
from tests.app.interchange.readings import add_readings


def _quiet(done: int, total: int) -> None:
    pass


@pytest.fixture
def archive(study, tmp_path) -> Path:
    add_readings(study)
    with study.database.write() as session:
        session.scalars(select(StudyCase)).first().sheet = {"sex": "female", "question": "Lump?"}
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
    here, there = _rows(study), _rows(back)
    left, came = (set(map(repr, rows["audit"])) for rows in (here, there))
    assert ["'exported'" in row for row in left - came] == [True]
    assert ["'archive imported'" in row for row in came - left] == [True]
    for name in ("audit", "seal", "seal_key"):  # each of the two has gone on by one row since
        del here[name], there[name]
    assert there == here
    assert repr({"sex": "female", "question": "Lump?"}) in repr(there["study_case"])
    assert len(there["gaze_chunk"]) == 4
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
    with pytest.raises(ExportError, match=r"checksum of study\.toml does not match"):
        import_archive(changed, tmp_path / "back", _quiet)


@pytest.mark.parametrize("name", ["../evil", "/evil", "images/../../evil", "C:\\evil"])
def test_a_name_that_points_out_of_the_study_is_refused(tmp_path, name: str) -> None:
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, b"x")
        sums = {name: "0", "study.toml": "0", "foveate.sqlite": "0"}
        archive.writestr("foveate-archive.json", json.dumps({"version": 1, "sha256": sums}))
    with pytest.raises(ExportError, match="points outside the study"):
        import_archive(path, tmp_path / "back", _quiet)
    assert not (tmp_path / "evil").exists()


def _made(path: Path, files: dict[str, bytes], listed: object = None) -> Path:
    """An archive of somebody else, whose checksums are right."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        sums = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        table = {"version": 1, "sha256": sums} if listed is None else listed
        archive.writestr("foveate-archive.json", json.dumps(table))
    return path


_WHOLE = {"study.toml": b"", "foveate.sqlite": b""}


def test_no_queued_training_leaves_with_an_archive_or_comes_with_one(study, tmp_path) -> None:
    add_readings(study)
    add_job(study.folder, ["--a"])
    file = export_archive(study, tmp_path / "out", _quiet)
    with zipfile.ZipFile(file) as archive:
        assert not [name for name in archive.namelist() if "queue" in name]
        files = {n: archive.read(n) for n in archive.namelist() if n != "foveate-archive.json"}
    crafted = files | {"runs/queue/x/job.json": b"{}", "runs/Queue/y/job.json": b"{}"}
    import_archive(_made(tmp_path / "x.zip", crafted), tmp_path / "back", _quiet)
    assert jobs(tmp_path / "back") == []
    assert not list((tmp_path / "back").rglob("job.json"))


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"images/a/stored.npy": bytes(300 << 20)}, "times its size"),
        ({f"images/{'d/' * 20}x": b""}, "is not a file of a study"),
        ({f"images/{'n' * 500}": b""}, "is not a file of a study"),
        ({"exports/x.csv": b""}, "is not a file of a study"),
        ({"images/\x1b[2Jx": b""}, "is not a file of a study"),
    ],
    ids=["a bomb", "too deep", "too long", "another place", "control characters"],
)
def test_what_no_study_can_be_is_refused_before_it_is_unpacked(
    tmp_path, files: dict[str, bytes], why: str
) -> None:
    path = _made(tmp_path / "x.zip", _WHOLE | files)
    with pytest.raises(ExportError, match=why):
        import_archive(path, tmp_path / "back", _quiet)
    assert [p.name for p in tmp_path.iterdir()] == ["x.zip"]


@pytest.mark.parametrize("listed", [[], {"sha256": []}, {"version": 1}, "x"])
def test_a_list_that_is_none_is_refused(tmp_path, listed: object) -> None:
    with pytest.raises(ExportError, match="list of files is not a list"):
        import_archive(_made(tmp_path / "x.zip", {}, listed), tmp_path / "back", _quiet)


def test_a_list_nested_too_deep_or_too_long_and_too_many_files_are_refused(
    tmp_path, monkeypatch
) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("foveate-archive.json", "[" * 200_000)
    with pytest.raises(ExportError, match="nested too deep"):
        import_archive(path, tmp_path / "back", _quiet)
    whole = _made(tmp_path / "y.zip", _WHOLE)
    for bound, why in (("LONGEST_LIST", "list of files is longer"), ("MOST_FILES", "more than 1")):
        monkeypatch.setattr(archive_bounds, bound, 1)
        with pytest.raises(ExportError, match=why):
            import_archive(whole, tmp_path / "back", _quiet)


def test_a_disk_too_small_for_it_is_told_before_it_is_full(archive, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(archive_bounds, "KEPT_FREE", 1 << 60)
    with pytest.raises(ExportError, match="are free at"):
        import_archive(archive, tmp_path / "back", _quiet)


def test_what_is_no_archive_and_a_folder_in_use_are_refused(archive, tmp_path, capsys) -> None:
    (tmp_path / "x.zip").write_bytes(b"no zip")
    assert restore([str(tmp_path / "x.zip"), "--study", str(tmp_path / "back")]) == 1
    assert "not a study archive" in capsys.readouterr().err
    assert restore([str(archive), "--study", str(tmp_path / "study")]) == 1
    assert "is not empty" in capsys.readouterr().err
