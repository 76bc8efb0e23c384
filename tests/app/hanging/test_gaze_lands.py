"""Gaze lands on the pixel that is drawn where the simulated reader looks.

The truth is the picture: a spot is drawn by the canvas's own code, found again in the grey values
that reach the screen, and looked at by a reader whose gaze is known.
"""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.hanging.layouts import HANGINGS
from app.hanging.lightbox import LENS_TILE, Hung, LightBox
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.samples import gaze_norm
from devices.gaze.view import ViewHistory
from devices.simulated import SimulatedParameters, SimulatedTracker
from tests import ROOT
from tests.app.hanging.pictures import picture

SIZE = (900.0, 640.0)
SPOT = 4.0
ORIENTATIONS = (None, ("P", "L"), ("P", "H"), ("F", "P"))
"""As stored: not told, half a turn away, upside down, lying on its side."""
EXACT = SimulatedParameters(
    rate_hz=250.0, bias_deg=(0.0, 0.0), noise_deg=0.0, drift_deg_per_min=0.0, loss=0.0,
    one_eye_loss=0.0, blinks_per_min=0.0, micro_drift_deg=0.0, dot_error_deg=0.0, gain_error=0.0,
    offset_error_deg=0.0,
)  # fmt: skip
ACTIONS = (
    "flip_horizontally", "flip_vertically", "rotate_right", "rotate_left", "invert", "fit",
    "one_to_one", "true_size", "zoom_in", "zoom_out", "pan_left", "reset", "zoom", "pan", "link",
    "next_tile", "magnify", "resize",
)  # fmt: skip
steps = st.lists(
    st.tuples(st.sampled_from(ACTIONS), st.floats(0.1, 0.9), st.floats(0.1, 0.9)), max_size=8
)


class StoppedClock:
    """A clock that stands until it is set."""

    speed = 1.0

    def __init__(self) -> None:
        self.time_us = 1_000_000

    def now_us(self) -> int:
        return self.time_us


def hung(hanging: str) -> LightBox:
    """A case of as many images as the hanging has tiles, of two sizes and spacings."""
    count = {"one-up": 1, "two-up": 2, "mammo": 4, "prior": 4}[hanging]
    images = [
        Hung(i, picture(
            f"i{i}", (400, 300) if i % 2 else (320, 420), pixel_aspect=1.25 if i == 1 else 1.0,
            row_spacing_mm=0.2 + 0.1 * (i % 2), column_spacing_mm=0.2 + 0.1 * (i % 2),
            spacing_source="calibrated", laterality="RL"[i % 2], view="CC" if i < 2 else "MLO",
            orientation=ORIENTATIONS[i],
        ))
        for i in range(count)
    ]  # fmt: skip
    box = LightBox(background=0)
    box.hang(images, hanging, SIZE, 1.0)
    return box


def do(box: LightBox, step: tuple[str, float, float], ratio: float) -> None:
    action, u, v = step
    x, y = u * SIZE[0], v * SIZE[1]
    tile = box.tile_at(x, y)
    if action == "zoom" and tile is not None:
        box.zoom(tile, 0.5 + 2 * v, x, y)
    elif action == "pan" and tile is not None:
        box.pan(tile, 100 * (u - 0.5), 100 * (v - 0.5))
    elif action == "link":
        box.linked = not box.linked
    elif action == "next_tile":
        box.activate_next()
    elif action == "magnify":
        box.magnify(x, y, SIZE)
    elif action == "resize":
        box.lens = None
        box.layout((SIZE[0] - 200 * u, SIZE[1] - 100 * v), ratio)
    else:
        box.act(action, ratio, 0.27)
        if box.lens is not None:  # the canvas holds it over the changed view again
            left, top, side, _ = box.lens.viewport.tile_view
            box.magnify(left + side / 2, top + side / 2, SIZE)


def spot_view(box: LightBox, tile: int, u: float, v: float, ratio: float):
    """Draw a spot where a share of the tile is, and return where the picture shows it, `_view`."""
    view = box.lens if tile == LENS_TILE else box.views[tile]
    x, y, width, height = view.viewport.tile_view
    wanted = view.viewport.transform().inverse().map((x + u * width, y + v * height))
    image = view.image
    assume(20 < wanted[0] < image.width - 20 and 20 < wanted[1] < image.height - 20)
    rows, columns = np.mgrid[: image.height, : image.width]
    away = (columns + 0.5 - wanted[0]) ** 2 + (rows + 0.5 - wanted[1]) ** 2
    image.stored[:] = (4000 * np.exp(-away / (2 * SPOT**2))).astype(np.uint16)
    view.stale()
    view.smooth = True
    drawn = view.grey(ratio).astype(float)
    drawn = 255 - drawn if view.inverted else drawn
    drawn[drawn > 254] = 0  # off the image, inverted
    j, i = np.nonzero(drawn > 0)
    reach = 4 * SPOT * view.viewport.zoom * max(view.viewport.pixel_aspect, 1)
    assume(min(u * width, (1 - u) * width, v * height, (1 - v) * height) > reach)
    weight = drawn[j, i]
    assume(weight.sum() > 0)
    centre = np.array([(i + 0.5) @ weight, (j + 0.5) @ weight]) / weight.sum()
    return np.array([x, y]) + centre / ratio, wanted


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from(HANGINGS), st.sampled_from([1.0, 1.25, 1.5, 2.0]), steps,
    st.floats(0.25, 0.75), st.floats(0.25, 0.75), st.integers(0, 3), st.booleans(),
    st.sampled_from([(-1920.0, 0.0), (-1536.0, -864.0), (0.0, 0.0), (1920.0, 200.0)]),
    st.floats(0, 800), st.floats(0, 380),
)  # fmt: skip
def test_in_every_layout_zoom_flip_and_screen(
    hanging, ratio, steps, u, v, nth, on_lens, desktop, left, top
) -> None:
    box = hung(hanging)
    box.layout(SIZE, ratio)
    for step in steps:
        do(box, step, ratio)
    tile = LENS_TILE if on_lens and box.lens else sorted(box.views)[nth % len(box.views)]
    if box.lens is not None and tile != LENS_TILE:
        box.lens = None  # else it may lie over the spot
    at_view, at_image = spot_view(box, tile, u, v, ratio)
    geometry = ScreenGeometry(
        1920 / ratio, 1080 / ratio, 527, 296, x_desktop=desktop[0], y_desktop=desktop[1],
        device_pixel_ratio=ratio,
    )  # fmt: skip
    canvas_desktop = np.add(desktop, (left / ratio, top / ratio))
    at_desktop = canvas_desktop + at_view
    norm = (at_desktop - desktop) / (geometry.width_screen, geometry.height_screen)
    tiles = [*box.views, *([LENS_TILE] if box.lens else [])]
    origin = tuple(canvas_desktop - desktop)
    views = ViewHistory(box.tile_view(0, "open", each, origin) for each in tiles)
    gaze = looked_at(geometry, norm)
    landed = views.image_points(np.full(len(gaze), 1), geometry.norm_to_screen(gaze))
    assert (landed.view_index == tiles.index(tile)).all()
    error = np.abs(landed.points_image - at_image).max()
    assert error < 0.5, f"{error:.2f} px off"


def looked_at(geometry: ScreenGeometry, norm: np.ndarray) -> np.ndarray:
    """Return the gaze (N, 2) `_norm` of a reader who looks at a place of the screen."""
    clock = StoppedClock()
    tracker = SimulatedTracker(geometry, EXACT, seed=3)
    tracker.connect(clock)
    tracker.fixate(*norm.tolist())
    clock.time_us += 700_000
    samples = tracker.read()
    tracker.disconnect()
    return gaze_norm(samples[-60:], "both")


@pytest.mark.skipif(sys.platform == "win32", reason="Qt takes no screens from a file there")
@pytest.mark.parametrize("ratio", [1.0, 1.25, 2.0])
def test_on_a_second_screen_left_of_and_above_the_first(tmp_path, ratio: float) -> None:
    # Qt takes a screen's logical dots per inch over the base for its pixel ratio.
    screens = [
        {"name": "first", "x": 0, "y": 0, "width": 1280, "height": 800,
         "logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1},
        {"name": "second", "x": -1920, "y": -1080, "width": 1920, "height": 1080,
         "logicalDpi": 96 * ratio, "logicalBaseDpi": 96, "dpr": 1},
    ]  # fmt: skip
    file = tmp_path / "screens.json"
    file.write_text(json.dumps({"screens": screens}))
    done = subprocess.run(
        [sys.executable, "-m", "tests.app.hanging.second_screen"],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "QT_QPA_PLATFORM": f"offscreen:configfile={file}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["ratio"] == ratio
    assert (told["x"], told["y"]) == (-1920, -1080)
    np.testing.assert_allclose(told["landed"], told["spot"], atol=0.5)
