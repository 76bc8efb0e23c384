"""How far apart the pixels of an image are, and where that was measured (PS3.3 10.7).

A projection magnifies: its image on the detector is larger than the patient. Makers copy the
detector's spacing into Pixel Spacing, which then says no more than the detector's does.
"""

from dataclasses import dataclass

from app.images.dicom.elements import Elements

CALIBRATED, DETECTOR, SCANNED = "calibrated", "detector", "scanned"
PROJECTED = (DETECTOR, SCANNED)
"""Measurements that include the magnification."""
_ALIKE = 1e-4
_LARGEST_MAGNIFICATION = 20.0
_CALIBRATIONS = ("GEOMETRY", "FIDUCIAL")
Pair = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Spacing:
    """Pixel distances; the fields are those of `DisplayAttributes`.

    Attributes
    ----------
    row_spacing_mm, column_spacing_mm
        Between centres of rows and of columns, where `spacing_source` says; None if unknown.
    spacing_source
        "calibrated" (in the patient), "detector", "scanned" (on the film that was digitised).
    magnification
        How much larger the shadow on the detector is than the patient; None if unknown.
    """

    row_spacing_mm: float | None = None
    column_spacing_mm: float | None = None
    spacing_source: str | None = None
    magnification: float | None = None

    @property
    def ratio(self) -> Pair | None:
        """Row spacing over column spacing; None if unknown."""
        if self.row_spacing_mm is None or self.column_spacing_mm is None:
            return None
        return self.row_spacing_mm, self.column_spacing_mm


def spacing_of(elements: Elements) -> Spacing:
    """Return the spacing of a data set; invalid values are left out and noted."""
    magnification = _magnification(elements)
    calibrated, detector, scanned = (
        _pair(elements, keyword)
        for keyword in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
    )
    told = elements.text("PixelSpacingCalibrationType").upper() in _CALIBRATIONS
    copied = any(_alike(calibrated, other) for other in (detector, scanned))
    if calibrated is not None and (told or not copied):
        return Spacing(*calibrated, CALIBRATED, magnification)
    if detector is not None:
        return Spacing(*detector, DETECTOR, magnification)
    if scanned is not None:
        return Spacing(*scanned, SCANNED, magnification)
    return Spacing(magnification=magnification)


def _pair(elements: Elements, keyword: str) -> Pair | None:
    numbers = elements.numbers(keyword)
    if not numbers:
        return None
    if len(numbers) == 2 and min(numbers) > 0:
        return numbers[0], numbers[1]
    elements.say("element-left-out", keyword=keyword)
    return None


def _alike(one: Pair | None, other: Pair | None) -> bool:
    """Return whether one spacing was copied from the other; decimals may be cut off."""
    if one is None or other is None:
        return False
    return all(abs(a - b) <= _ALIKE * b for a, b in zip(one, other, strict=True))


def _magnification(elements: Elements) -> float | None:
    """Return the estimated factor, else that of the distances from the source."""
    keyword = "EstimatedRadiographicMagnificationFactor"
    factor = elements.number(keyword)
    if factor is not None:
        if 1.0 <= factor <= _LARGEST_MAGNIFICATION:
            return factor
        elements.say("element-left-out", keyword=keyword)
    detector, patient = (
        elements.number(f"DistanceSourceTo{what}") for what in ("Detector", "Patient")
    )
    if not detector or not patient or patient <= 0:
        return None
    ratio = detector / patient
    return ratio if 1.0 < ratio <= _LARGEST_MAGNIFICATION else None
