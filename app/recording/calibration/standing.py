"""Whether a session may read as it is: without asking only if validated within the limits.

One rule for every tracker. A tracker calibrated by its own software is judged by its validation; so
are the simulated reader and the mouse, so that a trial works like a real session. Replayed gaze
cannot look at targets, so it is read anyway or not at all.
"""

from dataclasses import dataclass

from app.recording.calibration.validation import ValidationResult

READ_ANYWAY = "read_anyway"
"""Key in `reading.details` and `session.details`: what spoke against reading, in words."""
UNCALIBRATED, UNCHECKED, BEYOND_LIMITS = (
    "uncalibrated",
    "calibration_unchecked",
    "calibration_beyond_limits",
)
"""Codes of a reading's notes."""


@dataclass(frozen=True, slots=True)
class Hindrance:
    """Something that speaks against reading.

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
        """Return it as a note for a reading."""
        return {"code": self.code, "text": f"read anyway: {self.text}"}


def against_reading(validation: ValidationResult | None, unchecked: str = "") -> Hindrance | None:
    """Return what speaks against reading; None where nothing does.

    Parameters
    ----------
    validation
        The last validation of the session.
    unchecked
        What has changed since that makes it invalid, in words; "" for nothing.
    """
    if unchecked:
        return Hindrance(UNCHECKED, unchecked)
    if validation is None:
        return Hindrance(UNCALIBRATED, "not calibrated in this session")
    if validation.within_limits:
        return None
    return Hindrance(BEYOND_LIMITS, "; ".join(validation.reasons))
