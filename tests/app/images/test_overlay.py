"""Overlay planes: kept where they can hold no text, and drawn over the image by key."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest

from app.hanging.image_view import NOTHING, ImageView
from app.images.attributes import DisplayAttributes
from app.images.decoding.read_dicom import read_dicom
from app.images.dicom.overlay import may_hold_text, plane_of, runs_of
from app.images.masks import blacked_out
from tests.app.hanging.pictures import picture
from tests.app.images.image_files import good

SIZE = (40, 30)


def written(text: str, slope: int = 0, font: int = cv2.FONT_HERSHEY_SIMPLEX) -> np.ndarray:
    plane = np.zeros((300, 300), np.uint8)
    cv2.putText(plane, text, (30, 160), font, 1.6, 1, 3)
    turn = cv2.getRotationMatrix2D((150, 150), slope, 1.0)
    return cv2.warpAffine(plane, turn, (300, 300), flags=cv2.INTER_NEAREST).astype(bool)


def frame(left: int = 20, right: int = 200) -> np.ndarray:
    plane = np.zeros((300, 300), np.uint8)
    cv2.rectangle(plane, (left, 30), (right, 250), 1, 3)
    return plane.astype(bool)


@pytest.mark.parametrize("letter", ["L", "R", "P", "D"])
def test_a_letter_of_a_side_a_frame_and_a_line_hold_no_text(letter: str) -> None:
    assert not may_hold_text(written(letter))
    assert not may_hold_text(frame())
    assert not may_hold_text(np.eye(200, dtype=bool))
    assert not may_hold_text(np.zeros(SIZE, bool))


@pytest.mark.parametrize("slope", [0, 30, 45, 90, 135, 180])
@pytest.mark.parametrize("text", ["WEBER", "J D", "4711", "Li"])
def test_words_and_numbers_may_be_text_whichever_way_they_run(text: str, slope: int) -> None:
    assert may_hold_text(written(text, slope))


@pytest.mark.parametrize("slope", [0, 45, 90])
def test_joined_letters_and_letters_cut_out_of_a_plate_may_be_text(slope: int) -> None:
    joined = written("WEBER", slope)
    joined |= cv2.dilate(joined.astype(np.uint8), np.ones((1, 15), np.uint8)).astype(bool)
    assert may_hold_text(joined | written("_____", slope))
    assert may_hold_text(cv2.dilate(frame(0, 290).astype(np.uint8), np.ones((9, 9))).astype(bool)
                         | ~written("WEBER", slope))  # fmt: skip


def file_with(path: Path, *planes: np.ndarray, origin: tuple[int, int] = (1, 1)) -> Path:
    dataset = pydicom.dcmread(good(path))
    for i, plane in enumerate(planes):
        group = 0x6000 + 2 * i
        dataset.add_new((group, 0x0010), "US", plane.shape[0])
        dataset.add_new((group, 0x0011), "US", plane.shape[1])
        dataset.add_new((group, 0x0050), "SS", list(origin))
        dataset.add_new((group, 0x0100), "US", 1)
        dataset.add_new((group, 0x0102), "US", 0)
        bits = np.packbits(plane.reshape(-1), bitorder="little").tobytes()
        dataset.add_new((group, 0x3000), "OW", bits + bytes(len(bits) % 2))
        dataset.add_new((group, 0x0022), "LO", "Quill")
    dataset.save_as(path)
    return path


def block(rows: slice, columns: slice) -> np.ndarray:
    plane = np.zeros(SIZE, bool)
    plane[rows, columns] = True
    return plane


def kept_of(path: Path) -> tuple[DisplayAttributes, list[str]]:
    kept = read_dicom(path, b"k" * 32)[1]
    return kept, [note.code for note in kept.notes if note.code.startswith("overlay")]


def test_a_plane_is_kept_bit_for_bit_where_it_lies(tmp_path: Path) -> None:
    plane = block(slice(2, 9), slice(3, 5)) | block(slice(7, 9), slice(3, 11))  # an L
    kept, notes = kept_of(file_with(tmp_path / "a.dcm", plane))
    assert notes == ["overlay"]
    np.testing.assert_array_equal(plane_of(kept.overlay, SIZE), plane)
    assert DisplayAttributes.from_json(kept.to_json()) == kept
    moved, _ = kept_of(file_with(tmp_path / "b.dcm", plane, origin=(4, -1)))
    wanted = np.zeros(SIZE, bool)
    wanted[3:, :28] = plane[:-3, 2:]
    np.testing.assert_array_equal(plane_of(moved.overlay, SIZE), wanted)


def test_planes_that_may_hold_text_together_or_alone_are_not_kept(tmp_path: Path) -> None:
    letter, other = block(slice(2, 9), slice(3, 5)), block(slice(2, 9), slice(20, 22))
    kept, notes = kept_of(file_with(tmp_path / "a.dcm", letter, other))
    assert notes == ["overlay-left-out", "overlay"]
    np.testing.assert_array_equal(plane_of(kept.overlay, SIZE), letter)
    kept, notes = kept_of(file_with(tmp_path / "b.dcm", letter | other))
    assert (kept.overlay, notes) == ((), ["overlay-left-out"])


def test_a_plane_within_the_pixels_is_found_and_a_short_one_left_out(tmp_path: Path) -> None:
    path = good(tmp_path / "x.dcm")
    dataset = pydicom.dcmread(path)
    words = np.frombuffer(dataset.PixelData, "<u2").reshape(SIZE)
    drawn = block(slice(10, 20), slice(4, 6))
    dataset.PixelData = (words | (drawn.astype(np.uint16) << 15)).tobytes()
    dataset.add_new((0x6000, 0x0010), "US", SIZE[0])
    dataset.add_new((0x6000, 0x0011), "US", SIZE[1])
    dataset.add_new((0x6000, 0x0102), "US", 15)
    dataset.save_as(path)
    np.testing.assert_array_equal(plane_of(kept_of(path)[0].overlay, SIZE), drawn)
    short = file_with(tmp_path / "y.dcm", drawn)
    dataset = pydicom.dcmread(short)
    dataset[0x6000, 0x3000].value = b"\0\0"
    dataset.save_as(short)
    assert kept_of(short)[1] == ["overlay-left-out"]


def test_blacking_out_takes_the_overlay_too() -> None:
    stored = np.arange(1200, dtype=np.uint16).reshape(SIZE)
    attributes = DisplayAttributes(
        *SIZE, "MONOCHROME2", 12, 16, False, 0, 1199, overlay=((3, 2, 10), (30, 2, 10))
    )
    left = ((3, 5, 10), (30, 2, 10))
    assert blacked_out(stored, attributes, [(0, 0, 5, 10)])[1].overlay == left
    colours = np.ones((*SIZE, 3), np.uint8)
    coloured = replace(attributes, photometric="RGB", samples=3, bits_stored=8, bits_allocated=8)
    assert blacked_out(colours, coloured, [(0, 0, 5, 10)])[1].overlay == left


def test_the_key_draws_it_where_it_lies_also_on_an_image_hung_mirrored() -> None:
    plane = block(slice(0, 10), slice(0, 10))
    image = picture(size=(30, 40), overlay=runs_of(plane), orientation=("R", "F"),
                    body_part="CHEST")  # fmt: skip
    view = ImageView(image, (0.0, 0.0, 30.0, 40.0), 0)
    view.viewport.flip(horizontally=True)
    view.stale()
    assert not view.grey(1.0).any()
    assert view.act("overlay", 1.0) == "overlay"
    np.testing.assert_array_equal(view.grey(1.0) == 255, plane[:, ::-1])
    view.act("overlay", 1.0)
    assert not view.grey(1.0).any()
    assert ImageView(picture(), (0.0, 0.0, 30.0, 40.0), 0).act("overlay", 1.0) == NOTHING
