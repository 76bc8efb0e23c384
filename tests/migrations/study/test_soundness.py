"""`db check`: what is damaged, what lies about, and what a repair moves."""

import os
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from devices.gaze.samples import SAMPLE_DTYPE
from migrations.study import stored_chunks
from migrations.study.command import main as db
from migrations.study.processes import owned_name
from migrations.study.schema import Reading, ViewEvent
from tests.trainer.gaze_study import CHUNK, StudyMaker

GONE = 2_000_000_000
"""A process that no machine has."""


@pytest.fixture
def made(tmp_path: Path) -> StudyMaker:
    """A study with one reading of four chunks."""
    maker = StudyMaker.create(tmp_path / "study")
    points = [(100 + k, 80) for k in range(4 * CHUNK)]
    maker.read_once(maker.image(), points, sample_count=4 * CHUNK, lost_count=0)
    maker.study.close()
    return maker


def change(made: StudyMaker, *statements: str) -> None:
    with closing(sqlite3.connect(made.study.folder / "foveate.sqlite")) as rows:
        for statement in statements:
            rows.execute(statement)
        rows.commit()


def checked(made: StudyMaker, capsys, *more: str) -> tuple[int, str]:
    code = db(["check", "--study", str(made.study.folder), *more])
    return code, "".join(capsys.readouterr())


def test_the_check_counts_samples_as_the_codec_makes_them() -> None:
    assert SAMPLE_DTYPE.itemsize == stored_chunks.SAMPLE_BYTES
    assert SAMPLE_DTYPE.names is not None
    assert (SAMPLE_DTYPE.names[0], SAMPLE_DTYPE[0].str) == ("host_us", "<i8")


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM gaze_chunk WHERE sequence = 1", "chunk 1 is missing"),
        ("DELETE FROM gaze_chunk WHERE sequence = 3", "its row says 100 samples, but its chunks"),
        ("UPDATE gaze_chunk SET count = 24 WHERE sequence = 1", "chunk 1 of recording"),
        ("UPDATE gaze_chunk SET crc32 = 7 WHERE sequence = 1", "its checksum does not match"),
        ("UPDATE gaze_chunk SET first_us = first_us + 5 WHERE sequence = 1", "samples differ"),
        ("UPDATE gaze_chunk SET codec_version = 9 WHERE sequence = 1", "codec version 9"),
    ],
    ids=["gap", "tail", "count", "checksum", "time", "version"],
)
def test_whatever_does_not_fit_a_chunk_is_damage(made, statement, said, capsys) -> None:
    change(made, statement)
    code, told = checked(made, capsys)
    assert code == 1
    assert "damage:" in told
    assert said in told
    assert "is sound" not in told


def test_a_blob_that_was_swapped_with_its_checksum_is_damage(made, capsys) -> None:
    blob = zlib.compress(b"\0" * SAMPLE_DTYPE.itemsize * CHUNK)
    change(
        made,
        f"UPDATE gaze_chunk SET blob = x'{blob.hex()}', crc32 = {zlib.crc32(blob)} "
        "WHERE sequence = 1",
    )
    assert checked(made, capsys)[0] == 1


def test_a_recording_that_lost_its_last_chunk_is_damaged(made, capsys) -> None:
    change(
        made,
        "UPDATE recording SET state = 'closed', sample_count = 100",
        "UPDATE reading SET sample_count = NULL",
        "DELETE FROM gaze_chunk WHERE sequence = 3",
    )
    code, told = checked(made, capsys)
    assert (code, "says 100 samples, but its chunks contain 75" in told) == (1, True)


def test_gaze_that_came_after_the_figures_were_made_is_a_note(made, capsys) -> None:
    change(made, "UPDATE reading SET sample_count = 90")
    code, told = checked(made, capsys)
    assert (code, "note:" in told) == (0, True)


def test_text_that_is_no_text_is_damage_and_no_traceback(made, capsys) -> None:
    change(made, "UPDATE gaze_chunk SET recording_id = recording_id", "PRAGMA foreign_keys = OFF")
    change(made, "UPDATE reading SET session_id = CAST(x'ff00ff' AS TEXT)")
    code, told = checked(made, capsys)
    assert code == 1
    assert "Traceback" not in told


def test_an_image_without_its_files_is_damage(made, capsys) -> None:
    (stored,) = (made.study.folder / "images").glob("*/stored.npy")
    stored.unlink()
    code, told = checked(made, capsys)
    assert (code, "stored.npy is missing" in told) == (1, True)


def leftovers(folder: Path) -> list[Path]:
    """Make what killed programs leave: an image without a row, a run, unfinished things."""
    dead = f"{GONE}-1-{'0' * 32}"
    folders = [
        folder / "images" / "00000000-0000-7000-8000-000000000000",
        folder / "images" / f".incoming-{dead}",
        folder / "runs" / "a run of nobody",
        folder / "exports" / f".archive-{dead}-x",
    ]
    for each in folders:
        each.mkdir(parents=True)
        (each / "config.json").write_text("content")
    (folder / "backups").mkdir()
    partial = folder / "backups" / f"foveate-{dead}.partial"
    partial.write_text("half a database")
    return [*folders, partial]


def test_leftovers_are_named_and_moved_aside_only_when_asked(made, capsys) -> None:
    left = leftovers(made.study.folder)
    code, told = checked(made, capsys)
    assert code == 0
    assert all(f"leftover: {path}" in told for path in left)
    assert "--repair" in told
    assert all(path.exists() for path in left)
    code, told = checked(made, capsys, "--repair")
    assert (code, told.count("Moved to")) == (0, len(left))
    assert not any(path.exists() for path in left)
    aside = made.study.folder / "set-aside"
    assert {p.name for p in aside.rglob("*")} >= {path.name for path in left}
    assert checked(made, capsys)[1].count("leftover:") == 0


def test_an_export_that_was_cut_off_is_named_and_moved_when_nobody_writes_it(made, capsys) -> None:
    half = made.study.folder / "exports" / "csv"
    half.mkdir(parents=True)
    table = half / "samples.csv"
    table.write_text("half a table")
    code, told = checked(made, capsys, "--repair")
    assert (code, half.exists(), f"note: {half} is unfinished" in told) == (0, True, True)
    for path in (table, half):
        os.utime(path, (1e9, 1e9))
    code, told = checked(made, capsys, "--repair")
    assert (code, half.exists(), "an interrupted export" in told) == (0, False, True)


def test_what_a_living_program_is_at_work_on_stays(made, capsys) -> None:
    own = made.study.folder / "images" / owned_name(".incoming-")
    own.mkdir()
    code, told = checked(made, capsys, "--repair")
    assert (code, own.exists(), "may still be writing it" in told) == (0, True, True)


def test_a_write_protected_study_is_checked_and_nothing_is_written(
    made, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("migrations.study.check_command.is_writable", lambda _folder: False)
    before = sorted(made.study.folder.rglob("*"))
    assert checked(made, capsys)[0] == 0
    assert sorted(made.study.folder.rglob("*")) == before


def test_a_reading_whose_views_are_gone_is_damaged_and_one_without_figures_noted(
    made, capsys
) -> None:
    with made.study.database.write() as rows:
        rows.execute(update(Reading).values(sample_count=None))
    assert "never counted and rated" in checked(made, capsys)[1]
    with made.study.database.write() as rows:
        rows.execute(update(Reading).values(sample_count=100))
        rows.execute(delete(ViewEvent))
    code, said = checked(made, capsys)
    assert code == 1
    assert "no view of it is stored" in said
