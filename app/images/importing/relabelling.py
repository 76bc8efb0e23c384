"""A csv of labels without files: its rows name images of the study.

A study does not store file names, so a row with a file's path matches nothing here. It does
together with the files, which are recognised by their pixels.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from app.images.dicom.deidentify import identifier_key, source_group
from app.images.importing.completing import split_notes, take_labels
from app.images.importing.labels import LabelLine, LabelTable
from app.images.importing.reconciliation import CONFLICT, ROW_WITHOUT_FILE, Mismatch, Reconciliation
from app.images.notes import note
from migrations.study.audit import add_audit
from migrations.study.errors import AmbiguousName
from migrations.study.folder import Study
from migrations.study.names import Names, names_of
from migrations.study.schema import Image

_UNMET = (
    "no image of the study has this name, and no files were given; give the files together "
    "with the csv"
)


def set_labels(study: Study, table: LabelTable) -> Reconciliation:
    """Give images the labels, splits and patients that they lack; existing values are kept.

    Parameters
    ----------
    table
        Its rows name images by name, id or SHA-256 of their pixels.
    """
    key, mismatches, matched, labelled = identifier_key(), list[Mismatch](), 0, 0
    with study.database.write() as session:
        names = names_of(session, "image")
        for line in table.lines:
            image = _meant(session, names, line)
            if isinstance(image, str):
                mismatches.append(Mismatch(ROW_WITHOUT_FILE, line.number, line.image, "", image))
                continue
            matched += 1
            told = source_group(key, "patient", line.row.patient) if line.row.patient else ""
            nobody = source_group(key, "pixels", image.details.get("imported_sha256", image.sha256))
            taken, differing = take_labels(image, line.row, told, nobody)
            labelled += bool(taken)
            mismatches += [
                Mismatch(CONFLICT, line.number, line.image, "", note("labels-differ", what=w).text)
                for w in differing
            ]
            mismatches += [
                Mismatch(CONFLICT, line.number, line.image, "", one.text)
                for one in (split_notes(session, image) if line.row.split else ())
            ]
            if taken:
                add_audit(session, "labels set", image.id, {"what": taken})
    mismatches.sort(key=lambda one: one.kind == CONFLICT)
    return Reconciliation(
        table.path,
        table.encoding,
        len(table.lines),
        matched,
        tuple(mismatches),
        labelled,
        table.unread,
    )


def _meant(session: OrmSession, names: Names, line: LabelLine) -> Image | str:
    """Return the image that a row means, or why it means none."""
    try:
        image_id = names.called(line.image)
    except AmbiguousName as error:
        return str(error)
    if image_id is not None:
        return session.get_one(Image, image_id)
    pixels = select(Image).where(Image.sha256 == line.image.strip().lower())
    found = session.scalars(pixels).all()
    if len(found) > 1:
        return "several images have these pixels; give the name of the one you mean"
    return found[0] if found else _UNMET
