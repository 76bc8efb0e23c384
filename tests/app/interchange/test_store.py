"""A foreign reading comes whole or not at all, and lies where the last import says."""

import pytest
from sqlalchemy import func, select

from app.interchange.store import ReadingStore
from devices.gaze.geometry import ScreenGeometry
from migrations.study.schema import Fixation, Reading
from tests.app.interchange.gaze_files import imported
from tests.app.interchange.gaze_tables import csv_samples

SCREEN = ScreenGeometry(1920, 1080, 518, 292, 650)


def test_a_reading_that_was_stopped_while_written_is_not_in_the_study(
    study, tmp_path, matcher, monkeypatch
) -> None:
    def stopped(*_):
        raise KeyboardInterrupt

    path = csv_samples(tmp_path / "g.csv", "image,time_us,x,y", ["30,40"] * 60)
    with monkeypatch.context() as patch:
        patch.setattr(ReadingStore, "_finish", stopped)
        with pytest.raises(KeyboardInterrupt):
            imported(study, "csv", [path], matcher)
    with study.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Reading)) == 0
    (report,) = imported(study, "csv", [path], matcher)
    assert report.status == "accepted"
    with study.database.read() as session:
        assert session.scalars(select(Reading.sample_count)).all() == [60]
        assert session.scalar(select(func.count()).select_from(Fixation)) == 1


def test_a_reading_that_failed_leaves_the_next_of_its_reader_whole(
    study, tmp_path, matcher, monkeypatch
) -> None:
    path = csv_samples(tmp_path / "g.csv", "image,time_us,x,y", ["30,40"] * 60)
    path.write_text(path.read_text() + path.read_text().split("\n", 1)[1].replace("P1", "b2"))
    finish, calls = ReadingStore._finish, []

    def once(*arguments):
        calls.append(1)
        if len(calls) == 1:
            raise MemoryError
        return finish(*arguments)

    store = ReadingStore.of(study, "csv")
    monkeypatch.setattr(ReadingStore, "_finish", once)
    monkeypatch.setattr(ReadingStore, "of", lambda *_: store)
    with pytest.raises(MemoryError):
        imported(study, "csv", [path], matcher)
    (report,) = imported(study, "csv", [path], matcher)
    assert [r.status for r in report.readings] == ["accepted", "accepted"]


def test_the_same_gaze_laid_elsewhere_is_refused_and_not_called_known(
    study, tmp_path, matcher
) -> None:
    path = csv_samples(tmp_path / "g.csv", "image,time_us,x,y", ["500,400"] * 60)

    def again(x: float) -> str:
        where = (x, 140.0, 1000.0, 800.0)
        (report,) = imported(study, "csv", [path], matcher, screen=SCREEN, shown=where)
        return report.status if not report.reason else report.reason

    assert again(460.0) == "accepted"
    assert again(460.0) == "known"
    assert "image position" in again(0.0)
