"""What tells which cases are positive: labels by name, or what most readers said."""

from pathlib import Path

import pytest

from migrations.study.answers import keep_questions
from migrations.study.forms import Question
from migrations.study.schema import Answer, Reader, new_id
from tests.trainer.analysis.performance.test_study_ratings import Answers
from trainer.analysis.performance.study_ratings import study_ratings
from trainer.analysis.performance.truth import Truth
from trainer.errors import PerformanceError


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    made = Answers(tmp_path)
    for name, label in (("a", "cancer"), ("b", "cyst"), ("c", "normal")):
        made.case(name, label)
    return made


def panel(answers: Answers, reading: str, value: str) -> None:
    form = [
        Question("mass", "Is there a mass?", options=("yes", "no")),
        Question("panel", "What does the panel say?", options=("yes", "no")),
    ]
    with answers.maker.study.database.write() as rows:
        ids = keep_questions(rows, form)
        rows.flush()
        for key, said in (("mass", "yes"), ("panel", value)):
            rows.add(Answer(id=new_id(), question_id=ids[key], reading_id=reading, value=said,
                            time_us=answers.start_us))  # fmt: skip


def test_a_label_by_its_name_is_the_truth_where_answers_are_called_otherwise(
    answers: Answers,
) -> None:
    for case in "abc":
        answers.says(case, "finding")

    found = study_ratings(answers.maker.study, "finding", truth=Truth(label="cancer"))

    assert [d.truth for d in found.decisions] == [True, False, False]
    with pytest.raises(PerformanceError, match=r'"tumour". Labels: cancer, cyst, normal'):
        study_ratings(answers.maker.study, "finding", truth=Truth(label="tumour"))


def test_what_most_readers_answered_to_another_question_is_the_truth_and_ties_are_left_out(
    answers: Answers,
) -> None:
    second = new_id()
    with answers.maker.study.database.write() as rows:
        rows.add(Reader(id=second, pseudonym="R9"))
    mine = answers.maker.reader_id
    for case, one, other in (("a", "yes", "yes"), ("b", "no", "no"), ("c", "yes", "no")):
        for reader, value in ((mine, one), (second, other)):
            answers.maker.reader_id = reader
            panel(answers, answers.says(case, "finding"), value)

    found = study_ratings(
        answers.maker.study, "yes", "mass", Truth(question="panel", positive="yes")
    )

    assert [(d.reader == "R9", d.truth) for d in found.decisions] == [
        (False, True), (True, True), (False, False), (True, False),
    ]  # fmt: skip
    assert found.notes == ("2 readings of a case whose truth is unknown",)
    assert 'most readers answered "yes" to "panel"' in found.remarks[0]
    assert "because of a tie: 1" in found.remarks[0]


def test_readers_are_not_measured_against_their_own_answers(answers: Answers) -> None:
    panel(answers, answers.says("a", "finding"), "yes")

    with pytest.raises(PerformanceError, match="compared with themselves"):
        study_ratings(answers.maker.study, "yes", "mass", Truth(question="mass"))
    with pytest.raises(PerformanceError, match="--truth-positive"):
        study_ratings(answers.maker.study, "yes", "mass", Truth(question="panel"))


def test_a_label_in_two_spellings_is_refused_for_one_of_them_would_be_negative(
    answers: Answers,
) -> None:
    answers.case("d", "Cancer")
    for case in "abcd":
        answers.says(case, "finding")

    with pytest.raises(PerformanceError, match='"cancer" and "Cancer" differ only in spelling'):
        study_ratings(answers.maker.study, "finding", truth=Truth(label="cancer"))
    assert study_ratings(answers.maker.study, "finding", truth=Truth(label="cyst")).decisions


def test_an_answer_in_two_spellings_is_refused_where_it_is_the_truth(answers: Answers) -> None:
    for case, said in (("a", "yes"), ("b", "Yes"), ("c", "no")):
        panel(answers, answers.says(case, "finding"), said)

    with pytest.raises(PerformanceError, match='"yes" and "Yes" differ only in spelling'):
        study_ratings(answers.maker.study, "yes", "mass", Truth(question="panel", positive="yes"))
