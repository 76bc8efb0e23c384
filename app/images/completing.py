"""An image that is in the study already gets what it lacks of its row, and never another's."""

from app.images.decode import Decoded
from app.images.deidentify import source_group
from app.images.labels import LabelRow
from app.images.notes import Note, note
from migrations.study.schema import Image


def complete(image: Image, row: LabelRow, key: bytes, decoded: Decoded) -> list[Note]:
    """Give an image the patient, label and split that it still lacks; return what differs.

    What the study says stays. Of a file of another patient, whose pixels happen to be the same,
    nothing is taken.
    """
    told = source_group(key, "patient", row.patient) if row.patient else None
    group = told or decoded.origin.group
    if group and image.source_group == source_group(key, "pixels", decoded.sha256):
        image.source_group = group
    if group and image.source_group not in (group, decoded.origin.group):
        return [note("other-patient")]
    differing = _completed(image, row)
    if told and image.source_group != told:
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
