"""What is known about a reader besides the pseudonym: only coarse classes, if the study asks."""

from collections.abc import Mapping
from typing import Any

from migrations.study.errors import SettingsError

NOT_SAID = "not said"
"""For a reader who was asked and would rather not say."""
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "speciality": (
        "general radiology",
        "breast imaging",
        "chest imaging",
        "neuroradiology",
        "musculoskeletal imaging",
        "other radiology",
        "radiographer",
        "other physician",
        "no clinical work",
    ),
    "years": ("in training", "under 5", "5 to 9", "10 to 19", "20 or more"),
    "eyewear": ("none", "glasses", "contact lenses", "varifocals"),
}
"""The classes of each attribute; nothing finer is ever stored."""
_KEPT = "attributes"
"""Their key in the details of a reader's row."""


def attributes_of(details: Mapping[str, Any]) -> dict[str, str]:
    """Return what a reader's row stores of the attributes; what was not asked is left out."""
    kept = details.get(_KEPT, {})
    return {name: str(kept[name]) for name in ATTRIBUTES if name in kept}


def with_attributes(details: Mapping[str, Any], said: Mapping[str, str]) -> dict[str, Any]:
    """Return the details of a reader's row with the reader's new statements; earlier ones stay.

    Raises
    ------
    SettingsError
        If an attribute is unknown, or its value is not one of its classes.
    """
    for name, value in said.items():
        if name not in ATTRIBUTES:
            raise SettingsError(
                f"Readers are not asked for {name!r}, only for {', '.join(ATTRIBUTES)}."
            )
        if value not in (*ATTRIBUTES[name], NOT_SAID):
            raise SettingsError(
                f"{name} must be one of {', '.join(ATTRIBUTES[name])}, not {value!r}."
            )
    return {**details, _KEPT: {**said, **attributes_of(details)}} if said else dict(details)


def with_said(details: Mapping[str, Any], said: Mapping[str, str]) -> dict[str, Any]:
    """Return the details of a reader's row with what was said at a station; the latest counts."""
    return {**details, _KEPT: {**attributes_of(details), **said}}
