"""Gaze on a stack belongs to the frame that was shown."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

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


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="the trainer groups gaze by image and never looks at the frame; mended by frame-true "
    "gaze in cohort and similarity, or by leaving stacks out of a cohort by name until then",
)
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
