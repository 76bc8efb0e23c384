"""What the report says of answers equals a count of their rows."""

from pathlib import Path

from sqlalchemy import text

from migrations.study.answers import keep_questions
from migrations.study.forms import Question
from migrations.study.schema import Annotation, Answer, Arm, Reading
from tests.trainer.gaze_study import StudyMaker
from trainer.report.answer_sections import answers_section
from trainer.report.gather import gather

FORM = (
    Question("finding", "?", options=("no", "yes")),
    Question("signs", "?", kind="multiple", options=("a", "b")),
    Question("score", "?", kind="scale", options=("0", "100")),
    Question("why", "?", kind="text"),
)
COUNT = """
SELECT count(*) FROM answer JOIN question ON question.id = answer.question_id
JOIN reading ON reading.id = answer.reading_id JOIN arm ON arm.id = reading.arm_id
WHERE question.key = :key AND answer.value = :value AND arm.key = :arm AND undone_us IS NULL
"""


def fill(maker: StudyMaker) -> None:
    """Read twenty cases, ten in each arm; a practice case and a class of before beside them."""
    cases = [maker.case(maker.image(png=False)) for _ in range(2)]
    readings = [maker.reading(cases[0], k * 1000, k * 1000 + 900) for k in range(22)]
    with maker.study.database.write() as rows:
        ids = keep_questions(rows, FORM)
        rows.add_all([Arm(id=a, key=a, conditions={}, position=0) for a in ("one", "two")])
        rows.flush()
        for k, reading_id in enumerate(readings[:20]):
            rows.get_one(Reading, reading_id).arm_id = "one" if k % 2 else "two"
            said = {"finding": "yes" if k % 3 else "no", "signs": '["a", "b"]', "score": str(k),
                    "why": "Mrs Quill"}  # fmt: skip
            rows.add_all(
                Answer(reading_id=reading_id, question_id=ids[key], time_us=k, value=value)
                for key, value in said.items()
            )
        rows.add(Answer(reading_id=readings[0], question_id=ids["finding"], time_us=1, value="yes",
                        undone_us=2))  # fmt: skip
        rows.get_one(Reading, readings[20]).practice = True
        for reading_id in readings[20:]:
            rows.add(Annotation(reading_id=reading_id, time_us=1, kind="class", label="yes"))


def test_the_reports_counts_equal_those_of_the_rows(tmp_path: Path) -> None:
    maker = StudyMaker.create(tmp_path / "study")
    fill(maker)
    data = gather(maker.study, [])
    with maker.study.database.read() as rows:
        for c in data.answers:
            if c.question == "finding":
                where = {"key": c.question, "value": c.value, "arm": c.arm}
                assert rows.execute(text(COUNT), where).scalar_one() == c.count
    said = {(c.question, c.arm, c.value): c.count for c in data.answers}
    assert said["signs", "one", "b"] == 10
    assert said["answer", "", "yes"] == 1  # of before there were forms; practice is not counted
    assert said["why", "two", "a text"] == 10
    html = answers_section(data).html
    assert "Mrs Quill" not in html
    assert "median" in html
    maker.study.close()


def test_a_study_without_answers_says_so(tmp_path: Path) -> None:
    maker = StudyMaker.create(tmp_path / "study")
    assert "no answers" in answers_section(gather(maker.study, [])).html
    maker.study.close()
