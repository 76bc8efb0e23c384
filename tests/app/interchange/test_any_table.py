"""Tables of any software: what is inferred is said, what contradicts itself is refused."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from app.interchange.notes import TEXTS, note
from app.interchange.options import ImportOptions
from devices.gaze.geometry import ScreenGeometry
from migrations.study.schema import Fixation, Reader, Reading
from tests.app.interchange.gaze_files import imported, lines
from tests.app.interchange.gaze_tables import csv_samples
from tests.stored import gaze_of

SCREEN = ScreenGeometry(1000, 500, 500, 250, 600)
STILL = ["30,40"] * 20


def _first(study, report) -> list[float]:
    return gaze_of(study.database, report.readings[0].reading_id).points_image[0].tolist()


def _codes(report) -> list[str]:
    return [each.code for each in report.notes]


def _one(study, matcher, path, **options):
    (report,) = imported(study, "csv", [path], matcher, **options)
    return report


def test_durations_are_read_in_the_unit_that_fixations_last_in(study, tmp_path, matcher) -> None:
    rows = [f"P1.png,{400 * k},250,{30 + k},40" for k in range(10)]
    path = lines(tmp_path / "f.csv", "image,start,duration,x,y", *rows)
    report = _one(study, matcher, path)
    assert report.readings[0].fixations == 10
    assert report.readings[0].samples < 200
    with study.database.read() as session:
        found = session.scalars(select(Fixation).order_by(Fixation.start_us)).all()
    assert {f.duration_us for f in found} == {250_000}
    assert found[1].start_us - found[0].start_us == 400_000
    assert {"duration-unit", "time-unit"} <= set(_codes(report))


@pytest.mark.parametrize(
    ("header", "row", "said"),
    [
        ("image,start,duration_s,x,y", "P1.png,{k}00,250,30,40", "`duration_s` says s"),
        ("image,time_s,x,y", "P1.png,{k}8,30,40", "`time_s` says s"),
        ("image,start,duration,x,y", "P1.png,{k},9e9,30,40", "fits no unit"),
        ("image,start,duration,x,y", "P1.png,{k},1e-9,30,40", "is not a plausible fixation"),
    ],
    ids=["duration", "samples", "starts", "no unit at all"],
)
def test_a_unit_that_the_values_contradict_is_refused(
    study, tmp_path, matcher, header, row, said
) -> None:
    path = lines(tmp_path / "f.csv", header, *(row.format(k=k) for k in range(1, 30)))
    report = _one(study, matcher, path)
    assert said in report.reason
    assert "--time-unit" in report.reason


@pytest.mark.parametrize("code", ["0,0", "-1,-1", "-9999,12", "1e8,1e8"])
def test_codes_for_no_gaze_are_lost_and_told(study, tmp_path, matcher, code) -> None:
    path = csv_samples(tmp_path / "a.csv", "image,time_us,x,y", [*STILL, code, code, *STILL])
    report = _one(study, matcher, path)
    assert report.readings[0].lost == 2
    assert "missing" in _codes(report)
    with study.database.read() as session:
        notes = session.scalars(select(Reading.details)).one()["notes"]
    assert notes[0]["text"].startswith("2 samples at ")


def test_missing_takes_the_codes_one_says_or_none(study, tmp_path, matcher) -> None:
    path = csv_samples(tmp_path / "a.csv", "image,time_us,x,y", [*STILL, "0,0", "77,5"])
    assert _one(study, matcher, path, missing="none").readings[0].lost == 0
    assert _one(study, matcher, path, missing="77", reader="R2").readings[0].lost == 1


@pytest.mark.parametrize(
    ("values", "lost"),
    [
        (("True", "False"), 20), (("yes", "no"), 20), (("Valid", "Invalid"), 20),
        (("1", "0"), 20), (("1.0", "0.0"), 20), (("0", "4"), 20), (("0", "1"), 0), (("1",), 0),
    ],
    ids=str,
)  # fmt: skip
def test_words_and_codes_of_validity(study, tmp_path, matcher, values, lost) -> None:
    good, bad = values[0], values[-1]
    blank = "," if values == ("0", "1") else "30,40"
    rows = [f"30,40,{good}"] * 20 + [f"{blank},{bad}"] * 20
    expected = 20 if values == ("0", "1") else lost
    path = csv_samples(tmp_path / "a.csv", "image,time_us,x,y,valid", rows)
    report = _one(study, matcher, path)
    assert report.readings[0].lost == expected
    assert "validity" in _codes(report)


def test_a_validity_that_says_nothing_is_asked_for(study, tmp_path, matcher) -> None:
    path = csv_samples(tmp_path / "a.csv", "image,time_us,x,y,valid", ["30,40,0"] * 20)
    assert "--valid-when" in _one(study, matcher, path).reason
    assert _one(study, matcher, path, valid_when="0").readings[0].lost == 0
    graded = csv_samples(tmp_path / "b.csv", "image,time_us,x,y,valid", ["30,40,7", "30,40,9"] * 9)
    assert "7, 9" in _one(study, matcher, graded).reason
    assert _one(study, matcher, graded, valid_when=">=8").readings[0].lost == 9


def test_doubtful_gaze_is_lost_below_the_confidence_one_says(study, tmp_path, matcher) -> None:
    rows = ["30,40,0.9", "30,40,0.7", "30,40,0.2"] * 6
    path = csv_samples(tmp_path / "a.csv", "image,time_us,x,y,confidence", rows)
    report = _one(study, matcher, path)
    assert (report.readings[0].lost, "confidence" in _codes(report)) == (6, True)
    more = _one(study, matcher, path, min_confidence=0.8, reader="R2")
    assert more.readings[0].lost == 12


def test_a_persons_name_never_enters_the_study(study, tmp_path, matcher) -> None:
    rows = [f"P1.png,Ann Quill,{8333 * k},30,40" for k in range(20)]
    for column in ("participant", "reader", "subject"):
        path = lines(tmp_path / f"{column}.csv", f"image,{column},time_us,x,y", *rows)
        assert _one(study, matcher, path).status in ("accepted", "known")
    with study.database.read() as session:
        (reader,) = session.scalars(select(Reader.pseudonym)).all()
    assert reader.startswith("IMP-")
    held = b"".join(p.read_bytes() for p in study.folder.rglob("*") if p.is_file())
    assert b"Ann" not in held
    assert b"Quill" not in held


@pytest.mark.parametrize(
    ("name", "text", "point"),
    [
        ("preamble.csv", "# made by X\n## Hz: 120\nVersion: 3\nimage,time_us,x,y\n", "30,40"),
        ("semicolon.csv", "image;time_us;x;y\n", "30,5;40,25"),
        ("thousands.tsv", "image\ttime_us\tx\ty\n", "30.5\t40.25"),
    ],
)
def test_preambles_delimiters_and_decimal_commas(
    study, tmp_path, matcher, name, text, point
) -> None:
    mark = {"preamble.csv": ",", "semicolon.csv": ";"}.get(name, "\t")
    rows = [mark.join(("P1.png", f"{8333 * k}", point)) for k in range(12)]
    report = _one(study, matcher, lines(tmp_path / name, text + "\n".join(rows)))
    expected = [30, 40] if name == "preamble.csv" else [30.5, 40.25]
    assert _first(study, report) == pytest.approx(expected, abs=1e-3)
    wanted = {"preamble.csv": "preamble", "semicolon.csv": "decimal-comma"}.get(name)
    assert wanted is None or wanted in _codes(report)


def test_thousands_are_told_from_decimals_by_the_whole_file(study, tmp_path, matcher) -> None:
    rows = [f"P1.png;{8_333 * k:,}".replace(",", ".") + ";30,5;40,25" for k in range(300)]
    path = lines(tmp_path / "a.csv", "image;time_us;x;y", *rows)
    report = _one(study, matcher, path)
    gaze = gaze_of(study.database, report.readings[0].reading_id)
    assert set(np.diff(gaze.time_us)) == {8333}
    assert "thousands" in _codes(report)
    mixed = lines(tmp_path / "b.csv", "image;time_us;x;y", 'a;1;"1.234,5";2', 'a;2;"1,234.5";2')
    assert "decimal comma" in _one(study, matcher, mixed).reason


@pytest.mark.parametrize(("mark", "x"), [(",", "30.5"), (",", "30"), (".", "30,5"), (".", "30")])
def test_a_column_that_counts_on_beyond_999_has_thousands(
    study, tmp_path, matcher, mark, x
) -> None:
    rows = [f"P1.png;{8 * k:,}".replace(",", mark) + f";{x};40" for k in range(300)]
    path = lines(tmp_path / "a.csv", "image;time;x;y", *rows)
    report = _one(study, matcher, path)
    gaze = gaze_of(study.database, report.readings[0].reading_id)
    assert set(np.diff(gaze.time_us)) == {8000}
    assert "thousands" in _codes(report)


def test_a_decimal_comma_beside_a_decimal_point_is_refused(study, tmp_path, matcher) -> None:
    rows = [f"P1.png;{8 * k};3,25;40.5" for k in range(20)]
    path = lines(tmp_path / "a.csv", "image;time;x;y", *rows)
    assert "decimal comma and with a decimal point" in _one(study, matcher, path).reason


def test_three_decimals_behind_a_comma_stay_decimals(study, tmp_path, matcher) -> None:
    rows = [f"P1.png;{8 * k};31,125;4{k % 10},250" for k in range(20)]
    report = _one(study, matcher, lines(tmp_path / "a.csv", "image;time;x;y", *rows))
    assert _first(study, report) == pytest.approx([31.125, 40.25], abs=1e-3)


def test_remarks_among_the_rows_are_left_out_and_counted(study, tmp_path, matcher) -> None:
    rows = [f"P1.png\t{8333 * k}\t30\t40" for k in range(9)]
    rows[3:3] = ["# a remark", "123\tMSG\t1"]
    report = _one(study, matcher, lines(tmp_path / "a.tsv", "image\ttime_us\tx\ty", *rows))
    assert report.readings[0].samples == 9
    assert report.dropped == {"remark or message, not a row": 2}
    assert report.rows_read == 11


@pytest.mark.parametrize(
    "stamp",
    ["2024-03-05T10:00:00.{k:03d}", "10:00:00.{k:03d}", "2024-03-05 10:00:00.{k:03d}+02:00"],
)
def test_dates_and_times_of_day(study, tmp_path, matcher, stamp) -> None:
    rows = [f"P1.png,{stamp.format(k=8 * k)},30,40" for k in range(20)]
    report = _one(study, matcher, lines(tmp_path / "a.csv", "image,timestamp,x,y", *rows))
    gaze = gaze_of(study.database, report.readings[0].reading_id)
    assert set(np.diff(gaze.time_us)) == {8000}
    assert "time-iso" in _codes(report)


def test_times_of_day_go_on_beyond_midnight(study, tmp_path, matcher) -> None:
    before = [f"P1.png,23:59:59.{840 + 8 * k},30,40" for k in range(20)]
    after = [f"P1.png,00:00:00.{8 * k:03d},30,40" for k in range(20)]
    path = lines(tmp_path / "a.csv", "image,timestamp,x,y", *before, *after)
    report = _one(study, matcher, path)
    gaze = gaze_of(study.database, report.readings[0].reading_id)
    assert set(np.diff(gaze.time_us)) == {8000}
    assert "time-order" not in _codes(report)


def test_minutes_and_seconds_are_not_taken_for_hours(study, tmp_path, matcher) -> None:
    rows = [f"P1.png,{k // 60:02d}:{k % 60:02d},30,40" for k in range(90)]
    report = _one(study, matcher, lines(tmp_path / "a.csv", "image,time,x,y", *rows))
    assert "60 s apart" in report.reason


def test_a_fixation_without_a_duration_is_left_out_and_counted(study, tmp_path, matcher) -> None:
    rows = [f"P1.png,{300 * k},{'' if k == 3 else 250},30,40" for k in range(8)]
    path = lines(tmp_path / "a.csv", "image,start_ms,duration_ms,x,y", *rows)
    report = _one(study, matcher, path)
    assert report.readings[0].fixations == 7
    assert report.dropped == {"no duration": 1}


@pytest.mark.parametrize(
    ("header", "row", "said"),
    [
        ("image,time_ms,x,y,frame", "P1.png,{k}0,30,40,0.5", "0.5, which is not a frame number"),
        ("image,time_ms,x,y,x", "P1.png,{k}0,30,40,50", "more than one column `x`"),
        ("image,time_ms,x,y", "", "a header but no rows"),
    ],
)
def test_a_table_that_leaves_open_what_is_meant_is_refused(
    study, tmp_path, matcher, header, row, said
) -> None:
    rows = [row.format(k=k) for k in range(1, 20)] if row else []
    report = _one(study, matcher, lines(tmp_path / "a.csv", header, *rows))
    assert report.status == "refused"
    assert said in report.reason


def test_degrees_are_told_by_the_columns_name_and_need_the_screen(study, tmp_path, matcher) -> None:
    rows = ["0.0,2.0"] * 20
    path = csv_samples(tmp_path / "a.csv", "image,time_us,x_deg,y_deg", rows)
    assert "--screen" in _one(study, matcher, path).reason
    report = _one(study, matcher, path, screen=SCREEN, shown=(440, 150, 120, 200))
    above = 250 - np.tan(np.radians(2.0)) * 600 * 2
    assert _first(study, report) == pytest.approx([60, above - 150], abs=1e-3)
    assert "unit" in _codes(report)


def test_fractions_are_told_by_their_values(study, tmp_path, matcher) -> None:
    path = csv_samples(tmp_path / "a.csv", "image,time_us,x,y", ["0.25,0.5", "0.26,0.51"] * 10)
    report = _one(study, matcher, path)
    assert _first(study, report) == pytest.approx([30, 100], abs=1e-3)
    assert "unit" in _codes(report)


def test_gaze_that_is_nowhere_on_its_image_is_told(study, tmp_path, matcher) -> None:
    path = csv_samples(tmp_path / "a.csv", "image,time_us,x,y", ["930,940"] * 20)
    report = _one(study, matcher, path)
    assert report.readings[0].off_image == 20
    assert "all-off-image" in _codes(report)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["30,40"] * 3 + ["1e308,40"], "outside any screen"),
        (["30,40"] * 3 + ["inf,40"], "infinity"),
    ],
)
def test_values_beyond_all_screens_are_refused(study, tmp_path, matcher, rows, said) -> None:
    report = _one(study, matcher, csv_samples(tmp_path / "a.csv", "image,time_us,x,y", rows))
    assert (report.status, said in report.reason) == ("refused", True)


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ([*range(0, 80_000, 8000), 4_000_000_000_000_000], "hours"),
        ([0] * 3000, "faster than any tracker"),
        ([*range(0, 80_000, 8000), "1e300"], "beyond any clock"),
    ],
    ids=["126 years", "all at one instant", "beyond all clocks"],
)
def test_spans_and_rates_that_no_reading_has_are_refused(
    study, tmp_path, matcher, times, said
) -> None:
    rows = [f"P1.png,{t},30,40" for t in times]
    report = _one(study, matcher, lines(tmp_path / "a.csv", "image,time_us,x,y", *rows))
    assert (report.status, said in report.reason) == ("refused", True)


def test_readings_that_take_turns_in_a_file_are_put_together(study, tmp_path, matcher) -> None:
    rows = [f"{('P1', 'b2')[k % 2]}.png,{4000 * k},30,{40 + k % 2}" for k in range(40)]
    report = _one(study, matcher, lines(tmp_path / "a.csv", "image,time_us,x,y", *rows))
    assert [r.samples for r in report.readings] == [20, 20]
    assert report.rows_kept == 40


def test_pupils_of_nothing_are_left_out(study, tmp_path, matcher) -> None:
    rows = ["30,40,3.5", "30,40,-1", "30,40,0"] * 5
    path = csv_samples(tmp_path / "a.csv", "image,time_us,x,y,left_pupil_mm", rows)
    report = _one(study, matcher, path)
    sizes = gaze_of(study.database, report.readings[0].reading_id).samples["left_pupil_mm"]
    assert np.isnan(sizes).sum() == 10
    assert "pupil-missing" in _codes(report)


def test_options_not_said_are_none_so_that_the_file_may_tell() -> None:
    options = ImportOptions()
    assert (options.unit, options.origin, options.time_unit, options.missing) == (None,) * 4


def test_every_code_of_a_note_is_in_the_docs() -> None:
    page = (Path(__file__).parents[3] / "docs" / "interchange.md").read_text(encoding="utf-8")
    assert [code for code in TEXTS if f"`{code}`" not in page] == []


def test_a_note_of_one_is_in_the_singular() -> None:
    assert note("pupil-missing", count=1).text == "1 pupil of 0 or less was left out"
    assert "`who` became 1 pseudonym;" in note("participants", column="who", count=1).text
    assert "`who` became 2 pseudonyms;" in note("participants", column="who", count=2).text
