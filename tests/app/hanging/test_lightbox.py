"""How cases hang: tiles on the pixel grid, chest walls meeting, one scale, linked zoom."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.hanging.layouts import HANGINGS, tile_rects
from app.hanging.lightbox import Hung, LightBox
from app.hanging.mammography import chest_wall_side, tile_of
from app.hanging.marks import length_text
from tests.app.hanging.pictures import breast, picture

SIZE = (1200.0, 900.0)


def _mammo(*, wall_r: str = "right", wall_l: str = "left", mm: float = 0.1) -> LightBox:
    box = LightBox(0)
    images = [
        breast("R", "CC", wall=wall_r), breast("L", "CC", wall=wall_l),
        breast("R", "MLO", wall=wall_r), breast("L", "MLO", wall=wall_l, size=(240, 500), mm=mm),
    ]  # fmt: skip
    box.hang(images, "mammo", SIZE, 1.0)
    return box


@given(
    st.sampled_from(HANGINGS), st.integers(1, 8), st.integers(200, 4000), st.integers(200, 3000),
    st.sampled_from([1.0, 1.25, 1.5, 1.75, 2.0]),
)  # fmt: skip
def test_tiles_lie_on_device_pixels_inside_the_canvas_and_apart(h, count, width, height, ratio):
    rects = tile_rects(h, count, (width / ratio, height / ratio), ratio)
    assert len(rects) >= count
    edges = np.array(rects) * ratio
    np.testing.assert_allclose(edges, np.round(edges), atol=1e-6)
    assert (edges[:, 0] + edges[:, 2] <= width + 1e-6).all()
    assert (edges[:, 1] + edges[:, 3] <= height + 1e-6).all()
    for i, (x, y, w, hh) in enumerate(edges):
        for x2, y2, w2, h2 in edges[i + 1 :]:
            assert x + w <= x2 + 1e-6 or y + hh <= y2 + 1e-6 or x2 + w2 <= x or y2 + h2 <= y


@pytest.mark.parametrize(
    ("laterality", "view", "tile"),
    [("R", "CC", 0), ("L", "CC", 1), ("R", "MLO", 2), ("l", "mlo", 3), (None, "CC", None),
     ("R", "XCCL", 0), ("L", "FB", 1), ("L", "SIO", 3), ("R", "PA", None)],
)  # fmt: skip
def test_each_view_has_its_tile(laterality, view, tile) -> None:
    assert tile_of(laterality, view) == tile


@pytest.mark.parametrize(("wall_r", "wall_l"), [("right", "left"), ("left", "right")])
def test_chest_walls_meet_whichever_way_the_files_store_them(wall_r, wall_l) -> None:
    box = _mammo(wall_r=wall_r, wall_l=wall_l)
    for tile, view in box.views.items():
        x, _, width, _ = view.viewport.tile_view
        stored_wall = chest_wall_side(view.image)
        wall_image = 0.0 if stored_wall == "left" else float(view.image.width)
        wall_view = view.viewport.transform().map((wall_image, 10.0))[0]
        assert wall_view == pytest.approx(x + width if tile in (0, 2) else x)


def test_all_tiles_share_one_physical_scale_and_keep_it_when_resized() -> None:
    box = _mammo(mm=0.14)
    box.layout((900.0, 700.0), 1.0)
    scales = [v.viewport.zoom / v.spacing_mm[0] for v in box.views.values()]
    assert np.ptp(scales) < 1e-9
    box.act("zoom_in", 1.0, None)
    box.act("fit", 1.0, None)
    scales = [v.viewport.zoom / v.spacing_mm[0] for v in box.views.values()]
    assert np.ptp(scales) < 1e-9


def test_reset_goes_back_to_how_it_was_hung() -> None:
    box = _mammo(wall_r="left", wall_l="right")
    before = box.tile_view(0, "open", 0, (0.0, 0.0))
    for action in ("flip_horizontally", "rotate_right", "zoom_in", "invert", "reset"):
        box.act(action, 1.0, None)
    assert box.tile_view(0, "open", 0, (0.0, 0.0)) == before


def test_linked_zoom_mirrors_between_the_breasts() -> None:
    box = _mammo()
    box.linked = True
    changed = box.zoom(0, 2.0, 400.0, 200.0)
    assert set(changed) == {0, 1, 2, 3}
    zooms = [v.viewport.zoom / v.spacing_mm[0] for v in box.views.values()]
    assert np.ptp(zooms) < 1e-9
    before = box.views[1].viewport.center_x_image, box.views[0].viewport.center_x_image
    box.pan(0, 30.0, 0.0)
    after = box.views[1].viewport.center_x_image, box.views[0].viewport.center_x_image
    assert np.sign(after[0] - before[0]) == -np.sign(after[1] - before[1])
    box.linked = False
    assert set(box.zoom(0, 2.0, 400.0, 200.0)) == {0}


def test_current_hangs_over_prior() -> None:
    box = LightBox(0)
    box.hang([Hung(0, picture("now")), Hung(1, picture("then"))], "prior", SIZE, 1.0)
    now, then = (box.views[i].viewport.tile_view for i in (0, 1))
    assert now[1] < then[1]
    assert now[2:] == then[2:]


def test_a_length_is_in_millimetres_only_where_the_file_tells_the_spacing() -> None:
    box = LightBox(0)
    known = picture(row_spacing_mm=0.2, column_spacing_mm=0.1, spacing_source="calibrated")
    box.hang([Hung(0, known), Hung(1, picture("b"))], "two-up", SIZE, 1.0)
    assert length_text(box.views[0], (0, 0), (30, 20)) == "5.0 mm"
    assert length_text(box.views[1], (0, 0), (30, 40)) == "50 px (no pixel spacing in the file)"
    seen = picture(row_spacing_mm=0.1, column_spacing_mm=0.1, spacing_source="detector")
    box.hang([Hung(0, seen)], "one-up", SIZE, 1.0)
    assert length_text(box.views[0], (0, 0), (0, 100)) == "10.0 mm at the detector"
