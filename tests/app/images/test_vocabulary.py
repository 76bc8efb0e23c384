"""Kept words come from closed lists; "no burned-in text" is believed of some kinds only."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from app.images.decoding.read_dicom import read_dicom
from app.images.dicom.burned_in import burned_in
from app.images.dicom.deidentify import origin_of
from app.images.dicom.elements import Elements
from app.images.dicom.vocabulary import BODY_PARTS, maker_of, word_of
from app.images.masks import MaskTemplate
from tests import ROOT
from tests.app.images.image_files import good

HANDED = ROOT.parent / "shared" / "cases" / "images"
NAME = "Weber"


def test_names_in_every_kept_word_are_nowhere(tmp_path: Path) -> None:
    dataset = pydicom.dcmread(good(tmp_path / "x.dcm"))
    for keyword in (
        "Manufacturer", "ManufacturerModelName", "BodyPartExamined", "ViewPosition", "Laterality",
        "PixelSpacingCalibrationType", "PixelSpacingCalibrationDescription", "SeriesDescription",
    ):  # fmt: skip
        setattr(dataset, keyword, f"{NAME.upper()} H")
    dataset.Modality = NAME.upper()
    del dataset.ViewCodeSequence
    dataset.WindowCenterWidthExplanation = [f"for Dr {NAME}", "B", "C"]
    table = Dataset()
    table.LUTDescriptor, table.LUTExplanation = [4, 0, 12], NAME
    table.LUTData = np.array([0, 1000, 2000, 4095], np.uint16).tobytes()
    dataset.VOILUTSequence = Sequence([table])
    view = Dataset()
    view.CodeValue, view.CodeMeaning = NAME, NAME
    dataset.ViewCodeSequence = Sequence([view])
    dataset.save_as(tmp_path / "x.dcm", enforce_file_format=False)
    _, kept, identity = read_dicom(tmp_path / "x.dcm", b"k" * 32)
    assert (kept.modality, kept.body_part, kept.view) == (None, None, None)
    assert identity.origin.manufacturer == ""
    everything = kept.to_json() + json.dumps(asdict(identity.origin))
    assert NAME.lower() not in everything.lower()
    codes = [note.text.split()[0] for note in kept.notes if note.code == "word-left-out"]
    assert codes == ["Modality", "ViewPosition", "BodyPartExamined"]


@pytest.mark.parametrize(
    ("said", "kept"),
    [("chest", "CHEST"), ("C_SPINE ", "CSPINE"), ("WEBER H 4711", None), ("BREAST WEBER", None)],
)
def test_a_body_part_is_a_listed_word_or_nothing(said: str, kept: str | None) -> None:
    assert word_of(said, BODY_PARTS) == kept


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("HOLOGIC, Inc.", "Hologic"), ("GE MEDICAL SYSTEMS", "GE Medical Systems"),
        ("SIEMENS at Weber Clinic", "Siemens"), ("Made for Gerber", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_maker_is_kept_by_its_listed_name_alone(said: str, kept: str) -> None:
    assert maker_of(said) == kept


def test_files_of_one_device_share_a_code_that_holds_no_word_of_theirs() -> None:
    def device(maker: str, model: str) -> str:
        dataset = Dataset()
        dataset.Manufacturer, dataset.ManufacturerModelName = maker, model
        return origin_of(dataset, b"k" * 32).model

    assert device("Aloka", "Weber 7") == device("ALOKA", "WEBER 7")
    assert len({device("Aloka", "Weber 7"), device("Aloka", "8"), device("Canon", "8")}) == 3
    assert "weber" not in device("Aloka", "Weber 7").lower()
    assert device("", "") == ""


def test_a_mask_that_names_the_device_as_its_files_do_still_holds(tmp_path: Path) -> None:
    from app.images.decoding.decode_file import answer_to

    dataset = pydicom.dcmread(good(tmp_path / "x.dcm"))
    dataset.Manufacturer, dataset.ManufacturerModelName = "Aloka", "Model 1"
    dataset.save_as(tmp_path / "x.dcm")
    (tmp_path / "out").mkdir()
    mask = MaskTemplate("Aloka", "Model 1", 40, 30, ((0, 0, 30, 6),))
    request = {"path": str(tmp_path / "x.dcm"), "folder": str(tmp_path / "out"),
               "masks": [asdict(mask)]}  # fmt: skip
    assert [tuple(r) for r in answer_to(request, b"k" * 32)["rectangles"]] == [(0, 0, 30, 6)]


def said(modality: str, **elements: object) -> str:
    dataset = Dataset()
    dataset.BurnedInAnnotation = "NO"
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return burned_in(Elements(dataset), modality)


@pytest.mark.parametrize("modality", ["MG", "CR", "DX", "CT", "MR"])
def test_a_no_of_what_is_not_known_for_text_is_believed(modality: str) -> None:
    assert said(modality) == "no"
    assert said(modality, BurnedInAnnotation="YES") == "yes"
    assert said(modality, BurnedInAnnotation="") == "unknown"


@pytest.mark.parametrize(
    ("modality", "elements"),
    [
        ("US", {}), ("OT", {}), ("ES", {}), ("XC", {}),
        ("CR", {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}),
        ("MG", {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7.2"}),
        ("CT", {"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}),
        ("CR", {"ConversionType": "DF"}),
        ("MG", {"Manufacturer": "LUMISYS"}),
        ("DX", {"SecondaryCaptureDeviceManufacturer": "Vidar"}),
    ],
)  # fmt: skip
def test_a_no_of_what_is_known_for_text_is_not_believed_unseen(modality, elements) -> None:
    assert said(modality, **elements) == "unknown"


@pytest.mark.skipif(not HANDED.is_dir(), reason="the handed files are not here")
def test_the_handed_name_in_a_window_is_not_kept() -> None:
    _, kept, identity = read_dicom(HANDED / "d01_name_in_window_explanation.dcm", b"k" * 32)
    text = (kept.to_json() + json.dumps(asdict(identity.origin))).lower()
    assert not [word for word in ("weber", "0171", "4711") if word in text]
