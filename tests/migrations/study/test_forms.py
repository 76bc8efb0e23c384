"""The form of a study: what may be asked, when, and what an answer may be."""

from dataclasses import replace
from pathlib import Path

import pytest

from migrations.study.errors import SettingsError
from migrations.study.forms import Question, asked, check_form, checked_value, many
from migrations.study.settings import StudySettings, read_settings, write_settings

FINDING = Question("finding", "What is it?", options=("nothing", "mass", "distortion"))
SHAPE = Question("shape", "Shape?", options=("round", "irregular"), condition="finding = mass")
MARGIN = Question("margin", "Margin?", kind="multiple", options=("sharp", "spiculated"),
                  condition="shape = irregular")  # fmt: skip
SCORE = Question("score", "How suspicious?", kind="scale", options=("0", "100"))
AGAIN = Question("again", "Recall?", options=("no", "yes"), condition="score >= 50")
SIZE = Question("size_mm", "Size?", scope="mark", kind="number", options=("0", "200"))
FORM = (FINDING, SHAPE, MARGIN, SCORE, AGAIN, SIZE)


def test_a_form_written_to_study_toml_comes_back_and_gives_the_study_its_question(
    tmp_path: Path,
) -> None:
    settings = StudySettings(
        question=FINDING.text, classes=FINDING.options, form=FORM, annotations=("box",)
    )
    write_settings(tmp_path / "study.toml", settings)
    read = read_settings(tmp_path / "study.toml")
    assert replace(read, foveate_version="") == settings
    assert read.questions == FORM


def test_a_study_of_today_opens_as_one_question(tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    file.write_text('question = "Is there a nodule?"\nclasses = ["no", "yes"]\n')
    (only,) = read_settings(file).questions
    assert (only.key, only.text, only.kind) == ("answer", "Is there a nodule?", "single")
    assert only.options == ("no", "yes")


def test_options_may_be_numbers_and_classes_are_not_said_twice(tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    leading = '[[question]]\nkey = "f"\ntext = "?"\noptions = ["a", "b"]\n'
    file.write_text(leading + '[[question]]\nkey = "s"\nkind = "scale"\noptions = [1, 5]\n')
    assert read_settings(file).questions[1].choices == ("1", "2", "3", "4", "5")
    file.write_text('classes = ["a", "b"]\n' + leading)
    with pytest.raises(SettingsError, match="Remove classes"):
        read_settings(file)


@pytest.mark.parametrize(
    ("given", "keys"),
    [
        pytest.param({}, ["finding", "score"], id="nothing said"),
        pytest.param({"finding": "mass"}, ["finding", "shape", "score"], id="a mass"),
        pytest.param({"finding": "mass", "shape": "irregular"},
                     ["finding", "shape", "margin", "score"], id="nested"),
        pytest.param({"finding": "nothing", "shape": "irregular"}, ["finding", "score"],
                     id="what rests on a hidden question is hidden"),
        pytest.param({"score": "50"}, ["finding", "score", "again"], id="at the bound"),
        pytest.param({"score": "49"}, ["finding", "score"], id="below it"),
    ],
)  # fmt: skip
def test_a_question_is_asked_when_its_condition_holds(given: dict, keys: list[str]) -> None:
    assert [q.key for q in asked(FORM[:-1], given)] == keys


@pytest.mark.parametrize(
    ("question", "words"),
    [
        pytest.param(replace(SHAPE, key="Shape"), "lowercase letters", id="key"),
        pytest.param(replace(SHAPE, key="finding"), "appears twice", id="twice"),
        pytest.param(replace(SHAPE, condition="later = mass"), "an earlier question", id="later"),
        pytest.param(replace(SHAPE, condition="finding = lump"), "'lump'", id="no such answer"),
        pytest.param(replace(SHAPE, condition="finding >= 3"), "not a number", id="compared words"),
        pytest.param(replace(SHAPE, kind="radio"), "must be one of", id="kind"),
        pytest.param(replace(SHAPE, options=("round",)), "2 to 9 options", id="one option"),
        pytest.param(replace(SCORE, options=("5", "1")), "not below", id="bounds"),
        pytest.param(replace(SCORE, options=()), "two numbers", id="no bounds"),
        pytest.param(replace(SIZE, key="s"), "has none", id="no marks in the study"),
        pytest.param(Question("t", "?", kind="text", options=("a",)), "with free text", id="text"),
    ],
)  # fmt: skip
def test_a_question_that_cannot_be_asked_is_refused_by_name(question: Question, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        check_form((FINDING, question), marks=False)


def test_the_first_question_gives_the_class() -> None:
    with pytest.raises(SettingsError, match="single choice about the case"):
        check_form((SCORE, FINDING))


@pytest.mark.parametrize(
    ("question", "right", "wrong"),
    [
        pytest.param(FINDING, ["mass"], ["lump", ""], id="single"),
        pytest.param(MARGIN, ["[]", '["sharp"]'], ["sharp", '["blunt"]', "{}"], id="multiple"),
        pytest.param(SCORE, ["0", "100"], ["101", "-1", "5.5", "much"], id="scale"),
        pytest.param(Question("b", "?", kind="scale", options=("0", "1", "2", "4A")),
                     ["4A"], ["3"], id="grades"),
        pytest.param(SIZE, ["0.5", "200"], ["201", "nan", "inf", "12 mm"], id="number"),
        pytest.param(Question("c", "?", kind="confidence"), ["1", "5"], ["0", "6"],
                     id="confidence"),
        pytest.param(Question("t", "?", kind="text"), ["seen before"], ["  "], id="text"),
    ],
)  # fmt: skip
def test_an_answer_is_one_the_question_offers(
    question: Question, right: list[str], wrong: list[str]
) -> None:
    assert [checked_value(question, value) for value in right] == right
    for value in wrong:
        with pytest.raises(SettingsError, match=question.key):
            checked_value(question, value)


def test_a_multiple_choice_is_kept_in_the_order_of_the_form() -> None:
    assert many(["spiculated", "sharp"], MARGIN) == '["sharp", "spiculated"]'
