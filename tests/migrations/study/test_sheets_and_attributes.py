"""Case sheets come from a csv in must be one of; so does what readers say of themselves."""

from pathlib import Path

import pytest

from main import main
from migrations.study.case_sheets import SHEET, sheets_of
from migrations.study.errors import SettingsError, StudyError
from migrations.study.folder import Study
from migrations.study.names import names_of
from migrations.study.reader_attributes import NOT_SAID, attributes_of, with_attributes
from migrations.study.settings import StudySettings, read_settings, write_settings
from tests.app.recording.reading_doubles import make_study


@pytest.fixture
def study(tmp_path: Path):
    study = make_study(tmp_path / "study", 2)
    yield study
    study.close()


def cases(study: Study) -> dict[str, str]:
    with study.database.read() as rows:
        return names_of(rows, "case")


def take(study: Study, text: str) -> int:
    table = study.folder.parent / "sheets.csv"
    table.write_text(text, encoding="utf-8")
    return main(["db", "sheets", "--study", str(study.folder), str(table)])


def shown(study: Study, *parts: str) -> dict[str, tuple[str, ...]]:
    with study.database.read() as rows:
        return sheets_of(rows, parts)


def test_a_csv_brings_sheets_of_which_only_what_the_study_shows_is_shown(study: Study) -> None:
    one, other = cases(study)
    first, second = cases(study).values()
    text = f"case,age_group,question\n{first},50 to 59,Palpable lump?\n{second},,\n"
    assert take(study, text) == 0
    assert shown(study, *SHEET) == {one: ("Age: 50 to 59", "Question: Palpable lump?")}
    assert shown(study, "sex", "question") == {one: ("Question: Palpable lump?",)}
    assert shown(study) == {}
    assert other not in shown(study, *SHEET)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("case,age_group\n{case},57\n", "must be one of", id="an age"),
        pytest.param("case,sex\n{case},F\n", "must be one of", id="sex"),
        pytest.param("case,birth_date\n{case},1960\n", "birth_date", id="unknown column"),
        pytest.param("sex\nfemale\n", "`case`", id="no case"),
        pytest.param("case,sex\n{case},male\n{case},male\n", "twice", id="twice"),
        pytest.param("case,sex\nCase-Z,male\n", "Case-Z", id="unknown case"),
        pytest.param("case,sex\n{case:.3},male\n", "no case", id="only a beginning"),
        pytest.param("case,question\n{case},lump, left\n", "more cells", id="comma"),
        pytest.param("case,question\n{case}," + 501 * "x" + "\n", "500", id="long"),
        pytest.param("case,sex\n", "no case sheets", id="empty"),
    ],
)
def test_a_sheet_that_says_more_or_less_than_it_may_is_refused_whole(
    study: Study, text: str, words: str, capsys: pytest.CaptureFixture
) -> None:
    first, second = cases(study).values()
    assert take(study, f"case,sex\n{second},male\n") == 0
    before = shown(study, *SHEET)
    assert take(study, text.replace("{case}", first)) == 1
    assert words in capsys.readouterr().err
    assert shown(study, *SHEET) == before


def test_attributes_are_kept_as_classes_only_and_the_first_word_stays() -> None:
    kept = with_attributes({"imported": True}, {"years": "5 to 9", "eyewear": NOT_SAID})
    assert kept["imported"] is True
    assert attributes_of(kept) == {"years": "5 to 9", "eyewear": NOT_SAID}
    again = with_attributes(kept, {"years": "under 5", "speciality": "breast imaging"})
    assert attributes_of(again)["years"] == "5 to 9"
    assert attributes_of(again)["speciality"] == "breast imaging"
    with pytest.raises(SettingsError, match="must be one of"):
        with_attributes({}, {"years": "7"})
    with pytest.raises(SettingsError, match="not asked"):
        with_attributes({}, {"age": "50"})


def test_what_is_asked_and_shown_stands_in_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    settings = StudySettings(case_sheet=("question",), reader_attributes=("years", "eyewear"))
    write_settings(file, settings)
    assert read_settings(file).case_sheet == ("question",)
    assert read_settings(file).reader_attributes == ("years", "eyewear")
    file.write_text('case_sheet = ["birth"]\n')
    with pytest.raises(StudyError, match="case_sheet can be"):
        read_settings(file)
