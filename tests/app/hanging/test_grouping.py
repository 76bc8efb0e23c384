"""Images become cases of several, as asked for or as the csv says."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from app.demo.phantom_files import Encoding, dicom_file
from app.hanging import import_command
from app.hanging.grouping import Arrival, arrange, hang_cases
from migrations.study.folder import Study
from migrations.study.schema import CaseImage, Image, Reading, StudyCase, new_id
from migrations.study.schema import Session as SessionRow
from tests.app.recording.reading_doubles import make_study


def _image(laterality: str | None = None, view: str | None = None) -> Image:
    return Image(laterality=laterality, view=view)


@pytest.mark.parametrize(
    ("images", "hanging", "hung"),
    [
        ([("L", "MLO"), ("R", "CC"), ("L", "CC"), ("R", "MLO")], "auto", ("mammo", [3, 0, 1, 2])),
        ([("R", "CC"), ("R", "CC"), ("L", "CC")], "mammo", ("mammo", [0, 4, 1])),
        ([("L", None), ("R", None)], "auto", ("two-up", [1, 0])),
        ([(None, None)], "auto", ("one-up", [0])),
        ([(None, None), (None, None)], "prior", ("prior", [0, 1])),
    ],
)
def test_each_image_gets_its_tile(images, hanging, hung) -> None:
    assert arrange([(_image(*i), False) for i in images], hanging) == hung


def test_priors_hang_in_the_lower_row() -> None:
    images = [(_image(), True), (_image(), False), (_image(), False), (_image(), True)]
    assert arrange(images, "auto") == ("prior", [2, 0, 1, 3])


def _cases(study: Study) -> list[tuple[str, int]]:
    with study.database.read() as session:
        cases = session.scalars(select(StudyCase).order_by(StudyCase.position)).all()
        return [
            (c.hanging, len(session.scalars(select(CaseImage).filter_by(case_id=c.id)).all()))
            for c in cases
        ]


@pytest.fixture
def study(tmp_path: Path):
    study = make_study(tmp_path / "study", cases=4)
    yield study
    study.close()


def _ids(study: Study) -> list[str]:
    with study.database.read() as session:
        return list(session.scalars(select(Image.id).order_by(Image.import_number)))


def test_images_of_one_case_of_the_csv_hang_together_and_practice_is_marked(study) -> None:
    a, b, c, d = _ids(study)
    arrivals = [Arrival(a, "p"), Arrival(b, "p"), Arrival(c, practice=True), Arrival(d)]
    assert hang_cases(study, arrivals, None) == 1
    assert _cases(study) == [("two-up", 2), ("one-up", 1), ("one-up", 1)]
    with study.database.read() as session:
        practice = session.scalars(select(StudyCase).where(StudyCase.practice)).all()
        assert [case.name for case in practice] == ["case-2"]
    assert hang_cases(study, arrivals, None) == 0  # done already


def test_a_case_that_was_read_stays_as_it_was_read(study) -> None:
    a, b, *_ = _ids(study)
    from migrations.study.schema import Reader

    with study.database.write() as session:
        case = session.scalars(select(StudyCase).where(StudyCase.name == "case-1")).one()
        reader = Reader(id=new_id(), pseudonym="R1", details={})
        sitting = SessionRow(
            id=new_id(), reader_id=reader.id, station="", software_version="", started_utc="",
            zero_utc="", tracker_id="", tracker_kind="", tracker_model="", tracker_serial="",
            screen={}, screen_width_mm=1, screen_height_mm=1, refresh_hz=60, distance_mm=600,
            distance_source="taped", case_order=[],
        )  # fmt: skip
        session.add_all((reader, sitting))
        session.flush()
        session.add(
            Reading(id=new_id(), session_id=sitting.id, case_id=case.id, reader_id=reader.id,
                    started_us=0)
        )  # fmt: skip
    assert hang_cases(study, [Arrival(a, "p"), Arrival(b, "p")], None) == 0
    assert len(_cases(study)) == 4


def test_import_with_hang_makes_a_mammography_case(tmp_path: Path, capsys) -> None:
    views = ("L MLO", "R MLO", "L CC", "R CC")
    files = []
    for i, view in enumerate(views):
        files.append(tmp_path / f"f{i}.dcm")
        grey = np.random.default_rng(i).random((40, 30), np.float32)
        grey[0] = 0
        dicom_file(files[-1], grey, Encoding(12, "MONOCHROME2", "explicit"),
                   ("FICT-9", "Quill^Ada"), view, i + 1)  # fmt: skip
    words = ["--study", str(tmp_path / "study"), "--hang", "mammo", *map(str, files)]
    assert import_command.main(words) == 0
    study = Study.open(tmp_path / "study")
    try:
        assert _cases(study) == [("mammo", 4)]
        with study.database.read() as session:
            rows = session.execute(
                select(CaseImage.tile, Image.laterality, Image.view)
                .join(Image, Image.id == CaseImage.image_id)
                .order_by(CaseImage.tile)
            ).all()
        assert [tuple(row) for row in rows] == [
            (0, "R", "CC"), (1, "L", "CC"), (2, "R", "MLO"), (3, "L", "MLO"),
        ]  # fmt: skip
    finally:
        study.close()
