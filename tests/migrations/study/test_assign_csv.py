"""A csv of assignments says what it says once: what cannot be meant is refused with its line."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from main import main
from migrations.study.folder import Study
from migrations.study.names import names_of
from migrations.study.schema import Assignment, Audit
from tests.app.recording.reading_doubles import make_study


@pytest.fixture
def study(tmp_path: Path):
    study = make_study(tmp_path / "study", 2)
    yield study
    study.close()


def assign(study: Study, text: str, *words: str) -> int:
    with study.database.read() as rows:
        first, second = names_of(rows, "case").values()
    table = study.folder.parent / "plan.csv"
    table.write_text(text.format(a=first, b=second), encoding="utf-8")
    return main(["db", "assign", "--study", str(study.folder), str(table), *words])


def count(study: Study) -> int:
    with study.database.read() as rows:
        return rows.scalar(select(func.count()).select_from(Assignment)) or 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("order,reader,case\n1,R1\n", "line 2: the case is empty", id="short"),
        pytest.param("reader,case,order,arm\nR1,{a},1,B\n", "arm 'B'", id="arm of no arms"),
        pytest.param("reader,case,order\nR1,{a},1,2\n", "more cells", id="too many cells"),
        pytest.param("reader,case,order,order\nR1,{a},1,2\n", "'order' twice", id="twice"),
        pytest.param("reader,case,order\nR1,{a}," + "9" * 20 + "\n", "line 2: order", id="huge"),
        pytest.param("reader,case,order\nR1,{a},1\nR1,Case-Z,2\n", "line 3", id="other study"),
        pytest.param("reader,case,order\nR1,{a:.1},1\n", "no case", id="only a beginning"),
        pytest.param(
            "reader,case,order\nR7,{a},1\nr7,{b},2\n",
            "line 3: the reader 'r7' is a different spelling of 'R7'",
            id="one reader, two",
        ),
        pytest.param(
            "reader,case,order\nR1,{a},1\nR1,{b},1\n",
            "line 3: R1 has order 1 twice",
            id="one order, two cases",
        ),
    ],
)
def test_a_plan_that_cannot_be_meant_is_refused_with_its_line(
    study: Study, text: str, words: str, capsys
) -> None:
    assert assign(study, text) == 1
    assert words in capsys.readouterr().err
    assert count(study) == 0


def test_a_plan_is_taken_with_spaces_in_its_head_and_an_empty_column_of_arms(study: Study) -> None:
    assert assign(study, "reader, case, order, arm\nR1,{a},1,\nR1,{b},2,\n") == 0
    assert count(study) == 2


def test_a_reader_whom_the_study_does_not_have_is_asked_about(study: Study, capsys) -> None:
    assert assign(study, "reader,case,order\nR1,{a},1\n") == 0, "all are new here"
    assert assign(study, "reader,case,order\nR1,{a},1\nR11,{b},2\n") == 1
    said = capsys.readouterr().err
    assert "line 3: the study has no reader 'R11'; it has R1." in said
    assert "--new-reader R11" in said
    assert assign(study, "reader,case,order\nr1,{a},1\n", "--new-reader", "r1") == 1
    assert "a different spelling" in capsys.readouterr().err
    assert count(study) == 1
    assert assign(study, "reader,case,order\nR11,{b},2\n", "--new-reader", "R11") == 0
    assert count(study) == 2
    with study.database.read() as rows:
        told = rows.scalars(select(Audit.details).where(Audit.action == "readings planned")).all()
    assert told == [{"R1": 1}, {"R11": 1}]


def test_a_plan_says_where_the_study_does_not_follow_it(study: Study, tmp_path, capsys) -> None:
    assert assign(study, "reader,case,order\nR1,{a},1\n") == 0
    said = capsys.readouterr()
    assert "R1: 1 reading planned." in said.out
    assert '"all": every reader reads every case, whatever the plan says' in said.err
    other = make_study(tmp_path / "csv", 2, assignment="csv")
    assert assign(other, "reader,case,order\nR1,{a},1\nR1,{b},2\n") == 0
    other.close()
    assert capsys.readouterr() == ("R1: 2 readings planned.\n", "")


@pytest.mark.parametrize("separator", [";", "\t"])
def test_plans_and_sheets_are_taken_as_a_spreadsheet_of_another_country_writes_them(
    study: Study, separator: str, capsys
) -> None:
    assert assign(study, "\ufeffreader,case,order\nR1,{a},1\n".replace(",", separator)) == 0
    assert count(study) == 1
    with study.database.read() as rows:
        first = next(iter(names_of(rows, "case").values()))
    sheets = study.folder.parent / "sheets.csv"
    sheets.write_text(f"case,question\n{first},A lump?\n".replace(",", separator))
    assert main(["db", "sheets", "--study", str(study.folder), str(sheets)]) == 0
    assert "1 case sheet read." in capsys.readouterr().out
