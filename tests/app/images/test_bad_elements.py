"""A bad element never costs the file: left out, or concluded as other readers do, and said."""

import io
import struct
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import uid
from pydicom.tag import Tag

from app.errors import ImportRefused
from app.images.attributes import DisplayAttributes
from app.images.decoding.decode_file import read_file
from tests.app.images.image_files import good

JUNK = [b"12,5", b"AGFA ", b"\\\\\\ ", b"\xff\xfe\x00\x01", b"1e999 ", b"", b"--"]
OPTIONAL = (
    "WindowCenter", "WindowWidth", "WindowCenterWidthExplanation", "VOILUTFunction",
    "RescaleSlope", "RescaleIntercept", "PixelPaddingValue", "PixelPaddingRangeLimit",
    "PixelSpacing", "ImagerPixelSpacing", "EstimatedRadiographicMagnificationFactor",
    "PixelAspectRatio", "PresentationLUTShape", "ShutterShape", "ShutterLeftVerticalEdge",
    "ImageLaterality", "ViewPosition", "BodyPartExamined", "BurnedInAnnotation",
    "LossyImageCompression", "PresentationIntentType", "PixelIntensityRelationship",
    "StudyDate", "Manufacturer", "PatientID", "HighBit", "PixelRepresentation",
    "PlanarConfiguration", "NumberOfFrames", "Modality",
)  # fmt: skip
SEQUENCES = (
    "VOILUTSequence", "ModalityLUTSequence", "ViewCodeSequence", "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)  # fmt: skip


@cache
def _plain() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return good(Path(folder) / "x.dcm").read_bytes()


def edited(path: Path, *without: str, **elements: bytes) -> Path:
    """Write a good file without some elements, and with the raw bytes of others."""
    dataset = pydicom.dcmread(io.BytesIO(_plain()))
    for keyword in (*without, *elements):
        if keyword in dataset:
            del dataset[keyword]
    dataset.file_meta.TransferSyntaxUID = uid.ImplicitVRLittleEndian
    dataset.save_as(path, implicit_vr=True, little_endian=True)
    raw = b""
    for keyword, value in elements.items():
        tag = Tag(keyword)
        raw += struct.pack("<HHI", tag.group, tag.element, len(value)) + value
    path.write_bytes(path.read_bytes() + raw)  # pydicom asks for no order
    return path


def read(path: Path) -> DisplayAttributes:
    return read_file(path, b"k" * 32)[1]


def said(attributes: DisplayAttributes) -> list[str]:
    return [note.text for note in attributes.notes]


@pytest.mark.parametrize("keyword", [*OPTIONAL, *SEQUENCES])
def test_nonsense_in_an_optional_element_never_refuses_the_file(
    keyword: str, tmp_path: Path
) -> None:
    for junk in JUNK:
        path = edited(tmp_path / "x.dcm", **{keyword: junk})
        assert read_file(path, b"k" * 32)[0].shape == (40, 30), junk


@pytest.mark.parametrize(
    "keyword", ["Rows", "Columns", "BitsAllocated", "PhotometricInterpretation"]
)
def test_what_cannot_be_done_without_is_refused_by_its_name(keyword: str, tmp_path: Path) -> None:
    words = {"BitsAllocated": "Bits Allocated", "PhotometricInterpretation": "Photometric Inter"}
    with pytest.raises(ImportRefused, match=words.get(keyword, keyword)):
        read(edited(tmp_path / "x.dcm", keyword))
    for junk in JUNK:
        path = edited(tmp_path / "x.dcm", **{keyword: junk})
        with pytest.raises(ImportRefused) as refused:
            read(path)
        assert "Error" not in str(refused.value)
        assert "Exception" not in str(refused.value)


def test_a_decimal_comma_in_the_slope_is_slope_1_and_said_by_its_own_code(tmp_path: Path) -> None:
    attributes = read(edited(tmp_path / "x.dcm", RescaleSlope=b"1,5", RescaleIntercept=b"3 "))
    assert (attributes.rescale_slope, attributes.rescale_intercept) == (1.0, 3.0)
    assert [note.code for note in attributes.notes] == ["element-left-out", "slope-left-out"]


@pytest.mark.parametrize("frames", [b"0 ", b"-3", b"AGFA"])
def test_no_frames_are_one(frames: bytes, tmp_path: Path) -> None:
    attributes = read(edited(tmp_path / "x.dcm", NumberOfFrames=frames))
    assert attributes.frames == 1
    assert "NumberOfFrames is missing or wrong; 1 was assumed" in said(attributes)


def test_what_may_be_concluded_is(tmp_path: Path) -> None:
    whole = read_file(good(tmp_path / "y.dcm"), b"k")
    path = edited(tmp_path / "x.dcm", "SamplesPerPixel", "PixelRepresentation", "HighBit")
    stored, attributes, _ = read_file(path, b"k")
    assert np.array_equal(stored, whole[0])
    assert said(attributes) == [
        "SamplesPerPixel is missing or wrong; 1 was assumed",
        "PixelRepresentation is missing or wrong; 0 was assumed",
    ]


@pytest.mark.parametrize(
    "keyword", ["Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"]
)
def test_of_several_numbers_the_first_counts(keyword: str, tmp_path: Path) -> None:
    path = good(tmp_path / "y.dcm")
    said = int(pydicom.dcmread(path)[keyword].value)
    path = edited(tmp_path / "x.dcm", **{keyword: struct.pack("<3H", said, 0, 7)})
    assert np.array_equal(read_file(path, b"k")[0], read_file(tmp_path / "y.dcm", b"k")[0])


def test_empty_pixel_data_are_no_picture(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="without a picture"):
        read(edited(tmp_path / "x.dcm", PixelData=b""))


def test_without_bits_stored_all_bits_are(tmp_path: Path) -> None:
    attributes = read(edited(tmp_path / "x.dcm", "BitsStored", "HighBit"))
    assert attributes.bits_stored == 16
    assert said(attributes) == ["BitsStored is missing or wrong; 16 was assumed"]


@pytest.mark.parametrize("written", [b"Monochrome2", b"monochrome2 ", b"MONOCHROME2"])
def test_small_letters_in_the_photometric_are_understood(written: bytes, tmp_path: Path) -> None:
    attributes = read(edited(tmp_path / "x.dcm", PhotometricInterpretation=written))
    assert attributes.photometric == "MONOCHROME2"


def test_a_contradiction_is_refused_by_both_elements(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match=r"Samples per Pixel \(3\) and its Photometric Interp"):
        read(edited(tmp_path / "x.dcm", SamplesPerPixel=b"\3\0"))
    with pytest.raises(ImportRefused, match=r"Photometric Interpretation .* \(HSV\)"):
        read(edited(tmp_path / "x.dcm", PhotometricInterpretation=b"HSV "))


@pytest.mark.parametrize(
    ("centers", "widths"), [(b"\\1000 ", b"400\\2000"), (b"90\\1000 ", b"\\2000 ")]
)
def test_an_empty_window_does_not_give_its_width_to_the_next(
    tmp_path: Path, centers: bytes, widths: bytes
) -> None:
    shown = read(edited(tmp_path / "x.dcm", WindowCenter=centers, WindowWidth=widths))
    assert [(window.center, window.width) for window in shown.windows] == [(1000, 2000)]
    assert "window-left-out" in [note.code for note in shown.notes]


def test_a_window_centre_without_a_width_is_said(tmp_path: Path) -> None:
    shown = read(edited(tmp_path / "x.dcm", WindowCenter=b"1000\\90 ", WindowWidth=b"2000"))
    assert [(window.center, window.width) for window in shown.windows] == [(1000, 2000)]
    assert "window-left-out" in [note.code for note in shown.notes]
