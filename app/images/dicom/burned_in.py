"""Whether text may be part of an image's pixels: what its file says, and when to distrust it.

Ultrasound machines, digitisers and workstations write names into their pictures and often declare
"NO" for everything they make. A person reviews such an image first.
"""

from app.images.dicom.elements import Elements
from app.images.dicom.vocabulary import listed

_KNOWN_FOR_IT = listed(
    "AS BDUS CD DD DG DMS DOC EC ECG ES FS GM IVUS LP LS OCT OP OPM OPT OPV OT SM SMR SR TG US VA "
    "XC HC DF"
)
"""Modalities of ultrasound, endoscopes, cameras, paper, film and screens."""
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_ULTRASOUND = ("1.2.840.10008.5.1.4.1.1.6", "1.2.840.10008.5.1.4.1.1.3")
_CAPTURED = ("SCREEN", "CAPTURE", "REPORT", "DOSE")
_DIGITISERS = ("lumisys", "vidar", "howtek", "digitiz", "digitis", "film scan", "capture")


def burned_in(elements: Elements, modality: str | None) -> str:
    """Return "no", "yes" or "unknown"; a "NO" that is not trusted is noted.

    Parameters
    ----------
    modality
        As it is stored; None where the file names none that is listed.
    """
    said = elements.text("BurnedInAnnotation").upper()
    if said == "YES":
        return "yes"
    if said != "NO":
        return "unknown"
    if modality is None or modality in _KNOWN_FOR_IT or _is_captured(elements):
        elements.say("burned-in-unsure")
        return "unknown"
    return "no"


def _is_captured(elements: Elements) -> bool:
    """Return whether a picture was taken of a screen, a film or paper."""
    kind = elements.text("SOPClassUID")
    if any(kind == one or kind.startswith(f"{one}.") for one in (_SECONDARY_CAPTURE, *_ULTRASOUND)):
        return True
    if elements.text("ConversionType"):
        return True
    image_type = elements.text("ImageType").upper()
    makers = " ".join(
        elements.text(keyword)
        for keyword in (
            "Manufacturer", "ManufacturerModelName", "SecondaryCaptureDeviceManufacturer",
            "SecondaryCaptureDeviceManufacturerModelName",
        )
    ).casefold()  # fmt: skip
    told = any(word in image_type for word in _CAPTURED)
    return told or any(word in makers for word in _DIGITISERS)
