"""Write a phantom as a DICOM file: Digital Mammography X-Ray Image, For Presentation."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence

_SYNTAXES = {
    "explicit": uid.ExplicitVRLittleEndian,
    "implicit": uid.ImplicitVRLittleEndian,
    "deflated": uid.DeflatedExplicitVRLittleEndian,
    "jpeg-ls": uid.JPEGLSLossless,
    "rle": uid.RLELossless,
}
_VIEW_CODES = {"CC": ("399162004", "cranio-caudal"), "MLO": ("399368009", "medio-lateral oblique")}
_CLASS = uid.DigitalMammographyXRayImageStorageForPresentation
_SPACING_MM = 0.24
AIR = 0.012
"""Share of the value range kept below the breast, so that air is not the only black."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How one file is written.

    Attributes
    ----------
    bits
        Bits stored, 12 to 16.
    photometric
        "MONOCHROME1" or "MONOCHROME2".
    syntax
        explicit, implicit, deflated, jpeg-ls or rle.
    """

    bits: int
    photometric: str
    syntax: str


def dicom_file(
    path: Path,
    brightness: NDArray[np.float32],
    encoding: Encoding,
    who: tuple[str, str],
    view: str,
    number: int,
) -> NDArray[np.uint16]:
    """Write a file and return its stored values.

    Parameters
    ----------
    brightness
        Shape (rows, columns), 0 (air) to 1.
    who
        Identifier and name of the (fictitious) patient.
    view
        "L CC", "R MLO", …
    number
        Seed of the file's UIDs.
    """
    top = 2**encoding.bits - 1
    stored = np.floor((AIR + (0.985 - AIR) * brightness) * top + 0.5).astype(np.uint16)
    if encoding.photometric == "MONOCHROME1":
        stored = (top - stored).astype(np.uint16)
    dataset = FileDataset(str(path), {}, file_meta=_meta(who[0], number), preamble=bytes(128))
    _describe_patient(dataset, who, number)
    _describe_view(dataset, view)
    _describe_pixels(dataset, stored, encoding)
    _describe_greyscale(dataset, encoding, number)
    if (
        dataset.VOILUTFunction == "SIGMOID"
    ):  # a sigmoid brightens air: it must be declared as padding
        dataset.PixelPaddingValue = int(stored[brightness == 0][0])
    _encode(dataset, encoding.syntax)
    dataset.save_as(path, enforce_file_format=True)
    return np.asarray(stored)


def _uid(*words: object) -> uid.UID:
    return uid.generate_uid(prefix="2.25.", entropy_srcs=[str(word) for word in words])


def _meta(patient_id: str, number: int) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = _CLASS
    meta.MediaStorageSOPInstanceUID = _uid("instance", patient_id, number)
    meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    return meta


def _describe_patient(dataset: Dataset, who: tuple[str, str], number: int) -> None:
    dataset.SOPClassUID = _CLASS
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = _uid("study", who), _uid("series", who)
    dataset.PatientID, dataset.PatientName = who
    dataset.PatientBirthDate, dataset.PatientSex = "19610203", "F"
    dataset.InstitutionName = "Fictitious Breast Clinic"
    dataset.ReferringPhysicianName = "Nobody^Imaginary"
    dataset.AccessionNumber = f"ACC{number:06d}"
    dataset.StudyDate = dataset.ContentDate = "20240506"
    dataset.StudyTime = dataset.ContentTime = "101112"
    dataset.StudyID, dataset.SeriesNumber, dataset.InstanceNumber = "1", 1, number


def _describe_view(dataset: Dataset, view: str) -> None:
    side, name = view.split()
    code = Dataset()
    code.CodeValue, code.CodeMeaning = _VIEW_CODES[name]
    code.CodingSchemeDesignator = "SCT"
    dataset.ViewCodeSequence = Sequence([code])
    dataset.Modality, dataset.BodyPartExamined = "MG", "BREAST"
    dataset.ImageLaterality, dataset.ViewPosition = side, name
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    across, medial = ("A", "R") if side == "L" else ("P", "L")
    dataset.PatientOrientation = [across, medial if name == "CC" else f"F{medial}"]
    dataset.ImagerPixelSpacing = [_SPACING_MM, _SPACING_MM]


def _describe_pixels(dataset: Dataset, stored: NDArray[np.uint16], encoding: Encoding) -> None:
    dataset.Rows, dataset.Columns = stored.shape
    dataset.SamplesPerPixel, dataset.PixelRepresentation = 1, 0
    dataset.PhotometricInterpretation = encoding.photometric
    dataset.BitsAllocated, dataset.BitsStored = 16, encoding.bits
    dataset.HighBit = encoding.bits - 1
    dataset["PixelData"] = DataElement(0x7FE00010, "OW", stored.astype("<u2").tobytes())


def _describe_greyscale(dataset: Dataset, encoding: Encoding, number: int) -> None:
    full = 2**encoding.bits
    inverse = encoding.photometric == "MONOCHROME1"
    dataset.PresentationLUTShape = "INVERSE" if inverse else "IDENTITY"
    dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = "1", "0", "US"
    center = full * (0.60 if inverse else 0.40)
    dataset.WindowCenter = [f"{center:.0f}", f"{center:.0f}", f"{full / 2:.0f}"]
    dataset.WindowWidth = [f"{full * 0.80:.0f}", f"{full * 0.55:.0f}", str(full)]
    dataset.WindowCenterWidthExplanation = ["NORMAL", "HARDER", "SOFTER"]
    dataset.VOILUTFunction = "SIGMOID" if number % 4 == 0 else "LINEAR"
    dataset.LossyImageCompression = "00"
    if number % 3:  # missing in most real files
        dataset.BurnedInAnnotation = "NO"


def _encode(dataset: FileDataset, syntax: str) -> None:
    target = _SYNTAXES[syntax]
    if target in (uid.JPEGLSLossless, uid.RLELossless):
        dataset.compress(target, generate_instance_uid=False)
    else:
        dataset.file_meta.TransferSyntaxUID = target
