"""XDF: gaze streams of several senders, markers that say what was shown, no gaze at all."""

import numpy as np
import pytest

from devices.gaze.geometry import ScreenGeometry
from tests.app.interchange.gaze_files import imported
from tests.app.interchange.xdf_file import stream, write_xdf
from tests.stored import gaze_of

pytest.importorskip("pyxdf")
EYES = [("left_x", "left", "normalized"), ("left_y", "left", "normalized"),
        ("right_x", "right", "normalized"), ("right_y", "right", "normalized")]  # fmt: skip
TIMES = [100 + k / 100 for k in range(100)]


def _gaze(kind: str = "Gaze") -> bytes:
    values = [(0.5, 0.5, 0.502, 0.5)] * 100
    values[7] = (np.nan,) * 4
    return stream(1, "tracker", kind, EYES, TIMES, values)


def test_markers_cut_a_gaze_stream_into_readings(study, tmp_path, matcher) -> None:
    marks = stream(2, "station", "Markers", [], [100.1, 100.5, 100.6],
                   ["image: P1.png", "end", '{"image": "b2.png"}'])  # fmt: skip
    path = write_xdf(tmp_path / "log.xdf", _gaze("gaze"), marks)
    screen = ScreenGeometry(1920, 1080, 500, 300)
    (report,) = imported(study, "xdf", [path], matcher, screen=screen, shown=(900, 340, 240, 400))
    assert [r.samples for r in report.readings] == [40, 40]
    assert report.dropped == {"outside every marked image": 20}
    assert report.lacks == ()
    gaze = gaze_of(study.database, report.readings[0].reading_id)
    np.testing.assert_allclose(gaze.points_image[0], [(961.92 - 900) / 2, 100], atol=1e-3)
    assert gaze.samples["device_us"][0] == 100_100_000
    assert np.abs(gaze.samples["right_x_norm"][0] - np.float32(0.502)) == 0


def test_without_markers_the_files_name_is_the_images(study, tmp_path, matcher) -> None:
    (report,) = imported(study, "xdf", [write_xdf(tmp_path / "b2.xdf", _gaze())], matcher)
    (stored,) = report.readings
    assert (stored.samples, stored.lost) == (100, 1)
    assert "geometry" in report.lacks
    gaze = gaze_of(study.database, stored.reading_id)
    np.testing.assert_allclose(gaze.points_image[0, 1], 100, atol=1e-3)  # fitted, in the middle


def test_a_file_without_gaze_and_one_that_is_no_xdf_are_refused(study, tmp_path, matcher) -> None:
    eeg = stream(1, "cap", "EEG", [], [1.0, 2.0], [(1.0, 2.0), (1.0, 2.0)])
    (tmp_path / "b.xdf").write_bytes(b"no xdf at all")
    paths = [write_xdf(tmp_path / "a.xdf", eeg), tmp_path / "b.xdf"]
    first, second = imported(study, "xdf", paths, matcher)
    assert "contains no gaze stream (cap (EEG))" in first.reason
    assert "cannot be read as XDF" in second.reason


def _sent(number: int, name: str, times, kind: str = "Gaze", x: float = 0.5) -> bytes:
    return stream(number, name, kind, EYES, times, [(x, 0.5, x, 0.5)] * len(times))


def _marked(number: int, name: str, kind: str, times, texts) -> bytes:
    return stream(number, name, kind, [], times, texts)


def test_only_the_stream_that_names_images_cuts_readings(study, tmp_path, matcher) -> None:
    marks = _marked(2, "station", "Markers", [100.0, 100.99], ["image: P1.png", "end"])
    keys = _marked(3, "Keyboard", "Keyboard", [100.2, 100.3], ["SPACE pressed", "SPACE released"])
    path = write_xdf(tmp_path / "log.xdf", _gaze(), marks, keys)
    (report,) = imported(study, "xdf", [path], matcher)
    assert [r.samples for r in report.readings] == [99]
    assert "markers" in [each.code for each in report.notes]


def test_two_streams_that_may_name_images_are_asked_for(study, tmp_path, matcher) -> None:
    one = _marked(2, "a", "Markers", [100.0], ["image: P1.png"])
    other = _marked(3, "b", "Markers", [100.5], ["b2.png"])
    path = write_xdf(tmp_path / "log.xdf", _gaze(), one, other)
    (asked,) = imported(study, "xdf", [path], matcher)
    assert "--markers" in asked.reason
    (report,) = imported(study, "xdf", [path], matcher, markers="b")
    assert [r.samples for r in report.readings] == [50]
    (unknown,) = imported(study, "xdf", [path], matcher, markers="c")
    assert "there are a, b" in unknown.reason


def test_stamps_are_as_sent_and_a_hole_stays_a_hole(study, tmp_path, matcher) -> None:
    times = [100 + k / 100 + (0.8 if k >= 50 else 0.0) + 0.002 * (k % 2) for k in range(100)]
    path = write_xdf(tmp_path / "P1.xdf", _sent(1, "tracker", times))
    (report,) = imported(study, "xdf", [path], matcher)
    gaze = gaze_of(study.database, report.readings[0].reading_id)
    np.testing.assert_array_equal(gaze.samples["device_us"], [round(t * 1e6) for t in times])
    (gap,) = [each.text for each in report.readings[0].notes if each.code == "gap"]
    assert "0.808 s" in gap


def test_of_two_gaze_streams_one_must_be_named(study, tmp_path, matcher) -> None:
    webcam = _sent(2, "webcam", [100 + k / 30 for k in range(200)], x=0.4)
    path = write_xdf(tmp_path / "P1.xdf", _gaze(), webcam)
    (asked,) = imported(study, "xdf", [path], matcher)
    assert "tracker (Gaze, 100 samples); webcam (Gaze, 200 samples)" in asked.reason
    assert "--stream" in asked.reason
    (report,) = imported(study, "xdf", [path], matcher, stream="tracker")
    assert [r.samples for r in report.readings] == [100]
    assert "streams-left-out" in [each.code for each in report.notes]


def test_a_restarted_stream_is_joined_with_its_gap(study, tmp_path, matcher) -> None:
    first = _sent(1, "tracker", [100 + k / 100 for k in range(50)])
    second = _sent(2, "tracker", [103 + k / 100 for k in range(60)])
    path = write_xdf(tmp_path / "P1.xdf", first, second)
    (report,) = imported(study, "xdf", [path], matcher)
    assert (report.rows_read, report.readings[0].samples) == (110, 110)
    (text,) = [each.text for each in report.notes if each.code == "restarted"]
    assert "2.5 s" in text


def test_gaze_of_the_scene_camera_is_refused(study, tmp_path, matcher) -> None:
    world = "<coordinate_system>world</coordinate_system>"
    values = [(0.5, 0.5, 0.5, 0.5)] * 20
    times = [100 + k / 100 for k in range(20)]
    described_world = [(label, eye, f"normalized</unit>{world}<unit>") for label, eye, _ in EYES]
    path = write_xdf(
        tmp_path / "P1.xdf", stream(1, "tracker", "Gaze", described_world, times, values)
    )
    (report,) = imported(study, "xdf", [path], matcher)
    assert "scene camera" in report.reason


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"<channel_count>4<", b"<channel_count>1000000000<", "1000000000 channels"),
        (b"\x04\x64\x00\x00\x00\x08", b"\x04\xff\xff\xff\x7f\x08", "samples in a chunk"),
    ],
    ids=["channels", "samples"],
)
def test_counts_that_no_file_holds_are_refused_at_once(
    study, tmp_path, matcher, old, new, said
) -> None:
    gaze = _gaze()
    assert old in gaze
    length = int.from_bytes(gaze[1:5], "little") + len(new) - len(old)
    hostile = b"\x04" + length.to_bytes(4, "little") + gaze[5:].replace(old, new, 1)
    path = write_xdf(tmp_path / "P1.xdf", hostile)
    (report,) = imported(study, "xdf", [path], matcher)
    assert said in report.reason


def test_an_xdf_beyond_the_limit_is_refused_by_name(study, tmp_path, matcher, monkeypatch) -> None:
    monkeypatch.setattr("app.interchange.formats.xdf_chunks.MOST_BYTES", 1000)
    (report,) = imported(study, "xdf", [write_xdf(tmp_path / "P1.xdf", _gaze())], matcher)
    assert "P1.xdf is, or claims to be, larger than" in report.reason


def test_a_file_that_ends_within_a_chunk_is_read_and_told(study, tmp_path, matcher) -> None:
    path = write_xdf(tmp_path / "P1.xdf", _gaze(), _marked(2, "m", "Markers", [100.0], ["P1.png"]))
    (whole,) = imported(study, "xdf", [path], matcher)
    assert "cut-short" not in [each.code for each in whole.notes]
    path.write_bytes(path.read_bytes()[:-5])
    (cut,) = imported(study, "xdf", [path], matcher, reader="R2")
    assert "cut-short" in [each.code for each in cut.notes]
