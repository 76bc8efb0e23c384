"""What files of MicEye and McGIP say beside points; for these see tests/test_two_parsers.py."""

import json
from pathlib import Path

import numpy as np
import pytest

from devices.gaze.errors import GazeFileError
from devices.gaze.foreign import read_mcgip, read_miceye


def csv(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_line_tells_path_class_boxes_and_key_point(tmp_path: Path) -> None:
    one, two = read_miceye(
        csv(
            tmp_path / "g.csv",
            r"D:\study\2\P1.png;2;[[0, 40]];[(20, 40, 60, 80), (1, 2, 3, 4)];(24, 44)",
            "",
            "/data/P1.png;-1;[[[12, 40], 1.5]];[(22, 44, 11, 11, 1.1)];(-1, -1)",
        )
    )
    assert (one.number, one.image, one.label) == (1, r"D:\study\2\P1.png", "2")
    assert one.boxes == ((20, 40, 60, 80), (1, 2, 3, 4))
    assert one.keypoint == (24, 44)
    assert one.scales is None
    assert (two.number, two.label, two.keypoint) == (3, None, None)
    assert two.boxes == ((22, 44, 11, 11, 1.1),)
    np.testing.assert_array_equal(two.points, [[12, 40]])
    np.testing.assert_array_equal(two.points_unzoomed, [[8, 40 / 1.5]])


def test_progress_hears_of_every_line(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    path = csv(tmp_path / "g.csv", "a.png;1;[[1, 2]]", "", "b.png;1;[[1, 2]]")
    read_miceye(path, lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_refusal_never_shows_pythons_own_words(tmp_path: Path) -> None:
    path = csv(tmp_path / "g.csv", "a.png;1;[[x, 2]];[];(-1, -1)")
    with pytest.raises(GazeFileError, match="line 1: the gaze cannot be read as a list") as found:
        read_miceye(path)
    assert "object at" not in str(found.value)


def json_of(path: Path, **own: object) -> Path:
    entry = {"gaze": [[1, 2], [3, 4]], "img": "x.png", "case": "x", "gt": 0, "foveate": own}
    path.write_text(json.dumps(entry))
    return path


def test_our_own_export_is_read_exactly(tmp_path: Path) -> None:
    path = json_of(tmp_path / "x.json", gaze_image=[[1.25, 2], [None, None]], time_us=[5, 9],
                   reader="R1")  # fmt: skip
    found = read_mcgip(path)
    assert found is not None
    assert found.facts == {"case": "x", "gt": 0}
    assert found.exact is not None
    np.testing.assert_array_equal(found.exact.points_image, [[1.25, 2], [np.nan, np.nan]])
    assert found.exact.time_us is not None
    assert found.exact.time_us.tolist() == [5, 9]
    assert found.exact.reader == "R1"


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"reader": "R1"}, "foveate should contain gaze_image"),
        ({"gaze_image": [[1, 2]], "time_us": [1, 2]}, "time_us must be 1 whole numbers"),
        ({"gaze_image": [[1, 2]], "time_us": ["soon"]}, "time_us must be 1 whole numbers"),
        ({"gaze_image": "none"}, "gaze_image must be a list of pairs"),
    ],
)
def test_a_damaged_export_of_ours_is_refused_by_name(
    own: dict[str, object], said: str, tmp_path: Path
) -> None:
    with pytest.raises(GazeFileError, match=said):
        read_mcgip(json_of(tmp_path / "x.json", **own))
