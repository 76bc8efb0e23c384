"""One flipped bit in a stored chunk of gaze: found, named, and no more lost than it holds."""

import csv
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from app.interchange.exports.command import main as export
from migrations.study.command import main as db
from tests.trainer.gaze_study import CHUNK, StudyMaker

SAMPLES = 4 * CHUNK
DAMAGED = 2
"""Sequence of the chunk, from 0."""


class Read:
    """A study with one finished reading of four chunks, not open any more."""

    def __init__(self, folder: Path) -> None:
        maker = StudyMaker.create(folder)
        walk = np.column_stack((100 + np.arange(SAMPLES), np.full(SAMPLES, 80)))
        self.reading_id = maker.read_once(maker.image(), walk, sample_count=SAMPLES, lost_count=0)
        maker.study.close()
        self.folder = folder
        self.chunk_id = ""

    def damage(self) -> None:
        with closing(sqlite3.connect(self.folder / "foveate.sqlite")) as rows:
            query = "SELECT id, blob FROM gaze_chunk WHERE sequence = ?"
            self.chunk_id, blob = rows.execute(query, [DAMAGED]).fetchone()
            flipped = bytearray(blob)
            flipped[len(flipped) // 2] ^= 1
            change = "UPDATE gaze_chunk SET blob = ? WHERE id = ?"
            rows.execute(change, [bytes(flipped), self.chunk_id])
            rows.commit()

    def names(self, said: str) -> bool:
        """Return whether words name the reading and the chunk, by id or by number."""
        chunk = self.chunk_id in said or f"chunk {DAMAGED}" in said
        return chunk and self.reading_id in said


@pytest.fixture
def read(tmp_path: Path) -> Read:
    return Read(tmp_path / "study")


@pytest.fixture
def damaged(read: Read) -> Read:
    read.damage()
    return read


def seen(folder: Path) -> list[int]:
    """Return which samples of the walk an export holds with gaze."""
    with (folder / "samples.csv").open(encoding="utf-8", newline="") as file:
        columns = [row["x_image"] for row in csv.DictReader(file)]
    return [round(float(x)) - 100 for x in columns if x]


def test_a_study_without_damage_is_sound_and_is_exported_whole(read, tmp_path, capsys) -> None:
    assert db(["check", "--study", str(read.folder)]) == 0
    assert "is sound" in capsys.readouterr().out
    assert export(["csv", "--study", str(read.folder), "--out", str(tmp_path / "out")]) == 0
    assert seen(tmp_path / "out") == list(range(SAMPLES))


def test_a_check_names_the_damaged_chunk_and_its_reading(damaged: Read, capsys) -> None:
    code = db(["check", "--study", str(damaged.folder)])
    said = "".join(capsys.readouterr())
    assert code == 1
    assert "is sound" not in said
    assert damaged.names(said)


def test_an_export_loses_the_samples_of_the_damaged_chunk_alone(damaged: Read, tmp_path) -> None:
    export(["csv", "--study", str(damaged.folder), "--out", str(tmp_path / "out")])
    whole = list(range(SAMPLES))
    assert seen(tmp_path / "out") == whole[: DAMAGED * CHUNK] + whole[(DAMAGED + 1) * CHUNK :]


@pytest.mark.parametrize("kind", ["csv", "bids", "archive"])
def test_an_export_says_what_is_missing_and_fails(
    kind: str, damaged: Read, tmp_path: Path, capsys
) -> None:
    code = export([kind, "--study", str(damaged.folder), "--out", str(tmp_path / "out")])
    said = "".join(capsys.readouterr())
    assert code == 1
    assert damaged.names(said)
