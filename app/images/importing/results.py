"""What an import reports about one file."""

from dataclasses import dataclass
from pathlib import Path

from app.images.attributes import DisplayAttributes
from app.images.decoding.decode import Decoded
from app.images.notes import Note


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The result for one file.

    Attributes
    ----------
    status
        "accepted", "known" (already in the study) or "refused".
    reason
        Why it was refused, or the notes in words; else empty.
    pixels_sha256
        SHA-256 of the stored values as a C-order array in pydicom's `pixel_array` dtype,
        little-endian.
    notes
        Notes of the import about the image.
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
    notes: tuple[Note, ...] = ()


def result_of(
    path: Path, status: str, image_id: str, decoded: Decoded, notes: tuple[Note, ...] = ()
) -> ImportResult:
    """Return the result for a file that was decoded; `notes` are added to those of its decoding."""
    shown: DisplayAttributes = decoded.attributes
    notes = (*shown.notes, *notes)
    return ImportResult(
        path,
        status,
        "; ".join(note.text for note in notes),
        image_id,
        shown.rows,
        shown.columns,
        shown.bits_stored,
        shown.photometric,
        decoded.sha256,
        notes,
    )
