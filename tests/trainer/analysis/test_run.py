"""A table of areas and readers' marks held against each other, and what is said beside."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.trainer.analysis.test_study import DWELL, mark, points
from tests.trainer.gaze_study import STEP_US, StudyMaker
from trainer.analysis.run import Question, analyse
from trainer.errors import AnalysisError


@pytest.fixture
def maker(tmp_path: Path) -> StudyMaker:
    return StudyMaker.create(tmp_path / "study")


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("a,mask,,,m.png,", "its mask is 5 × 4 pixels, the image 400 × 300"),
        ("a,mask,,,black.png,", "black everywhere"),
        ("a,keypoint,900,10,,", "lies outside the image"),
        ("a,polygon,,,400 0;450 0;450 9,", "lies outside the image"),
        ("a,keypoint,10,10,,7", "is on frame 7, but the image has 1"),
    ],
)
def test_an_area_that_no_gaze_can_lie_in_is_refused_by_name(
    maker: StudyMaker, tmp_path: Path, row: str, word: str
) -> None:
    image = maker.image()
    maker.read_once(image, points())
    cv2.imwrite(str(tmp_path / "m.png"), np.full((4, 5), 255, np.uint8))
    cv2.imwrite(str(tmp_path / "black.png"), np.zeros((300, 400), np.uint8))
    table = tmp_path / "a.csv"
    table.write_text(f"image,area,kind,x,y,points,frame\n{image},{row}\n")

    with pytest.raises(AnalysisError, match=word):
        analyse(maker.study, Question(areas=table))


def test_a_frame_that_a_stack_has_may_hold_an_area_though_nobody_saw_it(
    maker: StudyMaker, tmp_path: Path
) -> None:
    stack = maker.image(frames=3)
    mark(maker, maker.read_once(stack, points()), stack, 1, 1)
    table = tmp_path / "a.csv"
    table.write_text(f"image,area,kind,x,y,frame,lesion\n{stack},a,keypoint,80,60,2,1\n")

    (missed, _) = analyse(maker.study, Question(areas=table)).tables.misses

    assert (missed["area"], missed["class"]) == ("a", "search")
    table.write_text(f"image,area,kind,x,y,frame,lesion\n{stack},a,keypoint,80,60,3,1\n")
    with pytest.raises(AnalysisError, match="the image has 3"):
        analyse(maker.study, Question(areas=table))


@pytest.mark.parametrize("table", [None, "image,area,kind,x,y\n{image},heart,keypoint,1,1\n"])
def test_without_a_lesion_in_the_table_no_mark_is_wrong(
    maker: StudyMaker, tmp_path: Path, table: str | None
) -> None:
    image = maker.image()
    mark(maker, maker.read_once(image, points()), image, 80, 60)
    path = tmp_path / "a.csv"
    path.write_text((table or "").format(image=image))

    found = analyse(maker.study, Question(areas=path if table else None, plain="halves"))

    assert len(found.tables.areas) == (3 if table else 2)
    assert found.tables.misses == []


def test_plain_areas_make_no_mark_wrong_on_an_image_the_table_does_not_name(
    maker: StudyMaker, tmp_path: Path
) -> None:
    named, other = maker.image(), maker.image()
    mark(maker, maker.read_once(named, points()), named, 80, 60)
    mark(maker, maker.read_once(other, points(), 9_000_000), other, 80, 60)
    table = tmp_path / "a.csv"
    table.write_text(f"image,area,kind,x,y,lesion\n{named},a,keypoint,80,60,1\n")

    assert analyse(maker.study, Question(areas=table, plain="grid")).tables.misses == []


def test_without_the_visual_angle_misses_are_not_classed_and_it_is_said(
    maker: StudyMaker, tmp_path: Path
) -> None:
    image = maker.image()
    reading = maker.read_once(
        image, points(), details={"imported": {"lacks": ["geometry"]}, "source": "x"}
    )
    mark(maker, reading, image, 300, 220)
    table = tmp_path / "a.csv"
    table.write_text(f"image,area,kind,x,y,width,height,lesion\n{image},a,box,60,40,40,40,1\n")

    found = analyse(maker.study, Question(areas=table))

    assert found.tables.areas[0]["hit"] == 1
    assert found.tables.misses == []
    assert any("visual angle of 1 of 1 readings is unknown" in note for note in found.notes)


def test_a_lesion_on_an_image_that_was_never_shown_is_named(
    maker: StudyMaker, tmp_path: Path
) -> None:
    shown, other = maker.image(), maker.image()
    reading = maker.reading(maker.case(shown, other), 0, 4 * DWELL * STEP_US)
    maker.view(reading, shown, 0)
    maker.samples(0, points())
    mark(maker, reading, shown, 80, 60)
    table = tmp_path / "a.csv"
    table.write_text(
        f"image,area,kind,x,y,lesion\n{shown},a,keypoint,80,60,1\n{other},nodule,keypoint,80,60,1\n"
    )

    found = analyse(maker.study, Question(areas=table))

    assert any("never showed image" in note and "nodule" in note for note in found.notes)


def test_images_with_areas_that_nobody_read_are_named(maker: StudyMaker, tmp_path: Path) -> None:
    read, unread = maker.image(), maker.image()
    maker.read_once(read, points())
    table = tmp_path / "a.csv"
    table.write_text(f"image,area,kind,x,y\n{unread},a,keypoint,1,1\n")

    notes = analyse(maker.study, Question(areas=table)).notes

    assert any("1 image with areas have no reading that counts" in note for note in notes)
