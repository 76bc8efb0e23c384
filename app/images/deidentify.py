"""What is kept of a DICOM file: an allow-list of display, geometry and view elements.

Everything else, private groups and overlays included, is never copied. Patients become a keyed
hash, so that images of one patient stay in one split; the key lies in the user's configuration
folder, never in a study.
"""

import math
import os
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_config_path

from app.errors import ImportStopped
from app.images.attributes import DisplayAttributes, LookUpTable, Window
from app.images.breast_background import air_value
from app.images.greyscale import VOI_FUNCTIONS
from app.images.notes import Note, note
from app.images.origin import Identity, Origin, device_text, keyed_hash, new_uid, shifted_day

KEY_BYTES = 32
_VIEW_CODES = {
    "399162004": "CC", "R-10242": "CC", "399368009": "MLO", "R-10226": "MLO",
    "399260004": "ML", "R-10224": "ML", "399352003": "LM", "R-10228": "LM",
    "399196006": "LMO", "R-10230": "LMO",
}  # fmt: skip
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
_IDENTIFYING = (
    "PatientName", "PatientID", "OtherPatientIDs", "PatientBirthDate", "AccessionNumber",
    "InstitutionName", "InstitutionAddress", "ReferringPhysicianName", "OperatorsName",
    "PerformingPhysicianName", "StationName", "StudyID",
)  # fmt: skip


def config_folder() -> Path:
    """Return the user's own folder for Foveate (`FOVEATE_CONFIG_DIR` names another)."""
    configured = os.environ.get("FOVEATE_CONFIG_DIR")
    return Path(configured) if configured else user_config_path("foveate", appauthor=False)


def identifier_key(folder: Path | None = None) -> bytes:
    """Return the key that hashes identifiers, made at first use and readable by its owner alone.

    Raises
    ------
    ImportStopped
        If it can be neither read nor made.
    """
    path = (folder or config_folder()) / "identifier.key"
    try:
        if not path.exists():
            _make_key(path)
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise ImportStopped(
            f"The key that hashes patient identifiers, {path}, cannot be read or made ({error}). "
            "Give this user a writable configuration folder, or restore the file."
        ) from error
    if len(key) != KEY_BYTES:
        raise ImportStopped(f"{path} is damaged: restore it, or patients get new groups.")
    return key


def source_group(key: bytes, kind: str, identifier: str) -> str:
    """Return the keyed hash (HMAC-SHA256, 128 bits) that stands for a patient or a source."""
    return keyed_hash(key, kind, identifier).hex()[:32]


def source_group_of(dataset: Any, key: bytes) -> str:
    """Return the group of a data set: its patient, else its study; empty if it names neither."""
    for kind, keyword in (("patient", "PatientID"), ("study", "StudyInstanceUID")):
        identifier = _text(dataset, keyword)
        if identifier:
            return source_group(key, kind, identifier)
    return ""


def origin_of(dataset: Any, key: bytes) -> Origin:
    """Return where a data set comes from, with nothing left that identifies."""
    uids = {name: _text(dataset, keyword) for name, keyword in _UIDS.items()}
    patient, day = _text(dataset, "PatientID"), _text(dataset, "StudyDate")
    maker, model = (
        device_text(_text(dataset, keyword))
        for keyword in ("Manufacturer", "ManufacturerModelName")
    )
    return Origin(
        group=source_group_of(dataset, key),
        uids={name: new_uid(key, original) for name, original in uids.items() if original},
        study_day=shifted_day(key, patient, day) if patient else None,
        manufacturer=maker if _anonymous(dataset, maker) else "",
        model=model if _anonymous(dataset, model) else "",
    )


def identity_of(dataset: Any, key: bytes) -> Identity:
    """Return who a data set is of: what is kept, and what only a linkage file may hold."""
    original = {name: _text(dataset, keyword) for name, keyword in LINKED.items()}
    return Identity(origin_of(dataset, key), original)


def display_attributes(
    dataset: Any, stored: NDArray[Any], transfer_syntax: str, *, lossy: bool
) -> DisplayAttributes:
    """Return what is kept of a data set beside its stored values (H, W) or (N, H, W)."""
    padding, limit = _padding(dataset)
    low, high = stored_range(stored, padding, limit)
    spacing, source = _spacing(dataset)
    kept = DisplayAttributes(
        rows=stored.shape[-2],
        columns=stored.shape[-1],
        frames=stored.shape[0] if stored.ndim == 3 else 1,
        photometric=str(dataset.PhotometricInterpretation),
        bits_stored=int(dataset.BitsStored),
        bits_allocated=stored.dtype.itemsize * 8,
        signed=stored.dtype.kind == "i",
        stored_low=low,
        stored_high=high,
        transfer_syntax=transfer_syntax,
        lossy=lossy or _text(dataset, "LossyImageCompression") == "01",
        rescale_slope=_number(dataset, "RescaleSlope") or 1.0,
        rescale_intercept=_number(dataset, "RescaleIntercept") or 0.0,
        modality_lut=next(iter(_tables(dataset, "ModalityLUTSequence")), None),
        windows=_windows(dataset),
        voi_luts=_tables(dataset, "VOILUTSequence"),
        voi_function=_choice(dataset, "VOILUTFunction", VOI_FUNCTIONS) or "LINEAR",
        padding_value=padding,
        padding_limit=limit,
        presentation_shape=_choice(dataset, "PresentationLUTShape", ("IDENTITY", "INVERSE")),
        row_spacing_mm=spacing[0] if spacing else None,
        column_spacing_mm=spacing[1] if spacing else None,
        spacing_source=source,
        magnification=_number(dataset, "EstimatedRadiographicMagnificationFactor"),
        pixel_aspect=_aspect(dataset, spacing),
        modality=_code(dataset, "Modality"),
        body_part=_code(dataset, "BodyPartExamined"),
        laterality=_choice(dataset, "ImageLaterality", _LATERALITY)
        or _choice(dataset, "FrameLaterality", _LATERALITY)
        or _choice(dataset, "Laterality", _LATERALITY),
        view=_view(dataset),
        for_processing=_text(dataset, "PresentationIntentType") == "FOR PROCESSING",
        burned_in={"NO": "no", "YES": "yes"}.get(_text(dataset, "BurnedInAnnotation"), "unknown"),
    )
    return replace(kept, air_value=air_value(stored, kept), notes=_notes(kept))


def _notes(kept: DisplayAttributes) -> tuple[Note, ...]:
    stack = (note("stack", frames=kept.frames),) if kept.frames > 1 else ()
    return (*stack, note("for-processing")) if kept.for_processing else stack


def stored_range(
    stored: NDArray[Any], padding: int | None = None, limit: int | None = None
) -> tuple[int, int]:
    """Return the percentiles 0.1 and 99.9 of stored values, padding left out."""
    offset, size = int(np.iinfo(stored.dtype).min), 2 ** (8 * stored.dtype.itemsize)
    counts = np.zeros(size, np.int64)
    for frame in stored if stored.ndim == 3 else (stored,):  # a stack would not fit as int64
        counts += np.bincount(frame.ravel().astype(np.int64) - offset, minlength=size)
    left = counts.copy()
    if padding is not None:
        low, high = sorted((padding, padding if limit is None else limit))
        left[max(low - offset, 0) : max(high - offset + 1, 0)] = 0
    counts = (left if left.any() else counts).cumsum()
    ends = np.searchsorted(counts, (0.001 * counts[-1], 0.999 * counts[-1])) + offset
    return int(ends[0]), int(ends[1])


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # another process was faster; its key is ours
        return
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(KEY_BYTES))


def _text(dataset: Any, keyword: str) -> str:
    value = dataset.get(keyword)
    return "" if value is None else str(value).strip()


def _code(dataset: Any, keyword: str) -> str | None:
    """Return a code string (CS); anything else, such as free text, is not kept."""
    text = _text(dataset, keyword)
    allowed = all(c.isascii() and (c.isupper() or c.isdigit() or c in " _") for c in text)
    return text if text and allowed and len(text) <= 16 and _anonymous(dataset, text) else None


def _choice(dataset: Any, keyword: str, allowed: tuple[str, ...]) -> str | None:
    text = _text(dataset, keyword)
    return text if text in allowed else None


def _numbers(dataset: Any, keyword: str) -> list[float]:
    value = dataset.get(keyword)
    if value is None or value == "":
        return []
    items = value if isinstance(value, (list, tuple)) or hasattr(value, "insert") else [value]
    numbers = [float(item) for item in items if item is not None and item != ""]
    return numbers if all(math.isfinite(n) for n in numbers) else []


def _number(dataset: Any, keyword: str) -> float | None:
    return next(iter(_numbers(dataset, keyword)), None)


def _windows(dataset: Any) -> tuple[Window, ...]:
    names = dataset.get("WindowCenterWidthExplanation") or []
    names = [names] if isinstance(names, str) else [str(name) for name in names]
    pairs = zip(_numbers(dataset, "WindowCenter"), _numbers(dataset, "WindowWidth"), strict=False)
    named = [
        Window(center, width, _name(dataset, names[i] if i < len(names) else "", f"Window {i + 1}"))
        for i, (center, width) in enumerate(pairs)
        if width > 0
    ]
    return tuple(dict.fromkeys(named))


def _tables(dataset: Any, keyword: str) -> tuple[LookUpTable, ...]:
    tables = []
    for i, item in enumerate(dataset.get(keyword) or []):
        count, first, bits = (int(v) for v in item.LUTDescriptor)
        data = item.LUTData
        # OW data stay bytes (8 bit entries two to a word); US data come as numbers.
        kind = np.uint8 if bits <= 8 and isinstance(data, bytes) else np.uint16
        entries = np.frombuffer(data, kind) if isinstance(data, bytes) else np.asarray(data)
        entries = entries[: count or 65536].astype(np.int64) & (2**bits - 1)
        if len(entries) and 1 <= bits <= 16:
            name = _name(dataset, _text(item, "LUTExplanation"), f"LUT {i + 1}")
            tables.append(LookUpTable(first, bits, tuple(entries.tolist()), name))
    return tuple(tables)


def _name(dataset: Any, text: str, default: str) -> str:
    """Return a preset's free text, unless it repeats something that identifies."""
    text = text.strip()[:32]
    return text if text and text.isprintable() and _anonymous(dataset, text) else default


def _anonymous(dataset: Any, text: str) -> bool:
    words = " ".join(_text(dataset, keyword) for keyword in _IDENTIFYING)
    for mark in "^=,;/\\[]'":
        words = words.replace(mark, " ")
    return not any(word in text.lower() for word in words.lower().split() if len(word) > 2)


def _padding(dataset: Any) -> tuple[int | None, int | None]:
    value = _number(dataset, "PixelPaddingValue")
    limit = _number(dataset, "PixelPaddingRangeLimit")
    if value is None:
        return None, None
    return int(value), None if limit is None else int(limit)


def _spacing(dataset: Any) -> tuple[tuple[float, float] | None, str | None]:
    for keyword, source in (("PixelSpacing", "calibrated"), ("ImagerPixelSpacing", "detector")):
        numbers = _numbers(dataset, keyword)
        if len(numbers) == 2 and min(numbers) > 0:
            return (numbers[0], numbers[1]), source
    return None, None


def _aspect(dataset: Any, spacing: tuple[float, float] | None) -> float:
    """Return height over width of a pixel."""
    ratio = spacing or tuple(_numbers(dataset, "PixelAspectRatio"))
    return ratio[0] / ratio[1] if len(ratio) == 2 and min(ratio) > 0 else 1.0


def _view(dataset: Any) -> str | None:
    for item in dataset.get("ViewCodeSequence") or []:
        known = _VIEW_CODES.get(_text(item, "CodeValue"))
        if known:
            return known
    return _code(dataset, "ViewPosition")
