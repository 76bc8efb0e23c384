"""Files that are on none of our disks: sent by an archive or by a C-STORE sender.

They have names like paths, `study UID/series UID/image UID`, and are treated like every file.
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
    """A source of files that are not on a disk.

    Attributes
    ----------
    read
        Returns a file's bytes by its name; raises ImportRefused if it is not available, and
        ImportStopped if none are any more.
    resumes
        Whether to skip what the study already has: an image is recognised by its UID's hash.
    """

    read: Callable[[Path], bytes]
    resumes: bool = False


def known_already(study: Study, key: bytes, name: Path, row: LabelRow) -> ImportResult | None:
    """Return the result for an image that the study has; None if it must be read.

    It is read again if a csv says something about it, which then applies as for a file.
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
