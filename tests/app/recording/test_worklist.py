"""What a reader finds on the worklist: own state only, in a seeded order."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event

from app.errors import SessionError
from app.recording.cases import CaseList
from app.recording.worklist import WorklistRow, case_tiles, reading_order, worklist
from devices.clock import HostClock
from migrations.study.folder import Study
from migrations.study.names import short_name
from migrations.study.schema import CaseImage, Image, Reader, Reading, StudyCase, new_id
from tests.app.recording.reading_doubles import GEOMETRY, ScriptedTracker, make_study


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    study = make_study(tmp_path / "study", cases=4)
    yield study
    study.close()


def row(number: int, practice: bool = False) -> WorklistRow:
    return WorklistRow(number, f"id{number}", f"case-{number}", practice, "one-up", 1, "to read")


def add_readings(study: Study, reader: str, states: dict[str, list[str]]) -> None:
    """Give a reader readings of cases by name, in order of time."""
    from app.recording.opening_rows import write_opening_rows

    sitting = write_opening_rows(
        study,
        reader,
        ScriptedTracker().info,
        HostClock(),
        GEOMETRY,
        station="",
        seed=None,
        consented=True,
        details={},
    )
    by_name = {case.stored_name: case.case_id for case in sitting.cases}
    with study.database.write() as session:
        for name, wanted in states.items():
            for state in wanted:
                verdict = "good" if state == "finished" else None
                session.add(
                    Reading(
                        id=new_id(),
                        session_id=sitting.session_id,
                        case_id=by_name[name],
                        reader_id=sitting.reader_id,
                        state=state,
                        started_us=0,
                        verdict=verdict,
                        verdict_reasons=[],
                    )
                )
                session.flush()


def test_each_case_shows_the_state_of_the_readers_latest_reading(study: Study) -> None:
    states = {"case-0": ["interrupted", "finished"], "case-1": ["finished", "interrupted"]}
    add_readings(study, "R1", {**states, "case-2": ["open"]})
    found = worklist(study, "R1")
    assert [r.stored_name for r in found] == ["case-0", "case-1", "case-2", "case-3"]
    assert [r.name for r in found] == [short_name(r.case_id) for r in found]
    assert [r.state for r in found] == ["finished", "interrupted", "open", "to read"]
    assert [r.verdict for r in found] == ["good", None, None, None]
    assert [r.image_count for r in found] == [1, 1, 1, 1]


def test_nothing_of_another_readers_results_is_in_it(study: Study) -> None:
    add_readings(study, "R1", {"case-0": ["finished"]})
    add_readings(study, "R2", {"case-1": ["interrupted"]})
    assert [r.state for r in worklist(study, "R2")] == [
        "to read",
        "interrupted",
        "to read",
        "to read",
    ]
    assert {r.reading_id for r in worklist(study, "R3")} == {None}


def test_it_takes_two_queries_however_many_cases(study: Study) -> None:
    add_readings(study, "R1", {"case-0": ["finished"]})
    seen: list[str] = []
    event.listen(study.database.engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
    assert len(worklist(study, "R1")) == 4
    assert len([text for text in seen if text.lstrip().upper().startswith("SELECT")]) == 2


def test_a_case_of_two_images_counts_both_and_hangs_them_by_tile(study: Study) -> None:
    with study.database.write() as session:
        case = StudyCase(id=new_id(), name="pair", position=9, hanging="two-up")
        session.add(case)
        session.flush()
        ids = [i.id for i in session.query(Image).order_by(Image.import_number).limit(2)]
        session.add(CaseImage(case_id=case.id, image_id=ids[1], tile=1))
        session.add(CaseImage(case_id=case.id, image_id=ids[0], tile=0))
        case_id = case.id
    assert worklist(study, "R1")[-1].image_count == 2
    tiles = case_tiles(study)[case_id]
    assert [(t.tile, t.image_id, t.width, t.height) for t in tiles] == [
        (0, ids[0], 1000, 800),
        (1, ids[1], 1000, 800),
    ]


def test_the_order_follows_seed_and_reader_and_repeats() -> None:
    rows = [row(i) for i in range(30)]
    order = [r.name for r in reading_order(rows, "R1", 1)]
    assert order == [r.name for r in reading_order(reversed(rows), "R1", 1)]
    assert order != [r.name for r in rows]
    assert order != [r.name for r in reading_order(rows, "R2", 1)]
    assert order != [r.name for r in reading_order(rows, "R1", 2)]


def test_the_order_of_known_cases_stays_when_cases_are_added() -> None:
    before = [r.name for r in reading_order([row(i) for i in range(10)], "R1", 1)]
    after = [r.name for r in reading_order([row(i) for i in range(20)], "R1", 1)]
    assert [name for name in after if name in before] == before


def test_a_case_keeps_its_place_by_the_name_its_row_has_whatever_it_is_shown_as() -> None:
    rows = [row(i) for i in range(10)]
    shown = [replace(r, name=f"X{r.position}", stored_name=r.name) for r in rows]
    order = [r.stored_name for r in reading_order(shown, "R1", 1)]
    assert order == [r.name for r in reading_order(rows, "R1", 1)]


def test_practice_comes_first_and_no_seed_keeps_the_order() -> None:
    rows = [row(0), row(1), row(2, practice=True)]
    assert [r.position for r in reading_order(rows, "R1", None)] == [2, 0, 1]
    assert reading_order(rows, "R1", 8)[0].practice


def test_a_case_without_images_is_never_offered() -> None:
    cases = CaseList([row(0)], {})
    assert cases.next() is None
    with pytest.raises(SessionError, match="not in this session"):
        cases.get("id9")


def test_the_worklist_of_an_empty_study_is_empty(tmp_path: Path) -> None:
    study = make_study(tmp_path / "empty", cases=0)
    assert worklist(study, "R1") == []
    with study.database.read() as session:
        assert session.query(Reader).count() == 0
    study.close()
