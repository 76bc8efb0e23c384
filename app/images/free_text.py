"""Free text that a file names its presets by: kept where it repeats nothing that identifies."""

from app.images.elements import Elements

_IDENTIFYING = (
    "PatientName", "PatientID", "OtherPatientIDs", "PatientBirthDate", "AccessionNumber",
    "InstitutionName", "InstitutionAddress", "ReferringPhysicianName", "OperatorsName",
    "PerformingPhysicianName", "StationName", "StudyID",
)  # fmt: skip


def anonymous(elements: Elements, text: str) -> bool:
    """Return whether a text holds no word of the elements that identify someone."""
    words = " ".join(elements.text(keyword) for keyword in _IDENTIFYING)
    for mark in "^=,;/\\[]'":
        words = words.replace(mark, " ")
    return not any(word in text.lower() for word in words.lower().split() if len(word) > 2)


def preset_name(elements: Elements, text: str, default: str) -> str:
    """Return a preset's free text, unless it repeats something that identifies."""
    text = text.strip()[:32]
    return text if text and text.isprintable() and anonymous(elements, text) else default
