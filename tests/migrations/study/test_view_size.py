"""The size of views that suits a cohort: by boxes, else by the longest visit of each reading."""

from pathlib import Path

import pytest

from migrations.study.folder import Study
from migrations.study.schema import Annotation, Fixation, Image, Reading
from migrations.study.view_size import Seen, SeenParts, cost, patch_of, propose, seen_parts
from tests.trainer.tiny_study import make_study


def test_what_is_looked_for_covers_two_patches_of_a_view_of_the_whole_image() -> None:
    parts = [Seen(share / 100, 2000, 5.0 if share < 12 else None) for share in range(5, 16)]
    found = propose(SeenParts(tuple(parts), by_boxes=True))
    assert found.share == 0.10
    assert (found.size, found.count, found.limited) == (320, 11, False)
    assert found.size * found.share == 32
    assert found.length_mm == 5.0
    assert propose(SeenParts(tuple(parts)), "vit_s_14").size == 322
    assert propose(SeenParts(tuple(parts[:9]))).size == 0


def test_no_more_pixels_are_asked_for_than_the_images_have() -> None:
    found = propose(SeenParts(tuple([Seen(0.02, 500)] * 10)))
    assert (found.size, found.limited, found.length_mm) == (480, True, None)
    large = propose(SeenParts(tuple([Seen(0.9, 3000)] * 10)))
    assert (large.size, large.limited) == (96, False)


def test_a_step_costs_as_many_times_more_as_there_are_pixels() -> None:
    assert cost(256, 128) == 4
    assert [patch_of(n) for n in ("resnet18", "vit_b_14", "timm:vit_small_patch14_dinov2")] == [
        32, 14, 14,
    ]  # fmt: skip


@pytest.fixture
def study(tmp_path: Path) -> Study:
    made = make_study(tmp_path / "study", images=12)
    with made.database.write() as session:
        for image in session.query(Image):
            image.row_spacing_mm = image.column_spacing_mm = 0.5
    return made


def test_visits_are_fixations_near_one_another_and_the_longest_counts(study: Study) -> None:
    with study.database.write() as session:
        for number, reading in enumerate(session.query(Reading).all()):
            image = session.query(Image).order_by(Image.import_number).all()[number]
            session.query(Fixation).filter_by(reading_id=reading.id).delete()
            places = [(10, 10, 0, 400), (12, 18, 1, 400), (50, 70, 9, 500), (50, 10, 20, 100)]
            for step, (x, y, deg, long) in enumerate(places):
                session.add(
                    Fixation(
                        reading_id=reading.id, image_id=image.id, start_us=step * 1000,
                        duration_us=long, x_image=x, y_image=y, x_deg=deg, y_deg=0,
                        dispersion_deg=0.5, sample_count=9, algorithm="a", parameters_hash="b",
                    )
                )  # fmt: skip
    seen = seen_parts(study)
    assert (len(seen.parts), seen.by_boxes) == (12, False)
    assert seen.parts[0] == Seen(8 / 80, 80, 4.0)
    assert propose(seen).size == 96


def test_boxes_that_stand_go_before_visits(study: Study) -> None:
    with study.database.write() as session:
        images = session.query(Image).order_by(Image.import_number).all()
        for number, reading in enumerate(session.query(Reading).all()):
            for undone in (None, 5):
                session.add(
                    Annotation(
                        reading_id=reading.id, image_id=images[number].id, time_us=1, kind="box",
                        x_image=5, y_image=5, width_image=40 if undone else -10, height_image=20,
                        undone_us=undone,
                    )
                )  # fmt: skip
    seen = seen_parts(study)
    assert (len(seen.parts), seen.by_boxes) == (12, True)
    assert set(seen.parts) == {Seen(20 / 80, 80, 10.0)}
