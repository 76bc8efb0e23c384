"""A damaged chunk costs the trainer its own samples; the reading counts, and the run knows."""

from pathlib import Path

from sqlalchemy import update

from migrations.study.schema import GazeChunk
from tests.trainer.gaze_study import CHUNK, StudyMaker
from trainer.config.config import RunConfig
from trainer.data.cohort import load_cohort
from trainer.exports.command import main as export
from trainer.runs.wording import warnings_of


def study_with_damage(folder: Path) -> tuple[StudyMaker, str]:
    """Make two images, each read once; flip the second chunk of the first reading."""
    maker = StudyMaker.create(folder)
    points = [(100 + k, 80) for k in range(4 * CHUNK)]
    reading_id = maker.read_once(maker.image(), points, verdict="good")
    maker.read_once(maker.image(), points, 9_000_000, verdict="good")
    with maker.study.database.write() as rows:
        rows.execute(update(GazeChunk).where(GazeChunk.sequence == 1).values(crc32=0))
    return maker, reading_id


def test_the_reading_counts_without_the_damaged_chunk(tmp_path: Path) -> None:
    maker, reading_id = study_with_damage(tmp_path / "study")
    cohort = load_cohort(maker.study)
    first = cohort.members[0].readings[0]
    assert cohort.dropped == ()
    assert len(first.points_image) == 3 * CHUNK
    assert {round(x) - 100 for x, _ in first.points_image}.isdisjoint(range(CHUNK, 2 * CHUNK))
    (lost,) = cohort.damaged
    assert (lost.kind, lost.id) == ("chunk", reading_id)
    assert "chunk 1 (0.24 s of gaze) is lost" in lost.reason
    said = list(warnings_of(cohort, RunConfig(recipe="radiograph")))
    assert any(reading_id in text and "chunk 1" in text for text in said)
    maker.study.close()


def test_an_export_of_the_trainer_is_written_names_the_chunk_and_fails(tmp_path, capsys) -> None:
    maker, reading_id = study_with_damage(tmp_path / "study")
    maker.study.close()
    out = tmp_path / "out"
    assert export(["mcgip", "--study", str(maker.study.folder), "--out", str(out)]) == 1
    assert reading_id in capsys.readouterr().err
    assert (out / "relation.npy").is_file()
