"""Display shutters: what lies outside is hidden, in the presentation and on the screen."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from app.hanging.image_view import ImageView
from app.images.attributes import DisplayAttributes
from app.images.dicom.elements import Elements
from app.images.dicom.shutter import PIXEL_CENTRES, Shutter, shutter_of
from app.images.importing.importer import import_paths
from app.images.store import LoadedImage, load
from devices.gaze.view import Affine
from migrations.study.folder import Study
from tests.app.images.conformance.made_files import Made, write

RECTANGLE = (
    ("ShutterShape", "RECTANGULAR"), ("ShutterLeftVerticalEdge", 6),
    ("ShutterRightVerticalEdge", 20), ("ShutterUpperHorizontalEdge", 3),
    ("ShutterLowerHorizontalEdge", 50),
)  # fmt: skip
SIZE = (64, 64, 1.0)


def described(**elements: object) -> tuple[Shutter | None, list[str]]:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    read = Elements(dataset)
    return shutter_of(read, SIZE), [note.code for note in read.notes]


def seen(shutter: Shutter | None, rows: int = 64, columns: int = 64) -> np.ndarray:
    assert shutter is not None
    return shutter.open_on(PIXEL_CENTRES, columns, rows)


def test_the_pixels_that_a_rectangle_names_are_the_first_and_last_seen() -> None:
    shutter, notes = described(**dict(RECTANGLE))
    expected = np.zeros((64, 64), bool)
    expected[2:50, 5:20] = True
    assert np.array_equal(seen(shutter), expected)
    assert notes == ["shutter"]


def test_a_circle_is_round_about_the_centre_of_its_pixel() -> None:
    shutter, _ = described(
        ShutterShape="CIRCULAR", CenterOfCircularShutter=[31, 21], RadiusOfCircularShutter=10
    )
    rows, columns = np.mgrid[1:65, 1:65]
    assert np.array_equal(seen(shutter), (rows - 31) ** 2 + (columns - 21) ** 2 <= 100)


def test_a_circle_of_pixels_twice_as_high_has_half_as_many_rows() -> None:
    dataset = Dataset()
    dataset.ShutterShape, dataset.RadiusOfCircularShutter = "CIRCULAR", 20
    dataset.CenterOfCircularShutter = [32, 32]
    open_pixels = seen(shutter_of(Elements(dataset), (64, 64, 2.0)))
    assert (open_pixels[31].sum(), open_pixels[:, 31].sum()) == (41, 21)


def test_a_polygon_shows_what_lies_inside_its_corners() -> None:
    shutter, _ = described(
        ShutterShape="POLYGONAL", VerticesOfThePolygonalShutter=[11, 11, 11, 51, 51, 11]
    )
    open_pixels = seen(shutter)
    rows, columns = np.mgrid[1:65, 1:65]
    inside = (rows > 11) & (columns > 11) & (rows + columns < 61)
    outside = (rows < 11) | (columns < 11) | (rows + columns > 63)
    assert open_pixels[inside].all()
    assert not open_pixels[outside].any()


def test_shapes_together_show_what_all_of_them_show() -> None:
    both = dict(RECTANGLE) | {"ShutterShape": ["RECTANGULAR", "CIRCULAR"]}
    circle = {"CenterOfCircularShutter": [20, 20], "RadiusOfCircularShutter": 9}
    shutter, _ = described(**both, **circle)
    round_one, _ = described(ShutterShape="CIRCULAR", **circle)
    straight, _ = described(**dict(RECTANGLE))
    assert np.array_equal(seen(shutter), seen(round_one) & seen(straight))


@pytest.mark.parametrize(
    "elements",
    [
        {"ShutterShape": "BITMAP"},
        {"ShutterShape": "RECTANGULAR", "ShutterLeftVerticalEdge": 3},
        {"ShutterShape": "CIRCULAR", "CenterOfCircularShutter": [5, 5]},
        {"ShutterShape": "POLYGONAL", "VerticesOfThePolygonalShutter": [1, 1, 5, 5]},
        {"ShutterShape": "CIRCULAR", "CenterOfCircularShutter": [900, 900],
         "RadiusOfCircularShutter": 3},
    ],
)  # fmt: skip
def test_a_shutter_that_is_not_described_or_hides_all_is_left_out_and_said(elements: dict) -> None:
    assert described(**elements) == (None, ["shutter-left-out"])


def test_the_presentation_is_black_outside_and_the_stored_values_stay(
    study: Study, tmp_path: Path
) -> None:
    made = Made(center=2048, width=4096, shutter=RECTANGLE)
    path = write(made, tmp_path / "x.dcm")
    result = import_paths(study, [path])[0]
    folder = study.image_folder(result.image_id or "")
    stored = np.load(folder / "stored.npy")
    assert np.array_equal(stored, pydicom.dcmread(path).pixel_array)
    attributes = DisplayAttributes.read(folder / "display.json")
    assert attributes.shutter == Shutter(rectangle=(5.0, 2.0, 20.0, 50.0))
    assert [note.code for note in result.notes] == ["shutter"]
    import cv2

    shown = cv2.imread(str(folder / "presentation.png"), cv2.IMREAD_UNCHANGED)
    open_pixels = seen(attributes.shutter)
    assert not shown[~open_pixels].any()
    assert np.abs(shown[open_pixels] - stored[open_pixels] / 4095 * 255).max() <= 1


def test_the_range_without_a_window_is_that_of_what_is_seen(study: Study, tmp_path: Path) -> None:
    path = write(Made(shutter=RECTANGLE), tmp_path / "x.dcm")
    loaded = load(study, import_paths(study, [path])[0].image_id or "")
    inside = loaded.stored[seen(loaded.attributes.shutter)]
    assert (loaded.attributes.stored_low, loaded.attributes.stored_high) == (
        inside.min(), inside.max()
    )  # fmt: skip


@pytest.mark.parametrize("grey", [0, 128])
@pytest.mark.parametrize("turns", [[], ["rotate_right"], ["flip_horizontally", "rotate_left"]])
def test_on_the_screen_it_lies_where_the_image_lies(grey: int, turns: list[str]) -> None:
    shutter = Shutter((10.0, 4.0, 40.0, 50.0), (25.0, 25.0, 20.0, 20.0), grey=grey)
    attributes = DisplayAttributes(
        64, 64, "MONOCHROME2", 8, 8, False, 0, 255, shutter=shutter, pixel_aspect=1.0
    )
    stored = np.full((64, 64), 200, np.uint8)
    view = ImageView(LoadedImage("x", stored, attributes), (3.0, 5.0, 300.0, 200.0), 30)
    for action in turns:
        view.act(action, 1.0)
    view.viewport.zoom_at(120.0, 90.0, 1.7)
    view.stale()
    drawn = view.grey(1.5)
    to_image = view.viewport.transform().inverse()
    ys, xs = np.mgrid[0 : drawn.shape[0], 0 : drawn.shape[1]]
    points = np.stack(((xs + 0.5) / 1.5 + 3.0, (ys + 0.5) / 1.5 + 5.0), axis=-1)
    x, y = np.moveaxis(to_image.map(points), -1, 0)
    on = (x >= 0) & (x < 64) & (y >= 0) & (y < 64)
    inside = (x >= 10) & (x <= 40) & (y >= 4) & (y <= 50) & (np.hypot(x - 25, y - 25) <= 20)
    assert np.array_equal(drawn, np.where(on, np.where(inside, 200, grey), 30))


def test_a_shutter_survives_display_json() -> None:
    shutter = Shutter((1.0, 2.0, 3.0, 4.0), None, ((0.5, 0.5), (9.5, 0.5), (0.5, 9.5)), 7)
    attributes = DisplayAttributes(9, 9, "MONOCHROME2", 8, 8, False, 0, 255, shutter=shutter)
    assert DisplayAttributes.from_json(attributes.to_json()) == attributes


def test_a_polygon_far_off_the_screen_is_drawn_without_overflow() -> None:
    shutter = Shutter(polygon=((0.0, 0.0), (60_000.0, 0.0), (0.0, 60_000.0)))
    near = shutter.open_on(Affine(0.001, 0.0, 0.0, 0.001, 30.0, 30.0), 40, 30)
    assert near.all()
