"""What is read once more: after a washout, marked, and never by surprise."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.recording.rereads import BAD_GAZE, REPEAT
from app.recording.session import ReadingSession
from app.recording.worklist import WorklistRow, reading_order, worklist
from devices.clock import HostClock
from migrations.study.folder import Study
from migrations.study.schema import Reading
from tests.app.recording.reading_doubles import (
    GEOMETRY,
    ScriptedTracker,
    make_study,
    still,
    view_of,
)


def _read_all(study: Study) -> None:
    """Read every case that is offered."""
    session = ReadingSession.open(
        study, "R1", ScriptedTracker(still, 300.0), HostClock(60.0), GEOMETRY, consented=True
    )
    while (case := session.next_case()) is not None:
        session.begin(case)
        session.show(view_of(session.clock.now_us(), case.tiles[0].image_id))
        session.answer("a")
        session.finish()
    session.close()


def _judge(study: Study, verdicts: dict[str, str]) -> None:
    with study.database.write() as session:
        for reading in session.scalars(select(Reading)):
            name = next(
                r.stored_name for r in worklist(study, "R1") if r.case_id == reading.case_id
            )
            reading.verdict = verdicts.get(name, "good")


def _states(study: Study, days: float) -> dict[str, tuple[str, str | None]]:
    rows = worklist(study, "R1", datetime.now(UTC) + timedelta(days=days))
    return {row.stored_name: (row.state, row.reread.why if row.reread else None) for row in rows}


@pytest.fixture
def make(tmp_path: Path):
    made = []

    def make(**settings: object) -> Study:
        made.append(make_study(tmp_path / f"study-{len(made)}", order="fixed", **settings))
        return made[-1]

    yield make
    for study in made:
        study.close()


def test_bad_gaze_is_read_again_after_the_washout_and_marked(make) -> None:
    study = make(washout_days=28)
    _read_all(study)
    _judge(study, {"case-1": "bad"})
    assert _states(study, 27.9)["case-1"] == ("waiting", BAD_GAZE)
    assert _states(study, 28.1) == {
        "case-0": ("finished", None), "case-1": ("again", BAD_GAZE), "case-2": ("finished", None),
    }  # fmt: skip


def test_without_a_washout_the_next_session_offers_it_and_its_row_says_what_it_repeats(
    make,
) -> None:
    study = make(washout_days=0)
    _read_all(study)
    _judge(study, {"case-2": "bad"})
    _read_all(study)
    with study.database.read() as session:
        first, second = session.scalars(select(Reading).order_by(Reading.id)).all()[2:]
    assert second.case_id == first.case_id
    assert second.details["reread"] == {"of": first.id, "why": BAD_GAZE}
    assert "reread" not in first.details


def test_a_study_may_let_bad_gaze_be(make) -> None:
    study = make(reread_bad=False, washout_days=0)
    _read_all(study)
    _judge(study, {"case-1": "bad"})
    assert _states(study, 1)["case-1"] == ("finished", None)


def test_repeats_are_the_same_cases_for_every_reader_and_come_once(make) -> None:
    study = make(repeat_share=1.0, washout_days=0)
    _read_all(study)
    _judge(study, {})
    assert set(_states(study, 1).values()) == {("again", REPEAT)}
    _read_all(study)
    _judge(study, {})
    assert {state for state, _ in _states(study, 1).values()} == {"finished"}


def test_blocks_stay_together_and_each_reader_draws_them() -> None:
    rows = [WorklistRow(i, f"c{i}", f"case-{i}", False, "one-up", 1, "to read") for i in range(40)]
    order = [row.position for row in reading_order(rows, "R1", 7, 10)]
    assert sorted(order) == list(range(40))
    blocks = [position // 10 for position in order]
    assert all(len(set(blocks[i : i + 10])) == 1 for i in range(0, 40, 10))
    others = [[r.position for r in reading_order(rows, f"R{i}", 7, 10)] for i in range(2, 6)]
    assert any(order != other for other in others)
    assert order != sorted(order)
