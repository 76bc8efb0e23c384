"""What is imported of a disc, linked folders, zip archives and a folder with its own labels."""

import errno
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from sqlalchemy import select

from app.errors import ImportRefused, LabelsError
from app.hanging.import_command import main
from app.images.decoding import archives
from app.images.decoding.archives import listed_members
from app.images.importing.importer import import_paths
from app.images.importing.sources import files_of, labels_among
from app.interchange.importing import files_of as gaze_files_of
from devices.gaze.errors import GazeFileError
from migrations.study.files_below import files_below
from migrations.study.folder import Study
from migrations.study.names import short_name
from migrations.study.schema import Image
from tests.app.images.image_files import good, png


@pytest.fixture
def disc(tmp_path: Path) -> Path:
    """Return a CD of two images with its DICOMDIR."""
    (tmp_path / "cd" / "PT0").mkdir(parents=True)
    records = []
    for seed in range(2):
        good(tmp_path / "cd" / "PT0" / f"IM{seed}", seed)
        records.append(Dataset())
        records[-1].ReferencedFileID = ["PT0", f"IM{seed}"]
    listing = Dataset()
    listing.DirectoryRecordSequence = Sequence(records)
    listing.save_as(tmp_path / "cd" / "DICOMDIR", implicit_vr=False, little_endian=True)
    return tmp_path / "cd"


def renamed(folder: Path, name) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.name != "DICOMDIR":
            path.rename(path.with_name(name(path)))


@pytest.mark.parametrize(
    "name",
    [
        lambda path: path.name.lower(),
        lambda path: f"{path.name}.dcm" if path.is_file() else path.name,
        lambda path: f"{path.name.lower()}.;1" if path.is_file() else path.name.lower(),
        lambda path: f"{path.name};1" if path.is_file() else path.name,
    ],
    ids=["lower case", "suffix", "dot and version", "version"],
)
def test_a_disc_is_read_by_its_dicomdir_however_it_is_mounted(disc: Path, name) -> None:
    renamed(disc, name)
    (disc / "VIEWER.EXE").write_bytes(b"MZ")
    found = files_of([disc / "DICOMDIR"])
    assert len(found) == 2
    assert all(path.is_file() and path.name != "VIEWER.EXE" for path in found)


def test_a_listed_file_that_several_may_be_is_none_of_them(disc: Path) -> None:
    listed = files_of([disc / "DICOMDIR"])[0]
    for suffix in (".dcm", ".ima"):
        listed.with_name(listed.name + suffix).write_bytes(listed.read_bytes())
    listed.unlink()
    assert not files_of([disc / "DICOMDIR"])[0].exists()


def test_a_disc_whose_files_are_called_otherwise_is_searched(disc: Path) -> None:
    renamed(disc, lambda path: f"x{path.name}")
    assert len([path for path in files_of([disc / "DICOMDIR"]) if path.is_file()]) == 2


def test_linked_folders_are_followed_once_and_not_in_circles(tmp_path: Path) -> None:
    top, elsewhere = tmp_path / "top", tmp_path / "elsewhere"
    for folder in (top / "b", elsewhere):
        folder.mkdir(parents=True)
        (folder / "1.dcm").write_bytes(b"1")
    for link, target in (("a", top / "b"), ("c", elsewhere), ("d", elsewhere), ("e", top)):
        (top / link).symlink_to(target, target_is_directory=True)
    (top / "f").symlink_to(tmp_path / "nowhere")
    found = [path.relative_to(top).as_posix() for path in files_of([top])]
    assert found == ["f", "b/1.dcm", "c/1.dcm"]


def zipped(folder: Path, archive: Path, **options: int) -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, **options) as opened:
        for path in sorted(folder.rglob("*")):
            opened.write(path, path.relative_to(folder.parent))
    return archive


def test_a_zipped_disc_comes_in_with_its_labels_and_leaves_nothing_behind(
    study: Study, disc: Path, tmp_path: Path
) -> None:
    archive = zipped(disc, tmp_path / "disc.ZIP")
    inside = [path.relative_to(archive) for path in files_of([archive])]
    assert [path.as_posix() for path in inside] == ["cd/PT0/IM0", "cd/PT0/IM1"]
    rows = "".join(f"{path.as_posix()},label {k}\n" for k, path in enumerate(inside))
    (tmp_path / "l.csv").write_text(f"image,label\n{rows}")
    results = import_paths(study, [archive], labels=tmp_path / "l.csv")
    assert [(result.status, result.path.name) for result in results] == [
        ("accepted", path.name) for path in inside
    ]
    with study.database.read() as session:
        labels = {image.id: image.label for image in session.scalars(select(Image))}
    assert [labels[str(r.image_id)] for r in results] == ["label 0", "label 1"]
    assert sorted(p.name for p in (study.folder / "images").iterdir()) == sorted(labels)
    for folder in (study.folder / "images").iterdir():
        assert {file.name for file in folder.iterdir()} == {
            "stored.npy", "display.json", "presentation.png",
        }  # fmt: skip


def test_a_damaged_file_of_an_archive_is_refused_alone(
    study: Study, disc: Path, tmp_path: Path
) -> None:
    archive = zipped(disc, tmp_path / "disc.zip")
    with zipfile.ZipFile(archive) as opened:
        first = next(m for m in opened.infolist() if m.filename == "cd/PT0/IM0")
    data = bytearray(archive.read_bytes())
    middle = first.header_offset + first.compress_size // 2
    data[middle : middle + 400] = bytes(400)
    archive.write_bytes(data)
    results = import_paths(study, [archive])
    assert sorted(result.status for result in results) == ["accepted", "refused"]
    assert any("damaged in its zip archive" in result.reason for result in results)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"../x.dcm": b"1"}, "outside itself"),
        ({"/x.dcm": b"1"}, "outside itself"),
        ({"inner.zip": b"1"}, "contains another archive"),
        ({}, "without files"),
        ({"__MACOSX/._x": b"1", "DICOMDIR": b"1"}, "without files"),
        ({"a/1.png": b"1", "a\\1.png": b"2"}, "several files of the same name"),
    ],
)
def test_an_archive_is_refused_by_name(
    tmp_path: Path, members: dict[str, bytes], said: str
) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as opened:
        for name, data in members.items():
            opened.writestr(name, data)
    with pytest.raises(ImportRefused, match=said):
        listed_members(tmp_path / "x.zip")


def test_the_bounds_of_an_archive_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, study: Study
) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("a", bytes(1_000_000))
        opened.writestr("b", b"1")
    assert len(listed_members(tmp_path / "x.zip")) == 2
    for bound, value in (("_SMALL_BYTES", 1000), ("MAX_FILES", 1), ("MAX_BYTES", 1000)):
        with monkeypatch.context() as smaller:
            smaller.setattr(archives, bound, value)
            with pytest.raises(ImportRefused, match=r"unpacks to|more than 1 files"):
                listed_members(tmp_path / "x.zip")
    (tmp_path / "cut.zip").write_bytes((tmp_path / "x.zip").read_bytes()[:500])
    (result,) = import_paths(study, [tmp_path / "cut.zip"])
    assert result.reason == "it is not a readable zip archive, or is cut off"


def test_the_labels_of_a_folder_are_taken_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(3):
        png(folder / f"{number}.png", np.full((9, 9), number, np.uint8))
    (folder / "Labels.csv").write_text("image,label\n0.png,mass\n1.png,mass\n7.png,none\n")
    assert main(["--study", str(tmp_path / "s"), str(folder)]) == 0
    said = capsys.readouterr().out
    assert "3 accepted, 0 known, 0 refused" in said
    assert "Labels.csv (UTF-8): labels set for 2 images; 2 of 3 rows matched an image" in said
    (folder / "Labels.csv").write_text("image,label\n0.png,mass\n2.png,none\n")
    assert main(["--study", str(tmp_path / "s"), str(folder)]) == 0
    assert "labels set for 1 images; 2 of 2 rows matched an image" in capsys.readouterr().out


def test_two_tables_of_labels_are_not_chosen_between(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "labels.csv").write_text("image,label\n")
    with pytest.raises(LabelsError, match="choose only one csv"):
        labels_among([tmp_path / "a", tmp_path / "b"])
    (tmp_path / "c.csv").write_text("image,label\n")
    assert labels_among([tmp_path / "a", tmp_path / "c.csv"]) == tmp_path / "c.csv"


def test_a_csv_alone_says_what_it_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], study: Study
) -> None:
    png(tmp_path / "0.png", np.zeros((9, 9), np.uint8))
    png(tmp_path / "1.png", np.ones((9, 9), np.uint8))
    first, second = import_paths(study, [tmp_path / "0.png", tmp_path / "1.png"])
    rows = (
        f"{short_name(str(first.image_id)).lower()},mass,one,train",
        f"{second.pixels_sha256},cyst,,",
        "1.png,mass,,",
    )
    table = tmp_path / "l.csv"
    table.write_text("\n".join(("image,label,patient,split", *rows)))
    words = ["--study", str(study.folder), str(table)]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "labels set for 2 images; 2 of 3 rows matched an image. Rows without a file: 1" in said
    assert "line 4: 1.png (no image of the study has this name" in said
    with study.database.read() as session:
        found = {image.id: image for image in session.scalars(select(Image))}
    assert [found[str(r.image_id)].label for r in (first, second)] == ["mass", "cyst"]
    assert found[str(first.image_id)].split == "train"
    table.write_text(f"image,label\n{first.image_id},cyst\n")
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "labels set for 0 images" in said
    assert "gives a different label" in said


def test_a_folder_that_cannot_be_read_is_refused_by_name_among_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "locked").mkdir()
    good(tmp_path / "IM0")
    scandir = os.scandir

    def locked(path):
        if Path(path) == tmp_path / "locked":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", locked)
    assert files_of([tmp_path]) == [tmp_path / "IM0", tmp_path / "locked"]
    with pytest.raises(GazeFileError, match="locked cannot be read: Permission denied"):
        gaze_files_of([tmp_path], ["csv"])
    with pytest.raises(OSError, match="locked"):
        files_below(tmp_path)
