"""What an import says of one file."""

from dataclasses import dataclass
from pathlib import Path

from app.images.attributes import DisplayAttributes
from app.images.decode import Decoded


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of one file.

    Attributes
    ----------
    status
        "accepted", "known" (the same pixels are in the study) or "refused".
    reason
        Why it was refused, or what was done to its pixels; else empty.
    pixels_sha256
        Of the stored values as C-order array in pydicom's `pixel_array` dtype, little-endian.
    """

    path: Path
    status: str
    reason: str = ""
    image_id: str | None = None
    rows: int | None = None
    columns: int | None = None
    bits: int | None = None
    photometric: str | None = None
    pixels_sha256: str | None = None


def result_of(path: Path, status: str, image_id: str, decoded: Decoded) -> ImportResult:
    """Return what became of a file that was decoded."""
    shown: DisplayAttributes = decoded.attributes
    return ImportResult(
        path,
        status,
        "; ".join(_remarks(decoded)),
        image_id,
        shown.rows,
        shown.columns,
        shown.bits_stored,
        shown.photometric,
        decoded.sha256,
    )


def _remarks(decoded: Decoded) -> list[str]:
    """Return what the user should know of an accepted file."""
    shown, rectangles = decoded.attributes, len(decoded.rectangles)
    remarks = [shown.note] if shown.note else []
    if shown.frames > 1:
        remarks.append(f"a stack of {shown.frames} frames")
    if shown.for_processing:
        remarks.append("it is meant FOR PROCESSING, not for presentation: its contrast is raw")
    if rectangles:
        remarks.append(f"{rectangles} rectangles blacked out by the mask of its device")
    return remarks
