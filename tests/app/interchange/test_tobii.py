"""Exports of Tobii Studio and Pro Lab of all kinds: what is a sample, what is valid, who read."""

import numpy as np
import pytest
from sqlalchemy import select

from devices.gaze.geometry import ScreenGeometry
from migrations.study.schema import Fixation, Reader, Reading
from tests.app.interchange.gaze_files import imported
from tests.app.interchange.gaze_tables import PRO_LAB, STUDIO, pro_lab_row, studio_row, tsv
from tests.stored import gaze_of

SCREEN = ScreenGeometry(1920, 1080, 518, 291)


def _points(study, report) -> list[np.ndarray]:
    return [gaze_of(study.database, r.reading_id).points_image for r in report.readings]


@pytest.mark.parametrize(
    ("codes", "lost"),
    [((0, 0), 0), ((0, 1), 0), ((4, 4), 20), ((2, 2), 20)],
    ids=["all best", "one of them probable", "none found", "of an unknown eye"],
)
def test_studios_validity_counts_0_as_best(study, tmp_path, matcher, codes, lost) -> None:
    rows = [studio_row(1000 + 17 * k, 560, 300, 0, 0) for k in range(20)]
    rows += [studio_row(1340 + 17 * k, 561, 301, *codes) for k in range(20)]
    path = tsv(tmp_path / "studio.tsv", STUDIO, rows)
    (report,) = imported(study, "tobii-tsv", [path], matcher, screen=SCREEN)
    (stored,) = report.readings
    assert (stored.samples, stored.lost) == (40, lost)
    np.testing.assert_allclose(_points(study, report)[0][0], (100, 160), atol=1e-3)
    assert "validity" in [each.code for each in report.notes]


def test_the_best_reading_is_not_lost_for_having_one_code_only(study, tmp_path, matcher) -> None:
    rows = [studio_row(1000 + 17 * k, 560, 300, 0, 0) for k in range(20)]
    other = [studio_row(2000 + 17 * k, 560, 300, 4, 4) for k in range(20)]
    rows += [(*row[:2], "b2.png", *row[3:]) for row in other]
    path = tsv(tmp_path / "studio.tsv", STUDIO, rows)
    (report,) = imported(study, "tobii-tsv", [path], matcher, screen=SCREEN)
    assert [r.lost for r in report.readings] == [0, 20]


def test_rows_without_a_sensor_are_events_and_lose_nothing(study, tmp_path, matcher) -> None:
    rows = [pro_lab_row(5_000_000, 0, 0, sensor="", event="ImageStimulusStart")]
    rows += [pro_lab_row(5_000_000 + 8333 * k, 500, 250) for k in range(30)]
    rows.insert(9, pro_lab_row(5_050_000, 0, 0, sensor="", event="KeyPress"))
    (report,) = imported(study, "tobii-tsv", [tsv(tmp_path / "a.tsv", PRO_LAB, rows)], matcher)
    assert [(r.samples, r.lost) for r in report.readings] == [(30, 0)]
    assert report.dropped == {"event, not a sample": 2}
    assert report.rows_read == 32


def test_each_showing_of_a_stimulus_is_a_reading(study, tmp_path, matcher) -> None:
    first = [pro_lab_row(8333 * k, 500, 250) for k in range(30)]
    other = [pro_lab_row(400_000 + 8333 * k, 500, 250, media="b2.png") for k in range(30)]
    again = [pro_lab_row(800_000 + 8333 * k, 520, 250) for k in range(30)]
    begun = [pro_lab_row(1_200_000, 0, 0, sensor="", event="ImageStimulusStart")]
    third = [pro_lab_row(1_200_000 + 8333 * k, 530, 250) for k in range(30)]
    path = tsv(tmp_path / "a.tsv", PRO_LAB, [*first, *other, *again, *begun, *third])
    (report,) = imported(study, "tobii-tsv", [path], matcher)
    assert [r.samples for r in report.readings] == [30] * 4
    assert [p[0, 0] for p in _points(study, report)] == pytest.approx([40, 40, 60, 70], abs=1e-3)
    with study.database.read() as session:
        notes = [r.details.get("notes") for r in session.scalars(select(Reading))]
    assert [n[0]["code"] if n else None for n in notes] == [
        None,
        None,
        "shown-again",
        "shown-again",
    ]


def test_participants_are_told_apart_by_pseudonyms_and_never_named(
    study, tmp_path, matcher
) -> None:
    names = ("Ann Quill", "Bo Reed", "Cy Stone")
    rows = [
        pro_lab_row(8333 * k, 500 + 10 * n, 250, person=name)
        for n, name in enumerate(names)
        for k in range(20)
    ]
    path = tsv(tmp_path / "a.tsv", PRO_LAB, rows)
    (report,) = imported(study, "tobii-tsv", [path], matcher)
    assert [r.samples for r in report.readings] == [20] * 3
    with study.database.read() as session:
        readers = session.scalars(select(Reader.pseudonym)).all()
    assert len(set(readers)) == 3
    assert all(reader.startswith("IMP-") for reader in readers)
    held = b"".join(p.read_bytes() for p in study.folder.rglob("*") if p.is_file())
    assert not any(name.encode() in held for name in names)
    (again,) = imported(study, "tobii-tsv", [path], matcher)
    assert (again.status, len(again.readings)) == ("known", 3)


def test_without_participants_all_is_read_by_the_one_that_is_named(
    study, tmp_path, matcher
) -> None:
    rows = [pro_lab_row(8333 * k, 500, 250, person="Ann Quill") for k in range(20)]
    path = tsv(tmp_path / "a.tsv", PRO_LAB, rows)
    imported(study, "tobii-tsv", [path], matcher, participant="none", reader="R7")
    with study.database.read() as session:
        assert session.scalars(select(Reader.pseudonym)).all() == ["R7"]


def test_coordinates_of_the_media_are_its_own_pixels(study, tmp_path, matcher) -> None:
    header = [name.replace("Gaze point X [DACS", "Gaze point X [MCS") for name in PRO_LAB]
    header = [name.replace("Gaze point Y [DACS", "Gaze point Y [MCS") for name in header]
    extra = ("Eye movement type", "Eye movement type index", "Gaze event duration [ms]",
             "Fixation point X [DACS px]", "Fixation point Y [DACS px]")  # fmt: skip
    rows = [(*pro_lab_row(8333 * k, 40, 60), "Fixation", 1, 240, 500, 200) for k in range(30)]
    path = tsv(tmp_path / "a.tsv", (*header, *extra), rows)
    (report,) = imported(study, "tobii-tsv", [path], matcher)
    np.testing.assert_allclose(_points(study, report)[0][0], (40, 60), atol=1e-3)
    assert [r.off_image for r in report.readings] == [0]
    assert "mcs" in [each.code for each in report.notes]
    with study.database.read() as session:
        (fixation,) = session.scalars(select(Fixation)).all()
    assert (fixation.x_image, fixation.y_image) == pytest.approx((40, 60))


def test_shares_of_the_media_and_millimetres_of_the_display(study, tmp_path, matcher) -> None:
    shares = [n.replace("DACS px", "MCS norm") if "Gaze" in n else n for n in PRO_LAB]
    path = tsv(tmp_path / "a.tsv", shares, [pro_lab_row(8333 * k, 0.5, 0.25) for k in range(9)])
    (report,) = imported(study, "tobii-tsv", [path], matcher)
    np.testing.assert_allclose(_points(study, report)[0][0], (60, 50), atol=1e-3)
    mm = [n.replace("DACS px", "DACS mm") if "Gaze" in n else n for n in PRO_LAB]
    path = tsv(tmp_path / "b.tsv", mm, [pro_lab_row(8333 * k, 250, 125) for k in range(9)])
    (refused,) = imported(study, "tobii-tsv", [path], matcher)
    assert "--screen-mm" in refused.reason
    said = {"screen": ScreenGeometry(1920, 1080, 960, 540), "screen_mm_said": True}
    (report,) = imported(study, "tobii-tsv", [path], matcher, **said)
    np.testing.assert_allclose(_points(study, report)[0][0], (40, 110), atol=1e-3)


def test_utf16_with_decimal_commas_and_windows_1252_are_read(study, tmp_path, matcher) -> None:
    rows = [pro_lab_row(8333 * k, 500, 250) for k in range(9)]
    text = tsv(tmp_path / "a.tsv", PRO_LAB, rows).read_text(encoding="utf-8")
    commas = text.replace("\t500\t250\t", "\t500,5\t250,25\t")
    (tmp_path / "a.tsv").write_text(commas, encoding="utf-16")
    (report,) = imported(study, "tobii-tsv", [tmp_path / "a.tsv"], matcher)
    np.testing.assert_allclose(_points(study, report)[0][0], (40.5, 110.25), atol=1e-3)
    assert "decimal-comma" in [each.code for each in report.notes]
    old = text.replace("μs", "µs").replace("P01", "Jérôme").replace("\t500\t", "\t510\t")
    (tmp_path / "b.tsv").write_text(old, encoding="cp1252")
    (report,) = imported(study, "tobii-tsv", [tmp_path / "b.tsv"], matcher)
    np.testing.assert_allclose(_points(study, report)[0][0], (50, 110), atol=1e-3)
    assert "encoding" in [each.code for each in report.notes]


def test_a_workbook_is_read_as_its_text_is(study, tmp_path, matcher) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(PRO_LAB)
    for k in range(9):
        sheet.append([None if v == "" else v for v in pro_lab_row(8333 * k, 500.5, 250)])
    book.save(tmp_path / "a.xlsx")
    (report,) = imported(study, "tobii-tsv", [tmp_path / "a.xlsx"], matcher)
    np.testing.assert_allclose(_points(study, report)[0][8], (40.5, 110), atol=1e-3)
    assert report.readings[0].samples == 9


def test_rows_of_tobii_out_of_order_are_sorted_and_told(study, tmp_path, matcher) -> None:
    rows = [pro_lab_row(8333 * k, 470 + k, 200) for k in reversed(range(30))]
    (report,) = imported(study, "tobii-tsv", [tsv(tmp_path / "a.tsv", PRO_LAB, rows)], matcher)
    gaze = gaze_of(study.database, report.readings[0].reading_id)
    assert set(np.diff(gaze.time_us)) == {8333}
    assert gaze.points_image[:, 0] == pytest.approx(np.arange(10, 40), abs=1e-3)
    assert "time-order" in [each.code for each in report.notes]


def test_a_stimulus_that_moved_while_shown_is_refused(study, tmp_path, matcher) -> None:
    rows = [list(pro_lab_row(8333 * k, 500, 200)) for k in range(30)]
    for row in rows[15:]:
        row[-2] = 0
    (report,) = imported(study, "tobii-tsv", [tsv(tmp_path / "a.tsv", PRO_LAB, rows)], matcher)
    assert "460 and 0 while one stimulus is shown" in report.reason
    (report,) = imported(
        study, "tobii-tsv", [tmp_path / "a.tsv"], matcher, shown=(460.0, 140.0, 120.0, 200.0)
    )
    assert report.status == "accepted"


def test_a_screen_of_no_size_is_refused_by_name(study, tmp_path, matcher) -> None:
    rows = [list(pro_lab_row(8333 * k, 500, 200)) for k in range(30)]
    for row in rows:
        row[5] = -1920
    (report,) = imported(study, "tobii-tsv", [tsv(tmp_path / "a.tsv", PRO_LAB, rows)], matcher)
    assert "a screen of -1920" in report.reason
