"""The handed small inputs (../shared/cases): five grey values of a row, or what a picture is."""

import tempfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.images.decoding.decode import Decoder
from tests import ROOT

HANDED = ROOT.parent / "shared" / "cases" / "images"
RAMP = (1, 64, 128, 192, 255)
ROWS = {
    "g01_xa_modality_lut_log": RAMP,
    "g02_voi_lut_12bit_data_said_16": (2, 18, 129, 237, 254),
    "g03_voi_lut_8bit_entries_in_words": (2, 18, 128, 237, 253),
    "g06_high_bit_15_stored_12": RAMP,
    "g07_overlay_in_bit_15_no_window": RAMP,
    "g08_signed_12_not_sign_extended_no_window": RAMP,
    "g09_display_shutter": (0, 64, 128, 192, 0),
    "g11_window_width_0": RAMP,
    "g12_mono1_identity": RAMP,
    "g14_sigmoid": (31, 69, 128, 187, 225),
    "g15_linear_exact_two_windows": RAMP,
    "h01_window_center_with_comma": RAMP,
    "h02_number_of_frames_0": RAMP,
}
pytestmark = pytest.mark.skipif(not HANDED.is_dir(), reason="the handed files are not here")


@pytest.fixture(scope="module")
def presented(tmp_path_factory: pytest.TempPathFactory):
    """Return a function from a handed file's name to its presentation; one decoding process."""
    folder = tmp_path_factory.mktemp("handed")
    with Decoder(b"k" * 32) as decoder:

        def picture(name: str) -> np.ndarray:
            out = Path(tempfile.mkdtemp(dir=folder))
            decoder.decode(HANDED / name, out)
            return cv2.imread(str(out / "presentation.png"), cv2.IMREAD_UNCHANGED)

        yield picture


@pytest.mark.parametrize("name", ROWS)
def test_a_handed_file_has_the_greys_that_are_right(name: str, presented) -> None:
    shown = presented(f"{name}.dcm")
    assert np.abs(shown[30, [1, 64, 128, 192, 255]].astype(int) - ROWS[name]).max() <= 1


def test_a_window_narrower_than_1_gives_a_ramp(presented) -> None:
    row = presented("g16_linear_window_width_below_1.dcm")[30].astype(int)
    assert (row[0], row[-1]) == (0, 255)
    assert (np.diff(row) >= 0).all()
    assert len(np.unique(row)) > 200


def test_twelve_bit_jpeg_gives_the_ramp(presented) -> None:
    row = presented("j01_jpeg_extended_12bit.dcm")[30].astype(int)
    assert np.abs(row - np.linspace(0, 255, len(row))).max() <= 2


def test_a_grey_capture_written_as_colour_is_grey(presented) -> None:
    row = presented("c01_grey_secondary_capture_as_RGB.dcm")[30].astype(int)
    assert (row[0], row[-1]) == (0, 255)
    assert (np.diff(row) >= 0).all()


def test_outside_the_shutter_it_is_black(presented) -> None:
    shown = presented("g09_display_shutter.dcm")
    inside = np.zeros(shown.shape, bool)
    inside[9:50, 59:200] = True
    assert not shown[~inside].any()
    assert shown[inside].all()


def test_pictures_are_upright_and_as_exported(presented) -> None:
    assert presented("p01_exif_orientation_6.jpg").shape == (80, 40)
    exported = cv2.imread(str(HANDED / "p04_8bit_with_25_bright_pixels.png"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(presented("p04_8bit_with_25_bright_pixels.png"), exported)
