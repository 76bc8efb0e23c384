"""Revision 0005: answers of before are read beside those of forms; all go with who gave them."""

from pathlib import Path

from sqlalchemy import func, select

from migrations.study.answers import answers_of, keep_questions
from migrations.study.erasure import erase_images, erase_reader
from migrations.study.folder import Study
from migrations.study.forms import Question
from migrations.study.schema import Annotation, Answer, Assignment, Reading
from migrations.study.schema import Question as QuestionRow
from tests.migrations.older_study import older_study
from tests.trainer.gaze_study import StudyMaker

LEADING = Question("finding", "?", options=("no", "yes"))
SIZE = Question("size", "?", scope="mark", kind="number")


def with_answers(folder: Path) -> tuple[StudyMaker, str, str]:
    """Make a study with one reading, its class and the size of a box; say reading and image."""
    maker = StudyMaker.create(folder)
    image = maker.image(png=False)
    case = maker.case(image)
    reading = maker.reading(case, 0, 1_000_000)
    with maker.study.database.write() as rows:
        ids = keep_questions(rows, (LEADING, SIZE))
        rows.add_all([
            Annotation(id="class", reading_id=reading, time_us=1, kind="class", label="yes"),
            Annotation(id="box", reading_id=reading, image_id=image, time_us=2, kind="box"),
        ])  # fmt: skip
        rows.flush()
        rows.add_all([
            Answer(reading_id=reading, question_id=ids["size"], annotation_id="box", time_us=3,
                   value="12"),
            Answer(reading_id=reading, question_id=ids["finding"], annotation_id="class",
                   time_us=1, value="yes"),
            Assignment(reader_id=maker.reader_id, case_id=case, period=0, position=0),
        ])  # fmt: skip
    return maker, reading, image


def test_a_study_of_0_1_0_gets_the_tables_and_its_class_is_an_answer(tmp_path: Path) -> None:
    study = Study.open(older_study(tmp_path / "study"))
    assert study.database.check() == []
    with study.database.write() as rows:
        mark = rows.scalars(select(Annotation)).one()
        mark.kind, mark.label = "class", "finding"
        reading = rows.scalars(select(Reading)).one()
        assert reading.arm_id is None
        (answer,) = answers_of(rows, reading.id)
    assert (answer.key, answer.kind, answer.value) == ("answer", "single", "finding")
    study.close()


def test_the_tables_go_and_come_again_and_no_reading_is_lost(tmp_path: Path) -> None:
    maker, reading, _ = with_answers(tmp_path / "study")
    maker.study.database.downgrade("0004")
    maker.study.database.upgrade()
    assert maker.study.database.check() == []
    with maker.study.database.read() as rows:
        assert [a.value for a in answers_of(rows, reading)] == ["yes"]  # by its annotation
    maker.study.close()


def test_answers_come_in_the_order_of_the_form_and_the_class_once(tmp_path: Path) -> None:
    maker, reading, _ = with_answers(tmp_path / "study")
    with maker.study.database.read() as rows:
        found = [(a.key, a.value, a.annotation_id) for a in answers_of(rows, reading)]
    assert found == [("finding", "yes", None), ("size", "12", "box")]
    maker.study.close()


def test_a_question_is_one_row_until_it_is_changed(tmp_path: Path) -> None:
    maker, _, _ = with_answers(tmp_path / "study")
    other = Question("finding", "Is it there?", options=("no", "yes"))
    with maker.study.database.write() as rows:
        first = keep_questions(rows, (LEADING, SIZE))
        assert keep_questions(rows, (LEADING, SIZE)) == first
        assert keep_questions(rows, (other, SIZE))["size"] == first["size"]
        rows.flush()
        assert rows.scalar(select(func.count()).select_from(QuestionRow)) == 3
    maker.study.close()


def test_answers_and_assignments_go_with_the_reader_who_is_erased(tmp_path: Path) -> None:
    maker, _, _ = with_answers(tmp_path / "study")
    erased = erase_reader(maker.study.database, "R01")
    assert (erased.rows["answer"], erased.rows["assignment"]) == (2, 1)
    maker.study.close()


def test_answers_of_a_mark_go_with_the_image_it_lies_on(tmp_path: Path) -> None:
    maker, _, image = with_answers(tmp_path / "study")
    erased = erase_images(maker.study.database, [image])
    assert (erased.rows["answer"], erased.rows["assignment"]) == (2, 1)
    maker.study.close()
