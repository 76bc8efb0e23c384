"""What stands above and below an image, and that gaze at it is not gaze at the image."""

import numpy as np
import pytest

from app.hanging.edge_words import edge_words, unsure_of
from app.hanging.lightbox import Hung, LightBox
from app.hanging.upright import Upright, turn_of
from app.images.attributes import DisplayAttributes, Window
from app.images.notes import note
from app.images.store import LoadedImage


def attributes(**fields: object) -> DisplayAttributes:
    table = {"rows": 200, "columns": 100, "photometric": "MONOCHROME2", "bits_stored": 12,
             "bits_allocated": 16, "signed": False, "stored_low": 0,
             "stored_high": 4095}  # fmt: skip
    return DisplayAttributes(**(table | fields))


def image(**fields: object) -> LoadedImage:
    return LoadedImage("a", np.zeros((200, 100), np.uint16), attributes(**fields))


MLO = {"laterality": "R", "view": "MLO", "orientation": ("P", "FL"), "modality": "MG"}
WINDOW = Window(2048.0, 4096.0, "Window 1")


def test_side_view_window_zoom_and_letters_are_told() -> None:
    words = edge_words(attributes(**MLO), Upright(), WINDOW, 0, 0.5)
    assert words.name == "R MLO"
    assert words.shown == "Window 1, W 4096 L 2048   50%"
    assert (words.left, words.top, words.right, words.bottom) == ("A", "HR", "P", "FL")


def test_the_letters_follow_a_mirrored_and_a_turned_image() -> None:
    mirrored = edge_words(attributes(**MLO), Upright(flipped_horizontally=True), WINDOW, 0, 1.0)
    assert (mirrored.left, mirrored.right) == ("P", "A")
    turned = edge_words(attributes(**MLO), Upright(90), WINDOW, 0, 1.0)
    assert (turned.bottom, turned.right) == ("P", "HR")


def test_a_frame_of_a_stack_is_told_and_a_colour_image_has_no_window() -> None:
    words = edge_words(attributes(frames=80), Upright(), WINDOW, 11, 1.0)
    assert words.shown.endswith("100%   12/80")
    colour = edge_words(attributes(samples=3, photometric="RGB"), Upright(), WINDOW, 0, 1.0)
    assert colour.shown == "100%"
    assert (colour.left, colour.top) == ("", "")  # nothing is made up


def test_what_of_the_file_was_left_out_is_marked_and_a_plain_remark_is_not() -> None:
    left_out = note("element-left-out", keyword="PixelSpacing")
    assert "PixelSpacing" in unsure_of(attributes(notes=(note("stack", frames=3), left_out)))
    assert unsure_of(attributes(notes=(note("stack", frames=3),))) == ""
    assert unsure_of(attributes(notes=(left_out, note("window-left-out")))).endswith("(+1)")


@pytest.mark.parametrize("ratio", [1.0, 1.25, 2.0])
def test_bands_stay_free_of_every_tile_and_of_its_gaze(ratio: float) -> None:
    box = LightBox(0, band_view=20.0)
    box.hang([Hung(0, image()), Hung(1, image())], "two-up", (800.0, 600.0), ratio)
    for tile, view in box.views.items():
        _, y, _, height = view.viewport.tile_view
        assert y == pytest.approx(20.0, abs=0.5)
        assert height == pytest.approx(560.0, abs=1.0)
        shown = box.tile_view(0, "open", tile, (0.0, 0.0))
        assert shown.rect_screen[1] == y
    assert box.tile_at(100.0, 5.0) is None
    assert turn_of(box.views[0].viewport) == Upright()
