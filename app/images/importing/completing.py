"""An image that is already in the study gets what its row lacks."""

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from app.images.decoding.decode import Decoded
from app.images.importing.known import patient_of
from app.images.importing.labels import LabelRow
from app.images.notes import Note, note
from migrations.study.names import short_name
from migrations.study.schema import Image


def complete(image: Image, row: LabelRow, key: bytes, decoded: Decoded) -> list[Note]:
    """Give an image the patient, label and split that it lacks; return what differs.

    Values that the study already has are kept.
    """
    patient = patient_of(decoded, row, key)
    group = "" if image.source_group != patient.nobody else patient.group
    if group:
        image.source_group = group
        image.details = image.details | patient.details()
    taken, differing = take_labels(image, row, patient.told, patient.nobody)
    if group and patient.told:
        taken.insert(0, "patient")
    notes = [note("labels-set", what=", ".join(taken))] if taken else []
    return notes + [note("labels-differ", what=what) for what in differing]


def take_labels(image: Image, row: LabelRow, told: str, nobody: str) -> tuple[list[str], list[str]]:
    """Fill in label, split and patient; return those filled in and those that differ.

    Parameters
    ----------
    told
        The group of the row's patient; "" if it names none.
    nobody
        The group of an image that names no patient.
    """
    taken, differing = [], []
    if told and image.source_group == nobody:
        image.source_group = told
        taken.append("patient")
    elif told and image.source_group != told:
        differing.append("patient")
    for name in ("label", "split"):
        own, said = getattr(image, name), getattr(row, name)
        if not own and said:
            setattr(image, name, said)
            taken.append(name)
        elif said not in (None, own):
            differing.append(name)
    return taken, differing


def split_notes(session: OrmSession, image: Image) -> list[Note]:
    """Return a note if another image of the patient is in another split.

    Patients may come from files or from a csv, and in many imports.
    """
    own = Image.source_group == image.source_group
    other = session.scalars(
        select(Image).where(own, Image.split != image.split).order_by(Image.import_number)
    ).first()
    if other is None:
        return []
    return [note("split-differs", name=short_name(other.id), split=other.split)]
