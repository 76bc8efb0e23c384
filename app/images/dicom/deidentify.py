"""What is kept of a DICOM file: an allow-list of display, geometry and view elements.

Nothing else, private groups included, is ever copied; overlays only if they contain no text.
Patients become a keyed hash, so that images of one patient stay in one split; the key is in the
user's configuration folder, never in a study.
"""

import unicodedata
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from pydicom import uid

from app.errors import ImportStopped
from app.images.attributes import DisplayAttributes
from app.images.breast_background import air_value
from app.images.dicom.breast_views import kind_of, view_of
from app.images.dicom.burned_in import burned_in
from app.images.dicom.colour import RGB
from app.images.dicom.elements import Elements
from app.images.dicom.greyscale_elements import Greyscale, greyscale_of
from app.images.dicom.orientation import orientation_of
from app.images.dicom.origin import (
    Identity,
    Origin,
    device_name,
    device_text,
    keyed_hash,
    new_uid,
    shifted_day,
)
from app.images.dicom.overlay import overlay_of
from app.images.dicom.shutter import PIXEL_CENTRES, shutter_of
from app.images.dicom.spacing import spacing_of
from app.images.dicom.stored_values import PixelFormat, value_range
from app.images.dicom.vocabulary import BODY_PARTS, MODALITIES, maker_of, word_of
from app.images.notes import Note, note
from migrations.study.this_computer import KEY_BYTES, config_folder, make_key

_UIDS = {
    "study": "StudyInstanceUID", "series": "SeriesInstanceUID", "image": "SOPInstanceUID",
    "frame_of_reference": "FrameOfReferenceUID",
}  # fmt: skip
LINKED = {
    "patient_id": "PatientID", "patient_name": "PatientName", "study_date": "StudyDate",
    "accession_number": "AccessionNumber", "study_uid": "StudyInstanceUID",
    "series_uid": "SeriesInstanceUID", "image_uid": "SOPInstanceUID",
}  # fmt: skip
"""Columns of a linkage file and the elements they come from."""
_LATERALITY = ("L", "R", "B", "U")


def identifier_key(folder: Path | None = None) -> bytes:
    """Return the key that hashes identifiers, made at first use and readable only by its owner.

    Raises
    ------
    ImportStopped
        If it can be neither read nor made.
    """
    path = (folder or config_folder()) / "identifier.key"
    try:
        if not path.exists():
            make_key(path)
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise ImportStopped(
            f"The key that hashes patient identifiers, {path}, cannot be read or created "
            f"({error}). Restore the file, or make this user's configuration folder writable."
        ) from error
    if len(key) != KEY_BYTES:
        raise ImportStopped(
            f"{path} is damaged. Restore it from a copy; otherwise patients get new groups."
        )
    return key


def source_group(key: bytes, kind: str, identifier: str) -> str:
    """Return the keyed hash (HMAC-SHA256, 128 bits) of a patient or a source."""
    return keyed_hash(key, kind, identifier).hex()[:32]


def source_group_of(dataset: Any, key: bytes) -> str:
    """Return the group of a data set: its patient, else its study; "" if it names neither."""
    elements = Elements(dataset)
    for kind, keyword in (("patient", "PatientID"), ("study", "StudyInstanceUID")):
        # A csv's patients are in Unicode form NFC; decomposed accents are the same patient.
        identifier = unicodedata.normalize("NFC", elements.text(keyword))
        if identifier:
            return source_group(key, kind, identifier)
    return ""


def origin_of(dataset: Any, key: bytes) -> Origin:
    """Return where a data set comes from, without anything that identifies."""
    elements = Elements(dataset)
    uids = {name: elements.text(keyword) for name, keyword in _UIDS.items()}
    patient, day = elements.text("PatientID"), elements.text("StudyDate")
    maker, model = device_of(elements)
    return Origin(
        group=source_group_of(dataset, key),
        uids={name: new_uid(key, original) for name, original in uids.items() if original},
        study_day=shifted_day(key, patient, day) if patient else None,
        manufacturer=maker_of(maker),
        model=device_name(key, maker, model),
    )


def device_of(elements: Elements) -> tuple[str, str]:
    """Return maker and model as in the file, cut to printable and short text."""
    maker, model = (
        device_text(elements.text(word)) for word in ("Manufacturer", "ManufacturerModelName")
    )
    return maker, model


def identity_of(dataset: Any, key: bytes) -> Identity:
    """Return whose a data set is: what is kept, and what only a linkage file may contain."""
    elements = Elements(dataset)
    original = {name: elements.text(keyword) for name, keyword in LINKED.items()}
    return Identity(origin_of(dataset, key), original, device_of(elements))


def display_attributes(
    dataset: Any,
    stored: NDArray[Any],
    transfer_syntax: str,
    *,
    lossy: bool,
    coloured: bool = False,
    said: dict[Note, None] | None = None,
) -> DisplayAttributes:
    """Return what is kept of a data set besides its stored values.

    Parameters
    ----------
    dataset
        Photometric interpretation and bits are those of the stored values.
    stored
        Shape (H, W) or (N, H, W), with 3 at the end for colour.
    coloured
        Whether the file has colours, even if all are grey: windows and LUTs do not apply to them.
    said
        Notes on the data set so far; those from reading here are added.
    """
    elements = Elements(dataset, said)
    samples = 3 if str(dataset.PhotometricInterpretation) == RGB else 1
    *frames, rows, columns = stored.shape[:-1] if samples > 1 else stored.shape
    allocated = stored.dtype.itemsize * 8
    pixels = PixelFormat(allocated, int(dataset.BitsStored), stored.dtype.kind == "i")
    spacing = spacing_of(elements)
    aspect = _aspect(elements, spacing.ratio)
    modality, view = _word(elements, "Modality", MODALITIES), view_of(elements)
    big_endian = transfer_syntax == uid.ExplicitVRBigEndian
    size = (rows, columns, aspect)
    grey = (
        Greyscale(shutter=shutter_of(elements, size))
        if coloured
        else greyscale_of(elements, pixels, size, big_endian=big_endian)
    )
    kept = DisplayAttributes(
        rows=rows,
        columns=columns,
        frames=frames[0] if frames else 1,
        samples=samples,
        photometric=str(dataset.PhotometricInterpretation),
        bits_stored=pixels.stored,
        bits_allocated=pixels.allocated,
        signed=pixels.signed,
        stored_low=0,
        stored_high=0,
        transfer_syntax=transfer_syntax,
        lossy=lossy or elements.text("LossyImageCompression") == "01",
        row_spacing_mm=spacing.row_spacing_mm,
        column_spacing_mm=spacing.column_spacing_mm,
        spacing_source=spacing.spacing_source,
        magnification=spacing.magnification,
        pixel_aspect=aspect,
        modality=modality,
        body_part=_word(elements, "BodyPartExamined", BODY_PARTS),
        laterality=_laterality(elements),
        view=view.view,
        view_modifiers=view.modifiers,
        kind=kind_of(elements, modality, bool(frames)),
        orientation=orientation_of(elements, modality),
        for_processing=elements.text("PresentationIntentType") == "FOR PROCESSING",
        burned_in=burned_in(elements, modality),
        overlay=overlay_of(dataset, elements, (rows, columns)),
        **{field.name: getattr(grey, field.name) for field in fields(grey)},
    )
    if samples > 1:
        low, high = pixels.limits
    else:
        low, high = value_range(_seen(stored, kept), pixels, kept.padding_range)
    kept = replace(kept, stored_low=low, stored_high=high)
    notes = (*_notes(kept), *elements.notes)
    air = None if coloured else air_value(stored, kept)
    return replace(kept, air_value=air, notes=notes)


def _seen(stored: NDArray[Any], kept: DisplayAttributes) -> NDArray[Any]:
    """Return what a display shutter leaves of an image; for a stack, frame by frame, (N, 1, n)."""
    if kept.shutter is None:
        return stored
    open_pixels = kept.shutter.open_on(PIXEL_CENTRES, kept.columns, kept.rows)
    seen = stored[..., open_pixels]
    return seen[:, None] if stored.ndim == 3 else seen


def _notes(kept: DisplayAttributes) -> tuple[Note, ...]:
    stack = (note("stack", frames=kept.frames),) if kept.frames > 1 else ()
    return (*stack, note("for-processing")) if kept.for_processing else stack


def _word(elements: Elements, keyword: str, allowed: frozenset[str]) -> str | None:
    """Return the listed word in an element."""
    text = elements.text(keyword)
    word = word_of(text, allowed)
    if text and word is None:
        elements.say("word-left-out", keyword=keyword)
    return word


def _laterality(elements: Elements) -> str | None:
    found = (
        elements.choice(keyword, _LATERALITY)
        for keyword in ("ImageLaterality", "FrameLaterality", "Laterality")
    )
    return next((side for side in found if side), None)


def _aspect(elements: Elements, spacing: tuple[float, float] | None) -> float:
    """Return height over width of a pixel."""
    ratio = spacing or tuple(elements.numbers("PixelAspectRatio"))
    return ratio[0] / ratio[1] if len(ratio) == 2 and min(ratio) > 0 else 1.0
