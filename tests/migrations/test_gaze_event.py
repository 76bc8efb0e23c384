"""An earlier study gets the table of saccades, pursuits and blinks, and keeps what it has."""

from pathlib import Path

from sqlalchemy import text

from migrations.study.erasure import erase_reader
from migrations.study.folder import Study
from migrations.study.schema import Fixation, GazeEvent, StudyCase
from tests.trainer.gaze_study import StudyMaker


def with_a_fixation(folder: Path) -> tuple[StudyMaker, str]:
    maker = StudyMaker.create(folder)
    with maker.study.database.write() as rows:
        rows.add(StudyCase(id="case", name="case", position=0))
    reading_id = maker.reading("case", 0, 1_000_000)
    maker.fixation(reading_id, None, 10, None, None)
    return maker, reading_id


def event_of(reading_id: str) -> GazeEvent:
    return GazeEvent(
        reading_id=reading_id, kind="saccade", start_us=5, duration_us=30_000, amplitude_deg=4.0,
        peak_velocity_deg_s=200.0, algorithm="velocity", parameters_hash="0",
    )  # fmt: skip


def test_an_earlier_study_gets_the_table_and_keeps_its_fixations(tmp_path: Path) -> None:
    maker, reading_id = with_a_fixation(tmp_path / "study")
    maker.study.database.downgrade("0001")
    maker.study.close()
    study = Study.open(tmp_path / "study")
    with study.database.write() as rows:
        rows.add(event_of(reading_id))
    with study.database.read() as rows:
        assert rows.query(Fixation).one().reading_id == reading_id
        assert rows.query(GazeEvent).one().peak_velocity_deg_s == 200.0
    study.database.downgrade("0003")
    with study.database.read() as rows:
        assert rows.execute(text("SELECT count(*) FROM fixation")).scalar_one() == 1
    study.close()


def test_events_go_with_the_reader_who_is_erased(tmp_path: Path) -> None:
    maker, reading_id = with_a_fixation(tmp_path / "study")
    with maker.study.database.write() as rows:
        rows.add(event_of(reading_id))
    erased = erase_reader(maker.study.database, "R01")
    with maker.study.database.read() as rows:
        assert rows.query(GazeEvent).count() == 0
    assert erased.rows["gaze_event"] == 1
    maker.study.close()
