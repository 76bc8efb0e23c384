from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from devices.gaze.samples import empty_samples
from devices.gaze.view import Affine
from migrations.study.names import short_name
from migrations.study.schema import Calibration, GazeChunk, Reading
from tests.trainer.gaze_study import GEOMETRY, STEP_US, StudyMaker
from trainer.data.cohort import load_cohort


@pytest.fixture
def maker(tmp_path: Path) -> Iterator[StudyMaker]:
    made = StudyMaker.create(tmp_path / "study")
    yield made
    made.study.close()


def line(count: int, x: float = 100.0, y: float = 50.0) -> np.ndarray:
    return np.column_stack((np.full(count, x), y + np.arange(count)))


def test_gaze_comes_back_in_image_pixels_cut_to_the_reading(maker: StudyMaker) -> None:
    image = maker.image()
    reading = maker.reading(maker.case(image), 1_000_000, 1_300_000)
    maker.view(reading, image, 1_000_000, transform=Affine(a=2, d=2, tx=10, ty=20))
    maker.samples(900_000, line(60))
    (member,) = load_cohort(maker.study).members
    (gaze,) = member.readings
    assert gaze.time_us.tolist() == list(range(0, 300_000, 10_000))
    expected = (line(60)[10:40] - (10, 20)) / 2
    np.testing.assert_allclose(gaze.points_image, expected, atol=1e-3)
    assert (gaze.reading_id, gaze.reader_id) == (reading, maker.reader_id)
    assert (member.width, member.height) == (400, 300)
    assert member.presentation.is_file()


def test_gaze_off_the_image_and_lost_gaze_is_left_out(maker: StudyMaker) -> None:
    image = maker.image()
    points = [(10, 10), (700, 10), (np.nan, np.nan), (20, 10), (10, 301)]
    maker.read_once(image, points)
    (gaze,) = load_cohort(maker.study).members[0].readings
    np.testing.assert_allclose(gaze.points_image, [(10, 10), (20, 10)], atol=1e-3)
    assert gaze.time_us.tolist() == [0, 30_000]


def test_a_case_of_two_images_gives_each_its_own_gaze_and_fixations(maker: StudyMaker) -> None:
    left, right = maker.image(), maker.image()
    reading = maker.reading(maker.case(left, right), 0, 200_000)
    maker.view(reading, left, 0)
    maker.view(reading, right, 0, tile=1, transform=Affine(tx=500), rect_screen=(500, 0, 400, 300))
    maker.samples(0, [*line(10, 100), *line(10, 600)])
    maker.fixation(reading, left, 10_000, 100.0, 50.0)
    maker.fixation(reading, None, 50_000, None, None)
    maker.fixation(reading, right, 120_000, 100.0, 55.0)
    first, second = load_cohort(maker.study).members
    assert [len(m.readings[0].points_image) for m in (first, second)] == [10, 10]
    np.testing.assert_allclose(second.readings[0].points_image, line(10, 100), atol=1e-3)
    assert first.readings[0].fixations.start_us.tolist() == [10_000]
    assert second.readings[0].fixations.points_image.tolist() == [[100.0, 55.0]]
    assert second.readings[0].fixations.duration_us.tolist() == [200_000]


def test_a_view_that_changes_within_the_reading_moves_the_image_point(maker: StudyMaker) -> None:
    image = maker.image()
    reading = maker.reading(maker.case(image), 0, 200_000)
    maker.view(reading, image, 0)
    maker.view(reading, image, 100_000, kind="pan", transform=Affine(tx=50))
    maker.view(reading, image, 150_000, kind="close")
    maker.samples(0, [(100, 100)] * 20)
    (gaze,) = load_cohort(maker.study).members[0].readings
    np.testing.assert_allclose(gaze.points_image[:, 0], [100] * 10 + [50] * 5, atol=1e-3)


def test_a_resumed_reading_is_one_with_the_break_taken_out(maker: StudyMaker) -> None:
    image = maker.image()
    case = maker.case(image)
    first = maker.reading(case, 1_000_000, 1_100_000, state="interrupted")
    maker.view(first, image, 1_000_000)
    maker.samples(1_000_000, line(10, 100))
    maker.sit()
    second = maker.reading(case, 500_000, 600_000, resumes_id=first)
    maker.view(second, image, 500_000)
    maker.samples(500_000, line(10, 200))
    maker.fixation(second, image, 510_000, 200.0, 50.0)
    cohort = load_cohort(maker.study)
    (gaze,) = cohort.members[0].readings
    assert gaze.reading_id == second
    assert gaze.time_us.tolist() == list(range(0, 200_000, 10_000))
    np.testing.assert_allclose(gaze.points_image[:, 0], [100] * 10 + [200] * 10, atol=1e-3)
    assert gaze.fixations.start_us.tolist() == [110_000]
    assert cohort.dropped == ()


def test_readings_that_do_not_count_are_dropped_with_their_reason(maker: StudyMaker) -> None:
    image = maker.image()
    bad = maker.read_once(image, line(5), verdict="bad", verdict_reasons=["loss 40 %"])
    practice = maker.read_once(image, line(5), 2_000_000, practice=True)
    left = maker.read_once(image, line(5), 3_000_000, state="interrupted")
    blank = maker.read_once(image, [(900, 400)] * 5, 4_000_000)
    cohort = load_cohort(maker.study)
    assert cohort.members[0].readings == ()
    assert {d.id: (d.kind, d.reason) for d in cohort.dropped} == {
        bad: ("reading", "rated bad: loss 40 %"),
        practice: ("reading", "practice"),
        left: ("reading", "interrupted, never finished"),
        blank: ("reading", "no gaze on an image"),
    }


def test_an_image_without_presentation_is_dropped_by_its_name(maker: StudyMaker) -> None:
    kept, lost = maker.image(), maker.image(png=False)
    cohort = load_cohort(maker.study)
    assert [m.image_id for m in cohort.members] == [kept]
    assert cohort.dropped[0].id == lost
    assert short_name(lost) in cohort.dropped[0].reason


def test_a_damaged_chunk_drops_its_reading_and_no_other(maker: StudyMaker) -> None:
    image = maker.image()
    whole = maker.read_once(image, line(5))
    broken = maker.read_once(image, line(5), 2_000_000)
    with maker.study.database.write() as session:
        session.execute(update(GazeChunk).where(GazeChunk.first_us == 2_000_000).values(crc32=1))
    cohort = load_cohort(maker.study)
    assert [r.reading_id for r in cohort.members[0].readings] == [whole]
    assert [d.id for d in cohort.dropped] == [broken]
    assert "checksum" in cohort.dropped[0].reason


def test_the_better_eye_is_the_one_that_validated_better(tmp_path: Path) -> None:
    maker = StudyMaker.create(tmp_path / "study", eye="better")
    image = maker.image()
    reading = maker.reading(maker.case(image), 1_000, 2_000)
    maker.view(reading, image, 1_000)
    samples = empty_samples(1)
    samples["host_us"] = 1_500
    samples["left_x_norm"], samples["left_y_norm"] = 0.1, 0.1
    samples["right_x_norm"], samples["right_y_norm"] = 0.2, 0.2
    maker.chunk(samples)
    with maker.study.database.write() as session:
        session.add(
            Calibration(
                session_id=maker.session_id, kind="validation", status="ok", started_us=0,
                ended_us=1, points=[], accuracy_left_deg=0.9, accuracy_right_deg=0.4,
            )
        )  # fmt: skip
    (gaze,) = load_cohort(maker.study).members[0].readings
    np.testing.assert_allclose(gaze.points_image, GEOMETRY.norm_to_screen([(0.2, 0.2)]), atol=1e-3)
    maker.study.close()


def test_members_come_in_order_of_import(maker: StudyMaker) -> None:
    late, early = maker.image(import_number=9), maker.image(import_number=3)
    assert [m.image_id for m in load_cohort(maker.study).members] == [early, late]


def test_the_fingerprint_follows_what_is_trained_on(maker: StudyMaker) -> None:
    image = maker.image()
    empty = load_cohort(maker.study).fingerprint
    reading = maker.read_once(image, line(5))
    one = load_cohort(maker.study).fingerprint
    assert one == load_cohort(maker.study).fingerprint
    with maker.study.database.write() as session:
        session.execute(update(Reading).where(Reading.id == reading).values(verdict="bad"))
    assert load_cohort(maker.study).fingerprint == empty
    maker.image()
    assert len({empty, one, load_cohort(maker.study).fingerprint}) == 3


def test_losing_one_eye_moves_no_gaze(maker: StudyMaker) -> None:
    image_id = maker.image()
    start_us, count = 1_000_000, 100
    samples = empty_samples(count)
    samples["host_us"] = start_us + STEP_US * np.arange(count)
    for side, x_norm in (("left", 0.19), ("right", 0.21)):
        samples[f"{side}_x_norm"], samples[f"{side}_y_norm"] = x_norm, 0.2
    samples["left_x_norm"][60:] = samples["left_y_norm"][60:] = np.nan
    reading_id = maker.reading(maker.case(image_id), start_us, start_us + STEP_US * count)
    maker.view(reading_id, image_id, start_us)
    maker.chunk(samples)
    (member,) = load_cohort(maker.study).members
    (gaze,) = member.readings
    assert np.ptp(gaze.points_image[:, 0]) < 0.1  # the mean of the eyes alone leaps by 10 pixels
