"""A csv of assignments says what it says once: what cannot be meant is refused with its line."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from main import main
from migrations.study.folder import Study
from migrations.study.names import names_of
from migrations.study.schema import Assignment
from tests.app.recording.reading_doubles import make_study


@pytest.fixture
def study(tmp_path: Path):
    study = make_study(tmp_path / "study", 2)
    yield study
    study.close()


def assign(study: Study, text: str) -> int:
    with study.database.read() as rows:
        first, second = names_of(rows, "case").values()
    table = study.folder.parent / "plan.csv"
    table.write_text(text.format(a=first, b=second), encoding="utf-8")
    return main(["db", "assign", "--study", str(study.folder), str(table)])


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
