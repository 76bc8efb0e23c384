"""The image on the screen: right greys on the right pixels, changed by mouse and keys."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QImage, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QApplication

from app.demo.hands import drag, wheel
from app.hanging.lightbox import Hung
from app.images.attributes import DisplayAttributes, Window
from app.images.greyscale import display_lut
from app.images.store import LoadedImage
from app.pages.reading.canvas import ImageCanvas
from app.ui.keys import KeyConflict, KeyMap, load_keys
from devices.gaze.view import CLOSED


def make_image(width: int = 320, height: int = 240) -> LoadedImage:
    """A 12-bit ramp from left to right with a step half way down."""
    stored = np.tile(np.linspace(0, 4000, width).astype(np.uint16), (height, 1))
    stored[height // 2 :] //= 2
    attributes = DisplayAttributes(
        rows=height,
        columns=width,
        photometric="MONOCHROME2",
        bits_stored=12,
        bits_allocated=16,
        signed=False,
        stored_low=0,
        stored_high=4000,
        windows=(Window(2000, 4000, "Normal"), Window(1000, 500, "Narrow")),
    )
    return LoadedImage("image-1", stored, attributes)


@pytest.fixture
def canvas(qtbot):
    canvas = ImageCanvas()
    qtbot.addWidget(canvas)
    canvas.resize(640, 480)
    with qtbot.waitExposed(canvas):
        canvas.show()
    canvas.set_image(make_image())
    canvas.kinds = []
    canvas.view_changed.connect(lambda kind, _tile: canvas.kinds.append(kind))
    return canvas


def test_one_to_one_shows_the_table_of_every_stored_value(canvas, qtbot) -> None:
    qtbot.keyClick(canvas, Qt.Key.Key_A)
    image = make_image()
    expected = display_lut(image.attributes).apply(image.stored)
    top, left = (480 - 240) // 2, (640 - 320) // 2
    picture = canvas.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    bits = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), -1)
    np.testing.assert_array_equal(bits[top : top + 240, left : left + 320], expected)
    assert (bits[: top - 1, :640] < 20).all()


def test_a_colour_image_is_drawn_in_its_colours_whatever_is_dragged(canvas, qtbot) -> None:
    y, x = np.mgrid[0:240, 0:320]
    stored = np.stack((x * 4 // 5, y, 255 - x // 2), axis=-1).astype(np.uint8)
    attributes = DisplayAttributes(240, 320, "RGB", 8, 8, False, 0, 255, samples=3)
    canvas.set_image(LoadedImage("image-2", stored, attributes))
    qtbot.keyClick(canvas, Qt.Key.Key_A)
    drag(canvas, Qt.MouseButton.LeftButton, QPointF(300, 200), QPointF(80, 40), moves=5)
    picture = canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    lines = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), -1)
    seen = lines[:, : 640 * 3].reshape(480, 640, 3)
    np.testing.assert_array_equal(seen[120:360, 160:480], stored)
    assert "window" not in canvas.kinds


def test_the_key_of_further_views_closes_a_page_and_opens_the_next(canvas, qtbot) -> None:
    canvas.set_case([Hung(tile, make_image()) for tile in (0, 1, 2, 3, 4)], "mammo")
    told: list[tuple[int, str]] = []
    canvas.view_changed.connect(
        lambda kind, tile: told.append((tile, canvas.tile_view(7, kind, tile).kind))
    )
    with qtbot.waitSignal(canvas.message) as said:
        qtbot.keyClick(canvas, Qt.Key.Key_W)
    canvas.flush()
    assert said.args == ["Views 2 of 2."]
    assert told == [(0, CLOSED), (1, CLOSED), (2, CLOSED), (3, CLOSED), (4, "open")]
    assert canvas.tiles == [4]
    canvas.grab()  # what is drawn is the page that is up


def test_a_left_drag_widens_and_lifts_the_window_and_says_so_once_a_frame(canvas, qtbot) -> None:
    before = canvas.window_level
    drag(canvas, Qt.MouseButton.LeftButton, QPointF(300, 200), QPointF(80, 40), moves=50)
    after = canvas.window_level
    assert after.width == pytest.approx(before.width + 4001 / 800 * 80)
    assert after.center == pytest.approx(before.center + 4001 / 800 * 40)
    assert set(canvas.kinds) == {"window"}
    assert len(canvas.kinds) < 50
    assert canvas.tile_view(5, "window").window_center == after.center


def test_shift_makes_the_drag_ten_times_finer(canvas, qtbot) -> None:
    before = canvas.window_level
    shift = Qt.KeyboardModifier.ShiftModifier
    left = Qt.MouseButton.LeftButton
    qtbot.mousePress(canvas, left, shift, QPoint(100, 100))
    move = QMouseEvent(
        QEvent.Type.MouseMove, QPointF(180, 100), canvas.mapToGlobal(QPointF(180, 100)),
        Qt.MouseButton.NoButton, left, shift,
    )  # fmt: skip
    QApplication.sendEvent(canvas, move)
    qtbot.mouseRelease(canvas, left, shift, QPoint(180, 100))
    assert canvas.window_level.width - before.width == pytest.approx(4001 / 800 * 8)


def test_the_window_stays_bounded_however_far_the_drag(canvas) -> None:
    drag(canvas, Qt.MouseButton.LeftButton, QPointF(1, 1), QPointF(-90000, -90000), moves=3)
    assert canvas.window_level.width >= 2
    assert canvas.window_level.center >= -4001
    drag(canvas, Qt.MouseButton.LeftButton, QPointF(1, 1), QPointF(90000, 90000), moves=3)
    assert canvas.window_level.width <= 2 * 4001


def test_the_wheel_keeps_the_image_point_under_the_cursor(canvas) -> None:
    at = QPointF(411.0, 133.0)
    before = canvas.tile_view(0, "zoom")
    screen = canvas.mapToGlobal(at) - QPointF(canvas.screen().geometry().topLeft())
    point = before.to_image([(screen.x(), screen.y())])
    wheel(canvas, at, 3)
    after = canvas.tile_view(1, "zoom")
    assert after.transform.a == pytest.approx(before.transform.a * 1.15**3)
    np.testing.assert_allclose(after.to_image([(screen.x(), screen.y())]), point, atol=1e-9)


def test_middle_drag_pans_and_right_drag_zooms(canvas) -> None:
    before = canvas.tile_view(0, "open").transform
    drag(canvas, Qt.MouseButton.MiddleButton, QPointF(100, 100), QPointF(30, -20), moves=4)
    panned = canvas.tile_view(0, "pan").transform
    assert (panned.tx - before.tx, panned.ty - before.ty) == pytest.approx((30, -20))
    drag(canvas, Qt.MouseButton.RightButton, QPointF(100, 100), QPointF(0, -100), moves=4)
    assert canvas.tile_view(0, "zoom").transform.a == pytest.approx(before.a * np.exp(0.5))
    assert set(canvas.kinds) == {"pan", "zoom"}


def test_keys_invert_flip_turn_and_reset_restores_all(canvas, qtbot) -> None:
    first = canvas.tile_view(0, "open")
    grey = canvas.grey().copy()
    for key in (Qt.Key.Key_I, Qt.Key.Key_H, Qt.Key.Key_R, Qt.Key.Key_Plus, Qt.Key.Key_F2):
        qtbot.keyClick(canvas, key)
    changed = canvas.tile_view(0, "zoom")
    assert changed.inverted
    assert changed.rotation_deg == 90
    assert changed.flipped_horizontally != changed.flipped_vertically
    assert (changed.window_center, changed.window_width) == (1000, 500)
    qtbot.keyClick(canvas, Qt.Key.Key_Space)
    assert canvas.tile_view(0, "open") == first
    np.testing.assert_array_equal(canvas.grey(), grey)


def test_fit_keeps_the_inversion(canvas, qtbot) -> None:
    qtbot.keyClick(canvas, Qt.Key.Key_I)
    qtbot.keyClick(canvas, Qt.Key.Key_Equal)
    assert canvas.view.inverted


def test_the_transform_is_that_of_the_tracked_screen(canvas) -> None:
    canvas.origin_desktop = QPointF(-1920, 0)
    corner = canvas.mapToGlobal(QPointF(0, 0))
    view = canvas.tile_view(0, "open")
    assert view.rect_screen == (corner.x() + 1920, corner.y(), 640, 480)
    middle = view.transform.map([(160.0, 120.0)])[0]
    np.testing.assert_allclose(middle, (corner.x() + 1920 + 320, corner.y() + 240))


def test_a_resized_canvas_tells_it_and_stays_fitted(canvas, qtbot) -> None:
    canvas.resize(320, 240)
    qtbot.waitUntil(lambda: "resize" in canvas.kinds)
    assert canvas.tile_view(0, "resize").transform.a == pytest.approx(1.0)


def test_a_canvas_that_is_shown_again_with_its_size_was_not_resized(canvas) -> None:
    canvas.hide()
    canvas.show()
    QApplication.sendEvent(canvas, QResizeEvent(canvas.size(), QSize()))
    canvas.flush()
    assert canvas.kinds == []


def test_all_grey_levels_of_16_bit_reach_the_screen(canvas, qtbot) -> None:
    qtbot.keyClick(canvas, Qt.Key.Key_A)
    assert len(np.unique(canvas.grey())) > 200


def test_a_digit_or_a_doubled_key_is_refused() -> None:
    with pytest.raises(KeyConflict, match="gives an answer"):
        KeyMap({"invert": ("3",)})
    with pytest.raises(KeyConflict, match="both “Invert” and “Fit to the frame”"):
        KeyMap({"invert": ("I",), "fit": ("I",)})
    with pytest.raises(KeyConflict, match="no key"):
        KeyMap({"invert": ("Nonsense",)})


def test_a_key_that_came_later_gives_way_to_what_the_reader_chose_before(config) -> None:
    config.mkdir(parents=True, exist_ok=True)
    (config / "keys.json").write_text('{"keys": {"invert": ["W"]}}')
    loaded = load_keys()
    assert loaded.problem == ""
    assert (loaded.keys.keys_of("invert"), loaded.keys.keys_of("further_views")) == ("W", "")
