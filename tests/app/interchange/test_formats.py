"""REFLACX, EGD-CXR, Tobii Pro Lab and tables by a mapping: values, what is missing, bad input."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from migrations.study.schema import Fixation, Reading, ViewEvent
from tests.app.interchange.gaze_files import HEIGHT, WIDTH, imported, lines
from tests.stored import gaze_of

SHOWN = (
    "xmin_shown_from_image,ymin_shown_from_image,xmax_shown_from_image,ymax_shown_from_image,"
    "xmin_in_screen_coordinates,ymin_in_screen_coordinates,xmax_in_screen_coordinates,"
    "ymax_in_screen_coordinates"
)
REFLACX_GAZE = (
    "timestamp_sample,x_position,y_position,pupil_area_normalized,"
    "angular_resolution_x_pixels_per_degree,angular_resolution_y_pixels_per_degree,"
    f"window_width,window_level,{SHOWN}"
)
WHOLE, HALF = f"0,0,{WIDTH},{HEIGHT},400,100,640,500", "20,50,80,150,400,100,640,500"


def _reflacx(folder: Path) -> Path:
    rows = [
        f"{k / 1000},{10 + k},{20 + k},0.9,40,41,1,0.5,{WHOLE if k < 60 else HALF}"
        for k in range(100)
    ]
    rows[10] = f"0.010,,,,40,41,1,0.5,{WHOLE}"
    rows[70] = f"0.070,80,90,0.9,40,41,0.4,0.3,{HALF}"
    lines(folder / "gaze.csv", REFLACX_GAZE, *rows)
    head = "timestamp_start_fixation,timestamp_end_fixation,x_position,y_position," + SHOWN
    lines(folder / "fixations.csv", head, f"0.01,0.05,30,40,{WHOLE}", f"0.062,0.09,70,80,{HALF}")
    return folder


def test_reflacx_gaze_and_fixations_are_one_reading(study, tmp_path, matcher) -> None:
    _reflacx(tmp_path / "data" / "P1")
    reports = imported(study, "reflacx", [tmp_path / "data"], matcher)
    gaze_report = next(r for r in reports if r.path.name == "gaze.csv")
    (stored,) = gaze_report.readings
    gaze = gaze_of(study.database, stored.reading_id)
    expected = np.array([[10 + k, 20 + k] for k in range(100)], float)
    expected[10], expected[70] = np.nan, np.nan  # lost; beside the part shown
    expected[71:] = np.where(expected[71:, :1] < 80, expected[71:], np.nan)
    np.testing.assert_allclose(gaze.points_image, expected, atol=2e-3)
    np.testing.assert_array_equal(gaze.samples["device_us"], np.arange(100) * 1000)
    with study.database.read() as session:
        found = session.scalars(select(Fixation).order_by(Fixation.start_us)).all()
        row = session.get_one(Reading, stored.reading_id)
        views = session.scalars(select(ViewEvent).order_by(ViewEvent.time_us)).all()
    zero = row.details["imported"]["source_zero_us"]
    assert [(f.start_us + zero, f.duration_us) for f in found] == [(10000, 40000), (62000, 28000)]
    places = [(f.x_image, f.y_image) for f in found]
    np.testing.assert_allclose(places, [(30, 40), (70, 80)], atol=1e-9)
    assert [(v.kind, v.a) for v in views] == [("open", 16.0), ("zoom", 32.0)]
    source = row.details["imported"]["source"]
    assert source["windows_us_level_width"] == [[0, 0.5, 1.0], [70000, 0.3, 0.4], [71000, 0.5, 1.0]]
    assert source["pixels_per_degree_x"] == 40
    assert len([r for r in reports if r.readings]) == 1


def test_reflacx_names_image_and_reader_from_the_metadata(study, tmp_path, matcher) -> None:
    folder = tmp_path / "data" / "main_data" / "P77"
    _reflacx(folder)
    (folder / "gaze.csv").unlink()
    lines(
        tmp_path / "data" / "metadata_phase_1.csv",
        "id,split,reader,dicom_id,image", "P77,train,reader_3,b2,files/x/b2.dcm",
    )  # fmt: skip
    (report,) = imported(study, "reflacx", [folder / "fixations.csv"], matcher)
    assert report.status == "accepted"
    assert "samples" in report.lacks
    gaze = gaze_of(study.database, report.readings[0].reading_id)
    seen = np.unique(np.round(gaze.points_image, 2), axis=0)
    np.testing.assert_allclose(seen, [(30, 40), (70, 80)], atol=0.01)


def test_reflacx_as_published_has_its_gaze_and_its_fixations_in_two_folders(
    study, tmp_path, matcher
) -> None:
    made = _reflacx(tmp_path / "made")
    for kind, name in (("gaze_data", "gaze.csv"), ("main_data", "fixations.csv")):
        (tmp_path / "data" / kind / "P1R7").mkdir(parents=True)
        (made / name).rename(tmp_path / "data" / kind / "P1R7" / name)
    other = tmp_path / "data" / "main_data" / "P1R7" / "chest_bounding_box.csv"
    lines(other, "xmin,ymin,xmax,ymax", "1,2,3,4")
    lines(tmp_path / "data" / "main_data" / "metadata_phase_1.csv", "id,dicom_id", "P1R7,b2")
    fixations, gaze = sorted(
        imported(study, "reflacx", [tmp_path / "data"], matcher), key=lambda r: r.path.name
    )
    assert (fixations.path.name, len(fixations.readings)) == ("fixations.csv", 0)
    assert (fixations.status, fixations.reason) == (gaze.status, "") == ("accepted", "")
    (stored,) = gaze.readings
    assert (stored.samples, stored.fixations) == (100, 2)


EGD = "DICOM_ID,SESSION_ID,CNT,Time (in secs),FPOGX,FPOGY,FPOGS,FPOGD,FPOGID,FPOGV"
EGD += ",LPMM,LPMMV,RPMM,RPMMV,X_ORIGINAL,Y_ORIGINAL"


def test_egd_gaze_of_many_images_in_one_file(study, tmp_path, matcher) -> None:
    rows = [f"P1,1,{k},{k / 60:.5f},.5,.5,0,{k / 60:.5f},1,1,3.5,1,3.6,1,50,60" for k in range(30)]
    rows[3] = "P1,1,3,0.05,.5,.5,0,0.05,1,0,3.5,0,3.6,1,50,60"
    rows[4] = "P1,1,4,0.0667,.1,.5,0,0.06,1,1,3.5,1,3.6,1,-7,60"
    rows += ["b2,2,0,0.00,.5,.5,0,0.3,1,1,3.5,1,3.6,1,30,40", "b2,2,1,0.02,.5,.5,0,0.3,1,1,,,,,,"]
    path = lines(tmp_path / "eye_gaze.csv", EGD, *rows)
    (report,) = imported(study, "egd-cxr", [path], matcher)
    assert (report.rows_read, report.rows_kept) == (32, 31)
    assert report.dropped == {"no X_ORIGINAL, Y_ORIGINAL (padding)": 1}
    assert [r.samples for r in report.readings] == [30, 1]
    first = report.readings[0]
    assert (first.lost, first.off_image, first.fixations) == (1, 1, 1)
    gaze = gaze_of(study.database, first.reading_id)
    np.testing.assert_array_equal(gaze.points_image[5], [50, 60])
    np.testing.assert_array_equal(
        gaze.samples["left_pupil_mm"][2:5], np.float32([3.5, np.nan, 3.5])
    )


def test_egd_fixations_alone_give_gaze_by_their_duration(study, tmp_path, matcher) -> None:
    head = "DICOM_ID,SESSION_ID,TIME(in secs),FPOGS,FPOGD,X_ORIGINAL,Y_ORIGINAL"
    path = lines(
        tmp_path / "fixations.csv", head, "b2,1,0.5,0.2,0.5,30,40", "b2,1,1.0,0.8,0.25,60,70"
    )
    (report,) = imported(study, "egd-cxr", [path], matcher)
    gaze = gaze_of(study.database, report.readings[0].reading_id)
    on_first = (gaze.points_image == (30, 40)).all(axis=1).sum()
    on_second = (gaze.points_image == (60, 70)).all(axis=1).sum()
    assert (on_first, on_second) == (30, 15)
    with study.database.read() as session:
        found = session.scalars(select(Fixation).order_by(Fixation.start_us)).all()
    assert [f.duration_us for f in found] == [500_000, 250_000]
    assert found[1].start_us - found[0].start_us == 600_000
    assert [(f.x_image, f.y_image, f.algorithm) for f in found] == [
        (30, 40, "source"), (60, 70, "source")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "options", "rows"),
    [
        ("us.csv", {}, ("image,time_us,x,y", "P1,0,30,40", "P1,10000,60,70")),
        ("ms.tsv", {}, ("image\ttime_ms\tx\ty", "P1\t0\t30\t40", "P1\t10\t60\t70")),
        ("guess.csv", {}, ("image,t,x,y", "P1,1.00,30,40", "P1,1.01,60,70")),
        (
            "mapped.csv",
            {"columns": {"x": "a", "y": "b", "time": "when", "image": "which"}, "time_unit": "ns"},
            ("which;when;a;b", "P1;0;30;40", "P1;10000000;60;70"),
        ),
        (
            "fraction.csv", {"unit": "image-fraction"},
            ("image,time_us,x,y", "P1,0,0.25,0.2", "P1,10000,0.5,0.35"),
        ),
        (
            "bottom.csv", {"origin": "bottom-left"},
            ("image,time_us,x,y", "P1,0,30,160", "P1,10000,60,130"),
        ),
        (
            "centre.csv", {"origin": "centre", "unit": "image-fraction"},
            ("image,time_us,x,y", "P1,0,-0.25,0.3", "P1,10000,0,0.15"),
        ),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)  # fmt: skip
def test_a_table_by_its_mapping(study, tmp_path, matcher, name, options, rows) -> None:
    (report,) = imported(study, "csv", [lines(tmp_path / name, *rows)], matcher, **options)
    gaze = gaze_of(study.database, report.readings[0].reading_id)
    np.testing.assert_allclose(gaze.points_image, [(30, 40), (60, 70)], atol=1e-3)
    assert np.diff(gaze.time_us).tolist() == [10_000]


def test_a_table_of_both_eyes_and_of_no_time(study, tmp_path, matcher) -> None:
    path = lines(
        tmp_path / "b2.csv", "left_x,left_y,right_x,right_y,valid",
        "30,40,32,40,1", "30,40,,,1", "1,1,1,1,0",
    )  # fmt: skip
    (report,) = imported(study, "csv", [path], matcher)
    gaze = gaze_of(study.database, report.readings[0].reading_id)
    assert gaze.points_image[0].tolist() == [31, 40]
    assert np.isnan(gaze.samples["right_x_norm"]).tolist() == [False, True, True]
    assert (report.readings[0].lost, "time" in report.lacks) == (1, True)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (("a,b", "1,2"), "no column `x_image`"),
        (("x,y,time_us", "1,zwei,3"), "line 2: 'zwei' in column `y` is not a number"),
        (("",), "is empty"),
        (("x,y", "1,2,3,4"), "line 2: 4 values"),
    ],
)
def test_a_table_that_cannot_be_read_names_file_and_line(study, tmp_path, matcher, rows, said):
    (report,) = imported(study, "csv", [lines(tmp_path / "bad.csv", *rows)], matcher)
    assert report.status == "refused"
    assert said in report.reason
    assert "bad.csv" in report.reason


TOBII = (
    "Recording timestamp [μs]\tSensor\tParticipant name\tRecording resolution width\t"
    "Recording resolution height\tGaze point X [DACS px]\tGaze point Y [DACS px]\t"
    "Gaze point left X [DACS px]\tGaze point left Y [DACS px]\tGaze point right X [DACS px]\t"
    "Gaze point right Y [DACS px]\tValidity left\tValidity right\tPupil diameter left [mm]\t"
    "Pupil diameter right [mm]\tPresented Media name\tPresented Media width [px]\t"
    "Presented Media height [px]\tPresented Media position X [DACS px]\t"
    "Presented Media position Y [DACS px]\tEye movement type\tEye movement type index\t"
    "Fixation point X\tFixation point Y\tGaze event duration [ms]"
)
MEDIA = "P1.png\t480\t800\t700\t140"


def test_tobii_gaze_lies_where_the_media_stood(study, tmp_path, matcher) -> None:
    def row(t: int, x: str, valid: str, kind: str) -> str:
        left = f"{x}\t340" if valid == "Valid" else "\t"
        return (
            f"{t}\tEye Tracker\tAnn\t1920\t1080\t{x}\t340\t{left}\t{x}\t340\t{valid}\tValid\t3,25\t"
            f"\t{MEDIA}\t{kind}\t1\t820\t340\t100"
        )

    rows = [row(k * 8333, "820", "Valid", "Fixation") for k in range(12)]
    rows.append(row(100_000, "900", "Invalid", "Saccade"))
    rows.append("100001\tMouse\tAnn" + "\t" * 22)
    rows.append("100002\tEye Tracker\tAnn" + "\t" * 22)
    path = lines(tmp_path / "export.tsv", TOBII, *rows)
    (report,) = imported(study, "tobii-tsv", [path], matcher)
    assert report.dropped == {"row of Mouse, not of the eye tracker": 1, "no media shown": 1}
    (stored,) = report.readings
    gaze = gaze_of(study.database, stored.reading_id)
    np.testing.assert_allclose(gaze.points_image[0], [30, 50], atol=1e-3)
    np.testing.assert_allclose(gaze.points_image[12], [50, 50], atol=1e-3)
    assert np.isnan(gaze.samples["left_x_norm"][12])
    np.testing.assert_array_equal(gaze.samples["left_pupil_mm"][0], np.float32(3.25))
    with study.database.read() as session:
        (fixation,) = session.scalars(select(Fixation)).all()
    assert (fixation.x_image, fixation.y_image, fixation.duration_us) == (30, 50, 100_000)
    assert "geometry" not in report.lacks
