"""An image that is in the study already gets what it lacks of its row."""

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from app.images.decoding.decode import Decoded
from app.images.importing.known import patient_of
from app.images.importing.labels import LabelRow
from app.images.notes import Note, note
from migrations.study.names import short_name
from migrations.study.schema import Image


def complete(image: Image, row: LabelRow, key: bytes, decoded: Decoded) -> list[Note]:
    """Give an image the patient, label and split that it still lacks; return what differs.

    What the study says stays.
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
    """Fill in label, split and patient; return which were, and which the study says otherwise.

    Parameters
    ----------
    told
        The group of the row's patient; empty where it names none.
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
    """Return what is to be said where another image of the patient is in another split.

    Patients are told by their files as well as by a csv, and come in over many imports.
    """
    own = Image.source_group == image.source_group
    other = session.scalars(
        select(Image).where(own, Image.split != image.split).order_by(Image.import_number)
    ).first()
    if other is None:
        return []
    return [note("split-differs", name=short_name(other.id), split=other.split)]
