"""Rulers: what a file says of its spacing, and the unit that a length is then told in."""

import pydicom
import pytest
from pydicom.dataset import Dataset

from app.hanging.image_view import ImageView
from app.hanging.marks import length_text
from app.images.dicom.elements import Elements
from app.images.dicom.spacing import Spacing, spacing_of
from tests import ROOT
from tests.app.hanging.pictures import picture

HANDED = ROOT.parent / "shared" / "cases" / "images"
FACTOR = "EstimatedRadiographicMagnificationFactor"
PIXEL, IMAGER, SCANNED = "PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"
KIND, DETECTOR, PATIENT = (
    "PixelSpacingCalibrationType", "DistanceSourceToDetector", "DistanceSourceToPatient",
)  # fmt: skip


def told(**elements: object) -> tuple[Spacing, list[str]]:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    read = Elements(dataset)
    return spacing_of(read), [note.text.split()[0] for note in read.notes]


def ruler(spacing: Spacing) -> str:
    """Return what a ruler over 100 columns says."""
    shown = {name: getattr(spacing, name) for name in Spacing.__slots__}
    view = ImageView(picture(size=(200, 200), **shown), (0.0, 0.0, 200.0, 200.0), 0)
    return length_text(view, (10.0, 10.0), (110.0, 10.0))


@pytest.mark.parametrize(
    ("elements", "says"),
    [
        ({PIXEL: [0.2, 0.2]}, "20.0 mm"),
        ({PIXEL: [0.2, 0.2], IMAGER: [0.2, 0.2]}, "20.0 mm at the detector"),
        ({PIXEL: [0.2, 0.2], IMAGER: [0.2, 0.2], FACTOR: 1.6}, "12.5 mm"),
        ({PIXEL: [0.2, 0.2], IMAGER: [0.2, 0.2], KIND: "FIDUCIAL", FACTOR: 1.6}, "20.0 mm"),
        ({PIXEL: [0.15, 0.15], IMAGER: [0.2, 0.2], FACTOR: 1.6}, "15.0 mm"),
        ({PIXEL: [0.15, 0.15], IMAGER: [0.2, 0.2], KIND: "GEOMETRY"}, "15.0 mm"),
        ({IMAGER: [0.2, 0.2]}, "20.0 mm at the detector"),
        ({IMAGER: [0.2, 0.2], FACTOR: 1.0}, "20.0 mm"),
        ({IMAGER: [0.2, 0.2], FACTOR: 0, DETECTOR: 1000, PATIENT: 800}, "16.0 mm"),
        ({IMAGER: [0.2, 0.2], DETECTOR: 1000, PATIENT: 800}, "16.0 mm"),
        ({IMAGER: [0.2, 0.2], FACTOR: 1.6, DETECTOR: 1000, PATIENT: 800}, "12.5 mm"),
        ({IMAGER: [0.2, 0.2], DETECTOR: 800, PATIENT: 1000}, "20.0 mm at the detector"),
        ({SCANNED: [0.1, 0.1]}, "10.0 mm at the detector"),
        ({PIXEL: [0.1, 0.1], SCANNED: [0.1, 0.1]}, "10.0 mm at the detector"),
        ({PIXEL: [0.0, 0.0], IMAGER: [0.2, 0.2]}, "20.0 mm at the detector"),
        ({}, "100 px (no pixel spacing in the file)"),
    ],
)  # fmt: skip
def test_a_ruler_says_where_its_millimetres_were_measured(elements, says) -> None:
    assert ruler(told(**elements)[0]) == says


def test_rows_and_columns_keep_their_own_distances() -> None:
    spacing, notes = told(ImagerPixelSpacing=[0.3, 0.1])
    assert (spacing.row_spacing_mm, spacing.column_spacing_mm, spacing.ratio) == (
        0.3, 0.1, (0.3, 0.1),
    )  # fmt: skip
    assert notes == []


def test_a_spacing_that_is_none_and_a_factor_that_makes_smaller_are_left_out_and_said() -> None:
    spacing, notes = told(PixelSpacing=[0.0, 0.0], **{FACTOR: 0.5})
    assert spacing == Spacing()
    assert notes == [FACTOR, PIXEL]


def test_true_size_is_that_of_the_patient_where_the_magnification_is_told() -> None:
    for spacing, zoom in ((told(**{IMAGER: [0.2, 0.2]})[0], 1.0),
                          (told(**{IMAGER: [0.2, 0.2], FACTOR: 1.6})[0], 1 / 1.6)):  # fmt: skip
        shown = {name: getattr(spacing, name) for name in Spacing.__slots__}
        view = ImageView(picture(size=(200, 200), **shown), (0.0, 0.0, 200.0, 200.0), 0)
        view.act("true_size", 1.0, 0.2)
        assert view.viewport.zoom == pytest.approx(zoom)


@pytest.mark.skipif(not HANDED.is_dir(), reason="the handed files are not here")
@pytest.mark.parametrize(
    ("name", "source", "says"),
    [
        ("s01_pixelspacing_equals_imager", "detector", "20.0 mm at the detector"),
        ("s02_imager_and_ermf_1.5", "detector", "13.3 mm"),
        ("s03_pixelspacing_equals_imager_ermf_1.5", "detector", "13.3 mm"),
        ("s05_aspect_2_1", None, "100 px (no pixel spacing in the file)"),
        ("s06_pixelspacing_zero_imager_good", "detector", "20.0 mm at the detector"),
        ("s07_calibration_geometry", "calibrated", "15.0 mm"),
    ],
)
def test_the_handed_rulers_are_right(name: str, source: str | None, says: str) -> None:
    spacing = spacing_of(Elements(pydicom.dcmread(HANDED / f"{name}.dcm")))
    assert (spacing.spacing_source, ruler(spacing)) == (source, says)
