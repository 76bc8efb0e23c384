"""Whether the gaze of a reading can be used, in one word with its reasons."""

import math
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["good", "doubtful", "bad"]


@dataclass(frozen=True, slots=True)
class ReadingLimits:
    """Limits of a good and of a usable reading."""

    doubtful_loss: float = 0.15
    bad_loss: float = 0.40
    doubtful_off_image: float = 0.30
    bad_off_image: float = 0.60
    doubtful_duration_us: int = 2_000_000
    bad_duration_us: int = 500_000
    doubtful_accuracy_deg: float = 1.0
    bad_accuracy_deg: float = 2.5
    doubtful_drift_deg: float = 1.0
    bad_drift_deg: float = 2.5


def reading_verdict(
    loss: float,
    off_image: float | None,
    duration_us: int,
    accuracy_deg: float | None,
    limits: ReadingLimits | None = None,
    *,
    drift_deg: float | None = None,
) -> tuple[Verdict, tuple[str, ...]]:
    """Judge a reading by its gaze.

    Parameters
    ----------
    loss, off_image
        Shares 0 … 1 of samples without gaze, and of gaze beside every image; None if unknown.
    duration_us
        How long it lasted.
    accuracy_deg
        Of the calibration in force; None if it was never validated.
    limits
        Beyond which a reading is doubtful or bad.
    drift_deg
        What the last drift probe before it found; None where there was none, which is no fault.

    Returns
    -------
    tuple
        The verdict, and the reasons for any but "good", the gravest first.
    """
    at = limits or ReadingLimits()
    seconds = duration_us / 1e6
    findings = (
        (
            _grade(-duration_us, -at.doubtful_duration_us, -at.bad_duration_us),
            f"too short: {seconds:.1f} s",
        ),
        (_grade(loss, at.doubtful_loss, at.bad_loss), f"gaze lost {loss:.0%} of the time"),
        (
            _grade(off_image, at.doubtful_off_image, at.bad_off_image),
            _said("gaze off the image {:.0%} of the time", off_image, "off-image share unknown"),
        ),
        (
            _grade(accuracy_deg, at.doubtful_accuracy_deg, at.bad_accuracy_deg),
            _said("calibration off by {:.1f}°", accuracy_deg, "accuracy was not validated"),
        ),
        (
            _grade(drift_deg or 0.0, at.doubtful_drift_deg, at.bad_drift_deg),
            _said("drifted by {:.1f}° before the case", drift_deg, "drift unknown"),
        ),
    )
    verdicts: tuple[Verdict, ...] = ("good", "doubtful", "bad")
    reasons = sorted((f for f in findings if f[0]), key=lambda f: -f[0])
    worst = reasons[0][0] if reasons else 0
    return verdicts[worst], tuple(text for _, text in reasons)


def _grade(value: float | None, doubtful: float, bad: float) -> int:
    """Return 0 good, 1 doubtful or unknown, 2 bad; larger is worse."""
    if value is None or math.isnan(value):
        return 1
    return 2 if value > bad else int(value > doubtful)


def _said(text: str, value: float | None, unknown: str) -> str:
    return unknown if value is None or math.isnan(value) else text.format(value)
