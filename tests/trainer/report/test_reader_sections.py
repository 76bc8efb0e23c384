"""How readers looked and performed in the report, and the guideline's checklist."""

from pathlib import Path

import pytest

from migrations.study.schema import Calibration, Session
from migrations.study.settings import StudySettings
from tests.trainer.gaze_study import StudyMaker
from trainer.analysis.figures.figure import Figure, write_figures
from trainer.drawing.frame import text
from trainer.report.answer_figures import drawn_figures
from trainer.report.checklist import NOT_RECORDED, checklist_of
from trainer.report.gather import gather
from trainer.report.reader_sections import checklist_section, looked_section, performed_section

NUMBERS = [f"A{k}" for k in range(1, 13)] + ["B1", "C1"]


@pytest.fixture
def maker(tmp_path: Path) -> StudyMaker:
    made = StudyMaker.create(tmp_path / "study")
    made.read_once(made.image(), [(80.0, 60.0)] * 40)
    return made


def validation(maker: StudyMaker, accuracy: float, loss: float) -> None:
    with maker.study.database.write() as rows:
        rows.add(
            Calibration(
                session_id=maker.session_id, kind="validation", status="accepted", started_us=0,
                ended_us=1, points=[], accuracy_deg=accuracy, precision_rms_deg=0.1, loss=loss,
            )
        )  # fmt: skip


def test_every_item_of_the_guideline_is_there_filled_or_not_recorded(maker: StudyMaker) -> None:
    for accuracy, loss in ((0.4, 0.01), (0.6, 0.03), (0.9, 0.02)):
        validation(maker, accuracy, loss)
    with maker.study.database.write() as rows:
        sitting = rows.get_one(Session, maker.session_id)
        sitting.details = {"station_setup": {"room_light_lux": 25.0}}

    with maker.study.database.read() as rows:
        said = {item.number: item.said for item in checklist_of(rows, StudySettings())}

    assert list(said) == NUMBERS
    assert said["A1"] == "m"
    assert said["A4"] == "100 Hz (nominal)"
    assert said["A8"] == "25 lux at the reading place"
    assert said["A10"] == (
        "accuracy, median of 3 validations 0.60° (0.40 to 0.90°); precision (RMS, sample to "
        "sample) 0.10° (0.10 to 0.10°)"
    )
    assert said["A12"].endswith(
        "2.0% of the samples of a validation (median of 3 validations, up to 3.0%)"
    )
    assert said["C1"] == "650 mm (taped)"
    assert {n for n, text in said.items() if text == NOT_RECORDED} >= {"A3", "A5", "A9", "B1"}


def test_one_validation_is_no_median_and_has_no_range(maker: StudyMaker) -> None:
    validation(maker, 0.4, 0.02)
    with maker.study.database.read() as rows:
        said = {item.number: item.said for item in checklist_of(rows, StudySettings())}

    assert said["A10"].startswith("accuracy, 1 validation 0.40°; precision")
    assert said["A12"].endswith("2.0% of the samples of a validation (1 validation)")


def test_head_restraint_and_latency_are_what_the_study_says_of_them(maker: StudyMaker) -> None:
    told = StudySettings(head_restraint="chin rest", latency_ms=12.5, latency_source="data sheet")
    with maker.study.database.read() as rows:
        said = {item.number: item.said for item in checklist_of(rows, told)}
        sourceless = {i.number: i.said for i in checklist_of(rows, StudySettings(latency_ms=8.0))}

    assert said["A5"] == "chin rest"
    assert said["B1"] == "12.5 ms from eye movement to sample (data sheet)"
    assert sourceless["B1"] == "8 ms from eye movement to sample (source not recorded)"


def test_the_chapter_shows_what_was_drawn_and_a_shared_report_no_single_reader(
    maker: StudyMaker,
) -> None:
    drawn = [
        Figure(name, title, "How it was made.", text(5, 20, title), 200, 60, ("a",), [(1,)],
               ("Areas below 1.2° cannot be told apart.",), tells_readers=single)
        for name, title, single in (("dwell", "Dwell", True), ("moves", "Moves", False))
    ]  # fmt: skip
    write_figures(maker.study.exports / "analysis", drawn)

    own, shared = gather(maker.study, None), gather(maker.study, None, share=True)

    html = looked_section(own).html
    assert html.count("<svg") == 2
    assert html.count("Areas below 1.2°") == 2
    assert 'width="200"' not in html
    said = looked_section(shared).html
    assert "Moves" in said
    assert "Dwell" not in said
    assert "Left out: figures that show individual readers (1)." in said
    assert "Performance has not been computed yet" in performed_section(own).html
    assert "of 14 items" in checklist_section(own).html


def test_a_figure_that_cannot_be_read_is_a_problem_and_no_end(tmp_path: Path) -> None:
    problems = list[str]()
    assert drawn_figures(tmp_path, problems) == []
    assert problems == []
    (tmp_path / "figures.json").write_text(
        '{"figures": [{"name": "../x", "title": "", "caption": "", "tells_readers": false}]}'
    )

    assert drawn_figures(tmp_path, problems) == []
    assert "not the name of a figure" in problems[0]
