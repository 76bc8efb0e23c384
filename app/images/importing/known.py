"""Whether an image is already in the study, which one it is, and what differs.

The same pixels are the same image if shape, number type, photometric interpretation and patient are
the same. A file that names no patient is compatible with any: it is whichever image has these
pixels.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session as OrmSession

from app.errors import ImageUnreadable
from app.images.attributes import DisplayAttributes
from app.images.decoding.decode import Decoded
from app.images.dicom.deidentify import source_group
from app.images.files import DISPLAY
from app.images.importing.labels import LabelRow
from app.images.notes import Note, note
from migrations.study.folder import Study
from migrations.study.names import short_name
from migrations.study.schema import Image

FILE_GROUP = "file_group"
"""In an image's details: the group of the patient in its file, if the csv names another."""

_ATTRIBUTES = {
    "modality": "modality", "body_part": "body part", "laterality": "laterality", "view": "view",
    "row_spacing_mm": "spacing", "column_spacing_mm": "spacing", "pixel_aspect": "pixel aspect",
    "rescale_slope": "rescale", "rescale_intercept": "rescale", "modality_lut": "Modality LUT",
    "windows": "windows", "voi_luts": "windows", "padding_value": "padding", "shutter": "shutter",
    "presentation_shape": "presentation shape", "for_processing": "presentation intent",
    "transfer_syntax": "transfer syntax", "source_format": "format",
}  # fmt: skip
"""What is compared for a known image, and its name in messages."""


@dataclass(frozen=True, slots=True)
class Patient:
    """Whose image a file is; all keyed hashes, empty where unknown.

    Attributes
    ----------
    told
        According to the csv.
    in_file
        According to the file itself.
    nobody
        Stands for the patient of an image that names none.
    """

    told: str
    in_file: str
    nobody: str

    @property
    def group(self) -> str:
        """The patient that counts: the csv takes precedence over the file."""
        return self.told or self.in_file

    def details(self) -> dict[str, Any]:
        """Return what the image's row stores so that the file alone is recognised again."""
        kept = self.told and self.in_file and self.told != self.in_file
        return {FILE_GROUP: self.in_file} if kept else {}

    def may_be_of(self, image: Image) -> bool:
        """Tell whether nothing says that an image belongs to another patient."""
        if not self.group:
            return True
        said = {self.told, self.in_file, self.nobody} - {""}
        return image.source_group in said or image.details.get(FILE_GROUP) in said


def patient_of(decoded: Decoded, row: LabelRow, key: bytes) -> Patient:
    """Return whose image a file is."""
    return Patient(
        source_group(key, "patient", row.patient) if row.patient else "",
        decoded.origin.group,
        source_group(key, "pixels", decoded.sha256),
    )


@dataclass(frozen=True, slots=True)
class Found:
    """What the study has for some pixels.

    Attributes
    ----------
    known
        The image itself.
    twin, differing
        If it is new: an image with the same pixels, and what makes this one different.
    """

    known: Image | None = None
    twin: Image | None = None
    differing: tuple[str, ...] = ()

    def notes(self, study: Study, decoded: Decoded, staging: Path) -> list[Note]:
        """Return the notes; `staging` has the files of what was decoded."""
        if self.known is not None:
            said = [note("known", name=short_name(self.known.id))]
            what = _listed(_differing(study, self.known, staging))
            return [*said, note("known-differs", what=what)] if what else said
        if self.twin is not None:
            name = short_name(self.twin.id)
            return [note("same-pixels", name=name, what=_listed(self.differing))]
        return []


def look_up(session: OrmSession, decoded: Decoded, patient: Patient) -> Found:
    """Return the image that a file is, even if rectangles of it were blacked out."""
    imported = Image.details["imported_sha256"].as_string()
    same = or_(Image.sha256.in_((decoded.sha256, decoded.kept_sha256)), imported == decoded.sha256)
    there = session.scalars(select(Image).where(same).order_by(Image.import_number)).all()
    pictures = [image for image in there if not _other_picture(image, decoded)]
    own = [i for i in pictures if patient.may_be_of(i) or _same_instance(i, decoded, patient)]
    if own:
        return Found(known=_most_like(own, patient))
    if not there:
        return Found()
    twin = (pictures or there)[0]
    return Found(None, twin, tuple(_other_picture(twin, decoded)) or ("patient",))


def _most_like(images: list[Image], patient: Patient) -> Image:
    """Return the patient's own image, preferred to one that names no patient."""
    return next((i for i in images if i.source_group == patient.group), images[0])


def _same_instance(image: Image, decoded: Decoded, patient: Patient) -> bool:
    """Tell whether a file is the source of an image whose patient an earlier csv named."""
    uid = decoded.origin.uids.get("image")
    return (
        not patient.told and uid is not None and image.details.get("uids", {}).get("image") == uid
    )


def _other_picture(image: Image, decoded: Decoded) -> list[str]:
    """Return what makes this a different picture of the same pixels."""
    shown, found = decoded.attributes, []
    own = (image.rows, image.columns, image.frames)
    if own != (shown.rows, shown.columns, shown.frames):
        found.append("shape")
    if image.dtype not in (None, shown.dtype):
        found.append("number format")
    if image.photometric != shown.photometric:
        found.append("photometric interpretation")
    return found


def _differing(study: Study, image: Image, staging: Path) -> Iterable[str]:
    """Return the parts of how a file shows an image that the study has differently."""
    try:
        own = DisplayAttributes.read(study.image_folder(image.id) / DISPLAY)
        told = DisplayAttributes.read(staging / DISPLAY)
    except (
        OSError,
        ImageUnreadable,
    ):  # its folder is lost, which is reported when the image is opened
        return ()
    return dict.fromkeys(
        called for name, called in _ATTRIBUTES.items() if getattr(own, name) != getattr(told, name)
    )


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)
