"""An image that is in the study already gets what it lacks of its row."""

from app.images.decode import Decoded
from app.images.known import patient_of
from app.images.labels import LabelRow
from app.images.notes import Note, note
from migrations.study.schema import Image


def complete(image: Image, row: LabelRow, key: bytes, decoded: Decoded) -> list[Note]:
    """Give an image the patient, label and split that it still lacks; return what differs.

    What the study says stays.
    """
    patient = patient_of(decoded, row, key)
    if patient.group and image.source_group == patient.nobody:
        image.source_group = patient.group
        image.details = image.details | patient.details()
    differing = _completed(image, row)
    if patient.told and image.source_group != patient.told:
        differing.insert(0, "patient")
    return [note("labels-differ", what=what) for what in differing]


def _completed(image: Image, row: LabelRow) -> list[str]:
    """Fill in label and split; return which of them the study says otherwise."""
    differing = []
    for name in ("label", "split"):
        own, told = getattr(image, name), getattr(row, name)
        if not own:
            setattr(image, name, told)
        elif told not in (None, own):
            differing.append(name)
    return differing
