"""Files that lie on no disk of ours: an archive hands them out, or a sender brings them.

They go by names like paths, `study UID/series UID/image UID`, and the way of every file.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from app.images.dicom.origin import new_uid
from app.images.importing.labels import LabelRow
from app.images.importing.results import ImportResult
from app.images.notes import note
from migrations.study.folder import Study
from migrations.study.names import short_name
from migrations.study.schema import Image


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where files come from that are no files.

    Attributes
    ----------
    read
        Returns a file's bytes by its name; raises ImportRefused where it cannot be had, and
        ImportStopped where none can be had any more.
    resumes
        Whether what the study has is not read again: an image is known by its UID's hash.
    """

    read: Callable[[Path], bytes]
    resumes: bool = False


def known_already(study: Study, key: bytes, name: Path, row: LabelRow) -> ImportResult | None:
    """Return what is to be said of an image that the study has; None where it must be read.

    It is read again where a csv says something of it, so that this is taken as from a file.
    """
    if row != LabelRow():
        return None
    uid = Image.details[("uids", "image")].as_string()
    with study.database.read() as session:
        image = session.scalars(select(Image).where(uid == new_uid(key, name.name))).first()
        if image is None:
            return None
        said = note("known", name=short_name(image.id))
        digest = image.details.get("imported_sha256") or image.sha256
        return ImportResult(
            name, "known", said.text, image.id, image.rows, image.columns, image.bits,
            image.photometric, digest, (said,),
        )  # fmt: skip
