"""The right to be forgotten: no byte is left, here or on the server, and nothing comes back."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from app.images.importing.importer import import_paths
from app.interchange.importing import import_gaze
from app.interchange.matching import Matcher
from app.interchange.options import ImportOptions
from main import main
from migrations.study.database import Database
from migrations.study.folder import Study
from migrations.study.names import names_of
from migrations.study.schema import (
    Audit,
    Base,
    CaseImage,
    Image,
    Reader,
    Reading,
    Session,
    SimilarityRun,
    StudyCase,
)
from migrations.study.sync.push import push
from migrations.study.tombstones import Tombstones
from tests.app.interchange.conftest import NAMES
from tests.app.interchange.gaze_files import gaze_json, picture
from tests.app.interchange.readings import add_readings

NAME = "Reader-Quine-7"


@pytest.fixture
def known(study: Study) -> set[bytes]:
    """Two readers have read; return what is known of the one who will go."""
    add_readings(study, (NAME, "R-02"))
    with study.database.write() as session:
        session.add(Audit(station="", action="noted", subject=NAME, details={"who": [NAME, "x"]}))
        reader = session.scalar(select(Reader).where(Reader.pseudonym == NAME))
        readings = session.scalars(select(Reading.id).where(Reading.reader_id == reader.id)).all()
        sittings = session.scalars(select(Session.id).where(Session.reader_id == reader.id)).all()
        similar = {"measure": "tima", "parameters": {"reader": NAME}, "cohort_fingerprint": "f"}
        session.add(SimilarityRun(**similar, image_count=2, valid_share=1.0, seconds=1.0))
        chunk = session.connection().exec_driver_sql(
            "SELECT blob FROM gaze_chunk JOIN recording ON recording.id = recording_id "
            "WHERE session_id = ?", (sittings[0],)
        ).scalars().first()  # fmt: skip
        return {NAME.encode(), reader.id.encode(), chunk[20:60]} | {
            i.encode() for i in (*readings, *sittings)
        }


def _holds(folder: Path, needles: set[bytes]) -> list[str]:
    return [
        f"{path.name}: {needle[:40]!r}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for needle in needles
        if needle in path.read_bytes()
    ]


def test_of_a_reader_no_byte_is_left(study, known, capsys) -> None:
    assert _holds(study.folder, known)
    (study.cache / "similarity").mkdir(exist_ok=True)
    (study.cache / "similarity" / "x.npz").write_text(NAME)
    assert main(["db", "erase", "--study", str(study.folder), "--reader", NAME, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["rows"]["reading"], said["rows"]["reader"]) == (2, 1)
    study.close()
    assert _holds(study.folder, known) == []
    database = Database.at(study.folder / "foveate.sqlite")
    assert database.check() == []
    with database.read() as session:
        assert session.scalars(select(Reader.pseudonym)).all() == ["R-02"]
        assert len(session.scalars(select(Reading.id)).all()) == 2
        stone = session.scalars(select(Audit).where(Audit.action == "erased")).one()
        noted = session.scalars(select(Audit).where(Audit.action == "noted")).one()
    assert NAME not in json.dumps(stone.details)
    assert (noted.subject, noted.details) == ("erased", {"who": ["erased", "x"]})
    with pytest.raises(Exception, match="append-only"), database.write() as session:
        session.delete(session.get(Audit, stone.id))
    database.close()


def test_runs_exports_and_backups_that_hold_traces_are_listed(
    study, known, tmp_path, monkeypatch, capsys
) -> None:
    own = tmp_path / "temporary"  # the machine's own holds what other processes left
    own.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(own))
    study.backup()
    (study.runs / "clean").mkdir()
    (study.runs / "clean" / "config.json").write_text("{}")
    (study.runs / "named").mkdir()
    (study.runs / "named" / "report.html").write_text(f"<p>{NAME}</p>")
    (study.runs / "weights").mkdir()
    (study.runs / "weights" / "encoder.safetensors").write_bytes(b"x")
    assert main(["export", "bids", "--study", str(study.folder)]) == 0
    assert main(["export", "archive", "--study", str(study.folder)]) == 0
    capsys.readouterr()
    main(["db", "erase", "--study", str(study.folder), "--reader", NAME, "--json"])
    traces = json.loads(capsys.readouterr().out)["traces"]
    found = {(t["kind"], Path(t["path"]).name.split("-2")[0]) for t in traces}
    assert found == {
        ("run", "named"), ("run", "weights"), ("export", "bids"), ("export", "archive"),
        ("backup", "foveate"), ("backup", "chunks.sqlite"),
    }  # fmt: skip


def test_a_patient_goes_with_images_rows_and_files(study, known, template, capsys) -> None:
    with study.database.read() as session:
        image = session.scalars(select(Image).order_by(Image.import_number)).first()
    needles = {image.id.encode(), image.sha256.encode(), image.source_group.encode()}
    pixels = (study.image_folder(image.id) / "stored.npy").read_bytes()[200:400]
    group = image.source_group
    assert main(["db", "erase", "--study", str(study.folder), "--patient", group]) == 0
    assert "1 image," in capsys.readouterr().out
    assert not study.image_folder(image.id).exists()
    with study.database.read() as session:
        assert len(session.scalars(select(Image.id)).all()) == 1
        assert len(session.scalars(select(Reading.id)).all()) == 2
    assert study.database.check() == []
    study.close()
    assert _holds(study.folder, needles | {pixels}) == []
    # The same picture does not come back.
    again = Study.open(study.folder)
    file = picture(study.folder.parent / "again" / "x.png", NAMES.index("P1"))
    (result,) = import_paths(again, [file])
    assert (result.status, "erased" in result.reason) == ("refused", True)
    again.close()


def test_an_image_goes_by_its_name_but_a_few_characters_of_it_are_not_enough(
    study, known, capsys
) -> None:
    with study.database.write() as session:
        names = names_of(session, "image")
        image_id, other_id = names
        sitting = session.scalars(select(Session)).first()
        sitting.details = {**sitting.details, "set_aside": [names[image_id], names[other_id]]}
    words = ["db", "erase", "--study", str(study.folder), "--patient"]
    assert main([*words, names[image_id][:5]]) == 1
    assert "Nothing was erased" in capsys.readouterr().err
    assert main([*words, names[image_id].lower()]) == 0
    with study.database.read() as session:
        assert session.scalars(select(Image.id)).all() == [other_id]
        aside = [
            d["set_aside"] for d in session.scalars(select(Session.details)) if "set_aside" in d
        ]
    assert aside == [["erased", names[other_id]]], "nor is it named any more"


def test_a_case_goes_by_the_name_that_an_older_version_stored(study, known) -> None:
    with study.database.write() as session:
        case = session.scalars(select(StudyCase)).first()
        case.name = "Case 001"
        gone = session.scalars(select(CaseImage.image_id).where(CaseImage.case_id == case.id)).all()
    assert main(["db", "erase", "--study", str(study.folder), "--patient", "case 001"]) == 0
    with study.database.read() as session:
        assert not set(gone) & set(session.scalars(select(Image.id)))


def test_a_name_of_an_image_and_of_a_case_of_more_is_asked_back(study, known, capsys) -> None:
    with study.database.write() as session:
        hung = session.scalars(select(CaseImage).order_by(CaseImage.id)).all()
        hung[1].case_id, hung[1].tile = hung[0].case_id, 1
        name = names_of(session, "case")[hung[0].case_id]
        ids = [row.image_id for row in hung]
    words = ["db", "erase", "--study", str(study.folder), "--patient"]
    assert main([*words, name]) == 1
    said = capsys.readouterr().err
    assert "an image and a case of 2 images" in said.replace(f" ({ids[0]})", "")
    assert all(id_ in said for id_ in ids)
    with study.database.read() as session:
        assert len(session.scalars(select(Image.id)).all()) == 2
    assert main([*words, ids[0]]) == 0
    with study.database.read() as session:
        assert session.scalars(select(Image.id)).all() == ids[1:]


def test_an_erased_reader_does_not_come_back_by_import(study, known, matcher, tmp_path) -> None:
    main(["db", "erase", "--study", str(study.folder), "--reader", NAME])
    path = gaze_json(tmp_path / "P1.json", [[1, 2], [3, 4]], "P1.png")
    options = ImportOptions(reader=NAME)
    (report,) = import_gaze(study, "mcgip", [path], options, Matcher.of(study))
    assert report.status == "refused"
    (report,) = import_gaze(study, "mcgip", [path], options, matcher)
    assert (report.status, "erased" in report.reason) == ("refused", True)


def test_who_is_not_there_is_said(study, known, capsys) -> None:
    for words in (["--reader", "nobody"], ["--patient", "nothing"]):
        assert main(["db", "erase", "--study", str(study.folder), *words]) == 1
        assert "Nothing was erased" in capsys.readouterr().err


def _dump(server: Database) -> str:
    with server.read() as session:
        return "\n".join(
            str(tuple(row))
            for table in Base.metadata.sorted_tables
            for row in session.execute(select(table))
        )


def test_the_servers_copies_go_and_no_station_brings_them_back(
    study, known, server, tmp_path, capsys
) -> None:
    shutil.copytree(study.folder, tmp_path / "other")
    other = Study.open(tmp_path / "other")
    push(study.database, server)
    words = ["db", "erase", "--study", str(study.folder), "--reader", NAME]
    assert NAME in _dump(server)
    assert main([*words, "--database", server.url]) == 0
    assert "Erased on the server" in capsys.readouterr().out
    left = _dump(server)
    texts = {k.decode() for k in known if k.isascii()}
    assert not [t for t in texts if t in left]
    report = push(other.database, server)  # a station that still has the data
    assert (report.barred, report.readings) == (1, 0)
    assert NAME not in _dump(server)
    with server.read() as session:
        assert session.scalars(select(Reader.pseudonym)).all() == ["R-02"]
    other.close()


def test_an_erasure_made_offline_reaches_the_server_with_the_next_push(
    study, known, server, capsys
) -> None:
    assert main(["db", "push", "--study", str(study.folder), "--database", server.url]) == 0
    assert main(["db", "erase", "--study", str(study.folder), "--reader", NAME]) == 0
    assert "was pushed to postgresql+psycopg://" in capsys.readouterr().out
    report = push(study.database, server)
    assert report.erased["reading"] == 2
    assert NAME not in _dump(server)
    assert push(study.database, server).erased == {}


@pytest.fixture
def places(tmp_path, monkeypatch) -> Path:
    """Configuration and temporary folders of this test's own."""
    for name in ("user", "temporary"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("FOVEATE_CONFIG_DIR", str(tmp_path / "user"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path


def _first_image(study: Study) -> Image:
    with study.database.read() as session:
        return session.scalars(select(Image).order_by(Image.import_number)).first()


def test_after_killed_imports_no_byte_of_a_patient_is_left_anywhere(
    study, known, places, capsys
) -> None:
    image = _first_image(study)
    folder = study.image_folder(image.id)
    pixels = (folder / "stored.npy").read_bytes()[200:400]
    images = study.folder / "images"
    # A kill between the folder's name and the commit; one while decoding; one set aside since.
    dead = subprocess.Popen([sys.executable, "-c", "pass"])
    dead.wait()
    for left in (
        images / "0190a000-orphan",
        images / f".incoming-{dead.pid}-1-{'0' * 32}",
        study.folder / "set-aside" / "now" / "images" / "0190b000-orphan",
    ):
        shutil.copytree(folder, left)
    study.backup()
    assert main(["export", "archive", "--study", str(study.folder)]) == 0
    words = ["db", "erase", "--study", str(study.folder), "--patient", image.id, "--json"]
    capsys.readouterr()
    assert main(words) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["images"], said["leftovers"]) == (1, 3)
    study.close()
    needles = {pixels, image.id.encode(), image.sha256.encode()}
    # What holds a byte of it is a file that was named, and it is a copy.
    named = {t["path"] for t in said["traces"]}
    assert {Path(path).parent.name for path in named} == {"backups", "exports"}
    for path in map(Path, named):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert _holds(places, needles) == []


def test_files_that_stay_are_not_counted_as_gone_and_fail_by_name(
    study, known, places, monkeypatch, capsys
) -> None:
    image = _first_image(study)
    folder = study.image_folder(image.id)

    def refused(path: Path, onerror) -> None:
        error = PermissionError(1, "Operation not permitted")
        onerror(None, str(path), (PermissionError, error, None))

    monkeypatch.setattr("app.sync.removed_files.shutil.rmtree", refused)
    assert main(["db", "erase", "--study", str(study.folder), "--patient", image.id]) == 1
    said = capsys.readouterr().out
    assert "; 0 images;" in said
    assert f"  {folder} ({folder}: Operation not permitted)" in said


def test_a_linked_folder_of_an_image_is_named_and_not_followed(
    study, known, places, capsys
) -> None:
    image = _first_image(study)
    folder = study.image_folder(image.id)
    folder.rename(places / "elsewhere")
    folder.symlink_to(places / "elsewhere")
    assert main(["db", "erase", "--study", str(study.folder), "--patient", image.id]) == 1
    assert f"a link; its target was not touched: {places / 'elsewhere'}" in (
        capsys.readouterr().out
    )
    assert (places / "elsewhere" / "stored.npy").exists()


def test_a_leftover_that_nobody_can_tell_whose_it_is_stays_and_is_named(
    study, known, places, capsys
) -> None:
    image = _first_image(study)
    other, broken = (study.folder / "images" / name for name in ("0190c0-orphan", "0190d0-orphan"))
    for folder in (other, broken):
        folder.mkdir()
    (broken / "stored.npy").write_bytes(b"cut off")
    np.save(other / "stored.npy", np.arange(9, dtype=np.uint16).reshape(3, 3))
    assert main(["db", "erase", "--study", str(study.folder), "--patient", image.id]) == 1
    said = capsys.readouterr().out
    assert f"{other} (it was left by a killed import, and no row says whose it is" in said
    assert f"{broken} (no row says whose it is, and its pixels cannot be read)" in said


def test_what_names_a_reader_outside_tables_is_listed(study, known, places, capsys) -> None:
    names = {
        "queue": study.runs / "queue" / "0190" / "log.txt",
        "aside": study.folder / "set-aside" / "now" / "foveate.sqlite",
        "partial": study.exports / ".archive-1.zip.partial",
        "user": places / "user" / "keys.json",
        "temporary": places / "temporary" / "foveate-x" / "job.json",
    }
    for file in names.values():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"… {NAME} …")
    main(["db", "erase", "--study", str(study.folder), "--reader", NAME, "--json"])
    traces = json.loads(capsys.readouterr().out)["traces"]
    found = {Path(t["path"]) for t in traces}
    assert found == {names["queue"].parent, *(names[n] for n in names if n != "queue")}


def test_tombstones_travel_in_an_archive(study, known, places, tmp_path) -> None:
    assert main(["db", "erase", "--study", str(study.folder), "--reader", NAME]) == 0
    assert main(["export", "archive", "--study", str(study.folder), "--out", str(tmp_path)]) == 0
    (archive,) = tmp_path.glob("*.foveate.zip")
    assert main(["import-archive", str(archive), "--study", str(tmp_path / "back")]) == 0
    back = Study.open(tmp_path / "back")
    with back.database.read() as session:
        assert Tombstones.of(session).bars_name(NAME)
    back.close()


def test_a_backup_put_back_forgets_again_who_was_erased_since(study, known, places, capsys) -> None:
    study.backup()
    assert main(["db", "erase", "--study", str(study.folder), "--reader", NAME]) == 0
    study.close()
    assert main(["db", "restore", "--study", str(study.folder)]) == 0
    assert "1 erasure made after the backup was repeated" in (capsys.readouterr().out)
    database = study.folder / "foveate.sqlite"
    assert not [needle for needle in known if needle in database.read_bytes()]
