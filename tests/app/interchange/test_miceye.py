"""MicEye v1 and v2, and the JSON and csv that McGIP's released code makes of them."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from app.interchange.formats.miceye import read_miceye
from app.interchange.options import ImportOptions
from devices.gaze.errors import GazeFileError
from migrations.study.folder import Study
from migrations.study.schema import Annotation, Reader, Reading, Session, ViewEvent
from tests.app.interchange.gaze_files import gaze_json, imported, lines
from tests.stored import gaze_of

V1 = (
    r"D:\study\2\P1.png;2;[[0, 40], [30, 80], [60, 100], [10, 0]];[(20, 40, 60, 80)];(-1, -1)",
    "/data/b2.png;0;[[12, 40], [48, 60]];[];(24, 44)",
    "/data/P1.png;-1;[];[];(-1, -1)",
    "/data/unknown.png;1;[[1, 2]];[];(-1, -1)",
)
V2 = (
    "/data/P1.png;1;[[[12, 40], 1.0], [[24, 80], 1.0], [[60, 100], 2.0]];[(22, 44, 11, 11, 1.1)];"
    "(-1, -1)"
)


def test_v1_gaze_is_scaled_by_the_recorders_image_height(study: Study, tmp_path, matcher) -> None:
    path = lines(tmp_path / "log.csv", *V1)
    (report,) = imported(study, "miceye", [path], matcher, image_height=100.0, reader="R07")
    assert (report.status, report.rows_read, report.rows_kept) == ("accepted", 4, 2)
    assert report.dropped == {"no gaze in the line": 1, "no image unknown.png in the study": 1}
    gaze = gaze_of(study.database, report.readings[1].reading_id)
    np.testing.assert_array_equal(gaze.points_image, [[24, 80], [96, 120]])
    assert set(report.lacks) >= {"time", "geometry"}
    with study.database.read() as session:
        row = session.get_one(Reading, report.readings[1].reading_id)
        assert session.scalars(select(Reader.pseudonym)).all() == ["R07"]
        sitting = session.get_one(Session, row.session_id)
    assert (row.state, row.practice, row.verdict) == ("finished", False, "doubtful")
    assert "time" in sitting.details["imported"]["lacks"]
    assert sitting.details["imported"]["format"] == "miceye"
    assert sitting.distance_source == "assumed"


def test_v1_gaze_on_the_border_is_marked_and_not_on_the_image(study, tmp_path, matcher) -> None:
    path = lines(tmp_path / "log.csv", *V1)
    (report,) = imported(study, "miceye", [path], matcher, image_height=100.0)
    first = report.readings[0]
    assert (first.samples, first.clamped, first.off_image) == (4, 3, 3)
    gaze = gaze_of(study.database, first.reading_id)
    np.testing.assert_array_equal(np.isnan(gaze.points_image[:, 0]), [True, False, True, True])
    np.testing.assert_array_equal(gaze.points_image[1], [60, 160])
    # What was recorded is kept as it was: on the screen the border points are where they were.
    to_image = gaze.views.views[0].transform.inverse()
    recorded = to_image.map(gaze.points_norm * 8192) / 2
    np.testing.assert_array_equal(recorded, [[0, 40], [30, 80], [60, 100], [10, 0]])
    with study.database.read() as session:
        row = session.get_one(Reading, first.reading_id)
    assert row.details["imported"]["clamped"] == [[0, 1], [2, 2]]


def test_labels_boxes_and_keypoints_come_along_in_image_pixels(study, tmp_path, matcher) -> None:
    path = lines(tmp_path / "log.csv", *V1, V2)
    imported(study, "miceye", [path], matcher, image_height=100.0)
    with study.database.read() as session:
        marks = session.scalars(select(Annotation).order_by(Annotation.id)).all()
    found = [(m.kind, m.label, m.x_image, m.y_image, m.width_image, m.height_image) for m in marks]
    assert found[:4] == [
        ("class", "2", None, None, None, None),
        ("box", None, 40, 80, 80, 80),
        ("class", "0", None, None, None, None),
        ("keypoint", None, 48, 88, None, None),
    ]
    assert found[5][0] == "box"
    np.testing.assert_allclose(found[5][2:], (20, 40, 10, 10), rtol=1e-12)


def test_v2_follows_the_zoom_of_every_sample(study, tmp_path, matcher) -> None:
    (report,) = imported(study, "miceye", [lines(tmp_path / "log.csv", V2)], matcher)
    gaze = gaze_of(study.database, report.readings[0].reading_id)
    np.testing.assert_array_equal(gaze.points_image, [[12, 40], [24, 80], [30, 50]])
    with study.database.read() as session:
        views = session.scalars(select(ViewEvent).order_by(ViewEvent.time_us)).all()
    assert [(v.kind, v.a) for v in views] == [("open", 16.0), ("zoom", 32.0)]


def test_v1_without_the_image_height_asks_for_it(tmp_path: Path) -> None:
    with pytest.raises(GazeFileError, match="--image-height"):
        read_miceye(lines(tmp_path / "log.csv", *V1), ImportOptions())


@pytest.mark.parametrize(
    "line",
    [
        "a;b", "a.png;1;[[1, 2];[];(-1, -1)", "a.png;1;[[1]];[];(-1, -1)",
        "a.png;1;__import__('os');[];(-1, -1)", "a.png;1;[[1, 2]];[(1, 2)];(-1, -1)",
        "a.png;1;[[[1, 2], 0]];[];(-1, -1)",
    ],
)  # fmt: skip
def test_a_line_that_is_none_of_miceyes_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(GazeFileError, match="line 1"):
        read_miceye(lines(tmp_path / "log.csv", line), ImportOptions(image_height=800))


def test_the_same_file_again_adds_nothing(study, tmp_path, matcher) -> None:
    path = lines(tmp_path / "log.csv", V2)
    first, second = (imported(study, "miceye", [path], matcher)[0] for _ in range(2))
    assert (first.status, second.status) == ("accepted", "known")
    assert first.readings[0].reading_id == second.readings[0].reading_id
    with study.database.read() as session:
        assert len(session.scalars(select(Reading.id)).all()) == 1


def test_released_json_counts_in_pixels_of_the_resized_image(study, tmp_path, matcher) -> None:
    path = gaze_json(tmp_path / "gaze" / "P1.json", [[240, 400], [480, 800]], "P1.png", gt=3)
    (report,) = imported(study, "mcgip", [tmp_path / "gaze"], matcher)
    gaze = gaze_of(study.database, report.readings[0].reading_id)
    np.testing.assert_array_equal(gaze.points_image, [[60, 100], [np.nan, np.nan]])
    (report,) = imported(study, "mcgip", [path], matcher, image_height=0.0, reader="R2")
    gaze = gaze_of(study.database, report.readings[0].reading_id)
    assert np.isnan(gaze.points_image).all()
    with study.database.read() as session:
        assert session.scalars(select(Annotation.label)).all() == ["3", "3"]


def test_mammography_csv_is_matched_by_its_name(study, tmp_path, matcher) -> None:
    path = lines(
        tmp_path / "b2.csv", "system_time_in_pc,img_gaze_X,img_gaze_Y",
        "1600000000.000,10.5,20.25", "1600000000.016,11,21", "1600000000.033,,",
    )  # fmt: skip
    (report,) = imported(study, "mcgip-mammo", [path], matcher)
    gaze = gaze_of(study.database, report.readings[0].reading_id)
    np.testing.assert_array_equal(gaze.points_image[:2], [[10.5, 20.25], [11, 21]])
    assert np.isnan(gaze.points_image[2]).all()
    assert gaze.samples["device_us"].tolist() == [
        1600000000000000, 1600000000016000, 1600000000033000
    ]  # fmt: skip
    assert (report.rows_kept, report.readings[0].lost) == (3, 1)


@pytest.mark.parametrize(
    "text", ["{}", "[1]", '{"gaze": [[1, "x"]], "img": "a.png"}', "not json", '{"gaze": [[1]]}']
)
def test_json_of_another_kind_is_refused_by_name(study, tmp_path, matcher, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    (report,) = imported(study, "mcgip", [path], matcher)
    assert report.status == "refused"
    assert "x.json" in report.reason
