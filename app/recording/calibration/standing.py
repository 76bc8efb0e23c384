"""Whether a session may read as it is: unasked only when validated within the study's limits.

One rule for every tracker. A tracker that is calibrated by its own software is held to its
validation; the simulated reader and the mouse are too, so that a trial goes the way of a real
session; gaze that is replayed cannot look at targets, so that it is read anyway or not at all.
"""

from dataclasses import dataclass

from app.recording.calibration.validation import ValidationResult

READ_ANYWAY = "read_anyway"
"""Key of `reading.details` and of `session.details`: what stood against a reading, in words."""
UNCALIBRATED, UNCHECKED, BEYOND_LIMITS = (
    "uncalibrated",
    "calibration_unchecked",
    "calibration_beyond_limits",
)
"""Codes of a reading's notes."""


@dataclass(frozen=True, slots=True)
class Hindrance:
    """What stands against reading.

    Attributes
    ----------
    code
        UNCALIBRATED, UNCHECKED or BEYOND_LIMITS.
    text
        In words with figures.
    """

    code: str
    text: str

    def as_note(self) -> dict[str, str]:
        """Return it as a note of a reading."""
        return {"code": self.code, "text": f"read anyway: {self.text}"}


def against_reading(validation: ValidationResult | None, unchecked: str = "") -> Hindrance | None:
    """Return what stands against reading; None where nothing does.

    Parameters
    ----------
    validation
        The last one of the session.
    unchecked
        What has changed since then so that it holds no more, in words; empty for nothing.
    """
    if unchecked:
        return Hindrance(UNCHECKED, unchecked)
    if validation is None:
        return Hindrance(UNCALIBRATED, "not calibrated in this session")
    if validation.within_limits:
        return None
    return Hindrance(BEYOND_LIMITS, "; ".join(validation.reasons))
