"""Layouts that are known by their columns: Pupil, EyeLink reports, Gazepoint, public data sets."""

from pathlib import Path

import pytest
from sqlalchemy import select

from app.interchange.formats.fixation_order import in_order
from app.interchange.tables import Table
from devices.gaze.geometry import ScreenGeometry
from migrations.study.schema import Fixation
from tests.app.interchange.gaze_files import imported, lines
from tests.stored import gaze_of

SCREEN = ScreenGeometry(1000, 500, 500, 250)


def _first(study, report) -> list[float]:
    return gaze_of(study.database, report.readings[0].reading_id).points_image[0].tolist()


def _durations(study) -> list[int]:
    with study.database.read() as session:
        return list(session.scalars(select(Fixation.duration_us)))


def test_pupils_gaze_on_a_surface_counts_from_the_bottom(study, tmp_path, matcher) -> None:
    head = "world_timestamp,world_index,gaze_timestamp,x_norm,y_norm,x_scaled,y_scaled,on_surf"
    rows = [
        f"9.0,1,{9 + k / 120:.5f},0.25,0.75,25,75,True,{0.9 - 0.8 * (k == 3)}" for k in range(20)
    ]
    path = lines(tmp_path / "gaze_positions_on_surface_P1.csv", head + ",confidence", *rows)
    for name in ("csv", "pupil-surface"):
        (report,) = imported(study, name, [path], matcher)
        assert [(r.samples, r.lost) for r in report.readings] in ([(20, 1)], [(0, 0)])
    assert report.status == "known"
    (report,) = imported(study, "csv", [path], matcher, reader="R2")
    assert _first(study, report) == pytest.approx([30, 50], abs=1e-3)


def test_one_recording_read_in_two_units_is_told(study, tmp_path, matcher) -> None:
    rows = [f"P1,{4 * k},0.{300 + k},0.6" for k in range(40)]
    path = lines(tmp_path / "P1.csv", "image,time_ms,x,y", *rows)
    (report,) = imported(study, "csv", [path], matcher)
    assert "same-times" not in [each.code for each in report.notes]
    (report,) = imported(study, "csv", [path], matcher, unit="screen-fraction", screen=SCREEN)
    assert report.status == "accepted"
    assert "same-times" in [each.code for each in report.notes]


def test_pupils_fixations_are_one_for_each_id(study, tmp_path, matcher) -> None:
    head = "world_timestamp,world_index,fixation_id,start_timestamp,duration,dispersion"
    rows = [f"9,{k},{k // 3},{9 + 0.4 * (k // 3):.4f},250,1,0.25,0.75,25,75,True" for k in range(9)]
    head += ",norm_pos_x,norm_pos_y,x_scaled,y_scaled,on_surf"
    path = lines(tmp_path / "fixations_on_surface_P1.csv", head, *rows)
    (report,) = imported(study, "csv", [path], matcher)
    assert _durations(study) == [250_000] * 3
    assert report.dropped == {"repeats a fixation": 6}


def test_gaze_of_a_scene_camera_is_refused_by_name(study, tmp_path, matcher) -> None:
    core = lines(tmp_path / "a.csv", "gaze_timestamp,world_index,norm_pos_x,norm_pos_y,base_data",
                 "9.0,1,0.5,0.5,x")  # fmt: skip
    neon = lines(tmp_path / "b.csv", "timestamp [ns],gaze x [px],gaze y [px]", "9000000,500,500")
    for report in imported(study, "csv", [core, neon], matcher):
        assert "scene camera" in report.reason


def test_a_fixation_report_of_data_viewer_lies_on_the_screen(study, tmp_path, matcher) -> None:
    head = "RECORDING_SESSION_LABEL\tTRIAL_INDEX\timage\tCURRENT_FIX_START\tCURRENT_FIX_DURATION"
    head += "\tCURRENT_FIX_X\tCURRENT_FIX_Y"
    rows = [f"annq\t{1 + k // 5}\tP1.png\t{300 * (k % 5) + k}\t220\t470,5\t190" for k in range(10)]
    path = lines(tmp_path / "report.txt", head, *rows)
    said = {"screen": SCREEN, "shown": (440, 150, 120, 200)}
    (report,) = imported(study, "eyelink-report", [path], matcher, **said)
    assert [r.fixations for r in report.readings] == [5, 5]
    assert _first(study, report) == pytest.approx([30.5, 40], abs=1e-3)
    assert set(_durations(study)) == {220_000}
    (refused,) = imported(study, "eyelink-report", [path], matcher)
    assert "--screen" in refused.reason


def test_gazemedsegs_fixations_are_fractions_and_milliseconds(study, tmp_path, matcher) -> None:
    head = "IMAGE,CURRENT_FIX_INDEX,CURRENT_FIX_X,CURRENT_FIX_Y,CURRENT_FIX_DURATION"
    head += ",CURRENT_FIX_PUPIL,CURRENT_FIX_START,IMAGE_HEIGHT,IMAGE_WIDTH"
    rows = [f"P1,{k},0.25,0.2,180,900,{260 * k},200,120" for k in range(6)]
    (report,) = imported(study, "gazemedseg", [lines(tmp_path / "a.csv", head, *rows)], matcher)
    assert _first(study, report) == pytest.approx([30, 40], abs=1e-3)
    assert _durations(study) == [180_000] * 6


def test_eyeassists_readers_become_pseudonyms(study, tmp_path, matcher) -> None:
    rows = [f"P1,dr_quill,{30 + k},40,0.25,{k},expert" for k in range(5)]
    path = lines(tmp_path / "a.csv", "case_id,reader_id,x,y,duration,fixation_index,state", *rows)
    (report,) = imported(study, "eyeassist", [path], matcher)
    assert _first(study, report) == pytest.approx([30, 40], abs=1e-3)
    assert _durations(study) == [250_000] * 5
    assert "participants" in [each.code for each in report.notes]


def test_eyeassist_neo_counts_in_pixels_of_the_image_and_is_no_report_of_data_viewer(
    study, tmp_path, matcher
) -> None:
    head = "RECORDING_SESSION_LABEL,Source_File,CURRENT_FIX_INDEX,CURRENT_FIX_X,CURRENT_FIX_Y"
    rows = [f"reader1,P1.jpg,{k},{30 + k},40,210" for k in range(5)]
    path = lines(tmp_path / "reader1_fixations.csv", head + ",CURRENT_FIX_DURATION", *rows)
    (report,) = imported(study, "eyeassist", [path], matcher)
    assert _first(study, report) == pytest.approx([30, 40], abs=1e-3)
    assert _durations(study) == [210_000] * 5


EYEASSIST = "case_id,reader_id,x,y,duration,fixation_index,state"


def test_fixations_without_times_stand_in_the_order_that_their_index_says(
    study, tmp_path, matcher
) -> None:
    rows = [f"P1,r,{30 + k},40,{0.2 + k / 100},{k + 1},a" for k in (4, 2, 0, 3, 1)]
    path = lines(tmp_path / "a.csv", EYEASSIST, *rows)
    (report,) = imported(study, "eyeassist", [path], matcher)
    with study.database.read() as session:
        found = session.scalars(select(Fixation).order_by(Fixation.start_us)).all()
        assert [f.x_image for f in found] == pytest.approx([30, 31, 32, 33, 34], abs=1e-3)
    assert _durations(study) == [200_000, 210_000, 220_000, 230_000, 240_000]
    assert "fixation-order" in [each.code for each in report.notes]


NEO = "Source_File,CURRENT_FIX_INDEX,CURRENT_FIX_X,CURRENT_FIX_Y,CURRENT_FIX_DURATION"


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        ([f"P1,r,{30 + k},40,0.25,{k},a" for k in (0, 1, 2)] * 2, "same number twice"),
        ([f"P1,r,{30 + k},40,0.25,{n},a" for k, n in ((0, "1"), (1, ""))], "empty in some rows"),
        ([f"P1,r,{k / 30 + 0.01:.3f},0.4,0.25,{k},a" for k in range(4)], "between 0 and 1"),
    ],
)
def test_doubled_rows_and_fractions_in_a_table_of_pixels_are_refused(
    study, tmp_path, matcher, rows, word
) -> None:
    path = lines(tmp_path / "a.csv", EYEASSIST, *rows)
    (report,) = imported(study, "eyeassist", [path], matcher)
    assert (report.status, word in report.reason) == ("refused", True)
    assert not _durations(study)


def test_a_count_that_begins_anew_with_each_frame_keeps_the_order_of_the_frames() -> None:
    rows = [["3", "1"], ["3", "3"], ["3", "2"], ["5", "2"], ["5", "1"], ["3", "1"]]
    table = Table(Path("a.csv"), ("slice", "index"), rows, list(range(2, 8)))
    found, notes = in_order(table, {"frame": "slice", "order": "index"})
    assert found.rows == [["3", "1"], ["3", "2"], ["3", "3"], ["5", "1"], ["5", "2"], ["3", "1"]]
    assert [each.code for each in notes] == ["fixation-order"]


def test_times_go_before_a_count_and_a_count_that_is_named_beside_them_is_refused(
    study, tmp_path, matcher
) -> None:
    rows = [f"P1,{30 + k},40,{k * 300},200,." for k in range(5)]
    path = lines(tmp_path / "a.csv", "image,x,y,start_ms,duration_ms,fix_index", *rows)
    (report,) = imported(study, "csv", [path], matcher, columns={"order": "fix_index"})
    assert "the times are in `start_ms`" in report.reason
    (report,) = imported(study, "csv", [path], matcher)
    assert _durations(study) == [200_000] * 5


@pytest.mark.parametrize(
    ("format", "head", "row", "word", "said"),
    [
        ("eyeassist", NEO, "P1.jpg,{k},3{k},40,0.21", "fixation lasts 0.00021 s",
         {"time_unit": "s"}),
        ("eyeassist", NEO, "P1.jpg,{k},3{k},40,210000", "fixation lasts 210 s",
         {"time_unit": "us"}),
        ("csv", "IMAGE,CURRENT_FIX_X,CURRENT_FIX_Y,CURRENT_FIX_START,CURRENT_FIX_DURATION,"
         "IMAGE_WIDTH,IMAGE_HEIGHT", "P1,3{k},40,{k}300,210,60,80", "is in fractions",
         {"unit": "image-px"}),
        ("csv", "n,x,y,val,xT,yT", "{k},3{k}0,400,0,0,0", "is in degrees", {"unit": "image-px"}),
        ("csv", "gaze_timestamp,x_norm,y_norm,on_surf", "{k}000,0.3{k},0.4,True",
         "1000 s apart", {"time_unit": "us"}),
    ],
)  # fmt: skip
def test_a_known_layout_in_another_unit_is_refused_unless_the_unit_is_said(
    study, tmp_path, matcher, format, head, row, word, said
) -> None:
    path = lines(tmp_path / "P1.csv", head, *[row.format(k=k) for k in range(5)])
    (report,) = imported(study, format, [path], matcher)
    assert (report.status, word in report.reason) == ("refused", True), report.reason
    (report,) = imported(study, format, [path], matcher, **said)
    assert report.status == "accepted", report.reason


def test_gazepoint_is_read_by_its_best_point_never_the_filtered(study, tmp_path, matcher) -> None:
    head = "MEDIA_ID,MEDIA_NAME,CNT,TIME(2024/01/15 10:11:12.345),TIMETICK(f=10000000),FPOGX,FPOGY"
    head += ",FPOGV,BPOGX,BPOGY,BPOGV"
    rows = [f"0,P1.png,{k},{k / 60:.5f},{k},0.1,0.1,1,0.47,0.38,{int(k > 2)}" for k in range(20)]
    said = {"screen": SCREEN, "shown": (440, 150, 120, 200)}
    path = lines(tmp_path / "all_gaze.csv", head, *rows)
    (report,) = imported(study, "gazepoint", [path], matcher, **said)
    gaze = gaze_of(study.database, report.readings[0].reading_id)
    assert gaze.points_image[5].tolist() == pytest.approx([30, 40], abs=1e-3)
    assert report.readings[0].lost == 3


def test_a_table_of_another_layout_is_refused_with_what_it_should_have(
    study, tmp_path, matcher
) -> None:
    path = lines(tmp_path / "a.csv", "image,x,y", "P1.png,1,2")
    (report,) = imported(study, "gazemedseg", [path], matcher)
    assert "CURRENT_FIX_X" in report.reason
