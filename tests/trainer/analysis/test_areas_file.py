"""Areas from a table."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from trainer.analysis.areas_file import read_areas
from trainer.errors import AnalysisError

HEAD = "image,area,kind,frame,x,y,width,height,points,lesion\n"


def read(tmp_path: Path, rows: str, head: str = HEAD) -> dict[str, list]:  # type: ignore[type-arg]
    path = tmp_path / "areas.csv"
    path.write_text(head + rows, encoding="utf-8")
    return read_areas(path, lambda name: f"id of {name}")


def test_every_kind_is_read(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "m.png"), np.array([[0, 255], [0, 0]], np.uint8))
    found = read(
        tmp_path,
        "a,b1,box,,10,20,30,40,,1\n"
        "a,e1,Ellipse,3,0,0,10,10,,\n"
        "a,k1,keypoint,,5,6,,,,0\n"
        "b,p1,polygon,,,,,,0 0; 10 0; 10 10,1\n"
        "b,m1,mask,,,,,,m.png,\n",
    )

    box, ellipse, keypoint = found["id of a"]
    polygon, mask = found["id of b"]
    assert box.corners.tolist() == [[10, 20], [40, 60]]
    assert (box.lesion, ellipse.lesion, ellipse.frame, box.frame) == (True, False, 3, None)
    assert keypoint.corners.tolist() == [[5, 6]]
    assert polygon.corners.tolist() == [[0, 0], [10, 0], [10, 10]]
    assert mask.mask is not None
    assert mask.mask.tolist() == [[False, True], [False, False]]


def test_columns_may_be_few_and_stand_in_any_order(tmp_path: Path) -> None:
    found = read(tmp_path, "5;k;keypoint;a;6\n", head="Y;area;kind;image;x\n")

    assert found["id of a"][0].corners.tolist() == [[6, 5]]


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("a,b,circle,,1,1,1,1,,", "kind is 'circle'"),
        ("a,,box,,1,1,1,1,,", "area is empty"),
        ("a,b,box,,1,1,0,1,,", "above 0"),
        ("a,b,box,,1,x,1,1,,", "y is 'x'"),
        ("a,b,box,,1,1_0,1,1,,", "y is '1_0'"),
        ("a,b,polygon,,,,,,0 0; 1_0 1; 2 2,", "points is"),
        ("a,b,box,1.5,1,1,1,1,,", "frame is '1.5'"),
        ("a,b,box,,1,1,1,1,,yes", "lesion is 'yes'"),
        ("a,b,polygon,,,,,,0 0; 1 1,", "points is"),
        ("a,b,polygon,,,,,,0 0; 1 nan; 2 2,", "points is"),
        ("a,b,polygon,,,,,,0 0; 1 1; 3 3,1", "enclose nothing"),
        ("a,b,polygon,,,,,,5 5; 5 5; 5 5,1", "enclose nothing"),
        ("a,b,mask,,,,,,none.png,", "does not exist"),
    ],
)
def test_a_line_that_cannot_be_understood_is_named(tmp_path: Path, row: str, word: str) -> None:
    with pytest.raises(AnalysisError, match="line 2") as error:
        read(tmp_path, row + "\n")
    assert word in str(error.value)


def test_two_areas_of_one_name_are_refused_unless_on_different_frames(tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match="two areas called 'k'"):
        read(tmp_path, "a,k,keypoint,,1,1,,,,\na,k,keypoint,,2,2,,,,\n")
    assert len(read(tmp_path, "a,k,keypoint,1,1,1,,,,\na,k,keypoint,2,2,2,,,,\n")["id of a"]) == 2


def test_a_table_without_areas_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match="contains no areas"):
        read(tmp_path, "")
    with pytest.raises(AnalysisError, match=r"no column 'kind'"):
        read(tmp_path, "a,b\n", head="image,area\n")


@pytest.mark.parametrize(
    "picture",
    [
        np.array([[0, 1], [0, 0]], np.uint16),
        np.array([[[0, 0, 0], [1, 0, 0]], [[0, 0, 0], [0, 0, 0]]], np.uint8),
        np.array(
            [[[255, 255, 255, 0], [255, 255, 255, 9]], [[9, 9, 9, 0], [0, 0, 0, 255]]], np.uint8
        ),
    ],
    ids=["labels of 16 bit", "a dark blue", "transparent outside"],
)
def test_what_is_not_black_is_inside_a_mask(tmp_path: Path, picture: np.ndarray) -> None:
    cv2.imwrite(str(tmp_path / "m.png"), picture)

    (area,) = read(tmp_path, "b,m1,mask,,,,,,m.png,\n")["id of b"]

    assert area.mask is not None
    assert area.mask.tolist() == [[False, True], [False, False]]


def test_a_mask_with_nothing_inside_is_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "m.png"), np.zeros((3, 3), np.uint8))

    with pytest.raises(AnalysisError, match="black everywhere"):
        read(tmp_path, "b,m1,mask,,,,,,m.png,1\n")


def test_one_place_may_be_two_areas_but_not_two_lesions(tmp_path: Path) -> None:
    rows = "a,b,box,,1,1,9,9,,1\na,lobe,box,,1,1,9,9,,0\na,c,box,,1,1,9,8,,1\n"

    assert len(read(tmp_path, rows)["id of a"]) == 3
    assert len(read(tmp_path, "a,b,box,4,1,1,9,9,,1\na,b,box,5,1,1,9,9,,1\n")["id of a"]) == 2
    with pytest.raises(AnalysisError, match="line 3: the lesions 'b' and 'c' of a lie at the same"):
        read(tmp_path, "a,b,box,,1,1,9,9,,1\na,c,box,,1,1,9,9,,1\n")
    with pytest.raises(AnalysisError, match="line 3: the lesions 'b' and 'b' of a lie at the same"):
        read(tmp_path, "a,b,box,,1,1,9,9,,1\na,b,box,4,1,1,9,9,,1\n")
