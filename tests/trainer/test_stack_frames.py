"""Gaze on a stack belongs to the frame that was shown."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from migrations.study.names import split_item
from tests.trainer.gaze_study import StudyMaker
from trainer.data.cohort import load_cohort
from trainer.similarity.command import main

FRAMES = 60


@pytest.fixture
def maker(tmp_path: Path) -> Iterator[StudyMaker]:
    made = StudyMaker.create(tmp_path / "study")
    yield made
    made.study.close()


def read_on(maker: StudyMaker, frame: int, points: np.ndarray, start_us: int) -> str:
    """Read a new stack on one frame only; return its image."""
    image = maker.image(frames=FRAMES)
    reading = maker.reading(maker.case(image), start_us, start_us + 4_000_000)
    maker.view(reading, image, start_us, frame=frame)
    maker.samples(start_us, points)
    return image


def left_out_by_name(maker: StudyMaker, images: list[str]) -> bool:
    """Return whether the cohort holds no gaze of these stacks and says that frames are why."""
    cohort = load_cohort(maker.study)
    of_frames = [d for d in cohort.dropped if "frame" in d.reason or "stack" in d.reason]
    read = [m for m in cohort.members if m.image_id in images and m.readings]
    return len(of_frames) >= len(images) and not read


@pytest.mark.parametrize("measure", ["density", "tima"])
def test_the_same_places_on_different_frames_of_stacks_are_not_alike(
    measure: str, maker: StudyMaker, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    path = 150 + 60 * np.cumsum(rng.normal(0, 0.05, (400, 2)), 0)
    images = [
        read_on(maker, frame, path + rng.normal(0, 0.2, path.shape), start_us)
        for frame, start_us in ((0, 0), (FRAMES - 1, 5_000_000))
    ]
    if left_out_by_name(maker, images):
        return
    out = tmp_path / "similarity.npy"
    words = ["--study", str(maker.study.folder), "--measure", measure, "--out", str(out)]
    if main(words) != 0:
        pytest.fail("no similarity was made")
    assert np.load(out)[0, 1] < 0.5


def picture(maker: StudyMaker, image: str, *frames: int) -> None:
    for frame in frames:
        path = maker.study.presentation_of_frame(image, frame)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(maker.study.presentation(image).read_bytes())


def read_frames(maker: StudyMaker, *shown: tuple[int, int]) -> str:
    """Read a new stack: frame after frame, each for so many samples, at x = 100 + frame."""
    image = maker.image(frames=FRAMES)
    count = sum(samples for _, samples in shown)
    reading = maker.reading(maker.case(image), 0, 10_000 * count)
    time_us = 0
    for frame, samples in shown:
        maker.view(reading, image, time_us, frame=frame)
        time_us = maker.samples(time_us, np.tile([100 + frame, 150], (samples, 1)))
    return image


def test_depth_is_in_no_measure_members_with_the_same_gaze_are_alike_in_whatever_frames(
    maker: StudyMaker, tmp_path: Path
) -> None:
    path = 150 + np.cumsum(np.random.default_rng(0).normal(0, 3, (400, 2)), 0)
    away = np.tile([40.0, 40.0], (400, 1))
    shown = ((0, path), (FRAMES - 1, path), (0, away))
    for number, (frame, points) in enumerate(shown):
        image = read_on(maker, frame, points, 5_000_000 * number)
        picture(maker, image, *(f for f in range(frame - 2, frame + 3) if 0 <= f < FRAMES))
    out = tmp_path / "similarity.npz"
    words = ["--study", str(maker.study.folder), "--measure", "density", "--out", str(out)]
    assert main(words) == 0
    with np.load(out) as file:
        ids, similarity = [split_item(str(i)) for i in file["ids"]], file["similarity"]
    looked = [i for i, (_, frame) in enumerate(ids) if frame in (0, FRAMES - 1)]
    assert [ids[i][1] for i in looked] == [0, FRAMES - 1, 0]
    first, deep, elsewhere = looked
    assert similarity[first, deep] > 0.99  # as docs/similarity.md says
    assert similarity[first, elsewhere] < 0.5  # the same frame, looked at elsewhere


def test_a_stack_takes_part_by_its_longest_seen_frame_and_those_beside(maker: StudyMaker) -> None:
    image = read_frames(maker, (30, 50), (10, 120), (11, 80))
    picture(maker, image, 8, 9, 10, 11, 12)
    cohort = load_cohort(maker.study)
    assert [m.image_id for m in cohort.members] == [f"{image}#{f:05d}" for f in range(8, 13)]
    assert [m.presentation.stem for m in cohort.members] == [f"{f:05d}" for f in range(8, 13)]
    seen = {m.image_id[-5:]: len(m.readings[0].time_us) for m in cohort.members if m.readings}
    assert seen == {"00010": 120, "00011": 80}
    at_10, at_11 = (m.readings[0].points_image[:, 0] for m in cohort.members if m.readings)
    assert np.median(at_10) == pytest.approx(110, abs=0.1)
    assert np.median(at_11) == pytest.approx(111, abs=0.1)


def test_of_two_frames_seen_equally_long_the_earlier_counts(maker: StudyMaker) -> None:
    image = read_frames(maker, (59, 90), (0, 90))
    picture(maker, image, 0, 1, 2)
    members = load_cohort(maker.study).members
    assert [m.image_id[-5:] for m in members] == ["00000", "00001", "00002"]


def test_a_frame_without_a_picture_is_left_out_by_name(maker: StudyMaker) -> None:
    image = read_frames(maker, (5, 100))
    picture(maker, image, 3, 4, 5, 6)
    cohort = load_cohort(maker.study)
    assert len(cohort.members) == 4
    (left_out,) = cohort.dropped
    assert left_out.id == f"{image}#00007"
    assert "frame 7 of stack" in left_out.reason
