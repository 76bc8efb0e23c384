"""The frame of every export command: where it writes, how it fails."""

import argparse
import errno
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from migrations.study.errors import FolderNotEmpty
from migrations.study.export_command import (
    UNFINISHED,
    add_export_arguments,
    make_empty,
    run_export,
)
from migrations.study.export_manifest import MANIFEST, write_manifest
from migrations.study.folder import Study
from migrations.study.settings import StudySettings


@pytest.fixture
def study(tmp_path: Path):
    made = Study.create(tmp_path / "study", StudySettings(name="S"))
    yield made
    made.close()


def _run(study: Study, export: Callable[[Study, Path], str], *words: str) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("format")
    add_export_arguments(parser)
    arguments = parser.parse_args(["csv", "--study", str(study.folder), *words])
    return run_export(arguments, export, LookupError)


def test_without_a_place_it_goes_into_the_studys_exports(study, capsys) -> None:
    assert _run(study, lambda _study, out: f"to {out}") == 0
    assert capsys.readouterr().out == f"to {study.exports / 'csv'}\n"


def test_the_place_that_was_named_is_taken(study, tmp_path: Path, capsys) -> None:
    assert _run(study, lambda _study, out: f"to {out}", "--out", str(tmp_path / "o")) == 0
    assert capsys.readouterr().out == f"to {tmp_path / 'o'}\n"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FolderNotEmpty("x is not empty"), "x is not empty"),
        (LookupError("no gaze"), "no gaze"),
    ],
)
def test_what_is_to_be_expected_is_told_without_a_traceback(
    study, capsys, error: BaseException, said: str
) -> None:
    def fail(_study: Study, _out: Path) -> str:
        raise error

    assert _run(study, fail) == 1
    assert said in capsys.readouterr().err


def test_a_stopped_export_is_removed_and_one_that_was_killed_is_replaced(
    study, tmp_path: Path, capsys
) -> None:
    out = tmp_path / "out"

    def begin(_study: Study, folder: Path) -> str:
        make_empty(folder)
        (folder / "half.csv").touch()
        raise KeyboardInterrupt

    assert _run(study, begin, "--out", str(out)) == 3
    assert f"Files already written to {out} were removed" in capsys.readouterr().err
    assert not out.exists()

    make_empty(out)
    (out / "half.csv").touch()  # and then kill -9

    def whole(_study: Study, folder: Path) -> str:
        make_empty(folder)
        (folder / "all.csv").touch()
        return "done"

    assert _run(study, whole, "--out", str(out)) == 0
    assert [path.name for path in out.iterdir()] == ["all.csv"]


def test_a_full_disk_names_the_folder_that_was_chosen_by_itself(study, capsys) -> None:
    def fail(_study: Study, _out: Path) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    assert _run(study, fail) == 1
    told = capsys.readouterr().err
    assert f" is full: {study.exports / 'csv'} cannot be written. Free some space" in told
    assert re.search(r"^The disk /\S* is full", told) or os.name == "nt"


def test_a_copy_that_does_not_fit_names_what_was_written_and_not_what_was_read(
    study, capsys
) -> None:
    copy = study.exports / "csv" / "a.png"

    def fail(_study: Study, _out: Path) -> str:
        raise OSError(errno.ENOSPC, "No space left", str(study.folder / "a.png"), None, str(copy))

    assert _run(study, fail) == 1
    assert f" is full: {copy} cannot be written." in capsys.readouterr().err


def test_a_file_of_the_study_that_cannot_be_read_is_not_called_unwritable(study, capsys) -> None:
    def fail(_study: Study, _out: Path) -> str:
        raise OSError(errno.EIO, "Input/output error", str(study.folder / "stored.npy"))

    assert _run(study, fail) == 1
    told = capsys.readouterr().err
    assert told == f"{study.folder / 'stored.npy'}: Input/output error.\n"


def test_a_mistake_of_ours_is_not_hidden(study) -> None:
    def fail(_study: Study, _out: Path) -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        _run(study, fail)


def test_a_folder_that_holds_something_is_refused_and_an_empty_one_taken(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    make_empty(tmp_path / "new")
    (tmp_path / "new" / UNFINISHED).unlink()
    (tmp_path / "new" / "file").touch()
    with pytest.raises(FolderNotEmpty, match="new is not empty"):
        make_empty(tmp_path / "new")
    with pytest.raises(FolderNotEmpty, match="file is not empty"):
        make_empty(tmp_path / "new" / "file")


def test_the_manifest_names_files_readers_and_images_once(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b.csv"
    file.parent.mkdir()
    file.write_text("abc")
    write_manifest(tmp_path, "csv", [file, file], ["R2", "R1", "R2"], ["i2", "i1", "i2"])
    table = json.loads((tmp_path / MANIFEST).read_text())
    assert (table["format"], table["readers"], table["images"]) == (
        "csv", ["R1", "R2"], ["i1", "i2"],
    )  # fmt: skip
    abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert table["files"] == {"a/b.csv": abc}


def test_of_a_write_protected_study_it_is_said_that_the_audit_lacks_it(
    study, tmp_path: Path, capsys, monkeypatch
) -> None:
    study.close()
    monkeypatch.setattr("migrations.study.folder.is_writable", lambda _folder: False)
    assert _run(study, lambda _study, out: "whole", "--out", str(tmp_path / "o")) == 0
    said = capsys.readouterr()
    assert said.out == "whole\n"
    assert said.err == ("The audit could not record 'exported': the study is write-protected.\n")
