"""A session of a study with arms: what its rows say, what it shows, and what it never says."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from app.errors import SessionError
from app.recording.opening_rows import keep_attributes, not_yet_asked
from app.recording.session import ReadingSession
from devices.clock import HostClock
from main import main
from migrations.study.arms import Arm
from migrations.study.assignments import assigned_to
from migrations.study.errors import StudyError
from migrations.study.folder import Study
from migrations.study.names import names_of
from migrations.study.schema import Arm as ArmRow
from migrations.study.schema import Reading
from migrations.study.settings import StudySettings, read_settings, write_settings
from tests.app.recording.reading_doubles import (
    GEOMETRY,
    ScriptedTracker,
    make_study,
    still,
    view_of,
)

ARMS = (Arm("zebra"), Arm("quagga", boxes="ai.csv", second_look=True))


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    study = make_study(tmp_path / "study", 2, arms=ARMS)
    yield study
    study.close()


def opened(study: Study, reader: str = "R1") -> ReadingSession:
    tracker = ScriptedTracker(still, 60.0)
    return ReadingSession.open(study, reader, tracker, HostClock(8.0), GEOMETRY, consented=True)


def names(study: Study, kind: str) -> list[str]:
    with study.database.read() as rows:
        return list(names_of(rows, kind).values())


def write_boxes(study: Study, *lines: tuple) -> None:
    with (study.folder / "ai.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("image", "x", "y", "width", "height", "text"), *lines])


def test_a_second_look_follows_at_once_with_its_boxes_and_nothing_names_an_arm(
    study: Study, caplog: pytest.LogCaptureFixture
) -> None:
    write_boxes(study, *((name, 10, 20, 30, 40, "0.9") for name in names(study, "image")))
    session = opened(study)
    order, boxes = [], []
    with caplog.at_level(0):
        while (case := session.next_case()) is not None:
            session.begin(case)
            session.show(view_of(session.clock.now_us(), case.tiles[0].image_id))
            session.answer("a")
            boxes.append([b.text for b in session.aids(case).get(case.tiles[0].image_id, ())])
            order.append(case.case_id)
            session.finish()
        details = str(session._services.details)
        session.close()
    assert order[0] == order[1] != order[2] == order[3]
    assert boxes == [[], ["0.9"]] * 2
    with study.database.read() as rows:
        found = rows.execute(
            select(ArmRow.key).join(Reading, Reading.arm_id == ArmRow.id).order_by(Reading.id)
        )
        assert [key for (key,) in found] == ["zebra", "quagga"] * 2
    told = caplog.text + details + " ".join(p.name for p in study.folder.rglob("*"))
    assert not [arm.key for arm in ARMS if arm.key in told]


def test_a_reader_cut_off_after_the_first_look_comes_back_to_the_second(study: Study) -> None:
    write_boxes(study)
    session = opened(study)
    case = session.next_case()
    assert case is not None
    session.begin(case)
    session.answer("a")
    session.finish()
    session.close()
    session = opened(study)
    again = session.next_case()
    assert again is not None
    assert (again.case_id, again.reread and again.reread.why) == (case.case_id, "second look")
    session.close()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param(("nobody", 1, 1, 1, 1, ""), "no image", id="no such image"),
        pytest.param((None, 990, 1, 20, 1, ""), "is outside the image", id="beside it"),
        pytest.param((None, 1, 1, 0, 1, ""), "above 0", id="empty"),
    ],
)
def test_boxes_that_cannot_be_shown_are_refused_by_line(
    study: Study, line: tuple, words: str
) -> None:
    write_boxes(study, (line[0] or names(study, "image")[0], *line[1:]))
    with pytest.raises(SessionError, match=f"line 2.*{words}"):
        opened(study)


def test_a_csv_of_boxes_that_is_missing_is_said_before_the_first_case(study: Study) -> None:
    with pytest.raises(SessionError, match=r"cannot be read from .*ai\.csv"):
        opened(study)


def test_a_plan_from_a_csv_says_who_reads_what_in_which_order(study: Study, capsys) -> None:
    write_boxes(study)
    first, second = names(study, "case")
    plan = study.folder.parent / "plan.csv"
    plan.write_text(
        f"reader,case,order,arm\nR1,{second},1,zebra\nR1,{first},2,zebra\nR2,{first},1,zebra\n"
    )
    assert main(["db", "assign", "--study", str(study.folder), str(plan)]) == 0
    assert "R1: 2 readings planned." in capsys.readouterr().out
    session = opened(study)
    with study.database.read() as rows:
        case_names = names_of(rows, "case")
    read = []
    while (case := session.next_case()) is not None:
        session.begin(case)
        session.answer("a")
        session.finish()
        read.append(case_names[case.case_id])
    session.close()
    assert read == [second, first]
    capsys.readouterr()
    assert main(["db", "progress", "--study", str(study.folder)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "R1, zebra: 2 of 2 cases read.", "R2, zebra: 0 of 1 cases read."
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param("R1,{case},1,okapi", "no arm 'okapi'", id="arm"),
        pytest.param("R1,{case},first,zebra", "whole number", id="order"),
        pytest.param(",{case},1,zebra", "reader is empty", id="reader"),
        pytest.param("R1,nothing,1,zebra", "no case", id="case"),
        pytest.param("R1,{case},1,zebra\nR1,{case},2,zebra", "twice", id="twice"),
    ],
)
def test_a_plan_with_a_wrong_line_is_refused_and_nothing_is_written(
    study: Study, capsys, line: str, words: str
) -> None:
    plan = study.folder.parent / "plan.csv"
    plan.write_text("reader,case,order,arm\n" + line.format(case=names(study, "case")[0]) + "\n")
    assert main(["db", "assign", "--study", str(study.folder), str(plan)]) == 1
    assert words in capsys.readouterr().err
    with study.database.read() as rows:
        assert assigned_to(rows, "R1") == {}


def test_more_readers_than_planned_are_refused(tmp_path: Path) -> None:
    study = make_study(
        tmp_path / "study", 2, assignment="blocks", planned_readers=2, readers_per_case=1
    )
    shares = []
    for reader in ("R1", "R2"):
        session = opened(study, reader)
        shares.append(len(session.cases))
        session.close()
    assert shares == [1, 1]
    with pytest.raises(StudyError, match="All 2 planned readers"):
        opened(study, "R3")
    study.close()


def test_arms_written_to_study_toml_come_back(tmp_path: Path) -> None:
    write_settings(tmp_path / "study.toml", StudySettings(arms=ARMS))
    assert read_settings(tmp_path / "study.toml").arms == ARMS


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param('[[arm]]\nkey = "A b"\n', "lowercase letters", id="key"),
        pytest.param('[[arm]]\nkey = "a"\nsecond_look = true\n', "is the first", id="look"),
        pytest.param('[[arm]]\nkey = "a"\n[[arm]]\nkey = "a"\n', "appears twice", id="twice"),
        pytest.param('[[arm]]\nkey = "a"\ncolour = "red"\n', "unknown field", id="field"),
        pytest.param('assignment = "blocks"\nreaders_per_case = 9\n', "more than", id="readers"),
    ],
)
def test_arms_that_no_plan_can_be_made_of_are_refused(
    tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "study.toml").write_text(text)
    with pytest.raises(StudyError, match=words):
        read_settings(tmp_path / "study.toml")


def test_the_sheet_of_a_case_is_shown_in_the_arms_that_have_it(tmp_path: Path) -> None:
    arms = (Arm("zebra", no_sheet=True), Arm("quagga", second_look=True))
    study = make_study(tmp_path / "study", 1, arms=arms, case_sheet=("sex",))
    table = tmp_path / "sheets.csv"
    table.write_text(f"case,sex,question\n{names(study, 'case')[0]},female,Lump?\n")
    assert main(["db", "sheets", "--study", str(study.folder), str(table)]) == 0
    session = opened(study)
    shown = []
    while (case := session.next_case()) is not None:
        shown.append(session.sheet(case))
        session.begin(case)
        session.show(view_of(session.clock.now_us(), case.tiles[0].image_id))
        session.answer("a")
        session.finish()
    session.close()
    assert shown == [(), ("Sex: female",)]
    assert read_settings(study.folder / "study.toml").arms == arms
    study.close()


def test_an_arm_of_before_there_were_sheets_keeps_its_row(study: Study) -> None:
    with study.database.write() as rows:
        rows.add(ArmRow(id="old", key="zebra", position=0,
                        conditions={"boxes": "", "second_look": False}))  # fmt: skip
    write_boxes(study)
    opened(study).close()
    with study.database.read() as rows:
        assert sorted(rows.scalars(select(ArmRow.key))) == ["quagga", "zebra"]


def test_what_a_reader_said_is_kept_and_not_asked_again(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", 1, reader_attributes=("years",))
    assert not_yet_asked(study, "R1") == ("years",)
    opened(study).close()
    assert not_yet_asked(study, "R1") == ("years",)
    keep_attributes(study, "R1", {"years": "5 to 9"})
    assert not_yet_asked(study, "R1") == ()
    assert not_yet_asked(study, "R2") == ("years",)
    study.close()
