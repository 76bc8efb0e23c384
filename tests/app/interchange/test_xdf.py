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
    assert "holds no gaze stream (cap (EEG))" in first.reason
    assert "cannot be read as XDF" in second.reason
