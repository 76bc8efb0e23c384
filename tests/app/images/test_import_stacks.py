"""Stacks come in whole and are shown at their middle; a header that lies is refused."""

import io
import warnings
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from PIL import Image as PilImage
from pydicom import uid
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.sequence import Sequence
from sqlalchemy import select

from app.errors import ImportRefused
from app.images.decoding.codestream import frame_header
from app.images.decoding.read_dicom import read_dicom
from app.images.importing.importer import import_paths
from app.images.importing.sources import files_of
from app.images.store import load
from migrations.study.folder import Study
from migrations.study.schema import Image
from tests.app.images.image_files import good


def stack(path: Path, frames: int = 5) -> np.ndarray:
    dataset = pydicom.dcmread(good(path))
    pixels = np.random.default_rng(0).integers(0, 4096, (frames, 40, 30)).astype(np.uint16)
    dataset.NumberOfFrames, dataset.PixelData = frames, pixels.tobytes()
    dataset.save_as(path)
    return pixels


def test_a_stack_comes_in_whole_and_is_shown_at_its_middle(study: Study, tmp_path: Path) -> None:
    pixels = stack(tmp_path / "x.dcm")
    result = import_paths(study, [tmp_path / "x.dcm"])[0]
    assert (result.status, result.rows, result.columns) == ("accepted", 40, 30)
    image = load(study, result.image_id or "")
    assert (image.frame_count, image.frame, image.width, image.height) == (5, 2, 30, 40)
    np.testing.assert_array_equal(image.stored, pixels[2])
    np.testing.assert_array_equal(image.at_frame(4).stored, pixels[4])
    assert image.at_frame(99).frame == 4
    assert image.at_frame(-3).frame == 0
    with study.database.read() as session:
        assert session.scalars(select(Image.frames)).one() == 5
    shown = cv2.imread(str(study.presentation(image.image_id)), cv2.IMREAD_UNCHANGED)
    assert shown.shape == (40, 30)


def test_a_stack_beyond_all_measure_is_refused(tmp_path: Path) -> None:
    stack(tmp_path / "x.dcm")
    dataset = pydicom.dcmread(tmp_path / "x.dcm")
    dataset.NumberOfFrames = 1_000_000
    dataset.save_as(tmp_path / "x.dcm")
    with pytest.raises(ImportRefused, match="truncated: only 12,000 of 2,400,000,000 bytes"):
        read_dicom(tmp_path / "x.dcm", b"k")
    dataset.NumberOfFrames = 6
    dataset.save_as(tmp_path / "x.dcm")
    with pytest.raises(ImportRefused, match="truncated"):
        read_dicom(tmp_path / "x.dcm", b"k")


def test_a_colour_stack_that_memory_does_not_hold_is_told_with_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = pydicom.dcmread(str(get_testdata_file("SC_rgb.dcm")))
    dataset.NumberOfFrames, dataset.PixelData = 5, dataset.PixelData * 5
    dataset.save_as(tmp_path / "x.dcm")

    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("app.images.decoding.read_dicom._coloured", full)
    with pytest.raises(ImportRefused, match=r"colour stack of 5 frames .* MB decoded.*more memory"):
        read_dicom(tmp_path / "x.dcm", b"k")


def enhanced(path: Path, *, slopes: tuple[float, ...] = (2.0,) * 5) -> None:
    """Write a stack that keeps window, spacing and rescale in its functional groups."""
    stack(path)
    dataset = pydicom.dcmread(path)
    for keyword in ("WindowCenter", "WindowWidth", "WindowCenterWidthExplanation", "PixelSpacing",
                    "ImagerPixelSpacing", "RescaleSlope", "RescaleIntercept"):  # fmt: skip
        if keyword in dataset:
            del dataset[keyword]
    shared, measures = Dataset(), Dataset()
    measures.PixelSpacing = [0.1, 0.1]
    shared.PixelMeasuresSequence = Sequence([measures])
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    groups = []
    for number, slope in enumerate(slopes):
        group, window, rescale = Dataset(), Dataset(), Dataset()
        window.WindowCenter, window.WindowWidth = 1000 + number, 500
        rescale.RescaleSlope, rescale.RescaleIntercept = slope, -10
        group.FrameVOILUTSequence = Sequence([window])
        group.PixelValueTransformationSequence = Sequence([rescale])
        groups.append(group)
    dataset.PerFrameFunctionalGroupsSequence = Sequence(groups)
    dataset.save_as(path)


def test_an_enhanced_stack_is_shown_as_its_middle_frame_says(tmp_path: Path) -> None:
    enhanced(tmp_path / "x.dcm")
    kept = read_dicom(tmp_path / "x.dcm", b"k")[1]
    assert (kept.windows[0].center, kept.windows[0].width) == (1002, 500)
    assert (kept.row_spacing_mm, kept.rescale_slope, kept.rescale_intercept) == (0.1, 2.0, -10.0)


def test_frames_that_mean_different_things_are_refused(tmp_path: Path) -> None:
    enhanced(tmp_path / "x.dcm", slopes=(1.0, 2.0, 2.0, 2.0, 2.0))
    with pytest.raises(ImportRefused, match="rescaled in different ways"):
        read_dicom(tmp_path / "x.dcm", b"k")


@pytest.mark.parametrize(
    ("name", "bits"),
    [("MR_small_jp2klossless.dcm", 16), ("MR_small_jpeg_ls_lossless.dcm", 16), ("JPEG-LL.dcm", 16)],
)
@pytest.mark.parametrize("lie", ["rows", "shape", "bits"])
def test_a_data_set_that_lies_about_its_codestream_is_refused(
    tmp_path: Path, name: str, bits: int, lie: str
) -> None:
    source = get_testdata_file(name, download=False)
    if source is None:
        pytest.skip("pydicom-data is not installed")
    dataset = pydicom.dcmread(source)
    header = frame_header(next(generate_frames(dataset.PixelData, number_of_frames=1)))
    assert header is not None
    assert (header.rows, header.columns) == (dataset.Rows, dataset.Columns)
    assert (header.bits, header.samples) == (bits, 1)
    if lie == "bits":
        dataset.BitsAllocated = dataset.BitsStored = 8
    else:
        dataset.Rows *= 2
    if lie == "shape":
        dataset.Columns //= 2
    dataset.save_as(tmp_path / "x.dcm")
    with pytest.raises(ImportRefused, match="its compressed pixels are"):
        read_dicom(tmp_path / "x.dcm", b"k")


def baseline(path: Path, syntax: uid.UID, colour: bool = False) -> np.ndarray:
    """Write a DICOM file around a JPEG; return what Pillow makes of it."""
    ramp = np.add.outer(np.arange(40), np.arange(30) * 4).astype(np.uint8)
    buffer = io.BytesIO()
    pixels = np.dstack([ramp, ramp, 255 - ramp]) if colour else ramp
    PilImage.fromarray(pixels).save(buffer, "JPEG", quality=70)
    dataset = pydicom.dcmread(good(path))
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = encapsulate([buffer.getvalue()])
    dataset["PixelData"].is_undefined_length = True
    dataset["PixelData"].VR = "OB"
    dataset.save_as(path)
    return np.asarray(PilImage.open(io.BytesIO(buffer.getvalue())))


@pytest.mark.parametrize("syntax", [uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit])
def test_eight_bit_jpeg_in_dicom_is_decoded_as_by_pillow(tmp_path: Path, syntax: uid.UID) -> None:
    expected = baseline(tmp_path / "x.dcm", syntax)
    stored, kept, _ = read_dicom(tmp_path / "x.dcm", b"k")
    np.testing.assert_array_equal(stored, expected)
    assert kept.lossy


def test_colour_behind_a_greyscale_header_is_refused(tmp_path: Path) -> None:
    baseline(tmp_path / "x.dcm", uid.JPEGBaseline8Bit, colour=True)
    with pytest.raises(
        ImportRefused, match="Samples per Pixel is 1, but its compressed pixels have 3"
    ):
        read_dicom(tmp_path / "x.dcm", b"k")


def test_pixels_that_are_no_codestream_are_refused(tmp_path: Path) -> None:
    baseline(tmp_path / "x.dcm", uid.JPEGBaseline8Bit)
    dataset = pydicom.dcmread(tmp_path / "x.dcm")
    dataset.PixelData = encapsulate([b"\xff\xd8\xff\xc0\x00"])
    dataset.save_as(tmp_path / "x.dcm")
    with pytest.raises(ImportRefused, match="transfer syntax"):
        read_dicom(tmp_path / "x.dcm", b"k")


def test_lossless_jpeg_of_every_predictor_is_decoded_bit_for_bit(tmp_path: Path) -> None:
    import gdcm

    dataset = pydicom.dcmread(good(tmp_path / "x.dcm"))
    reader = gdcm.ImageReader()
    reader.SetFileName(str(tmp_path / "x.dcm"))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(tmp_path / "y.dcm"))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    stored, kept, _ = read_dicom(tmp_path / "y.dcm", b"k")
    assert kept.transfer_syntax == uid.JPEGLossless
    np.testing.assert_array_equal(stored, dataset.pixel_array)


def test_a_dicomdir_stands_for_the_files_it_lists(study: Study, tmp_path: Path) -> None:
    folder = Path(get_testdata_file("DICOMDIR") or "").parent
    listed = files_of([folder / "DICOMDIR"])
    assert len(listed) == 31
    assert all(path.is_file() and path.is_relative_to(folder) for path in listed)
    statuses = {result.status for result in import_paths(study, [folder / "DICOMDIR"])}
    assert statuses == {"accepted"}


def test_a_dicomdir_that_points_outside_its_folder_is_not_followed(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # `..` is not allowed there, as pydicom says
        source = pydicom.dcmread(get_testdata_file("DICOMDIR") or "")
        for record in source.DirectoryRecordSequence:
            if "ReferencedFileID" in record:
                record.ReferencedFileID = ["..", "secret"]
    (tmp_path / "cd").mkdir()
    source.save_as(tmp_path / "cd" / "DICOMDIR")
    good(tmp_path / "secret")
    good(tmp_path / "cd" / "IM1")
    assert files_of([tmp_path / "cd" / "DICOMDIR"]) == [tmp_path / "cd" / "IM1"]


def framewise(path: Path, macro: str, keyword: str, values: list[object]) -> None:
    """Write a stack whose frames say an element each for itself; None: that one does not."""
    stack(path, len(values))
    dataset = pydicom.dcmread(path)
    for name in (keyword, "ImageLaterality", "ImagerPixelSpacing", "PatientOrientation"):
        if name in dataset:
            del dataset[name]
    groups = [Dataset() for _ in values]
    for group, value in zip(groups, values, strict=True):
        if value is not None:
            item = Dataset()
            setattr(item, keyword, value)
            setattr(group, macro, Sequence([item]))
    dataset.PerFrameFunctionalGroupsSequence = Sequence(groups)
    dataset.save_as(path)


def test_a_frame_without_a_slope_beside_one_that_has_one_is_refused(tmp_path: Path) -> None:
    macro = "PixelValueTransformationSequence"
    framewise(tmp_path / "x.dcm", macro, "RescaleSlope", ["2", None, "2"])
    with pytest.raises(ImportRefused, match="rescaled in different ways"):
        read_dicom(tmp_path / "x.dcm", b"k")
    framewise(tmp_path / "x.dcm", macro, "RescaleSlope", ["2", "2.0", "2.00"])
    assert read_dicom(tmp_path / "x.dcm", b"k")[1].rescale_slope == 2.0


@pytest.mark.parametrize(
    ("macro", "keyword", "values", "kept"),
    [
        ("PixelMeasuresSequence", "PixelSpacing", [[0.1, 0.1], [0.2, 0.2]], "row_spacing_mm"),
        ("FrameAnatomySequence", "FrameLaterality", ["L", "R"], "laterality"),
        ("PlaneOrientationSequence", "ImageOrientationPatient",
         [[1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, -1]], "orientation"),
    ],
)  # fmt: skip
def test_what_frames_say_differently_is_taken_of_none(
    tmp_path: Path, macro: str, keyword: str, values: list[object], kept: str
) -> None:
    framewise(tmp_path / "x.dcm", macro, keyword, values)
    _, shown, _ = read_dicom(tmp_path / "x.dcm", b"k")
    assert getattr(shown, kept) is None
    assert "frames-differ" in [note.code for note in shown.notes]
    framewise(tmp_path / "x.dcm", macro, keyword, values[:1] * 2)
    _, shown, _ = read_dicom(tmp_path / "x.dcm", b"k")
    assert getattr(shown, kept) is not None
    assert not {"frames-differ", "element-left-out"} & {note.code for note in shown.notes}
