"""The answers of a study as ratings: equal to counting them by hand."""

import json
import math
from pathlib import Path

import pytest
from sqlalchemy import select, update

from main import main
from migrations.study.answers import keep_questions
from migrations.study.forms import Question
from migrations.study.schema import Annotation, Answer, Arm, CaseImage, Image, new_id
from tests.trainer.gaze_study import StudyMaker
from trainer.analysis.performance.decisions import decision_rows
from trainer.analysis.performance.study_ratings import Decision, study_ratings
from trainer.analysis.performance.truth import Truth
from trainer.errors import PerformanceError

GRADES = ("1", "2", "3", "4A", "4B", "5")


class Answers:
    """Writes a study's readings and what was answered."""

    def __init__(self, folder: Path) -> None:
        self.maker = StudyMaker.create(folder / "study")
        self.start_us = 0
        self.cases: dict[str, str] = {}
        self.arms: dict[str, str] = {}

    def case(self, name: str, label: str | None) -> None:
        self.cases[name] = self.maker.case(self.maker.image(label=label))

    def arm(self, key: str) -> None:
        self.arms[key] = new_id()
        with self.maker.study.database.write() as rows:
            rows.add(Arm(id=self.arms[key], key=key, conditions={}, position=len(self.arms)))

    def says(self, case: str, label: str, sure: int | None = None, arm: str = "", **fields) -> str:  # type: ignore[no-untyped-def]
        self.start_us += 1_000_000
        reading = self.maker.reading(
            self.cases[case], self.start_us, self.start_us + 900_000,
            arm_id=self.arms.get(arm), **fields,
        )  # fmt: skip
        given = [("class", label)] + ([("confidence", str(sure))] if sure else [])
        with self.maker.study.database.write() as rows:
            for kind, text in given:
                rows.add(
                    Annotation(
                        id=new_id(),
                        reading_id=reading,
                        time_us=self.start_us,
                        kind=kind,
                        label=text,
                    )
                )
        return reading


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    made = Answers(tmp_path)
    for name, label in (("a", "finding"), ("b", "finding"), ("c", "clear"), ("d", "clear")):
        made.case(name, label)
    return made


def test_a_choice_and_its_confidence_become_a_rating(answers: Answers) -> None:
    answers.says("a", "finding", 5)
    answers.says("b", "clear", 2)
    answers.says("c", "clear", 4)
    answers.says("d", "finding")

    found = study_ratings(answers.maker.study, "finding")

    said = [(d.rating, d.positive, d.truth) for d in found.decisions]
    assert said[:3] == [(5.0, True, True), (-2.0, False, True), (-4.0, False, False)]
    # The last has no confidence: it is a call, and no rating as if 1 had been given.
    assert math.isnan(said[3][0])
    assert said[3][1:] == (True, False)
    assert [rating.rating for rating in found.ratings] == [5.0, -2.0, -4.0]
    assert found.remarks == (
        "1 of 4 answers have no confidence: counted for sensitivity and specificity, "
        "not for the ROC",
    )


def test_where_nobody_gave_a_confidence_the_calls_are_the_ratings_and_that_is_said(
    answers: Answers,
) -> None:
    answers.says("a", "finding")
    answers.says("c", "clear")

    found = study_ratings(answers.maker.study, "finding")

    assert [rating.rating for rating in found.ratings] == [1.0, -1.0]
    assert found.remarks == (
        "no confidence was given, so the ROC curve has only one point between its ends",
    )


def test_the_command_counts_decisions_as_one_does_by_hand(
    answers: Answers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for case, label in (("a", "finding"), ("b", "clear"), ("c", "clear"), ("d", "clear")):
        answers.says(case, label, 3)
    answers.says("a", "clear", 2)

    code = main(
        ["performance", "--study", str(answers.maker.study.folder), "--positive", "finding",
         "--random", "cases", "--out", str(tmp_path / "out")]
    )  # fmt: skip

    found = json.loads((tmp_path / "out" / "performance.json").read_text())
    own = next(row for row in found["decisions"] if row["reader"] == "R01")
    assert code == 0
    assert (own["sensitivity"]["hits"], own["sensitivity"]["count"]) == (1, 2)
    assert (own["specificity"]["hits"], own["specificity"]["count"]) == (2, 2)
    assert found["within_reader"][0]["same_call"] == 0.0
    assert "consensus" not in {row["reader"] for row in found["decisions"]}  # of one reader
    assert "sensitivity 0.50" in capsys.readouterr().out


def test_arms_stand_apart_and_keep_their_keys(answers: Answers) -> None:
    answers.arm("aided")
    answers.arm("unaided")
    answers.says("a", "finding", arm="aided")
    answers.says("a", "clear", arm="unaided")

    found = study_ratings(answers.maker.study, "finding")

    assert [(d.arm, d.positive) for d in found.decisions] == [("aided", True), ("unaided", False)]
    assert found.repeats == ()


def test_practice_simulated_and_dropped_readings_do_not_count(answers: Answers) -> None:
    answers.says("a", "finding", practice=True)
    answers.says("b", "finding", details={"stand_in": "simulated"})
    answers.says("c", "finding", details={"cohort": {"keep": False, "reason": "x"}})
    answers.says("d", "finding", details={"stand_in": "mouse"}, verdict="bad")

    found = study_ratings(answers.maker.study, "finding")

    assert [d.truth for d in found.decisions] == [False]
    assert found.notes == (
        "1 reading of the simulated reader (trial = false)",
        "1 reading excluded by hand",
    )


def test_a_table_of_truth_goes_over_labels(answers: Answers, tmp_path: Path) -> None:
    answers.says("a", "finding")
    answers.says("c", "finding")
    table = tmp_path / "truth.csv"
    table.write_text(f"case,truth\n{answers.cases['a']},0\n{answers.cases['c']},1\n")

    found = study_ratings(answers.maker.study, "finding", truth=Truth(table))

    assert [d.truth for d in found.decisions] == [False, True]


def test_a_case_without_a_label_is_left_out_unless_it_is_positive(answers: Answers) -> None:
    with answers.maker.study.database.write() as rows:
        rows.execute(update(Image).values(label=None))
    answers.says("a", "finding")

    with pytest.raises(PerformanceError, match="truth is unknown"):
        study_ratings(answers.maker.study, "finding")


@pytest.mark.parametrize(
    ("positive", "question", "word"),
    [("mass", None, '"mass"'), ("finding", "margin", "Questions answered: answer")],
)
def test_what_was_never_answered_is_refused_by_name(
    answers: Answers, positive: str, question: str | None, word: str
) -> None:
    answers.says("a", "finding")

    with pytest.raises(PerformanceError, match=word):
        study_ratings(answers.maker.study, positive, question)


def test_a_study_needs_to_be_told_what_is_positive(answers: Answers) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["performance", "--study", str(answers.maker.study.folder)])
    assert stop.value.code == 2


def test_what_is_no_study_is_a_wrong_argument(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["performance", "--study", str(tmp_path / "x"), "--positive", "y"])
    assert ended.value.code == 2
    assert not (tmp_path / "x").exists()


def images_of(answers: Answers) -> dict[str, str]:
    with answers.maker.study.database.read() as rows:
        images = dict(rows.execute(select(CaseImage.case_id, CaseImage.image_id)).all())
    return {name: images[case] for name, case in answers.cases.items()}


def localised(answers: Answers, folder: Path, lesions: str, *options: str) -> int:
    """Run the command over four readings with a table of areas."""
    for case in "abcd":
        answers.says(case, "finding" if case in "ab" else "clear")
    (folder / "lesions.csv").write_text(f"image,area,kind,x,y,width,height,lesion\n{lesions}")
    return main(
        ["performance", "--study", str(answers.maker.study.folder), "--positive", "finding",
         "--random", "cases", "--areas", str(folder / "lesions.csv"),
         "--out", str(folder / "out"), *options]
    )  # fmt: skip


def test_cases_whose_truth_and_lesions_disagree_are_left_out_and_counted(
    answers: Answers, tmp_path: Path
) -> None:
    image = images_of(answers)

    code = localised(
        answers, tmp_path, f"{image['a']},l,box,5,5,9,9,1\n{image['c']},l,box,5,5,9,9,1\n"
    )

    found = json.loads((tmp_path / "out" / "performance.json").read_text())
    assert code == 0
    assert found["localisation"][0]["lesions"] == 1
    assert found["left_out"] == [
        "of the localisation, 1 case positive without a lesion in the table of areas",
        "of the localisation, 1 case negative with a lesion in the table of areas",
    ]


@pytest.mark.parametrize(
    ("lesion", "word"),
    [("keypoint,5,5,,,1", "--radius-px"), ("box,5000,5,9,9,1", "lies outside the image")],
)
def test_a_lesion_that_no_mark_can_find_is_refused(
    answers: Answers, tmp_path: Path, capsys: pytest.CaptureFixture[str], lesion: str, word: str
) -> None:
    assert localised(answers, tmp_path, f"{images_of(answers)['a']},l,{lesion}\n") == 1
    assert word in capsys.readouterr().err


def test_of_a_multiple_choice_the_positive_answer_is_one_of_several(answers: Answers) -> None:
    question = Question("kinds", "?", kind="multiple", options=("mass", "cyst"))
    with answers.maker.study.database.write() as rows:
        ids = keep_questions(rows, [question])
    for case, value in (("a", '["cyst", "mass"]'), ("c", '["cyst"]')):
        reading = answers.says(case, "finding")
        with answers.maker.study.database.write() as rows:
            rows.add(
                Answer(
                    id=new_id(),
                    reading_id=reading,
                    question_id=ids["kinds"],
                    value=value,
                    time_us=1,
                )
            )

    truth = answers.maker.study.folder / "truth.csv"
    truth.write_text(f"case,truth\n{answers.cases['a']},1\n{answers.cases['c']},0\n")
    found = study_ratings(answers.maker.study, "mass", "kinds", Truth(truth))

    assert [d.positive for d in found.decisions] == [True, False]


def test_marks_are_held_against_the_lesions_of_a_table(answers: Answers, tmp_path: Path) -> None:
    images = {}
    with answers.maker.study.database.read() as rows:
        images = dict(rows.execute(select(CaseImage.case_id, CaseImage.image_id)).all())
    for case, label, place in (("a", "finding", (52, 50)), ("c", "finding", (9, 9)),
                               ("d", "clear", None)):  # fmt: skip
        reading = answers.says(case, label, 3)
        if place:
            with answers.maker.study.database.write() as rows:
                rows.add(
                    Annotation(
                        id=new_id(),
                        reading_id=reading,
                        time_us=1,
                        kind="keypoint",
                        image_id=images[answers.cases[case]],
                        x_image=place[0],
                        y_image=place[1],
                    )
                )
    table = tmp_path / "lesions.csv"
    lesion = images[answers.cases["a"]]
    table.write_text(f"image,area,kind,x,y,lesion\n{lesion},l,keypoint,50,50,1\n")

    code = main(
        ["performance", "--study", str(answers.maker.study.folder), "--positive", "finding",
         "--random", "cases", "--areas", str(table), "--radius-px", "5",
         "--out", str(tmp_path / "out")]
    )  # fmt: skip

    row = json.loads((tmp_path / "out" / "performance.json").read_text())["localisation"][0]
    assert code == 0
    assert (row["lesions_found"], row["lesions"]) == (1, 1)
    assert row["false_marks_per_case"] == pytest.approx(1 / 3)
    # The lesion's mark ties with the false one of c, and beats d, which has none.
    assert row["afroc_area"] == pytest.approx((0.5 + 1) / 2)
    assert (
        "two cases of each class"
        in json.loads((tmp_path / "out" / "performance.json").read_text())["not_compared"]
    )
    assert (tmp_path / "out" / "localisation.csv").is_file()


def test_what_was_answered_before_a_reading_was_broken_off_counts(answers: Answers) -> None:
    first = answers.says("a", "finding", 4, state="interrupted")
    answers.says("b", "clear", 2)
    again = answers.says("c", "clear", 1, state="interrupted")
    answers.start_us += 1_000_000
    maker = answers.maker
    ends = {"resumes_id": first}
    maker.reading(answers.cases["a"], answers.start_us, answers.start_us + 900_000, **ends)
    answers.says("c", "finding", 5, resumes_id=again)

    found = study_ratings(maker.study, "finding").decisions

    assert sorted(d.rating for d in found) == [-2.0, 4.0, 5.0]


def grade(answers: Answers, case: str, value: str, options: tuple[str, ...] = GRADES) -> None:
    reading = answers.says(case, "clear")
    form = (Question("birads", "Grade?", kind="scale", options=options),)
    with answers.maker.study.database.write() as rows:
        ids = keep_questions(rows, form)
        rows.flush()
        rows.add(Answer(id=new_id(), question_id=ids["birads"], reading_id=reading, value=value,
                        time_us=answers.start_us))  # fmt: skip


def test_named_grades_are_ratings_by_their_order_in_the_form(answers: Answers) -> None:
    for case, value in zip("abcd", ("5", "4B", "4A", "3"), strict=True):
        grade(answers, case, value)

    found = study_ratings(answers.maker.study, "4A", "birads", Truth(truth_of(answers))).decisions

    assert [d.rating for d in found] == [6.0, 5.0, 4.0, 3.0]
    assert [d.positive for d in found] == [True, True, True, False]
    with pytest.raises(PerformanceError, match="not a grade of this scale"):
        study_ratings(answers.maker.study, "6", "birads", Truth(truth_of(answers)))


def test_grades_whose_order_was_changed_are_refused(answers: Answers) -> None:
    grade(answers, "a", "3")
    grade(answers, "c", "5", GRADES[::-1])

    with pytest.raises(PerformanceError, match="were changed during the study"):
        study_ratings(answers.maker.study, "4A", "birads", Truth(truth_of(answers)))


def truth_of(answers: Answers) -> Path:
    path = answers.maker.study.folder / "truth.csv"
    lines = [f"{answers.cases[name]},{int(name in 'ab')}" for name in answers.cases]
    path.write_text("\n".join(["case,truth", *lines]))
    return path


def test_consensus_is_of_cases_that_several_readers_read() -> None:
    said = [("R1", "a", True), ("R2", "a", False), ("R1", "b", True)]
    decisions = [Decision(who, "all", case, True, 1.0, called) for who, case, called in said]

    rows = {row["reader"]: row["sensitivity"] for row in decision_rows(decisions)}

    assert (rows["consensus"]["hits"], rows["consensus"]["count"]) == (1, 1)
    assert rows["R1"]["count"] == 2


def confide(answers: Answers, case: str, **sure: int) -> None:
    reading = answers.says(case, "finding")
    form = [Question("mass", "?", options=("finding", "clear"))]
    form += [Question(key, "?", kind="confidence", options=("0", "100")) for key in sure]
    given = {"mass": "finding", **sure}
    with answers.maker.study.database.write() as rows:
        ids = keep_questions(rows, form)
        rows.flush()
        for key, value in given.items():
            rows.add(Answer(id=new_id(), question_id=ids[key], reading_id=reading,
                            value=str(value), time_us=answers.start_us))  # fmt: skip


def test_of_several_confidences_the_one_that_belongs_to_the_answer_is_asked_for(
    answers: Answers,
) -> None:
    confide(answers, "a", of_mass=80, of_side=10)
    confide(answers, "c", of_mass=70, of_side=20)

    with pytest.raises(PerformanceError, match=r'\("of_mass", "of_side"\). Name the one'):
        study_ratings(answers.maker.study, "finding", "mass")
    with pytest.raises(PerformanceError, match='Keys answered: "of_mass", "of_side"'):
        study_ratings(answers.maker.study, "finding", "mass", confidence="size")
    found = study_ratings(answers.maker.study, "finding", "mass", confidence="of_side")

    assert [d.rating for d in found.decisions] == [10.0, 20.0]
