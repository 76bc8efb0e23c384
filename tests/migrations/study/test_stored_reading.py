"""What a stored reading says of its eye, its screens and its chunks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.gaze.view import TileView
from migrations.study.errors import StudyError
from migrations.study.schema import Calibration, Session, ViewEvent
from migrations.study.stored_reading import StoredReading, stored_reading
from tests.trainer.gaze_study import GEOMETRY, StudyMaker

START_US, END_US = 1_000_000, 1_600_000


@pytest.fixture
def maker(tmp_path: Path) -> Iterator[StudyMaker]:
    made = StudyMaker.create(tmp_path / "study")
    yield made
    made.study.close()


def stored(maker: StudyMaker, reading_id: str) -> StoredReading:
    with maker.study.database.read() as rows:
        return stored_reading(rows, reading_id)


def validate(maker: StudyMaker, ended_us: int, left: float | None, right: float | None) -> None:
    row = Calibration(
        session_id=maker.session_id, kind="validation", status="ok", started_us=ended_us - 1,
        ended_us=ended_us, points=[], accuracy_left_deg=left, accuracy_right_deg=right,
    )  # fmt: skip
    with maker.study.database.write() as rows:
        rows.add(row)


def show(maker: StudyMaker, reading_id: str, image_id: str, time_us: int, screen) -> None:
    maker.view(reading_id, image_id, time_us)
    with maker.study.database.write() as rows:
        rows.query(ViewEvent).filter_by(time_us=time_us).one().screen = screen


@pytest.mark.parametrize(
    ("noted", "of_session", "eye"),
    [
        ({"eye": "left"}, "better", "left"),
        ({"eye": "both"}, "right", "both"),
        ({}, "right", "right"),
        ({}, "both", "both"),
        ({}, "better", "right"),
    ],
)
def test_the_eye_is_the_one_noted_else_what_the_station_would_have_taken(
    maker: StudyMaker, noted: dict[str, str], of_session: str, eye: str
) -> None:
    with maker.study.database.write() as rows:
        rows.get_one(Session, maker.session_id).eye = of_session
    validate(maker, 100, 0.3, 0.9)
    validate(maker, 200, 0.9, 0.3)
    validate(maker, END_US, 0.3, 0.9)  # came after the reading had begun
    reading = maker.reading(maker.case(maker.image()), START_US, END_US, details=noted)
    assert stored(maker, reading).eye == eye


@pytest.mark.parametrize(
    ("left", "right", "eye"),
    [(None, None, "both"), (None, 0.5, "right"), (0.5, None, "left"), (0.5, 0.5, "left")],
)
def test_an_eye_that_was_not_seen_is_not_the_better_one(
    maker: StudyMaker, left: float | None, right: float | None, eye: str
) -> None:
    with maker.study.database.write() as rows:
        rows.get_one(Session, maker.session_id).eye = "better"
    validate(maker, 100, left, right)
    reading = maker.reading(maker.case(maker.image()), START_US, END_US)
    assert stored(maker, reading).eye == eye


def test_a_reading_keeps_its_screens_and_one_without_takes_that_of_the_session(
    maker: StudyMaker,
) -> None:
    image, first, second = maker.image(), {"distance_mm": 500}, {"distance_mm": 700}
    case = maker.case(image)
    told, untold, half = (maker.reading(case, start, start + 10) for start in (100, 200, 300))
    for reading, time_us, screen in (
        (told, 100, first),
        (told, 104, None),
        (told, 105, second),
        (untold, 200, None),
        (half, 300, None),
        (half, 305, second),
    ):
        show(maker, reading, image, time_us, screen)
    known = GEOMETRY.as_dict()
    for reading, screens in (
        (told, [(100, first), (105, second)]),
        (untold, [(200, known)]),
        (half, [(300, known), (305, second)]),
    ):
        assert [(s.time_us, s.fields) for s in stored(maker, reading).screens] == screens


def test_it_holds_the_chunks_that_overlap_it_and_decodes_none(maker: StudyMaker) -> None:
    image = maker.image()
    maker.samples(0, [(1, 1)] * 200)
    reading = maker.reading(maker.case(image), START_US, END_US)
    maker.view(reading, image, START_US, frame=3)
    found = stored(maker, reading)
    assert [chunk.count for chunk in found.chunks] == [25, 25, 25]
    assert all(isinstance(chunk.blob, bytes) for chunk in found.chunks)
    assert [TileView.from_row(view).frame for view in found.views] == [3]


def test_a_reading_that_does_not_exist_is_named(maker: StudyMaker) -> None:
    with pytest.raises(StudyError, match="no reading x"):
        stored(maker, "x")
