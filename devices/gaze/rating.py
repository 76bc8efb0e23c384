"""How much gaze is lost, and whether that of a reading can be used: one word with its reasons."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

Word = Literal["good", "doubtful", "bad"]


class Verdict(NamedTuple):
    """`word` is good, doubtful or bad; `reasons` say why not good, the gravest first."""

    word: Word
    reasons: tuple[str, ...] = ()


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


_ANY_LOSS = ReadingLimits(
    doubtful_loss=0.0, bad_loss=math.inf, doubtful_off_image=0.0, bad_off_image=math.inf
)
"""Of imported gaze: all that is missing is said, nothing makes it bad."""
_LONG_US = 60_000_000


def lost_share(valid_count: int, sample_count: int) -> float:
    """Return how much gaze is lost: the share of samples without it; 1 where no sample came.

    Parameters
    ----------
    valid_count
        Samples with gaze.
    sample_count
        Samples that came.
    """
    return 1 - valid_count / sample_count if sample_count else 1.0


def reading_verdict(
    loss: float,
    off_image: float | None,
    duration_us: int,
    accuracy_deg: float | None,
    limits: ReadingLimits | None = None,
    *,
    drift_deg: float | None = None,
    sample_count: int | None = None,
    partial: bool = False,
) -> Verdict:
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
    sample_count
        Samples that came; None if unknown.
    partial
        Whether it was interrupted, or resumes an interrupted one: a part of two seconds says
        nothing against the whole, which its verdict would otherwise drop from every cohort.
    """
    at = limits or ReadingLimits()
    seconds = duration_us / 1e6
    if partial and duration_us < at.doubtful_duration_us:
        return Verdict("doubtful", (f"a part of {seconds:.1f} s, too short to judge",))
    if sample_count == 0:
        return Verdict("bad", ("no gaze was recorded",))
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
    words: tuple[Word, ...] = ("good", "doubtful", "bad")
    reasons = sorted((f for f in findings if f[0]), key=lambda f: -f[0])
    worst = reasons[0][0] if reasons else 0
    return Verdict(words[worst], tuple(text for _, text in reasons))


def imported_verdict(
    loss: float, off_image: float, clamped_count: int, lacks: Sequence[str]
) -> Verdict:
    """Judge gaze from elsewhere: doubtful, never bad, for it cannot be recorded again.

    Parameters
    ----------
    loss, off_image
        As `reading_verdict` takes them.
    clamped_count
        Samples that the source moved to the image's border.
    lacks
        What the source does not say.
    """
    unsaid = f"the source does not say: {', '.join(lacks)}"
    missing = reading_verdict(loss, off_image, _LONG_US, 0.0, _ANY_LOSS).reasons
    clamped = (f"{clamped_count} samples were moved to the image's border",) * bool(clamped_count)
    first = f"imported; {unsaid if lacks else 'accuracy was not validated'}"
    return Verdict("doubtful", (first, *missing, *clamped))


def _grade(value: float | None, doubtful: float, bad: float) -> int:
    """Return 0 good, 1 doubtful or unknown, 2 bad; larger is worse."""
    if value is None or math.isnan(value):
        return 1
    return 2 if value > bad else int(value > doubtful)


def _said(text: str, value: float | None, unknown: str) -> str:
    return unknown if value is None or math.isnan(value) else text.format(value)
