"""Case sheets and readers' attributes that change after a push reach the server with the next."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

from app.recording.opening_rows import keep_attributes
from main import main
from migrations.study.database import Database
from migrations.study.erasure import erase_reader
from migrations.study.errors import RightMissing
from migrations.study.folder import Study
from migrations.study.names import names_of
from migrations.study.reader_attributes import attributes_of
from migrations.study.schema import Audit, Edit, Reader, Session, StudyCase
from migrations.study.sync.edits import Change, make
from migrations.study.sync.push import push
from tests.app.interchange.readings import add_readings
from tests.app.sync.stations import new_role, opened_as, url_as
from tests.migrations.older_study import FIRST_SCHEMA, fill, older_study


@pytest.fixture
def copied(study: Study, tmp_path: Path):
    """The same study at a second station."""
    shutil.copytree(study.folder, tmp_path / "copied")
    other = Study.open(tmp_path / "copied")
    yield other
    other.close()


def _take(study: Study, sheet: str, *words: str, place: int = 0) -> int:
    """Give a case a sheet as a csv's line says it: age group, sex, question."""
    with study.database.read() as rows:
        name = sorted(names_of(rows, "case").items())[place][1]
    table = study.folder.parent / "sheets.csv"
    table.write_text(f"case,age_group,sex,question\n{name},{sheet}\n", encoding="utf-8")
    return main(["db", "sheets", "--study", str(study.folder), str(table), *words])


def _sheet(database: Database) -> dict | None:
    with database.read() as rows:
        return rows.scalars(select(StudyCase.sheet).order_by(StudyCase.id)).first()


def _said(database: Database, reader: str = "R-01") -> dict[str, str]:
    with database.read() as rows:
        return attributes_of(
            rows.scalars(select(Reader.details).where(Reader.pseudonym == reader)).one()
        )


def test_a_sheet_changed_after_a_push_follows_once_and_the_last_to_arrive_holds(
    study: Study, server: Database, server_url: str, capsys: pytest.CaptureFixture
) -> None:
    station = opened_as(server_url, capsys)
    assert _take(study, "50 to 59,female,Lump?") == 0
    push(study.database, station)
    assert _sheet(server) == {"age_group": "50 to 59", "sex": "female", "question": "Lump?"}
    for sheet, wanted in (("60 to 69,female,", "60 to 69"), ("50 to 59,female,Lump?", "50 to 59")):
        assert _take(study, sheet) == 0
        assert push(study.database, station).changed == 1
        assert _sheet(server)["age_group"] == wanted
    assert push(study.database, station, compare=True).changed == 0
    researcher = url_as(server_url, *new_role(server_url, capsys, kind="researcher"))
    assert _take(study, "70 to 79,,", "--database", researcher) == 0
    assert push(study.database, station, compare=True).changed == 0
    assert _sheet(server) == {"age_group": "70 to 79"}
    assert _take(study, ",,") == 0
    assert push(study.database, station).changed == 1
    assert _sheet(server) == {}
    station.close()


def test_the_audit_says_which_sheet_changed_and_nothing_of_what_it_says(study: Study) -> None:
    for _ in range(2):
        assert _take(study, ",male,As Mrs Quill said") == 0
    with study.database.read() as rows:
        (row,) = rows.scalars(select(Audit).where(Audit.action == "case sheet changed"))
        assert rows.get_one(StudyCase, row.subject).sheet["question"] == "As Mrs Quill said"
    assert row.details == {"parts": ["sex", "question"]}


def test_a_sheet_from_before_its_changes_were_kept_comes_where_there_is_none(
    study: Study, server: Database
) -> None:
    push(study.database, server)
    with study.database.write() as rows:  # as Foveate wrote it before revision 0008
        cases = [case.id for case in rows.scalars(select(StudyCase).order_by(StudyCase.id))]
        for case, sex in zip(cases, ("male", "female"), strict=True):
            rows.get_one(StudyCase, case).sheet = {"sex": sex}
    with server.write() as rows:
        rows.get_one(StudyCase, cases[1]).sheet = {"sex": "other"}
    assert push(study.database, server).changed == 1
    with server.read() as rows:
        kept = [rows.get_one(StudyCase, case).sheet for case in cases]
    assert kept == [{"sex": "male"}, {"sex": "other"}]


def test_what_a_reader_says_later_or_elsewhere_follows_and_the_last_to_arrive_holds(
    study: Study,
    copied: Study,
    server: Database,
    server_url: str,
    capsys: pytest.CaptureFixture,
) -> None:
    first, second = (opened_as(server_url, capsys) for _ in range(2))
    add_readings(study, ("R-01",))
    push(study.database, first)
    keep_attributes(study, "R-01", {"years": "5 to 9"})
    assert push(study.database, first).changed == 1
    add_readings(copied, ("R-01",), station="second desk")
    keep_attributes(copied, "R-01", {"years": "10 to 19", "eyewear": "glasses"})
    assert push(copied.database, second).changed == 1
    assert _said(server) == {"years": "10 to 19", "eyewear": "glasses"}
    assert push(study.database, first, compare=True).changed == 0
    keep_attributes(study, "R-01", {"speciality": "breast imaging"})
    assert push(study.database, first).changed == 1
    assert _said(server) == {
        "speciality": "breast imaging", "years": "5 to 9", "eyewear": "glasses"
    }  # fmt: skip
    erase_reader(server, "R-01")
    with server.read() as rows:
        assert rows.scalars(select(Edit.id).where(Edit.subject == "reader")).all() == []
    first.close()
    second.close()


def test_a_station_leaves_the_sheet_of_anothers_case_and_a_reader_who_never_sat_there(
    study: Study, copied: Study, server: Database, server_url: str, capsys: pytest.CaptureFixture
) -> None:
    add_readings(study, ("R-01",))
    first, second = (opened_as(server_url, capsys) for _ in range(2))
    push(study.database, first)
    assert _take(copied, ",male,") == 0
    report = push(copied.database, second)
    assert (report.changed, report.left, _sheet(server)) == (0, 1, None)
    with server.read() as rows:
        reader = rows.scalars(select(Reader.id)).one()
    with pytest.raises(RightMissing), second.write() as rows:
        make(rows, [Change("reader", reader, "attributes", {"years": "5 to 9"})])
    assert _said(server) == {}
    first.close()
    second.close()


def test_a_filled_server_of_0_1_0_takes_them_from_a_filled_study_of_0_1_0(
    server: Database, tmp_path: Path
) -> None:
    study = Study.open(older_study(tmp_path / "study"))
    server.downgrade(FIRST_SCHEMA)
    fill(server)
    server.upgrade()
    with study.database.write() as rows:
        rows.scalars(select(Session)).one().ended_utc = "2026-01-01T00:10:00.000000Z"
    assert push(study.database, server).refused == []
    assert _take(study, "50 to 59,,") == 0
    keep_attributes(study, "pseudonym", {"years": "in training"})
    server.downgrade("0007")
    refused = push(study.database, server).refused
    assert [" ".join(line.split()[:2]) for line in refused] == ["sheet of", "attributes of"]
    server.upgrade()
    assert push(study.database, server).changed == 2
    assert _sheet(server) == {"age_group": "50 to 59"}
    assert _said(server, "pseudonym") == {"years": "in training"}
    study.close()
