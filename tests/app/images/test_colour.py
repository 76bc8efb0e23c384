"""Colours come in as red, green and blue, are shown as they are, and are luminance in training."""

from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from PIL import Image as PilImage
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from app.errors import ImageUnreadable, ImportRefused
from app.hanging.image_view import NOTHING, ImageView
from app.images.attributes import DisplayAttributes
from app.images.clearing import black_out, picture, thumbnail
from app.images.decoding.decode_file import read_file
from app.images.dicom.colour import from_palette, luminance
from app.images.dicom.elements import Elements
from app.images.files import presentation, write_image
from app.images.greyscale import AS_STORED, presets
from app.images.importing.importer import import_paths
from app.images.store import LoadedImage, load
from migrations.study.folder import Study
from tests.app.images.conformance.made_colours import (
    COLUMNS,
    ROWS,
    Colours,
    colour_matrix,
    meant,
    write,
)

FLAT = meant(Colours("RGB"))


def values(made: Colours, folder: Path) -> tuple[np.ndarray, DisplayAttributes]:
    return read_file(write(made, folder / "x.dcm"), b"k" * 32)[:2]


@pytest.mark.parametrize("made", colour_matrix(), ids=lambda made: made.name)
def test_each_way_to_store_a_colour_gives_the_colour_that_is_meant(
    made: Colours, tmp_path: Path
) -> None:
    stored, attributes = values(made, tmp_path)
    expected = meant(made)[..., 0] if made.grey else meant(made)
    deep = 257 if stored.dtype == np.uint16 else 1
    assert stored.shape == attributes.shape
    assert np.abs((stored if made.frames == 1 else stored[1]) / deep - expected).max() <= 1
    codes = {note.code for note in attributes.notes} - {"stack"}
    if made.grey:
        assert (attributes.photometric, attributes.samples) == ("MONOCHROME2", 1)
        assert codes == {"grey-as-colour"}
    else:
        assert (attributes.photometric, attributes.samples) == ("RGB", 3)
        assert codes == {"colour"}


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL", "YBR_FULL_422"])
def test_colours_said_to_be_signed_are_not(photometric: str, tmp_path: Path) -> None:
    made = Colours(photometric, signed=True)
    assert np.abs(values(made, tmp_path)[0].astype(int) - meant(made)).max() <= 1


def test_a_window_of_the_file_is_not_for_its_colours(tmp_path: Path) -> None:
    for made in (Colours("RGB"), Colours("RGB", grey=True)):
        attributes = values(made, tmp_path)[1]
        assert attributes.windows == ()
        assert presets(attributes)[0].name == AS_STORED


def test_colours_have_one_preset_and_no_window_to_drag(tmp_path: Path) -> None:
    stored, attributes = values(Colours("RGB"), tmp_path)
    view = ImageView(LoadedImage("x", stored, attributes), (0.0, 0.0, COLUMNS, ROWS), 7)
    assert [window.name for window in presets(attributes)] == [AS_STORED]
    before = view.grey(1.0).copy()
    assert np.array_equal(before, FLAT)
    assert view.window_by(50.0, 50.0) == NOTHING
    view.act("preset_2", 1.0)
    assert np.array_equal(view.grey(1.0), before)
    view.act("invert", 1.0)
    assert np.array_equal(view.grey(1.0), 255 - before)


@pytest.mark.parametrize("allocated", [8, 16])
def test_a_tile_of_colours_is_sampled_turned_and_surrounded(allocated: int, tmp_path: Path) -> None:
    stored, attributes = values(Colours("RGB", allocated=allocated), tmp_path)
    view = ImageView(LoadedImage("x", stored, attributes), (0.0, 0.0, COLUMNS + 8, ROWS), 7)
    drawn = view.grey(1.0)
    assert drawn.shape == (ROWS, COLUMNS + 8, 3)
    assert (drawn[:, :4] == 7).all()
    assert np.array_equal(drawn[:, 4:-4], FLAT)
    view.act("flip_horizontally", 1.0)
    assert np.array_equal(view.grey(1.0)[:, 4:-4], FLAT[:, ::-1])
    view.set_tile((0.0, 0.0, COLUMNS / 2, ROWS / 2))
    smaller = FLAT[:, ::-1].astype(float).reshape(ROWS // 2, 2, COLUMNS // 2, 2, 3).mean((1, 3))
    view.act("flip_horizontally", 1.0)
    assert np.abs(view.grey(1.0)[:, ::-1] - smaller).max() <= 1


def test_a_shutter_closes_colours_too(tmp_path: Path) -> None:
    path = write(Colours("RGB"), tmp_path / "x.dcm")
    dataset = pydicom.dcmread(path)
    dataset.ShutterShape = "RECTANGULAR"
    dataset.ShutterLeftVerticalEdge, dataset.ShutterRightVerticalEdge = 5, 20
    dataset.ShutterUpperHorizontalEdge, dataset.ShutterLowerHorizontalEdge = 3, 20
    dataset.ShutterPresentationValue = 0xFFFF
    dataset.save_as(path)
    stored, attributes, _ = read_file(path, b"k")
    drawn = ImageView(LoadedImage("x", stored, attributes), (0.0, 0.0, COLUMNS, ROWS), 7).grey(1.0)
    outside = np.ones((ROWS, COLUMNS), bool)
    outside[2:20, 4:20] = False
    assert (drawn[outside] == 255).all()
    assert np.array_equal(drawn[~outside], FLAT[~outside])
    assert (presentation(stored, attributes)[outside] == 255).all()


def test_the_presentation_is_the_luminance() -> None:
    expected = FLAT @ np.array([0.299, 0.587, 0.114])
    assert np.abs(luminance(FLAT) - expected).max() <= 1
    deep = FLAT.astype(np.uint16) * 257
    attributes = DisplayAttributes(ROWS, COLUMNS, "RGB", 16, 16, False, 0, 65535, samples=3)
    assert np.abs(presentation(deep, attributes) - expected).max() <= 1


def test_a_colour_picture_is_kept_in_colour_with_a_grey_presentation(
    study: Study, tmp_path: Path
) -> None:
    for kind in ("PNG", "TIFF"):
        path = tmp_path / f"x.{kind}"
        PilImage.fromarray(FLAT).save(path, kind)
        assert np.array_equal(read_file(path, b"k")[0], FLAT)
    result = import_paths(study, [tmp_path / "x.PNG"])[0]
    assert (result.status, [note.code for note in result.notes]) == ("accepted", ["colour"])
    image = load(study, result.image_id or "")
    assert np.array_equal(image.stored, FLAT)
    assert (image.width, image.height, image.frame_count) == (COLUMNS, ROWS, 1)
    shown = cv2.imread(str(study.presentation(image.image_id)), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(shown, luminance(FLAT))


def test_a_clip_in_colour_scrolls(study: Study, tmp_path: Path) -> None:
    path = write(Colours("RGB", frames=3), tmp_path / "x.dcm")
    image = load(study, import_paths(study, [path])[0].image_id or "")
    assert (image.frame_count, image.frame) == (3, 1)
    assert np.array_equal(image.at_frame(2).stored, FLAT)


def test_coloured_text_is_looked_at_in_colour_and_blacked_out(study: Study, tmp_path: Path) -> None:
    path = write(Colours("RGB", frames=3), tmp_path / "x.dcm")
    image_id = import_paths(study, [path])[0].image_id or ""
    assert np.array_equal(picture(study, image_id), FLAT)
    assert thumbnail(picture(study, image_id), 16).shape == (12, 16, 3)
    black_out(study, image_id, [(2, 3, 10, 5)], "AB")
    hidden = np.zeros((ROWS, COLUMNS), bool)
    hidden[3:8, 2:12] = True
    image = load(study, image_id)
    for frame in range(3):
        assert not image.at_frame(frame).stored[hidden].any()
        assert np.array_equal(image.at_frame(frame).stored[~hidden], FLAT[~hidden])
    shown = cv2.imread(str(study.presentation(image_id)), cv2.IMREAD_UNCHANGED)
    assert not shown[hidden].any()


def test_colours_that_display_json_calls_grey_are_named_as_damaged(
    tmp_path: Path, study: Study
) -> None:
    attributes = DisplayAttributes(ROWS, COLUMNS, "RGB", 8, 8, False, 0, 255, samples=3)
    folder = study.image_folder("a" * 36)
    folder.mkdir(parents=True)
    write_image(folder, FLAT, attributes)
    display = folder / "display.json"
    display.write_text(display.read_text().replace('"samples": 3', '"samples": 1'))
    with pytest.raises(ImageUnreadable, match=r"\(24, 32, 3\)"):
        load(study, "a" * 36)


def palette(**elements: object) -> Elements:
    dataset = Dataset()
    for name in ("Red", "Green", "Blue"):
        for part, value in elements.items():
            keyword = part.replace("X", f"{name}PaletteColorLookupTable")
            dataset[keyword] = DataElement(
                keyword, "OW" if isinstance(value, bytes) else "US", value
            )
    return Elements(dataset)


def test_a_segmented_palette_is_unrolled() -> None:
    # Two entries as they are, a line of four up to 9000, the first segment once more.
    words = [0, 2, 100, 3000, 1, 4, 9000, 2, 1, 0, 0]
    data = np.array(words, "<u2").tobytes()
    elements = palette(XDescriptor=[8, 0, 16], SegmentedXData=data)
    shown = from_palette(np.arange(8, dtype=np.uint8), elements, big_endian=False)
    entries = np.array([100, 3000, 4500, 6000, 7500, 9000, 100, 3000])
    assert np.array_equal(shown[:, 1], np.floor(entries / 257 + 0.5))


@pytest.mark.parametrize(
    "words", [[3, 1, 0], [2, 1, 500, 0], [2, 9, 0, 0], [0, 2, 1, 2, 2, 1, 7, 0]]
)
def test_a_damaged_palette_is_refused_by_name(words: list[int]) -> None:
    elements = palette(XDescriptor=[8, 0, 16], SegmentedXData=np.array(words, "<u2").tobytes())
    with pytest.raises(ImportRefused, match="its palette is damaged"):
        from_palette(np.arange(8, dtype=np.uint8), elements, big_endian=False)


def test_a_missing_palette_is_refused_by_the_name_of_its_element() -> None:
    with pytest.raises(ImportRefused, match="RedPaletteColorLookupTableDescriptor"):
        from_palette(np.arange(8, dtype=np.uint8), palette(), big_endian=False)
    with pytest.raises(ImportRefused, match="RedPaletteColorLookupTableData"):
        from_palette(
            np.arange(8, dtype=np.uint8), palette(XDescriptor=[8, 0, 16]), big_endian=False
        )


def test_indices_beyond_the_palette_take_its_ends() -> None:
    data = np.array([257, 514, 771], "<u2").tobytes()
    elements = palette(XDescriptor=[3, 10, 16], XData=data)
    shown = from_palette(np.array([0, 10, 11, 12, 200], np.uint8), elements, big_endian=False)
    assert shown[:, 0].tolist() == [1, 1, 2, 3, 3]
