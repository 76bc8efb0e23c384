"""Mammography cases of many images: the four standard views two by two, the others behind."""

from pathlib import Path

import pytest
from sqlalchemy import select

from app.hanging.arrivals import import_cases
from app.hanging.grouping import arrange
from app.hanging.layouts import page_rects
from app.hanging.lightbox import LENS_TILE, Hung, LightBox
from devices.gaze.view import CLOSED, ViewHistory
from migrations.study.folder import Study
from migrations.study.schema import CaseImage, Image, StudyCase
from migrations.study.settings import StudySettings
from tests import ROOT
from tests.app.hanging.pictures import picture

HANDED = ROOT.parent / "shared" / "cases" / "images"
SIZE = (1000.0, 800.0)
FOUR = [("R", "CC"), ("L", "CC"), ("R", "MLO"), ("L", "MLO")]


def image(side: str, view: str | None, kind: str = "2d", *modifiers: str, day: int | None = None):
    details = {"kind": kind, "view_modifiers": list(modifiers), "study_day": day}
    return Image(laterality=side, view=view, details={k: v for k, v in details.items() if v})


def hung(*images: Image, hanging: str = "auto") -> tuple[str, list[int]]:
    return arrange([(one, False) for one in images], hanging)


def test_a_combination_study_hangs_2d_in_front_and_each_kind_on_a_page_behind() -> None:
    kinds = ("tomosynthesis", "2d", "synthetic")
    images = [image(side, view, kind) for side, view in FOUR for kind in kinds]
    assert hung(*images) == ("mammo", [8, 0, 4, 9, 1, 5, 10, 2, 6, 11, 3, 7])


def test_without_2d_the_synthetic_images_are_in_front() -> None:
    images = [
        image(side, view, kind) for side, view in FOUR for kind in ("tomosynthesis", "synthetic")
    ]
    assert hung(*images) == ("mammo", [4, 0, 5, 1, 6, 2, 7, 3])


def test_spot_magnified_and_displaced_views_take_no_standard_view_s_place() -> None:
    spot = image("R", "CC", "2d", "S", "M")
    standard = [image(side, view) for side, view in FOUR]
    assert hung(spot, *standard) == ("mammo", [4, 0, 1, 2, 3])
    displaced = [image(side, view, "2d", "ID") for side, view in FOUR]
    assert hung(*displaced, spot, *standard)[1] == [4, 5, 6, 7, 8, 0, 1, 2, 3]


def test_only_special_views_are_in_front_themselves() -> None:
    views = [("CC", "S"), ("MLO", "S"), ("ML", "M")]
    images = [image("R", view, "2d", modifier) for view, modifier in views]
    assert hung(*images, hanging="mammo") == ("mammo", [0, 2, 6])


def test_the_images_of_an_earlier_day_are_behind_also_where_the_later_lacks_a_view() -> None:
    now = [image(side, view, day=200) for side, view in FOUR[:3]]
    then = [image(side, view, day=100) for side, view in FOUR]
    assert hung(*then, *now) == ("mammo", [4, 5, 6, 7, 0, 1, 2])


def test_days_of_two_patients_are_not_compared_for_each_is_moved_by_another_number() -> None:
    one = [image(side, "CC", day=100) for side in ("R", "L")]
    other = [image(side, "MLO", day=900) for side in ("R", "L")]
    for views, patient in ((one, "g1"), (other, "g2")):
        for made in views:
            made.source_group = patient
    assert hung(*one, *other) == ("mammo", [0, 1, 2, 3])


def test_the_standard_view_is_in_front_of_its_kin_and_repeats_are_behind() -> None:
    images = [image("R", "XCCL"), image("R", "CC"), image("R", "CC"), image("R", "MLO")]
    assert hung(*images) == ("mammo", [4, 0, 8, 2])
    assert hung(image("R", "LM"), image("R", "CC"))[1] == [2, 0]  # LM stands in for MLO


def test_images_without_a_view_are_behind() -> None:
    capture = image("R", None)
    assert hung(capture, *[image(side, view) for side, view in FOUR])[1] == [4, 0, 1, 2, 3]


def test_images_without_a_view_fill_the_front_page_where_all_of_them_fit() -> None:
    images = [image("R", "CC"), image(None, None), image("R", "MLO"), image(None, None)]
    assert hung(*images)[1] == [0, 1, 2, 3]
    assert hung(*images, image(None, None))[1] == [0, 4, 2, 5, 6]


def test_a_dozen_views_with_priors_are_paged_and_eight_hang_current_over_prior() -> None:
    few = [(image(side, view), prior) for prior in (False, True) for side, view in FOUR]
    assert arrange(few, "auto")[0] == "prior"
    many = [*few, *few]
    chosen, tiles = arrange(many, "auto")
    assert chosen == "mammo"
    assert [tiles[i] for i in range(4)] == [0, 1, 2, 3]
    assert all(tiles[i] >= 8 for i, (_, prior) in enumerate(many) if prior)


def test_over_their_priors_mammograms_hang_view_over_view() -> None:
    now = [(image(side, view), False) for side, view in reversed(FOUR)]
    then = [(image(side, view), True) for side, view in FOUR[1:]]
    assert arrange([*then, *now], "auto") == ("prior", [5, 6, 7, 3, 2, 1, 0])


@pytest.mark.parametrize("current", range(1, 6))
@pytest.mark.parametrize("priors", range(1, 6))
def test_no_current_image_hangs_among_priors_however_many_there_are(current, priors) -> None:
    told = [False] * current + [True] * priors
    _, tiles = arrange([(image("R", None), prior) for prior in told], "prior")
    box = LightBox(0)
    box.hang([Hung(tile, picture(f"i{tile}")) for tile in tiles], "prior", SIZE, 1.0)
    tops = [box.views[tile].viewport.tile_view[1] for tile in tiles]
    assert len(set(tiles)) == len(tiles)
    assert [top > 0 for top in tops] == told


def case(tiles: list[int]) -> LightBox:
    box = LightBox(0)
    box.hang([Hung(tile, picture(f"i{tile}")) for tile in tiles], "mammo", SIZE, 1.0)
    return box


def test_only_the_front_page_is_up_and_the_key_brings_the_others_in_turn() -> None:
    box = case([0, 1, 2, 3, 4, 5, 8])
    assert (list(box.views), box.page, box.page_count) == ([0, 1, 2, 3], 0, 3)
    changed = box.turn_page(1, SIZE, 1.0)
    assert changed == {0: CLOSED, 1: CLOSED, 2: CLOSED, 3: CLOSED, 4: "open", 5: "open"}
    assert (list(box.views), box.active, box.page) == ([4, 5], 4, 1)
    assert all(view.viewport.tile_view[3] == SIZE[1] for view in box.views.values())
    box.turn_page(1, SIZE, 1.0)
    assert box.views[8].viewport.tile_view == (0.0, 0.0, *SIZE)  # alone: as large as can be
    box.turn_page(1, SIZE, 1.0)
    assert (list(box.views), box.page) == ([0, 1, 2, 3], 0)
    assert case([0, 1, 2, 3]).turn_page(1, SIZE, 1.0) == {}


def test_what_was_zoomed_is_found_zoomed_when_its_page_comes_again() -> None:
    box = case([0, 1, 4])
    box.zoom(0, 2.0, 100.0, 100.0)
    zoom = box.views[0].viewport.zoom
    box.turn_page(1, SIZE, 1.0)
    box.turn_page(1, SIZE, 1.0)
    assert box.views[0].viewport.zoom == zoom


def test_gaze_falls_on_the_page_that_is_up() -> None:
    box = case([0, 1, 2, 3, 4])
    history = ViewHistory(box.tile_view(0, "open", tile, (0.0, 0.0)) for tile in box.views)
    box.magnify(50.0, 50.0, SIZE)
    for time_us in (100, 200):
        for tile, kind in box.turn_page(1, SIZE, 1.0).items():
            history.add(box.tile_view(time_us, kind, tile, (0.0, 0.0)))
            assert tile != LENS_TILE or kind == CLOSED
    at = [(250.0, 200.0)]
    for time_us, wanted in ((50, "i0"), (150, "i4"), (250, "i0")):
        found = history.image_points([time_us], at).view_index[0]
        assert history.views[found].image_id == wanted


@pytest.mark.parametrize(
    ("places", "grid"),
    [({0, 1, 2, 3}, (2, 2)), ({0, 1}, (1, 2)), ({0, 2}, (1, 2)), ({3}, (1, 1)), ({0, 3}, (2, 2))],
)
def test_empty_rows_and_columns_take_no_room(places, grid) -> None:
    rects = page_rects(places, SIZE, 1.0)
    widths, heights = {r[2] for r in rects.values()}, {r[3] for r in rects.values()}
    assert widths == {1000.0 if grid[1] == 1 else 498.0}
    assert heights == {800.0 if grid[0] == 1 else 398.0}


@pytest.mark.skipif(not HANDED.is_dir(), reason="the handed files are not here")
def test_the_handed_four_views_hang_two_by_two_and_the_spot_view_behind(tmp_path: Path) -> None:
    study = Study.create(tmp_path / "study", StudySettings(name="s"))
    files = [HANDED / "m05b_R_CC_spot_magnified.dcm", *sorted(HANDED.glob("m06_*.dcm"))]
    files.append(HANDED / "m01_L_caudocranial_SCT_399196006.dcm")
    try:
        results = list(import_cases(study, files, hanging="auto"))
        assert [result.status for result in results] == ["accepted"] * 6
        query = (
            select(StudyCase.hanging, CaseImage.tile, Image.laterality, Image.view)
            .join(CaseImage, CaseImage.case_id == StudyCase.id)
            .join(Image, Image.id == CaseImage.image_id)
            .order_by(StudyCase.position, CaseImage.tile)
        )
        with study.database.read() as session:
            rows = [tuple(row) for row in session.execute(query)]
    finally:
        study.close()
    assert rows == [
        ("mammo", 0, "R", "CC"), ("mammo", 1, "L", "CC"), ("mammo", 2, "R", "MLO"),
        ("mammo", 3, "L", "MLO"), ("mammo", 4, "R", "CC"), ("one-up", 0, "L", "FB"),
    ]  # fmt: skip
