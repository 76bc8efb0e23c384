"""Readings of an earlier Foveate are rated anew: gaze that never came counts as lost."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from migrations.study.folder import Study
from migrations.study.schema import Reading, StudyCase
from migrations.study.settings import StudySettings
from tests.trainer.gaze_study import StudyMaker

EARLIER = "0001"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A study of 0.1.0: one reading whole, one with 6 of 10 s of silence, one imported."""
    maker = StudyMaker.create(tmp_path / "study")
    study, reader_id, session_id = maker.study, maker.reader_id, maker.session_id
    with study.database.write() as rows:
        rows.add(StudyCase(id="case", name="case", position=0))
    study.database.downgrade(EARLIER)
    study.close()
    with closing(sqlite3.connect(study.folder / "foveate.sqlite")) as rows:
        rows.execute("UPDATE recording SET measured_rate_hz = 250")
        for name, came, loss, details in (
            ("whole", 2500, 0.04, {}),
            ("silent", 1000, 0.1, {"eye": "left"}),
            ("imported", 1000, 0.1, {"imported": {"format": "csv"}}),
        ):
            rows.execute(
                "INSERT INTO reading (id, session_id, case_id, reader_id, state, practice, "
                "started_us, ended_us, sample_count, lost_count, loss, off_image, verdict, "
                "verdict_reasons, details) VALUES (?, ?, 'case', ?, 'finished', 0, 0, 10000000, "
                "?, 0, ?, 0, 'good', '[]', ?)",
                (name, session_id, reader_id, came, loss, json.dumps(details)),
            )
        rows.commit()
    return study.folder


def rows_of(folder: Path) -> dict[str, Reading]:
    study = Study.open(folder)
    with study.database.read() as rows:
        found = {row.id: row for row in rows.query(Reading)}
        rows.expunge_all()
    study.close()
    return found


def test_an_earlier_reading_is_rated_anew_and_says_what_it_was_rated_before(folder: Path) -> None:
    rows = rows_of(folder)
    silent = rows["silent"]
    assert (silent.missing_count, silent.invalid_count, silent.lost_count) == (1500, 100, 0)
    assert silent.loss == pytest.approx(0.64)
    assert silent.verdict == "bad"
    assert silent.verdict_reasons == ["gaze lost 64% of the time, tracker silent for 6.0 s"]
    before = {"loss": 0.1, "verdict": "good", "verdict_reasons": []}
    assert silent.details == {"eye": "left", "rated_before": before}


@pytest.mark.parametrize(("name", "invalid"), [("whole", 100), ("imported", 100)])
def test_what_misses_nothing_keeps_its_rating(folder: Path, name: str, invalid: int) -> None:
    row = rows_of(folder)[name]
    assert (row.missing_count, row.invalid_count) == (0, invalid)
    assert (row.verdict, "rated_before" in row.details) == ("good", False)


def test_the_limits_of_the_study_are_asked(folder: Path) -> None:
    text = (folder / "study.toml").read_text()
    usual = f"loss_alarm = {StudySettings().loss_alarm}"
    assert usual in text
    (folder / "study.toml").write_text(text.replace(usual, "loss_alarm = 0.7"))
    assert rows_of(folder)["silent"].verdict == "good"


def test_going_back_gives_each_reading_its_earlier_rating(folder: Path) -> None:
    rows_of(folder)
    study = Study.open(folder)
    study.database.downgrade(EARLIER)
    study.close()
    with closing(sqlite3.connect(folder / "foveate.sqlite")) as rows:
        found = rows.execute("SELECT loss, verdict, details FROM reading WHERE id = 'silent'")
        loss, verdict, details = found.fetchone()
    assert (loss, verdict, json.loads(details)) == (0.1, "good", {"eye": "left"})
